"""How often a host may be asked: a place for every request, and pauses after refusals.

`SharedBudget` keeps both in the database, so that the feed and all of Dagster's runs are one guest.
Everything is in market time: an accelerated day is throttled like a real one.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from psycopg import Connection

from db.archive.source_budget import (
    Breaker,
    Window,
    asked,
    forget_later,
    note_answer,
    note_refusal,
    paused,
    reserve,
)
from pipelines.sources.errors import SourceRefused
from strategy.clock import MarketClock
from strategy.session import IST, session_of

# So much of the spacing is added at random: requests like clockwork look like an attack.
JITTER = 0.3
# Seconds of this computer: processes read their clocks and write a moment later. Only what is
# further in the future was written before the market's clock was set back.
TOLERANCE_SECONDS = 30.0
LONGEST_ASKED = timedelta(days=1)
BREAKER = Breaker()

log = logging.getLogger(__name__)


class Budget(Protocol):
    """Who may ask now."""

    def request(self) -> AbstractAsyncContextManager[None]:
        """Wait for a place; inside, ask once and let `SourceRefused` come through.

        Raises:
            SourceRefused: Nobody may ask for a while; nothing was asked.
        """
        ...


class Unlimited:
    """No limits: for servers of one's own."""

    def request(self) -> AbstractAsyncContextManager[None]:
        """Return at once."""
        return nullcontext()


class SharedBudget:
    """One host's places and pauses, shared through the database by all processes."""

    def __init__(
        self,
        connection: Connection[Any],
        source: str,
        clock: MarketClock,
        per_second: float,
        breaker: Breaker = BREAKER,
        per_session: int | None = None,
        window: Window | None = None,
    ) -> None:
        if per_second <= 0:
            raise ValueError("a budget needs a positive rate")
        self._connection = connection
        self._source = source
        self._clock = clock
        self._spacing = timedelta(seconds=1 / per_second)
        self._breaker = breaker
        self._per_session = per_session
        self._window = window
        self._random = random.SystemRandom()

    def left(self) -> int:
        """Return how many requests the day's session still allows.

        Raises:
            ValueError: Nothing limits them.
        """
        if self._per_session is None:
            raise ValueError("this budget has no limit a session")
        session = session_of(self._clock.now())
        return max(0, self._per_session - asked(self._connection, self._source, session))

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Wait for a place; inside, ask once and let `SourceRefused` come through.

        Raises:
            SourceRefused: Nobody may ask for a while; nothing was asked.
        """
        await self._wait()
        asked_at = self._clock.now()
        try:
            yield
        except SourceRefused as error:
            if error.status is not None:  # not a refusal of our own
                self._note(error)
            raise
        note_answer(self._connection, self._source, asked_at)

    async def _wait(self) -> None:
        now = self._clock.now()
        tolerance = timedelta(seconds=TOLERANCE_SECONDS * self._clock.speed)
        forget_later(self._connection, self._source, now + tolerance)
        self._stop_if_paused(now)
        session = session_of(now)
        place = reserve(
            *(self._connection, self._source, now, self._spacing, session, self._per_session),
            self._window,
        )
        if place is None:
            raise _used_up(self._source, self._per_session or 0, session)
        place += self._spacing * self._random.uniform(0, JITTER)
        await asyncio.sleep((place - now).total_seconds() / self._clock.speed)
        self._stop_if_paused(self._clock.now())  # others were refused meanwhile

    def _stop_if_paused(self, now: datetime) -> None:
        pause = paused(self._connection, self._source, now)
        if pause is not None:
            until = pause.until.astimezone(IST)
            raise SourceRefused(
                f"paused until {until:%H:%M:%S} IST after {pause.refusals} refusals:"
                f" {pause.last_error}"
            )

    def _note(self, error: SourceRefused) -> None:
        log.warning("%s refuses: %s", self._source, error)
        now = self._clock.now()
        pause = error.retry_after
        note_refusal(self._connection, self._source, now, str(error), self._breaker, pause)


class OwnBudget:
    """One process's places, for where no database is there to share them through."""

    def __init__(
        self, source: str, clock: MarketClock, per_second: float, per_session: int | None = None
    ) -> None:
        self._source = source
        self._clock = clock
        self._spacing = timedelta(seconds=1 / per_second)
        self._per_session = per_session
        self._next_at = clock.now()
        self._asked = 0

    def left(self) -> int:
        """Return how many requests are left of a session's, as far as this process knows.

        Raises:
            ValueError: Nothing limits them.
        """
        if self._per_session is None:
            raise ValueError("this budget has no limit a session")
        return max(0, self._per_session - self._asked)

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Wait for a place; inside, ask once.

        Raises:
            SourceRefused: The session's requests are used up; nothing was asked.
        """
        if self._per_session is not None and not self.left():
            raise _used_up(self._source, self._per_session, session_of(self._clock.now()))
        now = self._clock.now()
        place = max(now, self._next_at)
        self._next_at, self._asked = place + self._spacing, self._asked + 1
        await asyncio.sleep((place - now).total_seconds() / self._clock.speed)
        yield


def _used_up(source: str, limit: int, session: date) -> SourceRefused:
    return SourceRefused(
        f"all {limit} requests of {session} are used up: raise"
        f" {source.upper()}_REQUESTS_PER_SESSION if the source bears more"
    )


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> timedelta | None:
    """Return the pause that an HTTP answer asks for; None where it asks for none we can read."""
    text = headers.get("Retry-After", "").strip()
    try:
        if text.isdecimal():
            asked = timedelta(seconds=int(text))
        else:
            asked = parsedate_to_datetime(text) - (now or datetime.now(UTC))
    except (ValueError, TypeError, OverflowError):  # TypeError: a date without a zone
        return None
    return min(max(asked, timedelta()), LONGEST_ASKED)
