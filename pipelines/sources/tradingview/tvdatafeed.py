"""History through the `tvdatafeed-enhanced` package, behind the same contract as our session.

A second way to the same candles, one connection a request. The package leads the conversation;
this adapter gives it the address, the token and the chart session's name, answers heartbeats,
keeps the frames for the archive and tells why there is no answer, which the package only logs.
The package also opens a quote session, with flags for which the source has ended that session
since 2024: the flags are left out, because its quote tells how late the candles are, and the
quote session's end would be no reason to give up the candles.
Candles are parsed from the kept frames: the package turns every volume after the first missing one
into zero.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from tvDatafeed import Interval, TvDatafeed
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from pipelines.sources.errors import (
    PayloadInvalid,
    ResolutionUnavailable,
    SourceError,
    SourceUnavailable,
)
from pipelines.sources.politeness import Budget, Unlimited
from pipelines.sources.questions import Questions
from pipelines.sources.refused import Refused
from pipelines.sources.series import History, HistoryRequest, ignore
from pipelines.sources.tradingview.account import Account
from pipelines.sources.tradingview.charts import series_failure, session_name
from pipelines.sources.tradingview.client import DEFAULT_URL
from pipelines.sources.tradingview.delay import Delay
from pipelines.sources.tradingview.greeting import require_true_clock
from pipelines.sources.tradingview.socket import farewell, socket_failure, socket_options
from pipelines.sources.tradingview.wire import (
    EXCHANGE,
    FAILURES,
    Heartbeat,
    Hello,
    Message,
    Piece,
    encode,
    encode_heartbeat,
    parse_history,
    parse_quote,
    parse_resolved,
    pieces,
)
from strategy.clock import MarketClock

# It warns at every request that nobody logged in; why there is no answer, the adapter tells.
logging.getLogger("tvDatafeed").setLevel(logging.CRITICAL)


class TvDatafeedHistory:
    """The package as a history source; the constructor's arguments are those of `TradingView`."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        account: Account | None = None,
        timeout: float = 15.0,
        budget: Budget | None = None,
        parallel: int = 4,
        clock: MarketClock | None = None,
    ) -> None:
        self._url = url
        self.account = account or Account(clock=clock)
        self._timeout = timeout
        self._budget = budget or Unlimited()
        self._parallel = parallel
        self._clock = clock

    async def history(self, symbol: str, minutes: int, count: int) -> History:
        """Return the newest candles of a symbol; the last one may still be forming.

        Raises:
            SourceError: As for `Session.history` of `pipelines.sources.tradingview.client`.
        """
        shown = self.account.shown()
        token = shown.text if shown else None
        async with self._budget.request():
            return await asyncio.to_thread(self._history, symbol, minutes, count, token)

    async def histories(
        self, requests: Iterable[HistoryRequest], taken: Callable[[History], None] = ignore
    ) -> dict[str, History | SourceError]:
        """Return each symbol's history, or why there is none; a few threads at a time.

        Raises:
            ValueError: A symbol is asked for twice.
        """
        questions = Questions(requests, taken)

        async def ask_in_turn() -> None:
            while request := questions.next():
                try:
                    answer = await self.history(request.symbol, request.minutes, request.count)
                except SourceError as error:
                    questions.failed(request, error, broke=False)
                else:
                    questions.answered(request, answer)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._parallel):
                tasks.create_task(ask_in_turn())
        return questions.answers()

    def _history(self, symbol: str, minutes: int, count: int, token: str | None) -> History:
        try:
            interval = Interval(str(minutes))
        except ValueError as error:
            raise ResolutionUnavailable(f"the package has no {minutes} minutes") from error
        conversation = _Conversation(self._url, symbol, minutes, self._timeout, self._clock)
        client = _Client(token, conversation)
        client.get_hist(symbol, EXCHANGE.removesuffix(":"), interval, count)
        if conversation.delay.seconds is not None:
            self.account.delay_seconds = conversation.delay.seconds
        return conversation.history()


