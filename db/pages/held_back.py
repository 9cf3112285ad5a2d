"""Why a session gets no new signals: the checks of severity error that fail."""

from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

HELD_BACK = """
select session, asset || '/' || check_name as check, failed_since as since from check_state
 where session = %s and severity = 'error' and failed_since is not null
 order by failed_since, asset, check_name
"""


class HeldBack(NamedTuple):
    """A failing check, and since when of the market's time."""

    session: date
    check: str
    since: datetime


async def read_held_back(connection: AsyncConnection[Any], session: date) -> list[HeldBack]:
    """Return what holds a session's signals back, the longest first."""
    async with connection.cursor(row_factory=class_row(HeldBack)) as cursor:
        await cursor.execute(HELD_BACK, (session,))
        return await cursor.fetchall()
