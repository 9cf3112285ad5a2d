"""TradingView over its websocket: history, live bars and quotes on one connection.

Used on the user's own account and responsibility: requests are few and spaced, each has a
deadline, and nothing logs in. What the source sent is handed on with its bytes, for the archive.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from pipelines.sources.errors import SourceError, SourceUnavailable
from pipelines.sources.politeness import Budget, Unlimited
from pipelines.sources.series import BarUpdate as BarUpdate
from pipelines.sources.series import History as History
from pipelines.sources.series import HistoryRequest as HistoryRequest
from pipelines.sources.series import Quote as Quote
from pipelines.sources.tradingview.account import Account
from pipelines.sources.tradingview.charts import (
    Chart,
    answer,
    close_chart,
    keep_alive,
    open_chart,
)
from pipelines.sources.tradingview.connection import Connection, open_connection
from pipelines.sources.tradingview.inbox import Inbox
from pipelines.sources.tradingview.quotes import QuoteBoard
from strategy.clock import MarketClock

DEFAULT_URL = "wss://data.tradingview.com/socket.io/websocket"
LIVE_COUNT = 300


class Session:
    """One connection in use. Once it broke, everything raises what broke it; open a new one."""

    def __init__(
        self, connection: Connection, budget: Budget, account: Account, token: str | None
    ) -> None:
        self._connection = connection
        self._budget = budget
        self._account = account
        self._token = token
        self._charts: dict[tuple[str, int], Chart] = {}
        self._opening: set[tuple[str, int]] = set()
        self._updates: Inbox[BarUpdate] = connection.inbox()
        self._quotes = QuoteBoard(connection)

    @property
    def failure(self) -> SourceError | None:
        """What broke the connection; None while it works."""
        return self._connection.failure

    @property
    def heard_at_wall(self) -> float:
        """Epoch second of the newest message, heartbeats included: so long it has been alive."""
        return self._connection.heard_at_wall

    @property
    def data_at_wall(self) -> float:
        """Epoch second of the newest bars or quotes: until then we know all."""
        return self._connection.data_at_wall

    @property
    def delay_seconds(self) -> int | None:
        """How late the data is; 0 in real time, None while nothing tells."""
        return self._connection.delay.seconds

    @property
    def delay_told_by(self) -> str | None:
        """What told how late the data is, in the source's words; None while nothing did."""
        return self._connection.delay.told_by

    @property
    def outdated(self) -> bool:
        """Whether the account has another token by now than this connection showed."""
        token = self._account.token()
        return (token.text if token else None) != self._token

    def note_delay(self) -> None:
        """Let the account know how late its data is, where this connection tells."""
        if self.delay_seconds is not None:
            self._account.delay_seconds = self.delay_seconds

    async def watch(self, symbol: str) -> None:
        """Follow a quote that tells how late the data is and how far the source has come.

        Nothing waits for it: where quotes are refused only bars tell. A connection that broke
        tells so to whoever uses it next.
        """
        with suppress(SourceError):
            await self._quotes.follow([symbol])

    def give_up_if_mute(self, since_wall: float) -> SourceError | None:
        """Break a connection that has brought nothing but heartbeats since an epoch second.

        Returns:
            What it is broken by now; None while it works.
        """
        if self.data_at_wall >= since_wall or self.failure is not None:
            return self.failure
        alive = "nothing but heartbeats" if self.heard_at_wall >= since_wall else "nothing"
        self._connection.fail(
            SourceUnavailable(f"{alive} came from TradingView, as after the end of a token")
        )
        return self.failure

    @property
    def subscribed(self) -> frozenset[tuple[str, int]]:
        """The symbols and minutes whose series are streaming."""
        return frozenset(self._charts)

    @property
    def quotes(self) -> Mapping[str, Quote]:
        """The last known quotes by symbol."""
        return self._quotes.values

    async def history(self, symbol: str, minutes: int, count: int) -> History:
        """Return the newest candles of a symbol; the last one may still be forming.

        Raises:
            SymbolUnknown: The source does not know the symbol.
            ResolutionUnavailable: It has no candles of that many minutes for it.
            SourceUnavailable: No answer in time, or the connection broke.
            SourceRefused: The source closed the connection on purpose, or nobody may ask now.
            PayloadInvalid: The answer is not of the documented form.
        """
        async with self._budget.request():
            chart = open_chart(self._connection, HistoryRequest(symbol, minutes, count))
            try:
                return await answer(self._connection, chart)
            finally:
                await close_chart(self._connection, chart)
                self.note_delay()

    async def subscribe(self, symbol: str, minutes: int, count: int = LIVE_COUNT) -> History:
        """Return the history so far and let every later change appear in `updates`.

        Raises:
            ValueError: That series is streaming already.
            SourceError: As for `history`.
        """
        key = (symbol, minutes)
        if key in self._charts or key in self._opening:
            raise ValueError(f"{symbol} at {minutes} minutes is subscribed already")
        self._opening.add(key)
        try:
            async with self._budget.request():
                chart = open_chart(self._connection, HistoryRequest(symbol, minutes, count))
                try:
                    history = await answer(self._connection, chart)
                except BaseException:
                    await close_chart(self._connection, chart)
                    raise
        finally:
            self._opening.discard(key)
        self._charts[key] = chart
        keep_alive(self._connection, chart, self._updates, lambda: self._forget(key))
        self.note_delay()
        return history

    def _forget(self, key: tuple[str, int]) -> None:
        self._charts.pop(key, None)

    async def unsubscribe(self, symbol: str, minutes: int) -> None:
        """End a live series."""
        await close_chart(self._connection, self._charts.pop((symbol, minutes)))

    def updates(self) -> AsyncIterator[BarUpdate]:
        """Iterate over the changes of all live series, in the order received; for one reader.

        The iteration ends with the error that broke the connection. Updates that nobody reads
        break it too, rather than being dropped.
        """
        return self._updates

    async def stream(self, symbols: Mapping[str, int]) -> AsyncIterator[BarUpdate]:
        """Subscribe symbols, each with its minutes; iterate over histories, then changes."""
        for symbol, minutes in symbols.items():
            history = await self.subscribe(symbol, minutes)
            yield BarUpdate(
                symbol=symbol,
                minutes=minutes,
                bars=history.bars,
                raw=history.raw,
                chart_session=history.about["chart"],
                received_at_wall=history.received_at_wall,
            )
        async for update in self._updates:
            yield update

    async def subscribe_quotes(self, symbols: Collection[str]) -> None:
        """Keep the quotes of these symbols up to date; returns when each has a first one.

        Raises:
            SymbolUnknown: The source refuses one of them; the others stay subscribed.
            SourceUnavailable: One of them got no answer in time, or the connection broke.
        """
        await self._quotes.subscribe(symbols)

    def quote_updates(self) -> AsyncIterator[Quote]:
        """Iterate over changed quotes, merged; a slow reader skips to the newest values."""
        return self._quotes


class TradingView:
    """Where TradingView is, and who asks: the user's own account, by default nobody's.

    Every connection, history and series takes a place in the budget; without one nothing limits
    them.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        account: Account | None = None,
        timeout: float = 15.0,
        queue_limit: int = 10_000,
        budget: Budget | None = None,
        clock: MarketClock | None = None,
    ) -> None:
        self._url = url
        self.account = account or Account(clock=clock)
        self._timeout = timeout
        self._queue_limit = queue_limit
        self._budget = budget or Unlimited()
        self._clock = clock

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Session]:
        """Open a session; leaving the context closes its socket and ends its reader.

        Raises:
            SourceUnavailable: No connection or no greeting in time.
            SourceRefused: The address is wrong, the server forbids it, or nobody may ask now.
            TokenEnded: The user's token is over.
        """
        shown = self.account.shown()
        token = shown.text if shown else None
        async with AsyncExitStack() as stack:
            async with self._budget.request():
                connection = await stack.enter_async_context(
                    open_connection(self._url, token, self._timeout, self._queue_limit, self._clock)
                )
            yield Session(connection, self._budget, self.account, token)
