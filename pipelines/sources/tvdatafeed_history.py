"""History through the `tvdatafeed-enhanced` package, behind the same contract as our session.

A second way to the same candles, one connection a request. The package leads the conversation;
this adapter gives it the address and the token, answers heartbeats, keeps the messages for the
archive and tells why there is no answer, which the package only logs. Candles are parsed from the
kept messages: the package turns every volume after the first missing one into zero.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tvDatafeed import Interval, TvDatafeed
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from pipelines.errors import ResolutionUnavailable, SourceError, SourceUnavailable
from pipelines.sources.series import History
from pipelines.sources.tradingview import DEFAULT_URL
from pipelines.sources.tradingview_charts import FAILURES, series_failure
from pipelines.sources.tradingview_socket import farewell, socket_failure, socket_options
from pipelines.sources.tradingview_wire import (
    EXCHANGE,
    Heartbeat,
    Message,
    decode,
    encode_heartbeat,
    parse_history,
)


class TvDatafeedHistory:
    """The package as a history source; the constructor's arguments are those of `TradingView`."""

    def __init__(
        self, url: str = DEFAULT_URL, token: str | None = None, timeout: float = 15.0
    ) -> None:
        self._url = url
        self._token = token
        self._timeout = timeout

    async def history(self, symbol: str, minutes: int, count: int) -> History:
        """Return the newest candles of a symbol; the last one may still be forming.

        Raises:
            SourceError: As for `Session.history` of `pipelines.sources.tradingview`.
        """
        return await asyncio.to_thread(self._history, symbol, minutes, count)

    def _history(self, symbol: str, minutes: int, count: int) -> History:
        try:
            interval = Interval(str(minutes))
        except ValueError as error:
            raise ResolutionUnavailable(f"the package has no {minutes} minutes") from error
        conversation = _Conversation(self._url, symbol, minutes, self._timeout)
        client = _Client(self._token, conversation)
        client.get_hist(symbol, EXCHANGE.removesuffix(":"), interval, count)
        return conversation.history()


class _Conversation:
    """Stands between the package and its socket, and remembers how it went."""

    def __init__(self, url: str, symbol: str, minutes: int, timeout: float) -> None:
        self._url = url
        self._symbol = symbol
        self._minutes = minutes
        self._timeout = timeout
        self._asked_at = time.time()
        self._end = time.monotonic() + timeout
        self._received_at = self._asked_at
        self._raw: list[bytes] = []
        self._chart_session: str | None = None
        self._failure: SourceError | None = None
        self._socket: ClientConnection | None = None

    @contextmanager
    def open(self) -> Iterator["_Conversation"]:
        """Connect; close in the end."""
        with self._noting_failures():
            self._socket = connect(self._url, **socket_options(self._url, self._timeout))
        with self._socket:
            yield self

    def send(self, text: str) -> None:
        """Send a message of the package as it is."""
        with self._noting_failures():
            self._connected().send(text)

    def recv(self) -> str:
        """Return the next message as it is, having answered what the package would not."""
        with self._noting_failures():
            raw = self._connected().recv(max(0.0, self._end - time.monotonic()), decode=False)
            self._received_at = time.time()
            for frame in decode(raw):
                if isinstance(frame, Heartbeat):
                    self._connected().send(encode_heartbeat(frame))
                elif isinstance(frame, Message):
                    self._take(frame)
            self._raw.append(raw)
            return raw.decode()

    def history(self) -> History:
        """Return the answer, or raise why there is none."""
        if self._failure is not None:
            raise self._failure
        if self._chart_session is None:
            raise SourceUnavailable(f"the package gave no series of {self._symbol}")
        raw = b"\n".join(self._raw)
        return History(
            symbol=self._symbol,
            minutes=self._minutes,
            bars=parse_history(raw, self._chart_session),
            raw=raw,
            chart_session=self._chart_session,
            asked_at_wall=self._asked_at,
            received_at_wall=self._received_at,
        )

    def _take(self, message: Message) -> None:
        if message.method in FAILURES:
            raise series_failure(self._symbol, self._minutes, message)
        error = farewell(message)
        if error is not None:
            raise error
        if message.method == "series_completed":
            self._chart_session = message.session

    def _connected(self) -> ClientConnection:
        if self._socket is None:
            raise SourceUnavailable("not connected")
        return self._socket

    @contextmanager
    def _noting_failures(self) -> Iterator[None]:
        # The package catches every exception and answers None: the reason has to be kept here.
        try:
            yield
        except SourceError as error:
            self._failure = error
            raise
        except TimeoutError:
            what = f"no series of {self._symbol} at {self._minutes} minutes"
            self._failure = SourceUnavailable(f"{what} within {self._timeout:g} s")
            raise
        except (OSError, WebSocketException) as error:
            self._failure = socket_failure(self._url, error)
            raise


class _Client(TvDatafeed):
    """The package with our address and token: no login, no token file."""

    def __init__(self, token: str | None, conversation: _Conversation) -> None:
        self._own_token = token
        self._conversation = conversation
        super().__init__()

    def _load_token(self) -> str | None:
        return self._own_token

    @contextmanager
    def _websocket_connection(self) -> Iterator[Any]:
        with self._conversation.open() as socket:
            yield socket
