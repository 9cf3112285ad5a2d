"""What pages show of the market, the sources and the age of the data."""

import asyncio
import logging
import time
from datetime import date, datetime, timedelta
from typing import Any

import psycopg

from chartserver import seen
from chartserver.ages import ages_object, incomplete
from chartserver.errors import brief
from chartserver.frames import event, hours_object, seconds
from chartserver.hub import Hub
from chartserver.payload import Payload
from chartserver.problems import Found, Problem, Problems, problem_object
from chartserver.settings import Settings
from chartserver.sources import EXPECTED, judge, source_object
from chartserver.subscription import Notice
from db.pages.freshness import SourceStatus
from db.pages.loss_limit import Reached
from db.server.reader import Lookout, Pool, answers, read
from db.server.timeouts import timed_out
from strategy.contract import UNDERLYINGS
from strategy.errors import CalendarUnknownError
from strategy.session import is_open, is_session, session_hours, session_of

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
REPEAT_SECONDS = 10.0
# Questions were given up so lately that the next ones may be.
HANG_SECONDS = 30.0
# Whoever asks for the health gives up after three.
HEALTH_SECONDS = 2.2
# A feed that ended is there again after its longest pause and some seconds for its start.
FEED_SECONDS = 20.0


class StatusWatch:
    """Reads the state every two seconds and tells all clients when it changed.

    Attributes:
        seen: The state as last read.
        database_up: Whether the database answered then.
        is_read: Whether the state could be read then; an old one would hide what is wrong.
        problems: What is wrong, the database first.
        timeouts: How many questions, of the state or of pages, were given up for their time.
        started_at: In seconds of `time.monotonic`.
    """

    def __init__(self, settings: Settings, pool: Pool, lookout: Lookout, hub: Hub) -> None:
        self._settings = settings
        self._pool = pool
        self._lookout = lookout
        self._hub = hub
        self._looking = asyncio.Lock()
        self._problems = Problems(settings.home)
        self.seen = seen.NOTHING
        self.database_up = True
        self.is_read = False
        self.problems: list[Problem] = []
        self.timeouts = 0
        self.started_at = self._feed_at = time.monotonic()
        self._timeout_at = 0.0
        self._asked: asyncio.Task[bool] | None = None

    async def run(self) -> None:
        """Look for ever."""
        told: object = None
        told_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            await self.look()
            content = self._content()
            if content != told or loop.time() - told_at >= REPEAT_SECONDS:
                names = (None, *UNDERLYINGS)
                self._hub.broadcast(Notice({name: Payload(self.event(name)) for name in names}))
                told, told_at = content, loop.time()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, *, knocked: bool = False) -> bool:
        """Read the state once; tell whether the database answered.

        Args:
            knocked: The server was seen to take new connections a moment ago.
        """
        async with self._looking:
            self._name_problems(await self._read(knocked=knocked))
        return self.database_up

    async def health(self) -> bool:
        """Look, for three seconds at most; tell whether the database answered.

        Where questions take longer, the state is the one that was read last.
        """
        ends_at = time.monotonic() + HEALTH_SECONDS
        try:
            await self._lookout.knock()
        except (psycopg.Error, OSError) as error:
            self._note_failure(error)
            self._name_problems(error)
            return False
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self.look(knocked=True))
        # Not cancelled: psycopg would then wait for the server's answer to that.
        done, _ = await asyncio.wait({self._asked}, timeout=ends_at - time.monotonic())
        return all(task.result() for task in done) and self.database_up

    def _name_problems(self, error: Exception | None) -> None:
        now = self.now()
        sources = self._judged(now) if self.is_read else []
        found = Found(error, self._hangs(), self._feed_missed(), sources)
        self.problems = self._problems.name(now, found)

    async def _read(self, *, knocked: bool) -> Exception | None:
        try:
            if not knocked:
                await self._lookout.knock()
            self.seen = await self._lookout.read(lambda opened: seen.look(opened, self.now()))
            if not self.database_up:  # it is up when it answers pages as well
                await read(self._pool, answers)
        except (psycopg.Error, OSError) as error:
            self._note_failure(error)
            return error
        self.is_read = self.database_up = True
        return None

    def _note_failure(self, error: Exception) -> None:
        self.is_read = False
        if timed_out(error):
            self.note_timeout()
        elif self.database_up:
            logger.warning("database out: %s", brief(error))
        self.database_up = timed_out(error)

    def note_timeout(self) -> None:
        """Count a question that was given up for its time."""
        self.timeouts += 1
        self._timeout_at = time.monotonic()

    def _hangs(self) -> bool:
        return self.timeouts > 0 and time.monotonic() - self._timeout_at < HANG_SECONDS

    def _feed_missed(self) -> bool:
        """Tell whether there was no feed for longer than one that starts again needs."""
        wanted = self.feed_expected and self.market_open and self.is_read
        if not wanted or self.seen.operations.feed_running:
            self._feed_at = time.monotonic()
            return False
        return time.monotonic() - self._feed_at >= FEED_SECONDS

    def event(self, underlying: str | None = None) -> bytes:
        """Return the state as a stream event without an id."""
        return event("status", self.current(underlying))

    def current(self, underlying: str | None = None) -> dict[str, Any]:
        """Return the state as last read; ages are of one underlying's rows or of all."""
        now = self.now()
        return {
            "market": "open" if _is_open(now) else "closed",
            "session": _today(now),
            "simulated": self.simulated,
            "now": seconds(now),
            "clock": clock_object(self._settings),
            "database": "up" if self.database_up else "down",
            "feed": "expected" if self.feed_expected else "none",
            "problems": self.problem_objects(),
            "sources": self.sources(now),
            "delay_seconds": self.delay_seconds,
            "ages": self.ages(now, underlying),
            "ages_by": {name: self.ages(now, name) for name in UNDERLYINGS},
            "incomplete": self.incomplete(now, underlying),
            "loss_limit": [
                loss_limit_object(reached)
                for reached in self.seen.reached
                # Read before midnight, it is of another session after it.
                if reached.session == session_of(now) and underlying in {None, reached.underlying}
            ],
            "held_back": [
                {"check": held.check, "since": seconds(held.since)}
                for held in self.seen.held_back
                if held.session == session_of(now)
            ],
            "switched_off": [
                {"strategy": off.name, "problem": off.problem, "since": seconds(off.since)}
                for off in self.seen.switched_off
            ],
            "feed_faults": [
                {"task": part.task, "problem": part.problem, "since": seconds(part.since)}
                for part in self.seen.feed_faults
            ],
        }

    def ages(self, now: datetime, underlying: str | None = None) -> dict[str, int | None]:
        """Return market seconds since what the newest rows tell of."""
        return ages_object(now, self.seen.freshness.newest, underlying)

    def incomplete(self, now: datetime, underlying: str | None = None) -> list[dict[str, Any]]:
        """Return the underlyings whose newest session closed without its last candle."""
        delay = timedelta(seconds=self.delay_seconds or 0)
        return incomplete(now, self.seen.freshness.newest, delay, underlying)

    @property
    def delay_seconds(self) -> int | None:
        """How late the source that is furthest behind is; 0 in real time, null if none tells."""
        if self._settings.serves_stored:
            return None
        told = [source.delay_seconds for source in self.seen.freshness.sources]
        return max((seconds for seconds in told if seconds is not None), default=None)

    def sources(self, now: datetime) -> dict[str, dict[str, Any]]:
        """Return the state of each source; of stored data none is asked."""
        return {judged.source: source_object(judged) for judged in self._judged(now)}

    def _judged(self, now: datetime) -> list[SourceStatus]:
        if self._settings.serves_stored:  # so their silence tells nothing
            return []
        noted = self.seen.freshness.sources or [
            SourceStatus(name, "idle", None, None) for name in EXPECTED
        ]
        return [judge(status, now, is_open=_is_open(now)) for status in noted]

    def problem_objects(self) -> list[dict[str, Any]]:
        """Return what is wrong, as clients are told it."""
        return [problem_object(problem) for problem in self.problems]

    def now(self) -> datetime:
        """Return the market's time."""
        return self._settings.clock.now()

    @property
    def market_open(self) -> bool:
        """Whether the market is open; False where the calendar does not know it."""
        return _is_open(self.now())

    @property
    def open_seconds(self) -> float | None:
        """Market seconds since today's open; None while the market is closed."""
        now = self.now()
        return (now - session_hours(session_of(now))[0]).total_seconds() if _is_open(now) else None

    @property
    def feed_expected(self) -> bool:
        """Whether a feed ought to run: it need not where only what is stored is shown."""
        return not self._settings.serves_stored

    @property
    def simulated(self) -> bool:
        """Whether the rows shown come from the simulator, by the settings or as they are stored."""
        return self._settings.simulated or any(row.simulated for row in self.seen.freshness.newest)

    def _content(self) -> object:
        """Return what makes clients be told at once: everything but the passing of time."""
        now = self._settings.clock.now()
        states = {name: (s["state"], s["error"]) for name, s in self.sources(now).items()}
        newest, sources = self.seen.freshness
        told = self.seen.held_back, self.seen.switched_off, self.seen.feed_faults
        reached = self.seen.reached, *told
        access = [source[4:7] for source in sources]
        hours = _is_open(now), _today(now), self.incomplete(now)
        problems = [(problem.cause, problem.since) for problem in self.problems]
        return self.database_up, hours, newest, reached, states, access, problems


def clock_object(settings: Settings) -> dict[str, float]:
    """Return the market clock: market = `market` + (wall time - `wall`) * `speed`."""
    market, wall, speed = settings.clock.line()
    return {
        "market": market.timestamp(),
        "wall": wall,
        "speed": speed,
    }


def loss_limit_object(reached: Reached) -> dict[str, Any]:
    """Return a strategy that takes no new entries; `since` is null where it is not known."""
    return {
        "underlying": reached.underlying,
        "strategy": reached.strategy,
        "version": reached.version,
        "since": seconds(reached.since) if reached.since else None,
    }


def trades(day: date) -> bool:
    """Tell whether a date is a session; False where the calendar does not know it."""
    try:
        return is_session(day)
    except CalendarUnknownError:
        return False


def _is_open(now: datetime) -> bool:
    try:
        return is_open(now)
    except CalendarUnknownError:
        return False


def _today(now: datetime) -> dict[str, Any] | None:
    """Return the hours of an instant's date in India; None where it does not trade."""
    today = session_of(now)
    return hours_object(today, *session_hours(today)) if trades(today) else None
