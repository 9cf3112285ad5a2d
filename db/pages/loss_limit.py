"""When strategies reached the daily loss limit, as their rejections tell."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

from db.pages.history import Span
from db.server.connection import load_sql

REACHED = load_sql("sql/loss_limit_read.sql")


class Reached(NamedTuple):
    """A strategy that takes no new entries in a session.

    Attributes:
        underlying: Of the session.
        strategy: Rule set.
        version: Of it.
        session: Trading date, IST.
        since: End of the candle that made the trades lost; None where the details do not say.
        known_at: When the first candidate that it rejects was known.
    """

    underlying: str
    strategy: str
    version: str
    session: date
    since: datetime | None
    known_at: datetime


async def read_reached(
    connection: AsyncConnection[Any], underlyings: Sequence[str], span: Span, known: datetime
) -> list[Reached]:
    """Return the limits reached in sessions of a range, as far as they were known at a time."""
    async with connection.cursor(row_factory=class_row(Reached)) as cursor:
        await cursor.execute(
            REACHED, {"underlyings": list(underlyings), "known": known, **span._asdict()}
        )
        return await cursor.fetchall()
