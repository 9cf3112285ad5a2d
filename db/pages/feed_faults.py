"""Which parts of the live feed fail, and why."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

FAILING = "select task, problem, since from feed_fault order by since, task"


class FeedFault(NamedTuple):
    """A part of the feed, its last failure, and since when of the market's time."""

    task: str
    problem: str
    since: datetime


async def read_failing(connection: AsyncConnection[Any]) -> list[FeedFault]:
    """Return what fails, the longest first."""
    async with connection.cursor(row_factory=class_row(FeedFault)) as cursor:
        await cursor.execute(FAILING)
        return await cursor.fetchall()
