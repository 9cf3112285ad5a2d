"""Which intervals of a session are stored, and whether both sources' prices agree."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Literal

INDEX_COUNTS = """
select distinct on (symbol) symbol, interval_minutes, count(*)
  from candle
 where symbol = any(%(underlyings)s) and final
   and open_time >= %(session)s::date::timestamp at time zone 'Asia/Kolkata'
   and open_time < (%(session)s::date + 1)::timestamp at time zone 'Asia/Kolkata'
 group by symbol, interval_minutes
 order by symbol, interval_minutes
"""
# From a symbol's first row, the index from the open, as far as its underlying's newest row: what
# lies beyond is late rather than a gap. The finest stored interval counts.
_GAPS = SQL("""
with stored as materialized ({stored}
), series as (
    select symbol, underlying, min(minutes) as minutes, min(open_time) as first
      from stored group by symbol, underlying
), reached as (
    select underlying, least(max(open_time + make_interval(mins => minutes)), %(due)s) as until
      from stored where leads group by underlying
), due as (
    select s.symbol, s.minutes, g.open_time
      from series s join reached r using (underlying)
      cross join lateral generate_series(
          case when s.symbol = s.underlying then %(open)s else s.first end,
          r.until - make_interval(mins => s.minutes), make_interval(mins => s.minutes))
          as g (open_time)
), gap as (
    select d.symbol, d.open_time from due d
     where not exists (select from stored s
                        where (s.symbol, s.minutes, s.open_time)
                              = (d.symbol, d.minutes, d.open_time))
       and not exists (select from empty_interval e
                        where (e.relation, e.symbol, e.interval_minutes, e.open_time)
                              = ({relation}, d.symbol, d.minutes, d.open_time))
)
select (select count(*) from due) as due, count(*) as number, count(distinct symbol) as symbols,
       count(*) filter (where symbol = any(%(underlyings)s)) as outages,
       coalesce((array_agg(symbol || ' ' || to_char(open_time, 'YYYY-MM-DD"T"HH24:MI"Z"')
                           order by open_time, symbol))[1:5], '{{}}') as examples
  from gap
""")
CANDLE_GAPS = _GAPS.format(
    relation=Literal("candle"),
    stored=SQL("""
    select symbol, underlying, interval_minutes as minutes, open_time, symbol = underlying as leads
      from candle
     where underlying = any(%(underlyings)s) and final
       and open_time >= %(open)s and open_time < %(close)s"""),
)
BUILD_UP_GAPS = _GAPS.format(
    relation=Literal("build_up"),
    stored=SQL("""
    select symbol, underlying, 5::smallint as minutes, open_time, true as leads
      from build_up
     where underlying = any(%(underlyings)s)
       and open_time >= %(open)s and open_time < %(close)s"""),
)
# An interval's ladder is that of its end.
LADDER_GAPS = """
with expiry as (
    select underlying, min(expiry) as expiry from contract
     where underlying = any(%(underlyings)s) and expiry >= %(session)s
       and source <> 'import'  -- recorded days have none
       and first_seen <= %(session)s and last_seen >= %(session)s
     group by underlying
)
select e.underlying, g.moment
  from expiry e
 cross join generate_series(%(first)s::timestamptz, %(due)s::timestamptz, interval '5 minutes')
       as g (moment)
 where not exists (select from chain_oi c
                    where c.underlying = e.underlying and c.expiry = e.expiry
                      and c.observed_at = g.moment)
 order by 1, 2
