"""Market rows as the strategies and the ingestion read them, over ranges of sessions."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import pandas as pd
from psycopg import Connection
from psycopg.sql import SQL

from db.market.packed import UNKNOWN_COUNT, Packed
from db.server.connection import load_sql

NEAREST_EXPIRIES = SQL(load_sql("sql/nearest_expiries.sql").decode())
BUILD_UPS = SQL(load_sql("sql/build_up_series.sql").decode()).format(
    nearest_expiries=NEAREST_EXPIRIES
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
_PACKED_REFERENCE = SQL("""
select session, underlying, count(*) as rows,
       string_agg(timestamptz_send(open_time), '' order by open_time) as open_time,
       string_agg(float8send(coalesce(spot, 'NaN')), '' order by open_time) as spot,
       string_agg(timestamptz_send(coalesce(spot_known_at, '-infinity')), ''
                  order by open_time) as spot_known_at,
       string_agg(float8send(coalesce(future, 'NaN')), '' order by open_time) as future,
       string_agg(timestamptz_send(coalesce(future_known_at, '-infinity')), ''
                  order by open_time) as future_known_at
  from ({rows}) r
 group by session, underlying
 order by session, underlying
""").format(rows=SQL(REFERENCE))
LISTED_THEN = b"""
select underlying, expiry, option_type, first_seen, count(*) as rows,
       string_agg(int8send(strike), '' order by strike) as strike,
       string_agg(timestamptz_send(coalesce(listed_at, '-infinity')), '' order by strike)
           as listed_at
  from contract
 where underlying = any(%(underlyings)s) and expiry >= %(first)s and first_seen <= %(last)s
 group by underlying, expiry, option_type, first_seen
 order by underlying, expiry, option_type, first_seen
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
PRICE_RANGE = """
select min(low), max(high) from candle
 where symbol = %(symbol)s and final
   and open_time >= %(first)s::timestamptz and open_time < %(last)s::timestamptz
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
select underlying, md5(string_agg(symbol || coalesce(listed_at::text, ''), ',' order by symbol))
  from contract
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
    """Return build-ups, reference prices and listed contracts of a range of sessions.

    What many rows share is categorical: sessions, underlyings, symbols, expiries, option types.
    With `since`, only intervals that start then or later, and of all strikes: the day's range
    may grow, and what was read of it before must not depend on that.
    """
    parameters = sessions.parameters(underlyings)
    if since is not None:
        parameters |= {"first": since, "reach": EVERYWHERE_POINTS}
    build_ups = Packed(connection, BUILD_UPS, {**parameters, "unknown": UNKNOWN_COUNT})
    reference = Packed(connection, _PACKED_REFERENCE, parameters)
    return Frames(
        pd.DataFrame(
            {
                "session": build_ups.categories("session"),
                "underlying": build_ups.categories("underlying"),
                "symbol": build_ups.categories("symbol"),
                "expiry": build_ups.categories("expiry"),
                "strike": build_ups.integers("strike"),
                "option_type": build_ups.categories("option_type"),
                "open_time": build_ups.instants("open_time"),
                "close": build_ups.floats("close"),
                "open_interest": build_ups.counts("open_interest"),
                "volume": build_ups.counts("volume"),
                "known_at": build_ups.instants("known_at"),
            },
            copy=False,
        ),
        pd.DataFrame(
            {
                "session": reference.categories("session"),
                "underlying": reference.categories("underlying"),
                "open_time": reference.instants("open_time"),
                "spot": reference.floats("spot"),
                "spot_known_at": reference.instants("spot_known_at"),
                "future": reference.floats("future"),
                "future_known_at": reference.instants("future_known_at"),
            },
            copy=False,
        ),
        read_listed(connection, sessions, underlyings),
    )


def read_listed(
    connection: Connection[Any], sessions: Range, underlyings: Sequence[str]
) -> pd.DataFrame:
    """Return the contracts of a range of sessions as `strategy.ladders.Ladders` takes them."""
    bounds = {**sessions._asdict(), "underlyings": list(underlyings)}
    listed = Packed(connection, LISTED_THEN, bounds)
    shared = ("underlying", "expiry", "option_type", "first_seen")
    return pd.DataFrame(
        {name: listed.categories(name) for name in shared}
        | {"strike": listed.whole("strike"), "listed_at": listed.instants("listed_at")},
        copy=False,
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


def price_range(connection: Connection[Any], session: date, symbol: str) -> list[float]:
    """Return a session's lowest and highest price of a symbol; nothing before the first."""
    parameters = {**Range(session, session).parameters(()), "symbol": symbol}
    row = connection.execute(PRICE_RANGE, parameters).fetchone()
    return [price for price in row or () if price is not None]


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
