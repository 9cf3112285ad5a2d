"""Which strategies are switched off, and why."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

OFF = """
select coalesce(nullif(strategy, ''), module) as name, problem, since from strategy_fault
 order by since, name
"""


class SwitchedOff(NamedTuple):
    """A strategy, or a module that gives none; since when of the market's time."""

    name: str
    problem: str
    since: datetime


async def read_switched_off(connection: AsyncConnection[Any]) -> list[SwitchedOff]:
    """Return what is switched off, the longest first."""
    async with connection.cursor(row_factory=class_row(SwitchedOff)) as cursor:
        await cursor.execute(OFF)
        return await cursor.fetchall()
