"""Upstox's answers taken apart strictly: every complaint names its place. Pure."""

from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from pipelines.sources import limits
from pipelines.sources.bodies import LARGEST_FILE, unzipped
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.strict_json import load, number, shown
from strategy.session import IST

GZIP_START = b"\x1f\x8b"


class Complaint(NamedTuple):
    """An error that the source tells: its code and text, empty where it has none."""

    code: str
    message: str


def parse_json(body: bytes) -> Any:
    """Return what an answer holds, zipped or not.

    Raises:
        PayloadInvalid: It is not JSON.
    """
    return load(unzipped(body, LARGEST_FILE) if body.startswith(GZIP_START) else body)


def complaint(body: bytes) -> Complaint | None:
    """Return the error that an answer tells; None where it tells none, or is none of the source's.

    HTTP 200 carries errors too, as other clients have found.
    """
    try:
        return _complaint_of(parse_json(body))
    except PayloadInvalid:
        return None


def _complaint_of(content: Any) -> Complaint | None:
    if not isinstance(content, dict) or content.get("status") != "error":
        return None
    errors = content.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return Complaint("", "an error without a reason")
    code = first.get("errorCode") or first.get("error_code") or ""
    message = first.get("message") or "an error without a reason"
    return Complaint(_words(code), _words(message))


def _words(told: Any) -> str:
    return told if isinstance(told, str) else shown(told)


def parse_data(body: bytes) -> Any:
    """Return the `data` of an answer that tells success.

    Raises:
        PayloadInvalid: Not JSON, an error of the source, or no data.
    """
    content = parse_json(body)
    if told := _complaint_of(content):
        raise PayloadInvalid(f"the source reports {told.code}: {told.message}")
    if not isinstance(content, dict) or content.get("status") != "success":
        raise PayloadInvalid("status is not success")
    if "data" not in content:
        raise PayloadInvalid("data is missing")
    return content["data"]


def entry(content: Any, key: str, where: str) -> Any:
    """Return an entry that has to be there."""
    if not isinstance(content, dict):
        raise PayloadInvalid(f"{where} is no object")
    if key not in content:
        raise PayloadInvalid(f"{where}.{key} is missing")
    return content[key]


def listed(content: Any, where: str) -> list[Any]:
    """Return what has to be a list."""
    if not isinstance(content, list):
        raise PayloadInvalid(f"{where} is no list")
    return content


def units(value: Any, where: str) -> int | None:
    """Return a count: whole and not negative; None where the answer has null."""
    if value is None:
        return None
    result = number(value, where)
    if result < 0 or not result.is_integer():
        raise PayloadInvalid(f"{where}: {shown(value)} is no count")
    return limits.units(result, where)


def day(value: Any, where: str) -> date:
    """Return a date, from a text or from epoch milliseconds of a moment on it in India."""
    try:
        if isinstance(value, str):
            found = date.fromisoformat(value[:10])
        else:
            moment = datetime.fromtimestamp(number(value, where) / 1000, UTC)
            found = moment.astimezone(IST).date()
    except (ValueError, OverflowError, OSError) as error:
        raise PayloadInvalid(f"{where}: {shown(value)} is no date") from error
    return limits.day(found, where)
