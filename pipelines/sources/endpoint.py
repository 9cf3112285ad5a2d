"""What all clients need to know of an address, and how they ask it."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from pipelines.sources.errors import SourceBroken, SourceError, SourceRefused, SourceUnavailable
from pipelines.sources.politeness import retry_after

# HTTP answers that only a person can change: log in, slow down, stop.
REFUSALS = (401, 403, 429)


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


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return when the server made an answer, by its clock; None where it does not say."""
    if "Age" in headers:  # a copy of an older answer, made on the way
        return None
    try:
        moment = parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else None


async def send(client: httpx.AsyncClient, request: httpx.Request, timeout: float) -> httpx.Response:
    """Return the answer to a request, whatever its status.

    Raises:
        SourceUnavailable: None came in so many seconds of this computer.
    """
    try:
        async with asyncio.timeout(timeout):
            return await client.send(request)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise SourceUnavailable(f"{request.url}: no answer in {timeout:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceUnavailable(f"{request.url}: {type(error).__name__} {error}") from error


def http_failure(what: str, status: int, headers: Mapping[str, str]) -> SourceError:
    """Return the error that an HTTP status other than success stands for."""
    text = f"{what} answers HTTP {status}"
    if status not in REFUSALS:
        return SourceBroken(text)
    error = SourceRefused(text)
    error.status, error.retry_after = status, retry_after(headers)
    return error
