"""What was proved of each version of each strategy."""

from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

STATUS = """
select strategy, version, status, parity_sessions, lookahead_sessions, different_sessions,
       first_session, last_session, proved_at
  from strategy_proof_status
"""


class ProofStatus(NamedTuple):
    """`status` is proved, unproved or different; the rest is None or 0 where nothing was looked at.

    Attributes:
        strategy: Rule set.
        version: As stored with its signals.
        status: Proved if parity and look-ahead hold, different if one of them failed.
        parity_sessions: In which every form gave the stored rows.
        lookahead_sessions: In which no row knew what came later.
        different_sessions: In which one of them failed.
        first_session: Looked at.
        last_session: Looked at.
        proved_at: When one was looked at last, market time.
    """

    strategy: str
    version: str
    status: str
    parity_sessions: int
    lookahead_sessions: int
    different_sessions: int
    first_session: date | None
    last_session: date | None
    proved_at: datetime | None


async def read_proof_status(
    connection: AsyncConnection[Any],
) -> dict[tuple[str, str], ProofStatus]:
    """Return what was proved, by strategy and version."""
    async with connection.cursor(row_factory=class_row(ProofStatus)) as cursor:
        await cursor.execute(STATUS)
        return {(row.strategy, row.version): row for row in await cursor.fetchall()}
