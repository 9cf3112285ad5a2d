"""Strict access to the fields of Trendlyne's JSON: every complaint names its place. Pure."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from pipelines.sources import limits, strict_json
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.strict_json import shown

T = TypeVar("T")

LONGEST = 40  # characters of a number, or of a time
# Plain, or with separators in thousands or in lakhs and crores.
_NUMBER = re.compile(r"-?([0-9]+|[0-9]{1,3}(,[0-9]{2,3})*,[0-9]{3})(\.[0-9]+)?")


def parse_body(payload: bytes, *, head_required: bool = False) -> dict[str, Any]:
    """Return the `body` of an answer whose `head` tells success.

    HTTP 200 also carries errors: `head.status` is the string "0" on success only.

    Raises:
        PayloadInvalid: Not JSON, an error of the source, or no body.
    """
    answer = strict_json.load(payload)
    if not isinstance(answer, dict):
        raise PayloadInvalid(f"not an object but {type(answer).__name__}")
    if head_required or "head" in answer:
        head = object_entry(answer, "head", "answer")
        if entry(head, "status", "head") != "0":
            description = head.get("statusDescription")
            told = description if isinstance(description, str) else shown(description)
            raise PayloadInvalid(f"head.status is {shown(head['status'])}: {told}")
    return object_entry(answer, "body", "answer")


def entry(content: dict[str, Any], key: str, where: str) -> Any:
    """Return an entry that has to be there."""
    if key not in content:
        raise PayloadInvalid(f"{where}.{key} is missing")
    return content[key]


def object_entry(content: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    """Return an entry that has to be an object."""
    value = entry(content, key, where)
    if not isinstance(value, dict):
        raise PayloadInvalid(f"{where}.{key} is no object")
    return value


def list_entry(content: dict[str, Any], key: str, where: str) -> list[Any]:
    """Return an entry that has to be a list."""
    value = entry(content, key, where)
    if not isinstance(value, list):
        raise PayloadInvalid(f"{where}.{key} is no list")
    return value


def text_entry(content: dict[str, Any], key: str, where: str) -> str:
    """Return an entry that has to be a text."""
    value = entry(content, key, where)
    if not isinstance(value, str):
        raise PayloadInvalid(f"{where}.{key}: {shown(value)} is no text")
    return value


def number(value: Any, where: str) -> float:
    """Return a finite number, also from a text of one."""
    if isinstance(value, str) and len(value) <= LONGEST and _NUMBER.fullmatch(value.strip()):
        value = float(value.replace(",", ""))
    return strict_json.number(value, where)


def integer(value: Any, where: str) -> int:
    """Return a whole number."""
    result = number(value, where)
    if not result.is_integer():
        raise PayloadInvalid(f"{where}: {shown(value)} is not whole")
    return int(result)


def units(value: Any, where: str) -> int:
    """Return a number of units: whole, not negative, and such as there can be."""
    result = integer(value, where)
    if result < 0:
        raise PayloadInvalid(f"{where}: {shown(value)} is negative")
    return limits.units(result, where)


def day(value: Any, where: str) -> date:
    """Return an ISO date of this century."""
    try:
        found = date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise PayloadInvalid(f"{where}: {shown(value)} is no date") from error
    return limits.day(found, where)


def unless_null(read: Callable[[Any, str], T], value: Any, where: str) -> T | None:
    """Return a value as `read` gives it, None where the answer has null."""
    return None if value is None else read(value, where)
