"""How any websocket to TradingView is opened, and what its failures mean."""

from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI
from websockets.typing import Origin

from pipelines.sources.bodies import LARGEST
from pipelines.sources.endpoint import http_failure, is_loopback, shown
from pipelines.sources.errors import (
    AddressWrong,
    ConnectionWornOut,
    SourceError,
    SourceRefused,
    SourceUnavailable,
)
from pipelines.sources.tradingview.wire import SESSION_ERRORS, Message, words

ORIGIN = Origin("https://data.tradingview.com")
CLOSE_SECONDS = 2.0
# After some 200 chart sessions on one connection, as users of other clients report.
WORN_OUT = "max sessions"


def socket_options(url: str, timeout: float) -> dict[str, Any]:
    """Return the options of the websockets package, the same for its two clients."""
    return {
        "origin": ORIGIN,
        "max_size": LARGEST,
        "open_timeout": timeout,
        "close_timeout": CLOSE_SECONDS,
        "proxy": None if is_loopback(url) else True,
    }


def socket_failure(url: str, error: Exception) -> SourceError:
    """Return what an error of the websockets package or of the network stands for."""
    if isinstance(error, InvalidStatus):
        return http_failure(shown(url), error.response.status_code, error.response.headers)
    if isinstance(error, InvalidURI):
        return AddressWrong(f"{shown(url)} is no address of a websocket (TRADINGVIEW_URL)")
    if isinstance(error, ConnectionClosed):
        return SourceUnavailable(f"the connection is closed: {error}")
    return SourceUnavailable(f"no connection to {shown(url)}: {error or type(error).__name__}")


def farewell(message: Message) -> SourceError | None:
    """Return the error of a message by which the source ends the whole connection.

    One that names a chart or quote session ends that session only, unless it is one too many.
    """
    if message.method not in SESSION_ERRORS:
        return None
    told = words(message.params)
    if WORN_OUT in told.lower():
        return ConnectionWornOut(f"the connection is used up: {told}")
    if message.ends_session:
        return None
    if message.method == "critical_error":
        return SourceUnavailable(f"critical_error: {told}")
    return SourceRefused(f"protocol_error: {told}")
