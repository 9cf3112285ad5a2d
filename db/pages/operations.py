"""What the system's operation looks like from the database: requests, checks, the feed."""

from datetime import date
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

from db.checks.statistics import FEED_LOCK, LOCK_IS_HELD

# Of those that are asked, as in db.pages.freshness.
REQUESTS = """
select b.source, case when b.session = %(session)s then b.asked else 0 end as asked, b.allowance
  from source_budget b
 where not exists (select from source_preference)
    or exists (select from source_preference p where p.source = b.source)
 order by b.source
"""
FAILING = """
select severity, count(*) from check_state
 where session = %s and failed_since is not null group by severity
"""


class Requests(NamedTuple):
    """How often a source was asked for a session; `allowance` is None where nothing limits that."""

    source: str
    asked: int
    allowance: int | None


class Operations(NamedTuple):
    """What is asked, what fails by severity (absent: nothing), and whether a feed runs."""

    requests: list[Requests]
    failing: dict[str, int]
    feed_running: bool


async def read_operations(connection: AsyncConnection[Any], session: date) -> Operations:
    """Return the state of operation in a session."""
    async with connection.cursor(row_factory=class_row(Requests)) as cursor:
        await cursor.execute(REQUESTS, {"session": session})
        requests = await cursor.fetchall()
    failing = await (await connection.execute(FAILING, (session,))).fetchall()
    held = await (await connection.execute(LOCK_IS_HELD, (FEED_LOCK,))).fetchone()
    return Operations(requests, dict(failing), bool(held and held[0]))
