"""Keeps the feed's parts at work: one that fails is started again alone, and named meanwhile.

Only the database ends the feed, and a clock that was set: nothing that a source answers, and no
fault of ours in one part, takes the others with it.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from datetime import timedelta

import psycopg

from db.archive.feed_faults import forget_feed_fault, note_feed_fault
from db.archive.words import brief
from pipelines.ingest.desk import Desk
from pipelines.live.clock_guard import ClockJumpedError
from pipelines.sources.errors import SourceError

logger = logging.getLogger(__name__)

# Seconds of this computer.
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 20.0
# A part that has worked so long since its last failure is well.
WELL_SECONDS = 60.0
# Market time: after so long the next pause is the shortest again.
STEADY = timedelta(minutes=5)
SHOWN_FRAMES = 8
FATAL = (psycopg.OperationalError, ClockJumpedError)

Part = Callable[[], Awaitable[object]]


class Keeper:
    """Starts parts again, and notes those that fail for a reason that nobody expected."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._recovering: dict[str, asyncio.TimerHandle] = {}

    async def keep(self, name: str, part: Part) -> None:
        """Run a part for ever: again after each failure, with growing pauses.

        Raises:
            psycopg.OperationalError: The database went away.
            ClockJumpedError: The computer's clock was set.
        """
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = self._desk.now()
            await self._tried(name, part)
            if self._desk.now() - started > STEADY:
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def once(self, name: str, part: Part) -> None:
        """Run a part that ends by itself; raises as `keep` does.

        One that failed stays named until it has ended well: nobody knows when it is tried again.
        """
        if await self._tried(name, part):
            self._forget(name)
        elif name in self._recovering:
            self._recovering.pop(name).cancel()

    async def _tried(self, name: str, part: Part) -> bool:
        """Run a part until it ends; tell whether it did so by itself."""
        try:
            await part()
        except SourceError as error:
            logger.warning("%s: %s", type(error).__name__, error)
            return False
        except Exception as error:
            cause = _first(error)
            if isinstance(cause, FATAL):
                raise cause from error
            if self._desk.connection.closed:
                raise psycopg.OperationalError("the connection is closed") from error
            self._failed(name, cause)
            return False
        return True

    def _failed(self, name: str, error: Exception) -> None:
        problem = brief(f"{type(error).__name__}: {error}".removesuffix(": "))
        # Without the error's own text, in which may be any number of a source's words.
        frames = "".join(traceback.format_tb(error.__traceback__)[-SHOWN_FRAMES:])
        logger.error("%s failed and is started again: %s\n%s", name, problem, frames.rstrip())
        note_feed_fault(self._desk.connection, name, problem, self._desk.now())
        if name in self._recovering:
            self._recovering[name].cancel()
        loop = asyncio.get_running_loop()
        self._recovering[name] = loop.call_later(WELL_SECONDS, self._forget, name)

    def _forget(self, name: str) -> None:
        if name in self._recovering:
            self._recovering.pop(name).cancel()
        if not self._desk.connection.closed:
            forget_feed_fault(self._desk.connection, name)


def _first(error: Exception) -> Exception:
    """Return what failed, of several failures at once one that ends the feed."""
    while isinstance(error, ExceptionGroup):
        group = error.subgroup(FATAL) or error
        error = group.exceptions[0]
    return error
