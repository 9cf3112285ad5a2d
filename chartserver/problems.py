"""What is wrong with the system: each problem with its cause, since when, and what to do."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from chartserver.errors import brief
from chartserver.frames import seconds
from db.pages.freshness import SourceStatus
from db.server.disk import data_is_full, tells_of_full_disk
from db.server.timeouts import timed_out

DISK_FULL = "disk_full"
DATABASE_OUT = "database_out"
QUESTIONS_HANG = "questions_hang"
FEED_DEAD = "feed_dead"
SOURCE_DOWN = "source_down"
CAUSES = (DISK_FULL, DATABASE_OUT, QUESTIONS_HANG, FEED_DEAD, SOURCE_DOWN)

FULL = "The disk that holds the database is full."
SPACE = "Free some space there: everything goes on by itself."
DATABASE = "Start it, or look at its log: everything goes on by itself."
HANGING = "The database is there, but questions to it take too long."
HANG = "Run optionscalp doctor: it names the session that keeps the others waiting; end that one."
DEAD = "No feed runs in an open market."
FEED = "See logs/feed.log for why it ended, or start it."
SOURCE = "Look at the network, and at its account; the other sources go on."


class Problem(NamedTuple):
    """Something that a person should look into.

    Attributes:
        cause: One of `CAUSES`.
        what: A sentence.
        remedy: Another one.
        since: Market time; when it was first seen here where nothing tells of an earlier one.
    """

    cause: str
    what: str
    remedy: str
    since: datetime | None = None


class Found(NamedTuple):
    """What a look at the state came to.

    Attributes:
        error: Why the state could not be read; None where it was.
        hangs: Whether questions were given up for their time a moment ago.
        feed_missed: Whether there is no feed though there should be.
        sources: Those that are asked.
    """

    error: Exception | None
    hangs: bool
    feed_missed: bool
    sources: Iterable[SourceStatus]


class Problems:
    """Names the problems, and remembers since when each is there."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._since: dict[str, datetime] = {}

    def name(self, now: datetime, found: Found) -> list[Problem]:
        """Return what is wrong at a market time, what others follow from first."""
        problems = list(self._of(found))
        # A market that begins again would have begun before it.
        self._since = {one.cause: min(now, self._since.get(one.cause, now)) for one in problems}
        return [
            one if one.since else one._replace(since=self._since[one.cause]) for one in problems
        ]

    def _of(self, found: Found) -> Iterator[Problem]:
        told = found.error is not None and tells_of_full_disk(found.error)
        if told or data_is_full(self._home):  # where that is, is for doctor and the launcher's log
            yield Problem(DISK_FULL, FULL, SPACE)
        if found.error is not None and not timed_out(found.error):
            yield Problem(
                DATABASE_OUT, f"The database does not answer: {_why(found.error)}.", DATABASE
            )
            return  # nothing is known of the others
        if found.hangs:
            yield Problem(QUESTIONS_HANG, HANGING, HANG)
        if found.feed_missed:
            yield Problem(FEED_DEAD, DEAD, FEED)
        for source in found.sources:
            if source.state == "down":
                what = f"Source {source.source} is down: {source.error}."
                yield Problem(SOURCE_DOWN, what, source.note or SOURCE, source.changed_at)


def problem_object(problem: Problem) -> dict[str, Any]:
    """Return a problem as `/healthz` and the stream tell it."""
    since = seconds(problem.since) if problem.since else None
    return {"cause": problem.cause, "what": problem.what, "since": since, "remedy": problem.remedy}


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it says nothing"
    # libpq says first where it tried; who may ask for the health need not know.
    return brief(error).rpartition(" failed: ")[2].rstrip(".") or type(error).__name__
