"""Errors of the chart server, each with its HTTP status; JSON bodies have one shape.

ChartError
  SettingsError         correct the environment (never sent)
    PagesError          correct the pages' files (never sent)
  RequestError
    ParameterError      400, correct the parameter
    UnknownError        404, ask for something that is stored
    RangeError          413, ask for less
    TooManyError        429, ask for less at a time, or later
"""

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.errors import LockNotAvailable, QueryCanceled
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

DATABASE_OUT = "the database does not answer; try again in a moment"

logger = logging.getLogger(__name__)


class ChartError(Exception):
    """Base of the chart server's errors."""


class SettingsError(ChartError):
    """The environment cannot be used: correct the variable that the message names."""


class PagesError(SettingsError):
    """The pages' files cannot be used: correct the one that the message names."""


class RequestError(ChartError):
    """A request that cannot be answered; `details` go into the JSON body."""

    status = 400
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class ParameterError(RequestError):
    """A parameter has a value that is not allowed."""

    def __init__(self, name: str, allowed: str | Sequence[str]) -> None:
        text = allowed if isinstance(allowed, str) else f"one of {', '.join(allowed)}"
        super().__init__(f"{name} must be {text}", parameter=name, allowed=allowed)


class UnknownError(RequestError):
    """What was asked for is not stored."""

    status = 404


class RangeError(RequestError):
    """The range is too large for one answer."""

    status = 413


class TooManyError(RequestError):
    """The client has all that one client may have."""

    status = 429
    headers = MappingProxyType({"Retry-After": "1"})


def error_response(
    message: str, status: int, headers: Mapping[str, str] | None = None, **details: Any
) -> Response:
    """Return the one shape of errors."""
    body = {"error": message, "status": status, **details}
    return JSONResponse(body, status, headers)


def brief(error: BaseException) -> str:
    """Return an error as one line for the log."""
    return " ".join(str(error).split()) or type(error).__name__


def refusal(error: RequestError) -> Response:
    """Return the answer to a request that cannot be answered."""
    return error_response(str(error), error.status, error.headers, **error.details)


def database_out(error: BaseException) -> Response:
    """Return the answer while the database is away, and log why."""
    logger.warning("database out: %s", brief(error))
    return error_response(DATABASE_OUT, 503, {"Retry-After": "1"})


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101 - registered for this class only
    return refusal(error)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    return error_response(error.detail, error.status_code, error.headers)


async def _database_out(request: Request, error: Exception) -> Response:
    if isinstance(error, PoolTimeout) and request.state["status"].database_up:
        return error_response(
            "too many questions are asked at once; try again in a moment", 503, {"Retry-After": "1"}
        )
    return database_out(error)


async def _timed_out(request: Request, error: Exception) -> Response:
    request.state["status"].note_timeout()
    logger.warning("%s was given up: %s", request.url.path, brief(error))
    return error_response(
        "the database took too long: another session keeps a table locked, or too much is asked;"
        " try again, or ask for less",
        504,
    )


async def _broken(_: Request, error: Exception) -> Response:
    # The middleware logs the traceback.
    return error_response(f"internal error: {type(error).__name__}", 500)


EXCEPTION_HANDLERS: Mapping[Any, ExceptionHandler] = {
    RequestError: _refused,
    HTTPException: _http_error,
    QueryCanceled: _timed_out,
    LockNotAvailable: _timed_out,
    psycopg.OperationalError: _database_out,
    psycopg.InterfaceError: _database_out,
    Exception: _broken,
}
