"""What pages show of the market, the sources and the age of the data."""

import asyncio
import logging
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import AsyncConnection

from chartserver.ages import ages_object, incomplete
from chartserver.errors import brief
from chartserver.frames import event, hours_object, seconds
from chartserver.hub import Hub
from chartserver.parameters import ist_day
from chartserver.payload import Payload
from chartserver.settings import Settings
from chartserver.subscription import Notice
from db.market.calendar import read_overrides_async
from db.pages.feed_faults import FeedFault, read_failing
from db.pages.freshness import Freshness, SourceStatus, read_freshness
from db.pages.held_back import HeldBack, read_held_back
from db.pages.loss_limit import Reached, read_reached
from db.pages.switched_off import SwitchedOff, read_switched_off
from db.server.reader import Pool, read
from strategy.contract import UNDERLYINGS
from strategy.errors import CalendarUnknownError
from strategy.session import is_open, is_session, session_hours, session_of, use_overrides

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
REPEAT_SECONDS = 10.0
# An asker that was killed cannot note that its source is down; silence in market hours does.
# Trendlyne has news every five minutes only.
SILENCE = {"trendlyne": timedelta(minutes=15)}
USUAL_SILENCE = timedelta(minutes=3)
# Before a feed has told whom it asks.
EXPECTED = ("tradingview", "trendlyne")


class StatusWatch:
    """Reads the state every two seconds and tells all clients when it changed."""

    def __init__(self, settings: Settings, pool: Pool, hub: Hub) -> None:
        self._settings = settings
        self._pool = pool
        self._hub = hub
        self._freshness = Freshness([], [])
        self._reached: list[Reached] = []
        self._held_back: list[HeldBack] = []
        self._switched_off: list[SwitchedOff] = []
        self._failing: list[FeedFault] = []
        self._database_up = True

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

    async def look(self) -> bool:
        """Read the state once; tell whether the database answered."""
        try:
            found = await read(self._pool, self._read)
            self._freshness, self._reached, self._held_back, self._switched_off = found[:4]
            self._failing = found[4]
            use_overrides(await read(self._pool, read_overrides_async))
        except (psycopg.Error, OSError) as error:
            if self._database_up:
                logger.warning("database out: %s", brief(error))
            self._database_up = False
        else:
            self._database_up = True
        return self._database_up

    async def _read(
        self, connection: AsyncConnection[Any]
    ) -> tuple[Freshness, list[Reached], list[HeldBack], list[SwitchedOff], list[FeedFault]]:
        freshness = await read_freshness(connection, UNDERLYINGS)
        now = self._settings.clock.now()
        reached = await read_reached(connection, UNDERLYINGS, ist_day(now), now)
        held_back = await read_held_back(connection, session_of(now))
        switched_off = await read_switched_off(connection)
        return freshness, reached, held_back, switched_off, await read_failing(connection)

    def event(self, underlying: str | None = None) -> bytes:
        """Return the state as a stream event without an id."""
        return event("status", self.current(underlying))

    def current(self, underlying: str | None = None) -> dict[str, Any]:
        """Return the state as last read; ages are of one underlying's rows or of all."""
        clock = self._settings.clock
        now = clock.now()
        return {
            "market": "open" if _is_open(now) else "closed",
            "session": _today(now),
            "simulated": self._settings.simulated,
            "now": seconds(now),
            "clock": clock_object(self._settings),
            "database": "up" if self._database_up else "down",
            "feed": "none" if self._settings.serves_stored else "expected",
            "sources": self.sources(now),
            "delay_seconds": self.delay_seconds,
            "ages": self.ages(now, underlying),
            "ages_by": {name: self.ages(now, name) for name in UNDERLYINGS},
            "incomplete": self.incomplete(now, underlying),
            "loss_limit": [
                loss_limit_object(reached)
                for reached in self._reached
                # Read before midnight, it is of another session after it.
                if reached.session == session_of(now) and underlying in {None, reached.underlying}
            ],
            "held_back": [
                {"check": held.check, "since": seconds(held.since)}
                for held in self._held_back
                if held.session == session_of(now)
            ],
            "switched_off": [
                {"strategy": off.name, "problem": off.problem, "since": seconds(off.since)}
                for off in self._switched_off
            ],
            "feed_faults": [
                {"task": part.task, "problem": part.problem, "since": seconds(part.since)}
                for part in self._failing
            ],
        }

    def ages(self, now: datetime, underlying: str | None = None) -> dict[str, int | None]:
        """Return market seconds since what the newest rows tell of."""
        return ages_object(now, self._freshness.newest, underlying)

    def incomplete(self, now: datetime, underlying: str | None = None) -> list[dict[str, Any]]:
        """Return the underlyings whose newest session closed without its last candle."""
        delay = timedelta(seconds=self.delay_seconds or 0)
        return incomplete(now, self._freshness.newest, delay, underlying)

    @property
    def delay_seconds(self) -> int | None:
        """How late the source that is furthest behind is; 0 in real time, null if none tells."""
        if self._settings.serves_stored:
            return None
        told = [source.delay_seconds for source in self._freshness.sources]
        return max((seconds for seconds in told if seconds is not None), default=None)

    def sources(self, now: datetime) -> dict[str, dict[str, Any]]:
        """Return the state of each source; of stored data none is asked."""
        if self._settings.serves_stored:  # so their silence tells nothing
            return {}
        noted = {status.source: status for status in self._freshness.sources}
        names = noted or EXPECTED
        return {name: _source_object(noted.get(name), name, now) for name in names}

    def _content(self) -> object:
        """Return what makes clients be told at once: everything but the passing of time."""
        now = self._settings.clock.now()
        states = {name: (s["state"], s["error"]) for name, s in self.sources(now).items()}
        newest = self._freshness.newest
        reached = self._reached, self._held_back, self._switched_off, self._failing
        access = [source[4:] for source in self._freshness.sources]
        hours = _is_open(now), _today(now), self.incomplete(now)
        return self._database_up, hours, newest, reached, states, access


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


def _source_object(noted: SourceStatus | None, name: str, now: datetime) -> dict[str, Any]:
    if noted is None:
        noted = SourceStatus(name, "idle", None, None)
    state, error = noted.state, noted.error
    if state == "up" and noted.last_at is not None:
        silence = now - noted.last_at
        late = timedelta(seconds=noted.delay_seconds or 0)  # it opens that much later
        if not _is_open(now):
            state = "idle"
        elif silence > SILENCE.get(name, USUAL_SILENCE) + late:
            state, error = "down", f"silent for {int(silence.total_seconds()) // 60} minutes"
    return {
        "state": state,
        "last": seconds(noted.last_at) if noted.last_at else None,
        "error": error,
        "delay_seconds": noted.delay_seconds,
        "token_ends_at": seconds(noted.token_ends_at) if noted.token_ends_at else None,
        "note": noted.note,
    }