class _Conversation:
    """Stands between the package and its socket, and remembers how it went."""

    def __init__(
        self, url: str, symbol: str, minutes: int, timeout: float, clock: MarketClock | None
    ) -> None:
        self._url = url
        self._clock = clock
        self.delay = Delay(clock.speed if clock else 1.0)
        self._reached: datetime | None = None
        self._symbol = symbol
        self._minutes = minutes
        self.chart_session = session_name("cs", symbol, minutes, 0)
        self._timeout = timeout
        self._asked_at = time.time()
        self._end = time.monotonic() + timeout
        self._received_at = self._asked_at
        self._texts: list[str] = []
        self._completed = False
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
        """Send a message of the package, without the flags that are refused."""
        with self._noting_failures():
            self._connected().send(_without_flags(text))

    def recv(self) -> str:
        """Return the next message as it is, having answered what the package would not."""
        with self._noting_failures():
            raw = self._connected().recv(max(0.0, self._end - time.monotonic()), decode=False)
            self._received_at = time.time()
            try:
                self._read(pieces(raw))
            except PayloadInvalid as error:
                error.body = raw
                raise
            return raw.decode()

    def history(self) -> History:
        """Return the answer, or raise why there is none."""
        if self._failure is not None:
            raise self._failure
        if not self._completed:
            raise SourceUnavailable(f"the package gave no series of {self._symbol}")
        raw = "\n".join(self._texts).encode()
        refused = Refused()
        try:
            bars = parse_history(raw, self.chart_session, refused)
            told = refused.told(len(bars))
        except PayloadInvalid as error:
            error.body = raw
            raise
        return History(
            symbol=self._symbol,
            minutes=self._minutes,
            bars=bars,
            raw=raw,
            about={"chart": self.chart_session},
            asked_at_wall=self._asked_at,
            received_at_wall=self._received_at,
            reached=self._reached,
            refused=told,
        )

    def _read(self, received: list[Piece]) -> None:
        for frame, text in received:
            match frame:
                case Heartbeat():
                    self._connected().send(encode_heartbeat(frame))
                case Hello():
                    require_true_clock(self._clock, frame.server_time, self._received_at)
                case Message():
                    self._take(frame)
                    if frame.session == self.chart_session:
                        self._texts.append(text)

    def _take(self, message: Message) -> None:
        error = farewell(message)
        if error is not None:
            raise error
        if message.method == "qsd":
            received_at = (self._clock or MarketClock.parse(None)).at(self._received_at)
            self.delay.quoted(parse_quote(message).values, received_at)
        if message.session != self.chart_session:
            return
        if message.method in FAILURES:
            raise series_failure(self._symbol, self._minutes, message)
        if message.method == "symbol_resolved":
            self.delay.resolved(parse_resolved(message))
        if message.method == "timescale_update":
            self._reached = self._reached or self.delay.newest
        if message.method == "series_completed":
            self._completed = True

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


def _without_flags(text: str) -> str:
    """Return the package's messages with names only where it asks for quotes."""
    kept = []
    for call, raw in pieces(text):
        if isinstance(call, Message) and call.method == "quote_add_symbols":
            kept.append(
                encode(call.method, [name for name in call.params if isinstance(name, str)])
            )
        else:
            kept.append(raw)
    return "".join(kept)


class _Client(TvDatafeed):
    """The package with our address and token: no login, no token file."""

    def __init__(self, token: str | None, conversation: _Conversation) -> None:
        self._own_token = token
        self._conversation = conversation
        super().__init__()
        # The package draws the name by lot; ours makes the same answer have the same bytes.
        self._TvDatafeed__generate_chart_session = lambda: conversation.chart_session

    def _load_token(self) -> str | None:
        return self._own_token

    @contextmanager
    def _websocket_connection(self) -> Iterator[Any]:
        with self._conversation.open() as socket:
            yield socket
