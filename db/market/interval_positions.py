"""Five minutes of options as candles and strike ladders tell them: what build-ups are made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from db.server.connection import load_sql

READ = load_sql("sql/interval_positions.sql")


class IntervalPosition(NamedTuple):
    """One contract's interval: price in rupees, counts in units.

    `made_from` tells whether the open interest is the ladder's or the candle's own.
    """

    symbol: str
    underlying: str
    open_time: datetime
    close: float
    volume: int | None
    open_interest: int
    source: str
    known_at: datetime
    made_from: str
    backfilled: bool


def read_interval_positions(
    connection: Connection[Any], first: datetime, last: datetime, underlyings: Sequence[str]
) -> list[IntervalPosition]:
    """Return the intervals that start in [first, last), by symbol and time."""
    with connection.cursor(row_factory=class_row(IntervalPosition)) as cursor:
        parameters = {"first": first, "last": last, "underlyings": list(underlyings)}
        return cursor.execute(READ, parameters).fetchall()
