"""What is stored of sessions that a file of recorded days may hold another part of."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from psycopg import Connection

from db.market.frames import Range

# A candle that was received since is none of a file, though it may keep its open interest.
CANDLES = """
select symbol, underlying, interval_minutes, open_time, close, volume, open_interest from candle
 where symbol = any(%(symbols)s) and source = %(source)s and open_interest is not null
   and open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
"""
BUILD_UPS = """
select symbol, underlying, 5, open_time, close, volume, open_interest, source from build_up
 where symbol = any(%(symbols)s)
   and open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
"""


def imported_candles(
    connection: Connection[Any], session: date, symbols: Sequence[str], source: str
) -> list[tuple[Any, ...]]:
    """Return the stored candles of one source that have open interest.

    Each is symbol, underlying, minutes, open time, close, volume, open interest.
    """
    parameters = {**_of(session, symbols), "source": source}
    return connection.execute(CANDLES, parameters).fetchall()


def stored_build_ups(
    connection: Connection[Any], session: date, symbols: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Return the stored build-ups of any source: as candles, and the source last."""
    return connection.execute(BUILD_UPS, _of(session, symbols)).fetchall()


def _of(session: date, symbols: Sequence[str]) -> dict[str, Any]:
    return {**Range(session, session).parameters(()), "symbols": list(symbols)}
