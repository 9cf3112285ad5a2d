"""The calendar in the database: what users correct, and the hours that views read.

Corrections are as `strategy.session.use_overrides` takes them; hours come from `strategy.session`,
through whoever migrates.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

OVERRIDES = """
select kind, day, underlying, opens, closes, moved_to from calendar_override
 order by kind, day, underlying
"""
# Nothing is touched where nothing differs: programs migrate at each start.
HOURS = """
with given as (
    select * from unnest(%(first)s::date[], %(last)s::date[], %(opens)s::time[], %(closes)s::time[])
                  h (first_day, last_day, opens, closes)
), gone as (
    delete from trading_hours t
     where not exists (select from given g
                        where (g.first_day, g.last_day) = (t.first_day, t.last_day))
)
insert into trading_hours (first_day, last_day, opens, closes) select * from given
on conflict (first_day, last_day) do update set opens = excluded.opens, closes = excluded.closes
 where (trading_hours.opens, trading_hours.closes)
       is distinct from (excluded.opens, excluded.closes)
"""
SESSION_HOURS = """
select d.session, h.open_time, h.close_time
  from unnest(%(sessions)s::date[]) with ordinality d (session, place), session_hours(d.session) h
 order by d.place
"""

# From the first to the last day, both included, sessions open and close at these times of India.
HoursRow = tuple[date, date, time, time]


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


def write_hours(connection: Connection[Any], rows: Iterable[HoursRow]) -> None:
    """Let views know these hours of the calendar, and no earlier ones."""
    first, last, opens, closes = map(list, zip(*rows, strict=True))
    connection.execute(HOURS, {"first": first, "last": last, "opens": opens, "closes": closes})


async def read_hours(
    connection: AsyncConnection[Any], sessions: Sequence[date]
) -> list[SessionHours]:
    """Return the hours of dates, corrections included, in the order of the dates."""
    async with connection.cursor(row_factory=class_row(SessionHours)) as cursor:
        await cursor.execute(SESSION_HOURS, {"sessions": list(sessions)})
        return await cursor.fetchall()
