"""The users' corrections to the calendar, as `strategy.session.use_overrides` takes them."""

from datetime import date, time
from typing import Any, NamedTuple

from psycopg import AsyncConnection, Connection
from psycopg.rows import class_row

OVERRIDES = """
select kind, day, underlying, opens, closes, moved_to from calendar_override
 order by kind, day, underlying
"""


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
