"""The live feed: one websocket of forming candles, and positions as soon as they appear.

Runs beside Dagster, whose schedules deliver every closed row without it. Both use the same
ingest functions and what is stored says what is missing, so each heals what the other missed.
Its parts stand alone: neither a source that is down nor a failure of one stops the others.
"""

import asyncio
import logging
import time
from datetime import date, datetime, timedelta
from functools import partial

from db.archive.feed_faults import forget_feed_faults
from db.archive.raw_payloads import seal_parts
from db.checks.statistics import FEED_LOCK
from db.pages.change_log import prune
from db.pages.forming import prune_forming
from db.server.connection import advisory_lock
from db.signals.faults import forget_faults
from pipelines.ingest.candles import ingest_candles, session_symbols
from pipelines.ingest.desk import Desk
from pipelines.ingest.positions import ingest_positions
from pipelines.live.aside import Aside
from pipelines.live.clock_guard import ClockGuard
from pipelines.live.closing import LATE, close_session, left_unclosed
from pipelines.live.keeper import Keeper, Part
from pipelines.live.place import advance_greeks, advance_signals
from pipelines.live.stream import Stream
from pipelines.signals.materialise import SignalsBusyError
from pipelines.sources.errors import ConnectionWornOut, SourceError
from pipelines.sources.roles import StreamSession
from strategy.session import is_session, next_session, session_hours, session_of

logger = logging.getLogger(__name__)

# Seconds of this computer: how often memory is written.
FLUSH_SECONDS = 0.25
TIDY_SECONDS = 60.0
POLL_PAUSE_SECONDS = 0.1  # a look at what is stored costs some milliseconds
GREEKS_PAUSE_SECONDS = 1.0  # a look costs some milliseconds, a minute of options some tens
KEPT_CHANGES = 200_000  # several times what a reader may lag behind before it starts anew
# Market time: how often missing positions are asked for, and around the session.
POLL_PERIOD = timedelta(seconds=15)
# Build-ups are made again of so much of the past, as its ladders and candles come: these may be a
# quarter of an hour late.
RECENT = timedelta(minutes=45)
GREEKS_PERIOD = timedelta(seconds=5)
EARLY = timedelta(minutes=10)
CLOSE_AGAIN_SECONDS = 300.0
# A minute of the stream is put together when it is over, and nothing of it still on its way.
SEAL_AFTER = timedelta(minutes=2)


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
        forget_faults(desk.connection)  # what failed is tried anew
        forget_feed_faults(desk.connection)
        await _close_earlier(desk)
        while True:
            session = await _next_session(desk)
            logger.info("following session %s", session)
            await SessionFeed(desk, session).run()


async def _close_earlier(desk: Desk) -> None:
    """Do what an earlier feed was killed before, or stopped before."""
    for session in left_unclosed(desk):
        logger.info("session %s was not closed: closing it", session)
        async with Aside(desk.settings.database_url.get_secret_value()) as aside:
            await Keeper(desk).once("closing", partial(close_session, desk, session, aside))


async def _next_session(desk: Desk) -> date:
    """Return the session that is on or about to open; sleep until there is one."""
    pause = CLOSE_AGAIN_SECONDS
    due = time.monotonic() + pause
    while True:
        now = desk.now()
        session = session_of(now)
        if not is_session(session) or now >= session_hours(session)[1] + LATE:
            session = next_session(session)
        opens = session_hours(session)[0] - EARLY
        if now >= opens:
            return session
        logger.info("market closed; next session %s", session)
        if time.monotonic() >= due:  # what a source refused when the session was closed
            await _close_earlier(desk)
            pause *= 2
            due = time.monotonic() + pause
        # Short sleeps, so that a computer that slept meanwhile does not oversleep.
        await asyncio.sleep(min(60.0, desk.clock.seconds_until(opens)))


