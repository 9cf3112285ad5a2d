"""States of forming candles: what a viewer saw before a candle was final."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection, Connection

from db.pages.history import Span
from db.server.connection import load_sql

COLUMNS = load_sql("sql/forming_columns.sql")
PRUNE = load_sql("sql/forming_prune.sql")


async def read_forming(
    connection: AsyncConnection[Any], symbols: Sequence[str], span: Span, limit: int
) -> str | None:
    """Return the states of candles that start in a span, the last one of each second, as JSON.

    Args:
        connection: Its snapshot counts.
        symbols: Which instruments; those without states are left out.
        span: Of open times.
        limit: How many states there may be.

    Returns:
        `{symbol: {t, o, h, l, c, v, k}}`, columns ascending by k, the whole second by which the
        state was known; None where there are more than the limit.
    """
    parameters = {"symbols": list(symbols), **span._asdict(), "limit": limit}
    row = await (await connection.execute(COLUMNS, parameters)).fetchone()
    found: str | None = row[0] if row else None
    return found


def prune_forming(connection: Connection[Any], before: datetime) -> int:
    """Delete the oldest states of candles that started before a time; return how many.

    At most ten minutes of a session go at once: call it again and again.
    """
    return connection.execute(PRUNE, {"before": before}).rowcount
