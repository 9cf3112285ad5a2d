"""Market rows as the strategies and the ingestion read them, over ranges of sessions."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, LiteralString, NamedTuple

import pandas as pd
from psycopg import Connection

# The nearest expiry among the contracts listed by a session; the source's list wins over the
# calendar. Far strikes can never be in a cluster, so only those near the day's range are read.
BUILD_UPS = """
with day as (
    select distinct (open_time at time zone 'Asia/Kolkata')::date as session, underlying
      from build_up
     where open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
       and underlying = any(%(underlyings)s)
), near as (
    select d.session, d.underlying,
           (select min(c.expiry) from contract c
             where c.underlying = d.underlying and c.expiry >= d.session
               and c.first_seen <= d.session) as expiry,
           r.low, r.high
      from day d
      left join lateral (
           select min(k.low) as low, max(k.high) as high from candle k
            where k.symbol in (d.underlying, d.underlying || '1!')
              and k.open_time >= d.session::timestamp at time zone 'Asia/Kolkata'
              and k.open_time < (d.session + 1)::timestamp at time zone 'Asia/Kolkata') r on true
)
select n.session, b.underlying, b.symbol, c.expiry, c.strike, c.option_type, b.open_time, b.close,
       b.open_interest, b.volume, b.known_at
  from near n
  join contract c on c.underlying = n.underlying and c.expiry = n.expiry
   and c.strike between n.low - %(reach)s and n.high + %(reach)s
  join build_up b on b.symbol = c.symbol
   and b.open_time >= n.session::timestamp at time zone 'Asia/Kolkata'
   and b.open_time < (n.session + 1)::timestamp at time zone 'Asia/Kolkata'
   and b.open_time >= %(first)s::timestamptz
 order by n.session, b.underlying, b.symbol, b.open_time
"""
BUILD_UP_COLUMNS = (
    *("session", "underlying", "symbol", "expiry", "strike", "option_type", "open_time"),
    *("close", "open_interest", "volume", "known_at"),
)
# What ends exactly with the interval and can change no more; one-minute candles win.
REFERENCE = """
with closes as (
    select distinct on (symbol, bucket)
           underlying, symbol, date_bin('5 minutes', open_time, '2000-01-01 03:45+00') as bucket,
           close, known_at
      from candle
     where open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
       and symbol = any(%(symbols)s) and final
       and (interval_minutes = 5
            or date_bin('5 minutes', open_time, '2000-01-01 03:45+00')
               = open_time - interval '4 minutes')
     order by symbol, bucket, interval_minutes
)
select (coalesce(s.bucket, f.bucket) at time zone 'Asia/Kolkata')::date as session,
       coalesce(s.underlying, f.underlying) as underlying,
       coalesce(s.bucket, f.bucket) as open_time,
       s.close as spot, s.known_at as spot_known_at,
       f.close as future, f.known_at as future_known_at
  from (select * from closes where symbol = underlying) s
  full join (select * from closes where symbol <> underlying) f
    on f.underlying = s.underlying and f.bucket = s.bucket
 order by 1, 2, 3
"""
REFERENCE_COLUMNS = (
    *("session", "underlying", "open_time", "spot", "spot_known_at"),
    *("future", "future_known_at"),
)
LADDER = """
select distinct underlying, expiry, strike from contract
 where underlying = any(%(underlyings)s) and expiry >= %(first)s
   and first_seen <= %(last)s
 order by underlying, expiry, strike
"""
STORED_MINUTES = """
select symbol, min(interval_minutes) from candle
 where open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
   and symbol = any(%(symbols)s) and final
 group by symbol
"""
LATEST_PRICE = """
select close from candle
 where symbol = %(symbol)s
   and open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
 order by open_time desc, interval_minutes limit 1
"""
NEWEST_BUILD_UP = """
select max(open_time) from build_up
 where open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
   and underlying = any(%(underlyings)s)
"""
LISTED = """
select symbol, expiry, strike, option_type from contract
 where underlying = %(underlying)s and first_seen <= %(session)s and last_seen >= %(session)s
   and expiry = (select min(expiry) from contract
                  where underlying = %(underlying)s and expiry >= %(session)s
                    and first_seen <= %(session)s and last_seen >= %(session)s)
 order by strike, option_type
"""
LADDER_MARKS = """
select underlying, md5(string_agg(symbol, ',' order by symbol)) from contract
 where underlying = any(%(underlyings)s) and expiry >= %(session)s and first_seen <= %(session)s
 group by underlying
