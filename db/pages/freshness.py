"""How old the newest rows are, and whether the sources answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

from db.server.connection import load_sql

NEWEST = load_sql("sql/freshness.sql")
# Of those that are asked, once that is known; others may have been, once.
SOURCES = """
select source, coalesce(s.state, 'idle') as state, s.last_at, s.error, s.delay_seconds,
       s.token_ends_at, s.note, s.changed_at
  from source_preference p full join source_status s using (source)
 where p.source is not null or not exists (select from source_preference)
 order by p.place, source
"""


class Newest(NamedTuple):
    """As of when an underlying's newest index candle and build-up are; None without any.

    `simulated` is whether one of them comes from the simulator.
    """

    underlying: str
    candle: datetime | None
    build_up: datetime | None
    simulated: bool = False


class SourceStatus(NamedTuple):
    """What was last noted of a source; `state` is `up` or `down`, `idle` where nothing was.

    `delay_seconds` is how late its data is, 0 in real time and None if nothing tells; `note` is
    what a person should know or do; `changed_at` is since when it is up or down.
    """

    source: str
    state: str
    last_at: datetime | None
    error: str | None
    delay_seconds: int | None = None
    token_ends_at: datetime | None = None
    note: str | None = None
    changed_at: datetime | None = None


class Freshness(NamedTuple):
    """Newest rows per underlying and the sources' states."""

    newest: list[Newest]
    sources: list[SourceStatus]


async def read_freshness(connection: AsyncConnection[Any], underlyings: Sequence[str]) -> Freshness:
    """Return as of when the newest rows are, and what the sources' askers noted."""
    async with connection.cursor(row_factory=class_row(Newest)) as cursor:
        await cursor.execute(NEWEST, {"underlyings": list(underlyings)})
        newest = await cursor.fetchall()
    async with connection.cursor(row_factory=class_row(SourceStatus)) as cursor:
        await cursor.execute(SOURCES)
        return Freshness(newest, await cursor.fetchall())