class SessionFeed:
    """One session followed from before its open until everything of it is stored and closed."""

    def __init__(self, desk: Desk, session: date) -> None:
        self._desk = desk
        self._session = session
        self._end = session_hours(session)[1] + LATE
        self._guard = ClockGuard()
        self._keeper = Keeper(desk)
        pause = POLL_PERIOD.total_seconds() / desk.clock.speed
        self._poll_seconds = max(POLL_PAUSE_SECONDS, pause)
        self._stale = asyncio.Event()  # signals have to be computed again

    async def run(self) -> None:
        """Follow the session; returns some minutes after its close."""
        dsn = self._desk.settings.database_url.get_secret_value()
        async with Aside(dsn) as aside:
            await self._follow(aside)
            close = partial(close_session, self._desk, self._session, aside)
            await self._keeper.once("closing", close)

    async def _follow(self, aside: Aside) -> None:
        name, follow = (
            ("stream", self._stream) if self._desk.streams else ("candles", self._candles)
        )
        parts: dict[str, Part] = {
            name: follow,
            "positions": self._positions,
            "signals": partial(self._signals, aside),
            "greeks": partial(self._greeks, aside),
            "tidy": self._tidy,
        }
        async with asyncio.TaskGroup() as tasks:
            followers = [
                tasks.create_task(self._keeper.keep(name, part)) for name, part in parts.items()
            ]
            while self._desk.now() < self._end:  # noqa: ASYNC110 - what is awaited is time
                await asyncio.sleep(min(5.0, self._desk.clock.seconds_until(self._end)))
            for follower in followers:
                follower.cancel()

    async def _stream(self) -> None:
        """Follow the preferred source that streams; its failure is the schedules' to bridge."""
        source, client = self._desk.streams[0]
        try:
            async with client.connect() as connection:
                stream = Stream(self._desk, self._session, source.name, connection)
                reader = asyncio.create_task(stream.read())
                try:
                    await self._follow_universe(connection, stream, reader)
                finally:
                    reader.cancel()
                    await asyncio.gather(reader, return_exceptions=True)
        except ConnectionWornOut as error:
            logger.info("connecting again: %s", error)
        except SourceError as error:
            self._desk.keep_unparsed(source.name, self._session, error)
            self._desk.report_down(source.name, error)
            raise

    async def _candles(self) -> None:
        """Ask for candles minute by minute, where no source streams them."""
        while True:
            report = await ingest_candles(self._desk, self._session)
            if report.rows:
                self._stale.set()
            await asyncio.sleep(self._poll_seconds)

    async def _follow_universe(
        self, connection: StreamSession, stream: Stream, reader: asyncio.Task[None]
    ) -> None:
        """Subscribe what is around ATM, and write what arrived, several times a second.

        Returns when the account has another token: a new connection shows it.
        """
        checked: datetime | None = None
        for name in self._desk.settings.underlyings:
            await connection.watch(name)
        while not connection.outdated:
            now = self._desk.now()
            # ATM moves with five-minute closes; a look every market half minute is enough.
            if checked is None or now - checked >= timedelta(seconds=30):
                checked = now
                for symbol in session_symbols(self._desk, self._session):
                    await stream.subscribe(symbol)
                    self._write(stream)
            self._write(stream)
            if reader.done():
                await reader  # raises what broke the connection
            await asyncio.sleep(FLUSH_SECONDS)

    def _write(self, stream: Stream) -> None:
        self._guard.require_steady()
        if stream.write():
            self._stale.set()

    async def _positions(self) -> None:
        since: datetime | None = None  # whoever begins knows not what was missed before
        while True:
            report = await ingest_positions(self._desk, self._session, since)
            if report.build_ups or report.contracts:
                self._stale.set()
            await asyncio.sleep(self._poll_seconds)
            since = self._desk.now() - RECENT

    async def _signals(self, aside: Aside) -> None:
        self._stale.set()  # whoever begins knows not what was computed before
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self._materialise(aside)
            except SignalsBusyError:
                self._stale.set()
            # Rows of one interval arrive together; one computation serves them all.
            await asyncio.sleep(FLUSH_SECONDS)

    async def _greeks(self, aside: Aside) -> None:
        """Compute the greeks of intervals whose candles became final or were corrected."""
        desk = self._desk
        work = partial(advance_greeks, self._session, desk.settings.underlyings)
        while True:
            await aside.do(work)
            pause = GREEKS_PERIOD.total_seconds() / desk.clock.speed
            await asyncio.sleep(max(GREEKS_PAUSE_SECONDS, pause))

    async def _tidy(self) -> None:
        """Keep log and forming candles short; put the archive's parts of past minutes together."""
        kept = timedelta(days=self._desk.settings.forming_days)
        while True:
            seal_parts(self._desk.connection, self._session, self._desk.now() - SEAL_AFTER)
            prune(self._desk.connection, KEPT_CHANGES)
            prune_forming(self._desk.connection, self._desk.now() - kept)
            await asyncio.sleep(TIDY_SECONDS)

    async def _materialise(self, aside: Aside) -> None:
        underlyings = self._desk.settings.underlyings
        await aside.do(partial(advance_signals, self._session, underlyings, self._desk.now()))
