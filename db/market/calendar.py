"""The calendar in the database: what users correct, and the hours of dates.

Corrections are as `strategy.session.use_overrides` takes them.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

OVERRIDES = """
select kind, day, underlying, opens, closes, moved_to from calendar_override
 order by kind, day, underlying
"""
SESSION_HOURS = """
select d.session, h.open_time, h.close_time
  from unnest(%(sessions)s::date[]) with ordinality d (session, place), session_hours(d.session) h
 order by d.place
"""


class SessionHours(NamedTuple):
    """Open and close of a date, in UTC; whether it trades is not said."""

    session: date
    open_time: datetime
    close_time: datetime


class CalendarOverride(NamedTuple):
    """One row; what its fields mean depends on the kind, as the table's comments say."""

    kind: str
    day: date
    underlying: str | None
    opens: time | None
    closes: time | None
    moved_to: date | None


def read_overrides(connection: Connection[Any]) -> list[CalendarOverride]:
    """Return all rows."""
    with connection.cursor(row_factory=class_row(CalendarOverride)) as cursor:
        return cursor.execute(OVERRIDES).fetchall()


async def read_overrides_async(connection: AsyncConnection[Any]) -> list[CalendarOverride]:
    """Return all rows, for the chart server."""
    async with connection.cursor(row_factory=class_row(CalendarOverride)) as cursor:
        await cursor.execute(OVERRIDES)
        return await cursor.fetchall()


async def read_hours(
    connection: AsyncConnection[Any], sessions: Sequence[date]
) -> list[SessionHours]:
    """Return the hours of dates, corrections included, in the order of the dates."""
    async with connection.cursor(row_factory=class_row(SessionHours)) as cursor:
        await cursor.execute(SESSION_HOURS, {"sessions": list(sessions)})
        return await cursor.fetchall()
