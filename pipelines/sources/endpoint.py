"""What all clients need to know of an address, and how they ask it."""

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from pipelines.sources.bodies import LARGEST, invalid, unzipped
from pipelines.sources.errors import SourceBroken, SourceError, SourceRefused, SourceUnavailable
from pipelines.sources.politeness import retry_after

# HTTP answers that only a person can change: log in, slow down, stop.
REFUSALS = (401, 403, 429)
_SENDABLE = re.compile(r"[!-:<-~]*")
# A server's clock that is further off tells nothing.
LONGEST_SKEW = timedelta(days=1)


class Answer(NamedTuple):
    """An answer over HTTP, its body unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    reason: str


def is_loopback(url: str) -> bool:
    """Tell whether an address is on this computer, so that no proxy may stand in between."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown(url: str) -> str:
    """Return an address as texts may hold it: without a user's name, password and parameters."""
    try:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an address that cannot be read"
    return parts._replace(netloc=place, query="", fragment="").geturl()


def server_time(headers: Mapping[str, str], received_at: datetime) -> datetime | None:
    """Return when the server made an answer, by its clock; None where it does not say.

    Args:
        headers: Of the answer.
        received_at: When it came, by our clock: what is a day from it is no answer's time.
    """
    if "Age" in headers:  # a copy of an older answer, made on the way
        return None
    try:
        moment = parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None or abs(moment - received_at) > LONGEST_SKEW:
        return None
    return moment


async def send(client: httpx.AsyncClient, request: httpx.Request, timeout: float) -> Answer:
    """Return the answer to a request, whatever its status.

    Raises:
        SourceUnavailable: None came in so many seconds of this computer.
        PayloadInvalid: It is larger than any answer, packed or unpacked; with what was read of it.
    """
    request.headers["Accept-Encoding"] = "gzip"
    try:
        async with asyncio.timeout(timeout):
            response = await client.send(request, stream=True)
            try:
                packed = await _read(response)
            finally:
                await response.aclose()
                _forget_unsendable(client)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise SourceUnavailable(f"{request.url}: no answer in {timeout:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceUnavailable(f"{request.url}: {type(error).__name__} {error}") from error
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    body = _unpacked(packed, encoding) if packed else packed
    return Answer(response.status_code, response.headers, body, response.reason_phrase)


def _forget_unsendable(client: httpx.AsyncClient) -> None:
    """Forget cookies that could not be sent back: no header holds such characters."""
    jar = client.cookies.jar
    for cookie in list(jar):
        if not (_SENDABLE.fullmatch(cookie.name) and _SENDABLE.fullmatch(cookie.value or "")):
            jar.clear(cookie.domain, cookie.path, cookie.name)


async def _read(response: httpx.Response) -> bytes:
    """Return the bytes as they come, for as long as they may be an answer."""
    found = bytearray()
    async for part in response.aiter_raw():
        found += part
        if len(found) > LARGEST:
            raise invalid(f"{response.url}: an answer of more than {LARGEST:,} bytes", bytes(found))
    return bytes(found)


def _unpacked(packed: bytes, encoding: str) -> bytes:
    if encoding in {"", "identity"}:
        return packed
    if encoding not in {"gzip", "x-gzip"}:
        raise invalid(f"packed as {encoding}, which nobody asked for", packed)
    return unzipped(packed)


def http_failure(what: str, status: int, headers: Mapping[str, str]) -> SourceError:
    """Return the error that an HTTP status other than success stands for."""
    text = f"{what} answers HTTP {status}"
    if status not in REFUSALS:
        return SourceBroken(text)
    error = SourceRefused(text)
    error.status, error.retry_after = status, retry_after(headers)
    return error
