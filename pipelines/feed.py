"""The live feed: one websocket of forming candles, and positions as soon as they appear.

Runs beside Dagster, whose schedules deliver every closed row without it. Both use the same
ingest functions and what is stored says what is missing, so each heals what the other missed.
Streaming and positions stand alone: one source being down does not stop the other.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime, timedelta

from db.bulk import CANDLE, write
from db.change_log import prune
from db.connection import advisory_lock
from db.market import Range
from db.rows import Candle
from pipelines.candle_book import CandleBook
from pipelines.desk import TRADINGVIEW, Desk
from pipelines.errors import ResolutionUnavailable, SourceError, SymbolUnknown
from pipelines.ingest_candles import (
    RESOLUTIONS,
    ingest_candles,
    session_symbols,
    write_history,
)
from pipelines.ingest_positions import ingest_positions
from pipelines.materialise import SignalsBusyError, materialise_signals
from pipelines.plan import BUILD_UP_MINUTES
from pipelines.sources.series import BarUpdate
from pipelines.sources.tradingview import Session as TradingViewSession
from pipelines.sources.trendlyne import Payload
from strategy.contract import parse_symbol
from strategy.session import is_session, next_session, session_hours, session_of

logger = logging.getLogger(__name__)

FEED_LOCK = 7_346_003
# Seconds of this computer: how often memory is written, and pauses after failures.
FLUSH_SECONDS = 0.25
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 20.0
PRUNE_SECONDS = 60.0
KEPT_CHANGES = 200_000  # several times what a reader may lag behind before it starts anew
# Market time: how often missing positions are asked for, and around the session.
POLL_PERIOD = timedelta(seconds=15)
EARLY = timedelta(minutes=10)
LATE = timedelta(minutes=15)
SETTLE_MARKET = timedelta(seconds=3)
SETTLE_WALL_SECONDS = 1.5


class AnotherFeedError(Exception):
    """A feed runs on this database already: stop it first."""


async def run(desk: Desk) -> None:
    """Follow session after session, for ever.

    Raises:
        AnotherFeedError: Another process holds the feed's lock.
        psycopg.OperationalError: The database went away; start again.
    """
    with advisory_lock(desk.connection, FEED_LOCK) as held:
        if not held:
            raise AnotherFeedError("a feed runs on this database already: stop it first")
        while True:
            session = await _next_session(desk)
            logger.info("following session %s", session)
            await SessionFeed(desk, session).run()


async def _next_session(desk: Desk) -> date:
    """Return the session that is on or about to open; sleep until there is one."""
    while True:
        now = desk.now()
        session = session_of(now)
        if not is_session(session) or now >= session_hours(session)[1] + LATE:
            session = next_session(session)
        opens = session_hours(session)[0] - EARLY
        if now >= opens:
            return session
        logger.info("market closed; next session %s", session)
        # Short sleeps, so that a computer that slept meanwhile does not oversleep.
        await asyncio.sleep(min(60.0, desk.clock.seconds_until(opens)))


class SessionFeed:
    """One session followed from before its open until everything of it is stored."""

    def __init__(self, desk: Desk, session: date) -> None:
        self._desk = desk
        self._session = session
        self._end = session_hours(session)[1] + LATE
        self._book = CandleBook(session, desk.settings.label(TRADINGVIEW))
        self._updates: list[BarUpdate] = []
        self._stale = asyncio.Event()  # signals have to be computed again
        self._stale.set()

    async def run(self) -> None:
        """Follow the session; returns some minutes after its close."""
        async with asyncio.TaskGroup() as tasks:
            followers = [
                tasks.create_task(self._keep(self._stream)),
                tasks.create_task(self._keep(self._positions)),
                tasks.create_task(self._signals()),
                tasks.create_task(self._prune()),
            ]
            while self._desk.now() < self._end:  # noqa: ASYNC110 - what is awaited is time
                await asyncio.sleep(min(5.0, self._desk.clock.seconds_until(self._end)))
            for follower in followers:
                follower.cancel()
        await self._finish()

    async def _finish(self) -> None:
        """Heal what the stream missed; what stays missing is Dagster's closing run's to report."""
        for ingest in (ingest_candles, ingest_positions):
            try:
                await ingest(self._desk, self._session)
            except SourceError as error:
                logger.warning("session %s not healed: %s", self._session, error)
        self._materialise(wait=True)

    async def _keep(self, follow: Callable[[], Awaitable[None]]) -> None:
        """Run one follower again after each failure of its source, with growing pauses."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = self._desk.now()
            try:
                await follow()
            except SourceError as error:
                logger.warning("%s: %s", type(error).__name__, error)
            if self._desk.now() - started > timedelta(minutes=5):
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _stream(self) -> None:
        try:
            async with self._desk.tradingview.connect() as tradingview:
                # What formed on an earlier connection stopped there: it tells nothing final.
                self._book = CandleBook(self._session, self._desk.settings.label(TRADINGVIEW))
                self._updates = []
                reader = asyncio.create_task(self._read(tradingview))
                try:
                    await self._follow_universe(tradingview, reader)
                finally:
                    reader.cancel()
                    await asyncio.gather(reader, return_exceptions=True)
        except SourceError as error:
            self._desk.keep_unparsed(self._session, error)
            self._desk.report_down(TRADINGVIEW, error)
            raise

    async def _read(self, tradingview: TradingViewSession) -> None:
        async for update in tradingview.updates():
            self._updates.append(update)

    async def _follow_universe(
        self, tradingview: TradingViewSession, reader: asyncio.Task[None]
    ) -> None:
        """Subscribe what is around ATM, and write what arrived, several times a second."""
        subscribed: set[str] = set()
        checked: datetime | None = None
        while True:
            now = self._desk.now()
            # ATM moves with five-minute closes; a look every market half minute is enough.
            if checked is None or now - checked >= timedelta(seconds=30):
                checked = now
                for symbol in session_symbols(self._desk, self._session):
                    if symbol not in subscribed:
                        subscribed.add(symbol)
                        await self._subscribe(tradingview, symbol)
                        self._flush(tradingview)
            self._flush(tradingview)
            if reader.done():
                await reader  # raises what broke the connection
            await asyncio.sleep(FLUSH_SECONDS)

    async def _subscribe(self, tradingview: TradingViewSession, symbol: str) -> None:
        """Follow one symbol; one that fails alone is left to Dagster's runs until we reconnect."""
        start = session_hours(self._session)[0]
        elapsed = max(timedelta(0), self._desk.now() - start)
        for minutes in RESOLUTIONS:
            count = int(elapsed / timedelta(minutes=minutes)) + 3
            try:
                history = await tradingview.subscribe(symbol, minutes, count)
            except ResolutionUnavailable:
                continue
            except SourceError as error:
                if tradingview.failure is not None and not isinstance(error, SymbolUnknown):
                    raise
                self._desk.keep_unparsed(self._session, error)
                logger.warning("%s is not followed: %s", symbol, error)
                return
            write_history(self._desk, self._session, history)
            received_at = self._desk.clock.at(history.received_at_wall)
            self._book.take(symbol, minutes, history.bars[-1:], received_at)
            return
        logger.warning("%s has no candles of %s minutes", symbol, RESOLUTIONS)

    def _flush(self, tradingview: TradingViewSession) -> None:
        """Archive the messages received, then write the candles they changed."""
        desk, updates = self._desk, self._updates
        self._updates = []
        if updates:
            self._archive(updates)
            for update in updates:
                received_at = desk.clock.at(update.received_at_wall)
                self._book.take(update.symbol, update.minutes, update.bars, received_at)
            desk.report_up(TRADINGVIEW)
        grace = max(SETTLE_MARKET, timedelta(seconds=SETTLE_WALL_SECONDS * desk.clock.speed))
        # Silence settles a bar only as long as the connection itself is heard.
        self._book.settle(desk.clock.at(tradingview.heard_at_wall), grace)
        rows = self._book.drain()
        if rows and write(desk.connection, CANDLE, rows) and _moves_signals(rows):
            self._stale.set()
        for reason in self._book.refused:
            logger.warning("bar refused: %s", reason)
        self._book.refused.clear()

    def _archive(self, updates: list[BarUpdate]) -> None:
        frames = [update.raw for update in updates]
        series = {update.chart_session: [update.symbol, update.minutes] for update in updates}
        received_at = self._desk.clock.at(updates[-1].received_at_wall)
        # Nobody asks for a change: the subscription did.
        name = f"stream {json.dumps(series)}"
        payload = Payload(TRADINGVIEW, name, received_at, received_at, b"\n".join(frames))
        self._desk.archive(payload, self._session)

    async def _positions(self) -> None:
        while True:
            report = await ingest_positions(self._desk, self._session)
            if report.build_ups or report.contracts:
                self._stale.set()
            await asyncio.sleep(POLL_PERIOD.total_seconds() / self._desk.clock.speed)

    async def _signals(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                self._materialise()
            except SignalsBusyError:  # waiting would stop the stream
                self._stale.set()
            # Rows of one interval arrive together; one computation serves them all.
            await asyncio.sleep(FLUSH_SECONDS)

    async def _prune(self) -> None:
        """Keep the change log short: forming candles fill it with some millions of rows a day."""
        while True:
            await asyncio.sleep(PRUNE_SECONDS)
            prune(self._desk.connection, KEPT_CHANGES)

    def _materialise(self, *, wait: bool = False) -> None:
        sessions = Range(self._session, self._session)
        desk = self._desk
        materialise_signals(
            desk.connection, sessions, desk.settings.underlyings, desk.now(), wait=wait
        )


def _moves_signals(rows: Iterable[Candle]) -> bool:
    """Tell whether a price that places ATM is among the rows: the close of a 5-minute interval."""
    return any(
        row.final
        and parse_symbol(row.symbol) is None
        and (row.open_time.minute + row.interval_minutes) % BUILD_UP_MINUTES == 0
        for row in rows
    )
