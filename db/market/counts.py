"""Which stored candles lack counts that another source may know."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL

# Open interest is lacked where nothing else told it: an interval with a build-up has that of a
# ladder, which asking again would only replace.
_NO_OPEN_INTEREST = SQL("""c.open_interest is null and not exists (
            select from build_up b
             where b.symbol = c.symbol
               and b.open_time = date_bin('5 minutes', c.open_time, %(start)s))""")
# What the source answered stays as it is.
LACKING = SQL("""
with answered as materialized (
    select p.about ->> 'symbol' as symbol, (p.about ->> 'minutes')::smallint as minutes,
           r.asked_at,
           case when (p.about ->> 'whole')::boolean is true then '-infinity'
                else r.asked_at - make_interval(mins => (p.about ->> 'minutes')::integer
                                                        * (p.about ->> 'count')::integer)
           end as since
      from raw_payload p join raw_receipt r using (payload_id)
     where p.session = (%(start)s::timestamptz at time zone 'Asia/Kolkata')::date
       and p.about ->> 'kind' = 'history' and p.about ->> 'source' = %(source)s
       and p.parser_error is null
), lacking as materialized (
    select c.symbol, c.interval_minutes, c.open_time,
           c.open_time + make_interval(mins => c.interval_minutes) as ended
      from unnest(%(symbols)s::text[], %(minutes)s::smallint[]) w (symbol, minutes)
      join candle c on c.symbol = w.symbol and c.interval_minutes = w.minutes
     where c.final and c.open_time >= %(start)s and c.open_time < %(close)s
       and c.open_time + make_interval(mins => c.interval_minutes) <= %(by)s
       and (c.volume is null or {unknown})
)
select symbol, min(open_time)
  from lacking k
 where not exists (select from answered a
                    where a.symbol = k.symbol and a.minutes = k.interval_minutes
                      and a.since <= k.open_time
                      and a.asked_at >= k.ended + interval '1 minute')
 group by symbol
""").format(unknown=_NO_OPEN_INTEREST)

UNKNOWN = SQL("""
select count(*) filter (where c.volume is null), count(*) filter (where {unknown})
  from candle c
 where c.symbol = any(%(symbols)s) and c.final
   and c.open_time >= %(start)s and c.open_time < %(close)s
   and c.open_time + make_interval(mins => c.interval_minutes) <= %(by)s
""").format(unknown=_NO_OPEN_INTEREST)


class Unknown(NamedTuple):
    """How many candles lack their volume, and how many an open interest that no ladder has."""

    volume: int
    open_interest: int


def unknown_counts(
    connection: Connection[Any],
    hours: tuple[datetime, datetime],
    by: datetime,
    symbols: Sequence[str],
) -> Unknown:
    """Return how many final candles of options lack counts.

    Args:
        connection: To read with.
        hours: Open and close of the session.
        by: Only candles that ended by then.
        symbols: Of these options.
    """
    parameters = {"start": hours[0], "close": hours[1], "by": by, "symbols": list(symbols)}
    row = connection.execute(UNKNOWN, parameters).fetchone()
    return Unknown(*(row or (0, 0)))


def lacking_counts(
    connection: Connection[Any],
    source: str,
    hours: tuple[datetime, datetime],
    by: datetime,
    wanted: Mapping[str, int],
) -> dict[str, datetime]:
    """Return the start of each symbol's first final candle whose counts are unknown.

    Candles about which the source answered since are left out: it does not know them either.

    Args:
        connection: To read with.
        source: Who would be asked.
        hours: Open and close of the session.
        by: Only candles that ended by then.
        wanted: Minutes of each symbol's candles; options, since an index has no counts.
    """
    parameters = {
        "source": source,
        "start": hours[0],
        "close": hours[1],
        "by": by,
        "symbols": list(wanted),
        "minutes": list(wanted.values()),
    }
    return dict(connection.execute(LACKING, parameters).fetchall())