"""
# The last trade within the interval: the close of its last candle.
SKEW = """
with pair as (
    select b.symbol, b.underlying, b.close_time, b.close as reported, k.close as traded,
           round(abs(b.close - k.close)::numeric, 2)::float8 as difference
      from build_up b
      cross join lateral (
           select close from candle
            where symbol = b.symbol and interval_minutes in (1, 5) and final
              and open_time >= b.open_time and open_time < b.close_time
            order by open_time desc, interval_minutes limit 1) k
     where b.underlying = any(%(underlyings)s) and b.close >= 0 and b.close < 'infinity'
       and k.close >= 0 and k.close < 'infinity'
       and b.open_time >= %(session)s::date::timestamp at time zone 'Asia/Kolkata'
       and b.open_time < (%(session)s::date + 1)::timestamp at time zone 'Asia/Kolkata'
), judged as (
    select *, difference > greatest(%(points)s, %(share)s * traded) as beyond from pair
)
select count(*) as compared, count(*) filter (where beyond) as beyond,
       coalesce(percentile_cont(0.5) within group (order by difference), 0) as median,
       coalesce(max(difference), 0) as largest,
       coalesce((array_agg(format('%%s %%s: %%s against %%s', symbol,
                                  to_char(close_time, 'YYYY-MM-DD"T"HH24:MI"Z"'), reported, traded)
                           order by difference desc, close_time, symbol)
                 filter (where beyond))[1:5], '{}') as examples
  from judged
"""


class Gaps(NamedTuple):
    """Intervals that should be stored, how many are not, of how many symbols, and the first.

    `outages` are those of an index: nobody knows what was traded then.
    """

    due: int
    number: int
    symbols: int
    outages: int
    examples: list[str]


class Skew(NamedTuple):
    """Prices of both sources for the same contract and time, in points, and the worst."""

    compared: int
    beyond: int
    median: float
    largest: float
    examples: list[str]


def index_counts(
    connection: Connection[Any], session: date, underlyings: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Return each index's finest interval and its number of final candles."""
    parameters = {"session": session, "underlyings": list(underlyings)}
    rows = connection.execute(INDEX_COUNTS, parameters).fetchall()
    return {symbol: (minutes, number) for symbol, minutes, number in rows}


def find_gaps(
    connection: Connection[Any],
    query: Composed,
    hours: tuple[datetime, datetime],
    due: datetime,
    underlyings: Sequence[str],
) -> Gaps:
    """Return which intervals inside a session have neither a row nor a note that nothing traded.

    Args:
        connection: Open.
        query: `CANDLE_GAPS` or `BUILD_UP_GAPS`.
        hours: Open and close of the session.
        due: Only intervals that ended by then.
        underlyings: Whose rows.
    """
    start, end = hours
    parameters = {"open": start, "close": end, "due": due, "underlyings": list(underlyings)}
    with connection.cursor(row_factory=class_row(Gaps)) as cursor:
        return cursor.execute(query, parameters).fetchone() or Gaps(0, 0, 0, 0, [])


def ladder_gaps(
    connection: Connection[Any],
    session: date,
    first: datetime,
    due: datetime,
    underlyings: Sequence[str],
) -> dict[str, list[datetime]]:
    """Return the ends of 5-minute intervals without a strike ladder, by underlying.

    Args:
        connection: Open.
        session: Which; only underlyings with contracts listed in it.
        first: End of its first interval,
        due: and only ends up to this moment.
        underlyings: Of these.
    """
    parameters = {"session": session, "first": first, "due": due, "underlyings": list(underlyings)}
    found: dict[str, list[datetime]] = {}
    for underlying, moment in connection.execute(LADDER_GAPS, parameters):
        found.setdefault(underlying, []).append(moment)
    return found


def compare_prices(
    connection: Connection[Any],
    session: date,
    underlyings: Sequence[str],
    points: float,
    share: float,
) -> Skew:
    """Compare each build-up's price with the last candle of its interval.

    Args:
        connection: Open.
        session: Whose rows.
        underlyings: Of these.
        points: A difference up to so many rupees is none,
        share: nor is one up to this share of the price.
    """
    parameters = {
        "session": session,
        "underlyings": list(underlyings),
        "points": points,
        "share": share,
    }
    with connection.cursor(row_factory=class_row(Skew)) as cursor:
        return cursor.execute(SKEW, parameters).fetchone() or Skew(0, 0, 0.0, 0.0, [])
