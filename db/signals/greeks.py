"""Implied volatility and greeks: what they are computed from, and how they are stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import pandas as pd
from psycopg import Connection

from db.market.frames import Range
from db.writing.bulk import CREATE_CHANGED, publish, write
from db.writing.relations import GREEKS
from db.writing.rows import Greeks

TIME = "datetime64[us, UTC]"
# A price that cannot be true is as good as none: the check of candles tells of it.
OPTIONS = """
select c.symbol, c.underlying, k.expiry, k.strike, k.option_type, c.interval_minutes, c.open_time,
       c.close, c.volume, c.known_at
  from candle c join contract k using (symbol)
 where c.underlying = any(%(underlyings)s) and c.final
   and c.close >= 0 and c.close < 'infinity'
   and c.open_time >= %(first)s::timestamptz and c.open_time < %(last)s::timestamptz
 order by c.symbol, c.interval_minutes, c.open_time
"""
OPTION_TYPES = {
    "symbol": "str",
    "underlying": "str",
    "expiry": "object",
    "strike": "int64",
    "option_type": "str",
    "interval_minutes": "int64",
    "open_time": TIME,
    "close": "float64",
    "volume": "Int64",
    "known_at": TIME,
}
# What ends at a moment: one-minute candles win.
FUTURES = """
select distinct on (underlying, close_time)
       underlying, open_time + make_interval(mins => interval_minutes) as close_time, close, volume,
       known_at
  from candle
 where symbol = any(%(futures)s) and final and close >= 0 and close < 'infinity'
   and open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
 order by underlying, close_time, interval_minutes
"""
FUTURE_TYPES = {
    "underlying": "str",
    "close_time": TIME,
    "close": "float64",
    "volume": "Int64",
    "known_at": TIME,
}
# Where the final candles begin that became known after a moment, and when the last of them did.
CHANGED = """
select min(open_time), max(known_at)
  from candle
 where underlying = any(%(underlyings)s) and final and symbol <> all(%(underlyings)s)
   and open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
   and known_at > %(seen)s
"""
FORGET = """
with gone as (delete from greeks g
 where g.underlying = any(%(underlyings)s)
   and g.open_time >= %(first)s::timestamptz and g.open_time < %(last)s::timestamptz
   and not exists (
       select from unnest(%(contracts)s::text[], %(widths)s::smallint[], %(times)s::timestamptz[])
                   kept (symbol, interval_minutes, open_time)
        where kept.symbol = g.symbol and kept.interval_minutes = g.interval_minutes
          and kept.open_time = g.open_time)
 returning *)
insert into changed
select 'greeks', underlying, symbol, interval_minutes, open_time from gone
"""
COVERAGE = """
select count(g.symbol), count(*) filter (where g.symbol is null),
       count(g.symbol) filter (where g.implied_volatility is null)
  from candle c
  left join greeks g on g.symbol = c.symbol and g.open_time = c.open_time
   and g.interval_minutes = c.interval_minutes
 where c.underlying = any(%(underlyings)s) and c.final and c.volume > 0
   and c.open_time >= %(first)s::timestamptz and c.open_time < %(last)s::timestamptz
   and c.symbol <> all(%(futures)s)
"""
COUNT = """
select count(*) from greeks
 where underlying = any(%(underlyings)s)
   and open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
"""


class Coverage(NamedTuple):
    """How many rows there are, traded option candles without one, and rows without greeks."""

    greeks: int
    without_forward: int
    without_volatility: int


class Scope(NamedTuple):
    """Whose greeks a computation answers for: whole sessions, or the end of them."""

    sessions: Range
    underlyings: Sequence[str]
    since: datetime | None = None  # only intervals that start then or later

    def parameters(self) -> dict[str, Any]:
        """Return query parameters."""
        found = self.sessions.parameters(self.underlyings)
        found["futures"] = [f"{name}1!" for name in self.underlyings]
        return found | ({"first": self.since} if self.since else {})


class GreeksInputs(NamedTuple):
    """What `strategy.greeks.evaluate_greeks` reads."""

    options: pd.DataFrame
    futures: pd.DataFrame


class StoredGreeks(NamedTuple):
    """How many rows storing wrote, and how many it removed because they follow no more."""

    written: int
    removed: int


def changed_since(
    connection: Connection[Any], scope: Scope, seen: datetime
) -> tuple[datetime, datetime] | None:
    """Return the first start and the last `known_at` of final candles known after a moment."""
    row = connection.execute(CHANGED, {**scope.parameters(), "seen": seen}).fetchone()
    return (row[0], row[1]) if row and row[0] else None


def coverage(connection: Connection[Any], sessions: Range, underlyings: Sequence[str]) -> Coverage:
    """Return how many of the traded option candles of a range have greeks."""
    row = connection.execute(COVERAGE, Scope(sessions, underlyings).parameters()).fetchone()
    return Coverage(*row) if row else Coverage(0, 0, 0)


def read_inputs(connection: Connection[Any], scope: Scope) -> GreeksInputs:
    """Return the final candles of options, and the closes of front futures."""
    parameters = scope.parameters()
    return GreeksInputs(
        _frame(connection, OPTIONS, parameters, OPTION_TYPES),
        _frame(connection, FUTURES, parameters, FUTURE_TYPES),
    )


def store_greeks(connection: Connection[Any], scope: Scope, rows: Sequence[Greeks]) -> StoredGreeks:
    """Make the stored rows of a scope equal the given ones; equal rows are not written again."""
    written = write(connection, GREEKS, rows)
    parameters = scope.parameters()
    count = connection.execute(COUNT, parameters).fetchone()
    if count is None or count[0] == len(rows):
        return StoredGreeks(written, 0)
    kept = {
        "contracts": [row.symbol for row in rows],
        "widths": [row.interval_minutes for row in rows],
        "times": [row.open_time for row in rows],
    }
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(CREATE_CHANGED)
        removed = cursor.execute(FORGET, {**parameters, **kept}).rowcount
        if removed:
            publish(cursor)
    return StoredGreeks(written, removed)


def _frame(
    connection: Connection[Any],
    query: LiteralString,
    parameters: dict[str, Any],
    columns: dict[str, str],
) -> pd.DataFrame:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(query, parameters).fetchall()
    values = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pd.DataFrame(
        {
            name: pd.Series(column, dtype=kind)
            for (name, kind), column in zip(columns.items(), values, strict=True)
        }
    )
