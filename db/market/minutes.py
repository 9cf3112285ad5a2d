"""Final 1-minute candles as the minute strategies read them, over ranges of sessions.

Read in binary and by column: a session has tens of thousands of rows, and live they are read
again whenever some of them changed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from psycopg import Connection
from psycopg.sql import SQL

from db.market.fixed_rows import instants, read_fixed
from db.market.frames import EVERYWHERE_POINTS, NEAREST_EXPIRIES, Range, read_listed

# Of each expiry that is the nearest at some time of a session. Only contracts near the day's range
# can be at the money, so only they are read.
CONTRACTS = SQL("""
with {nearest_expiries}, day as (
    select (open_time at time zone 'Asia/Kolkata')::date as session, underlying,
           min(low) as low, max(high) as high
      from candle
     where symbol = any(%(underlyings)s) and interval_minutes = 1 and final
       and open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
     group by 1, 2
)
select d.session, c.underlying, c.symbol, c.expiry, c.strike, c.option_type
  from day d join nearest n using (session, underlying)
  join contract c on c.underlying = d.underlying and c.expiry = any(n.expiries)
   and c.strike between d.low - %(reach)s and d.high + %(reach)s
 order by d.session, c.underlying, c.symbol
""").format(nearest_expiries=NEAREST_EXPIRIES)
# Fields of a fixed width, none of them null, so that the answer is an array as it comes.
# Where nothing was traded there is no price, and the volume is 0.
CANDLES = """
copy (
    select number, k.open_time, k.open, k.high, k.low, k.close, coalesce(k.volume, -1), k.known_at
      from unnest(%(symbols)s::text[], %(opens)s::timestamptz[], %(closes)s::timestamptz[])
           with ordinality as wanted (symbol, opens, closes, number)
     cross join lateral (
           select open_time, open, high, low, close, volume, known_at from candle
            where symbol = wanted.symbol and interval_minutes = 1 and final
              and open_time >= wanted.opens and open_time < wanted.closes
            union all
           select open_time, 'NaN', 'NaN', 'NaN', 'NaN', 0, known_at from empty_interval e
            where relation = 'candle' and symbol = wanted.symbol and interval_minutes = 1
              and open_time >= wanted.opens and open_time < wanted.closes
              and not exists (
                  select from candle c
                   where c.symbol = e.symbol and c.interval_minutes = 1
                     and c.open_time = e.open_time)) k
     order by number, k.open_time
) to stdout (format binary)
"""
FIELDS = (
    *(("number", ">i8"), ("open_time", ">i8")),
    *((name, ">f8") for name in ("open", "high", "low", "close")),
    *(("volume", ">i8"), ("known_at", ">i8")),
)
INDIA = np.timedelta64(330, "m")
# Five strikes of BANKNIFTY beyond the range that the index traded in.
REACH_POINTS = 500


class Minutes(NamedTuple):
    """What the minute strategies read, as `strategy.minute_candles.inputs.days_of` documents it."""

    index: pd.DataFrame  # type: ignore[assignment]  # hides tuple.index, which nobody needs
    options: pd.DataFrame
    contracts: pd.DataFrame


def read_minutes(
    connection: Connection[Any],
    sessions: Range,
    underlyings: Sequence[str],
    since: datetime | None = None,
) -> Minutes:
    """Return the candles of the indices and of contracts near them, and what is listed.

    Minutes in which nothing of a contract was traded are among its rows, without prices.

    With `since`, only candles that start then or later, and of all strikes: the day's range may
    grow, and what was read of it before must not depend on that.
    """
    reach = EVERYWHERE_POINTS if since else REACH_POINTS
    parameters = sessions.parameters(underlyings) | {"reach": reach}
    rows = connection.execute(CONTRACTS, parameters).fetchall()
    return Minutes(
        _index(connection, sessions, underlyings, since),
        _options(connection, rows, since),
        read_listed(connection, sessions, underlyings),
    )


def _index(
    connection: Connection[Any],
    sessions: Range,
    underlyings: Sequence[str],
    since: datetime | None,
) -> pd.DataFrame:
    found = _candles(connection, [(name, sessions) for name in underlyings], since)
    times = instants(found["open_time"])
    days, codes = np.unique((times + INDIA).astype("datetime64[D]"), return_inverse=True)
    return pd.DataFrame(
        {
            "session": pd.Categorical.from_codes(codes, days.tolist()),
            "underlying": _taken(list(underlyings), found),
            **_prices(found),
        }
    )


def _options(
    connection: Connection[Any], contracts: Sequence[tuple[Any, ...]], since: datetime | None
) -> pd.DataFrame:
    wanted = [(symbol, Range(session, session)) for session, _, symbol, *_ in contracts]
    found = _candles(connection, wanted, since)
    names = ("session", "underlying", "symbol", "expiry", "strike", "option_type")
    columns = zip(*contracts, strict=True) if contracts else [()] * len(names)
    volume = found["volume"].astype(np.int64)
    return pd.DataFrame(
        {
            **{
                name: _taken(list(values), found)
                for name, values in zip(names, columns, strict=True)
            },
            **_prices(found),
            "volume": pd.arrays.IntegerArray(np.maximum(volume, 0), volume < 0),
        }
    ).astype({"strike": "int64"})


def _candles(
    connection: Connection[Any], wanted: Sequence[tuple[str, Range]], since: datetime | None
) -> npt.NDArray[np.void]:
    """Return rows by wanted symbol and time; `number` counts the wanted ones from 1."""
    bounds = [sessions.parameters(()) for _, sessions in wanted]
    parameters = {
        "symbols": [symbol for symbol, _ in wanted],
        "opens": [since or one["first"] for one in bounds],
        "closes": [one["last"] for one in bounds],
    }
    return read_fixed(connection, CANDLES, parameters, FIELDS)


def _taken(values: Sequence[Any], found: npt.NDArray[np.void]) -> "pd.Series[Any]":
    """Return for each row the value of its wanted symbol."""
    each = np.empty(len(values), dtype=object)
    each[:] = values
    return pd.Series(each[found["number"] - 1], dtype=object)


def _prices(found: npt.NDArray[np.void]) -> dict[str, Any]:
    times = {
        name: pd.DatetimeIndex(instants(found[name])).tz_localize("UTC")
        for name in ("open_time", "known_at")
    }
    return times | {
        name: found[name].astype(np.float64) for name in ("open", "high", "low", "close")
    }
