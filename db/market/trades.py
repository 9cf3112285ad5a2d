"""Candles of single contracts in single sessions, in columns: what trades are walked through."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from psycopg import Connection

from db.market.fixed_rows import instants, read_fixed

# Intervals in which nothing was traded have no prices.
CANDLES = """
copy (
    with wanted as materialized (
        select symbol, place, session::timestamp at time zone 'Asia/Kolkata' as first,
               least(until, (session + 1)::timestamp at time zone 'Asia/Kolkata') as until
          from unnest(%(symbols)s::text[], %(sessions)s::date[], %(until)s::timestamptz[])
               with ordinality w (symbol, session, until, place)
    )
    select w.place - 1, c.interval_minutes::bigint, c.open_time, c.open, c.high, c.low, c.close,
           c.known_at
      from wanted w
     cross join lateral (
           select interval_minutes, open_time, open, high, low, close, known_at
             from candle
            where symbol = w.symbol and interval_minutes in (1, 5) and final
              and open_time >= w.first and open_time < w.until
            union all
           select interval_minutes, open_time, 'NaN', 'NaN', 'NaN', 'NaN', known_at
             from empty_interval e
            where relation = 'candle' and symbol = w.symbol and interval_minutes in (1, 5)
              and open_time >= w.first and open_time < w.until
              and not exists (
                  select from candle k
                   where k.symbol = e.symbol and k.interval_minutes = e.interval_minutes
                     and k.open_time = e.open_time and k.final)) c
     order by w.place, c.interval_minutes, c.open_time
) to stdout (format binary)
"""
COLUMNS = (
    *(("place", ">i8"), ("interval_minutes", ">i8"), ("open_time", ">i8")),
    *((name, ">f8") for name in ("open", "high", "low", "close")),
    ("known_at", ">i8"),
)


class Wanted(NamedTuple):
    """One contract's or index's session, up to the candles that open before a moment."""

    symbol: str
    session: date
    until: datetime | None = None  # all of it if None


def read_trade_candles(connection: Connection[Any], wanted: Sequence[Wanted]) -> pd.DataFrame:
    """Return the final candles as `strategy.series.series_of` takes them."""
    parameters = {
        "symbols": [one.symbol for one in wanted],
        "sessions": [one.session for one in wanted],
        "until": [one.until for one in wanted],
    }
    rows = read_fixed(connection, CANDLES, parameters, COLUMNS)
    columns: dict[str, Any] = {name: rows[name].astype(kind[1:]) for name, kind in COLUMNS}
    places = columns.pop("place")
    for name in ("open_time", "known_at"):
        columns[name] = pd.DatetimeIndex(instants(rows[name]), tz="UTC")
    return pd.DataFrame(
        {
            "symbol": _repeated([one.symbol for one in wanted], places),
            "session": _repeated([one.session for one in wanted], places),
            **columns,
        }
    )


def _repeated(values: Sequence[Any], places: "np.ndarray[Any, Any]") -> "pd.Series[Any]":
    return pd.Series(np.array(values, dtype=object)[places], dtype=object)