"""
# Twenty strikes beyond the range that the index traded in is more than any cluster reaches.
REACH_POINTS = 2_000
EVERYWHERE_POINTS = 1_000_000


class Frames(NamedTuple):
    """What the strategies read, as `strategy.delta_volume.evaluate` documents it."""

    build_ups: pd.DataFrame
    reference: pd.DataFrame
    contracts: pd.DataFrame


class Range(NamedTuple):
    """Whole sessions, both ends included, in India's time."""

    first: date
    last: date

    def parameters(self, underlyings: Sequence[str]) -> dict[str, Any]:
        """Return query parameters; midnight in India is half past six in the evening before."""
        return {
            "first": f"{self.first} 00:00+05:30",
            "last": f"{date.fromordinal(self.last.toordinal() + 1)} 00:00+05:30",
            "underlyings": list(underlyings),
            "symbols": [*underlyings, *(f"{name}1!" for name in underlyings)],
            "reach": REACH_POINTS,
        }


def read_frames(
    connection: Connection[Any],
    sessions: Range,
    underlyings: Sequence[str],
    since: datetime | None = None,
) -> Frames:
    """Return build-ups, reference prices and strike ladders of a range of sessions.

    With `since`, only intervals that start then or later, and of all strikes: the day's range
    may grow, and what was read of it before must not depend on that.
    """
    parameters = sessions.parameters(underlyings)
    if since is not None:
        parameters |= {"first": since, "reach": EVERYWHERE_POINTS}
    build_ups = _frame(connection, BUILD_UPS, parameters, BUILD_UP_COLUMNS)
    reference = _frame(connection, REFERENCE, parameters, REFERENCE_COLUMNS)
    ladder = _frame(
        connection,
        LADDER,
        {**parameters, "first": sessions.first, "last": sessions.last},
        ("underlying", "expiry", "strike"),
    )
    return Frames(
        _typed(build_ups, ("open_time", "known_at"), ("close",), ("open_interest", "volume")),
        _typed(
            reference, ("open_time", "spot_known_at", "future_known_at"), ("spot", "future"), ()
        ),
        ladder.astype({"strike": "int64"}),
    )


def stored_minutes(
    connection: Connection[Any], session: date, symbols: Sequence[str]
) -> dict[str, int]:
    """Return the finest interval of each symbol's final candles; nothing where none is stored."""
    parameters = {**Range(session, session).parameters(()), "symbols": list(symbols)}
    return dict(connection.execute(STORED_MINUTES, parameters).fetchall())


def newest_build_up(connection: Connection[Any], session: date, underlying: str) -> datetime | None:
    """Return the start of the newest build-up stored for any contract; None before the first."""
    parameters = Range(session, session).parameters((underlying,))
    row = connection.execute(NEWEST_BUILD_UP, parameters).fetchone()
    return row[0] if row else None


def reference_prices(
    connection: Connection[Any], session: date, underlying: str
) -> list[tuple[datetime, float | None, float | None]]:
    """Return each 5-minute interval's start with the closing spot and future, ascending."""
    rows = connection.execute(
        REFERENCE, Range(session, session).parameters((underlying,))
    ).fetchall()
    return [(row[2], row[3], row[5]) for row in rows]


def latest_price(connection: Connection[Any], session: date, symbol: str) -> float | None:
    """Return the newest close of a session, forming candle included; None before the first."""
    parameters = {**Range(session, session).parameters(()), "symbol": symbol}
    row = connection.execute(LATEST_PRICE, parameters).fetchone()
    return row[0] if row else None


def listed_contracts(
    connection: Connection[Any], session: date, underlying: str
) -> list[tuple[str, date, int, str]]:
    """Return symbol, expiry, strike and type of the nearest expiry's listed contracts."""
    return connection.execute(LISTED, {"underlying": underlying, "session": session}).fetchall()


def ladder_marks(
    connection: Connection[Any], session: date, underlyings: Sequence[str]
) -> dict[str, str]:
    """Return, per underlying, a text that changes whenever the listed contracts do."""
    parameters = {"session": session, "underlyings": list(underlyings)}
    return dict(connection.execute(LADDER_MARKS, parameters).fetchall())


def _frame(
    connection: Connection[Any],
    query: LiteralString,
    parameters: dict[str, Any],
    columns: Sequence[str],
) -> pd.DataFrame:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(query, parameters).fetchall()
    return pd.DataFrame(rows, columns=list(columns))


def _typed(
    frame: pd.DataFrame, times: Sequence[str], prices: Sequence[str], counts: Sequence[str]
) -> pd.DataFrame:
    kinds: dict[str, str] = dict.fromkeys(times, "datetime64[us, UTC]")
    kinds |= dict.fromkeys(prices, "float64") | dict.fromkeys(counts, "Int64")
    if "strike" in frame:
        kinds["strike"] = "int64"
    for column, kind in kinds.items():
        frame[column] = (
            pd.to_datetime(frame[column], utc=True).astype(kind)  # type: ignore[call-overload]
            if column in times
            else frame[column].astype(kind)  # type: ignore[call-overload]
        )
    return frame
