"""Which intervals of a session should have a row and have none: what ingestion asks for.

An interval for which the source was asked after its end, twice, and had nothing is not asked for
again. If its index has a row, nothing was traded in it, which `empty_interval` says; if not, it is
an outage: nobody knows whether anything was traded, so that nothing says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL, Composed

from db.writing.bulk import CREATE_CHANGED, publish

# Whether an underlying's index has final candles over all of an interval.
_INDEX_IS_THERE = SQL("""
    (exists (select from candle i
              where i.symbol = {underlying} and i.interval_minutes = 5 and i.final
                and i.open_time > {open_time} - interval '5 minutes'
                and i.open_time <= {open_time}
                and i.open_time + interval '5 minutes'
                    >= {open_time} + make_interval(mins => {minutes}))
     or {minutes} = (select count(*) from candle i
              where i.symbol = {underlying} and i.interval_minutes = 1 and i.final
                and i.open_time >= {open_time}
                and i.open_time < {open_time} + make_interval(mins => {minutes})))""")
_UNDERLYING = SQL("substring({symbol} from '^[A-Z]+')")


def _index_is_there(
    symbol: LiteralString, open_time: LiteralString, minutes: LiteralString
) -> Composed:
    underlying = _UNDERLYING.format(symbol=SQL(symbol))
    return _INDEX_IS_THERE.format(
        underlying=underlying, open_time=SQL(open_time), minutes=SQL(minutes)
    )


# Of an outage the archive tells that it was asked for: two answers, minutes apart, that reach over
# it, and neither has it.
MISSING_CANDLES = SQL("""
with answered as materialized (
    select p.about ->> 'symbol' as symbol, (p.about ->> 'minutes')::smallint as minutes,
           r.asked_at, r.complete_to,
           case when (p.about ->> 'whole')::boolean is true then '-infinity'
                else r.asked_at - make_interval(mins => (p.about ->> 'minutes')::integer
                                                        * (p.about ->> 'count')::integer)
           end as since
      from raw_payload p join raw_receipt r using (payload_id)
     where p.session = (%(start)s::timestamptz at time zone 'Asia/Kolkata')::date
       and p.about ->> 'kind' = 'history' and p.parser_error is null
), wanted as (
    select w.symbol, w.minutes, w.until,
           (select max(c.open_time) from candle c
             where c.symbol = w.symbol and c.interval_minutes = w.minutes and c.final
               and c.open_time between %(start)s and w.until) as newest
      from unnest(%(symbols)s::text[], %(minutes)s::smallint[], %(until)s::timestamptz[])
           w (symbol, minutes, until)
), absent as materialized (  -- a few, so that only these are looked at more closely
    select w.symbol, w.minutes, w.newest, g.open_time
      from wanted w
     cross join generate_series(%(start)s::timestamptz, w.until, make_interval(mins => w.minutes))
           g (open_time)
     where not exists (select from candle c
                        where c.symbol = w.symbol and c.interval_minutes = w.minutes
                          and c.open_time = g.open_time and c.final)
       and not exists (select from empty_interval e
                        where e.relation = 'candle' and e.symbol = w.symbol
                          and e.interval_minutes = w.minutes and e.open_time = g.open_time
                          and e.confirmed_at is not null)
)
select symbol, min(open_time), count(*), coalesce(min(open_time) < newest, false)
  from absent b
 where {index_is_there} or not exists (
       select from answered a
        where a.symbol = b.symbol and a.minutes = b.minutes and a.since <= b.open_time
          and a.complete_to >= b.open_time + make_interval(mins => b.minutes)
       having max(a.asked_at) - min(a.asked_at) >= %(apart)s)
 group by symbol, newest
""").format(index_is_there=_index_is_there("b.symbol", "b.open_time", "b.minutes"))
MISSING_BUILD_UPS = SQL("""
with answered as materialized (
    select p.about ->> 'symbol' as symbol, r.asked_at
      from raw_payload p join raw_receipt r using (payload_id)
     where p.session = (%(start)s::timestamptz at time zone 'Asia/Kolkata')::date
       and p.about ->> 'kind' = 'build_ups' and p.parser_error is null
), wanted as (
    select w.symbol, (select max(b.open_time) from build_up b
                       where b.symbol = w.symbol
                         and b.open_time between %(start)s and %(until)s) as newest
      from unnest(%(symbols)s::text[]) w (symbol)
), absent as materialized (
    select w.symbol, w.newest, g.open_time
      from wanted w
     cross join generate_series(%(start)s::timestamptz, %(until)s::timestamptz,
                                interval '5 minutes') g (open_time)
     where not exists (select from build_up u
                        where u.symbol = w.symbol and u.open_time = g.open_time)
       and not exists (select from empty_interval e
                        where e.relation = 'build_up' and e.symbol = w.symbol
                          and e.interval_minutes = 5 and e.open_time = g.open_time
                          and e.confirmed_at is not null)
       and 5 > (select count(*) from empty_interval e
                 where e.relation = 'candle' and e.symbol = w.symbol and e.interval_minutes = 1
                   and e.open_time >= g.open_time
                   and e.open_time < g.open_time + interval '5 minutes'
                   and e.confirmed_at is not null)
)
select symbol, min(open_time), count(*), coalesce(min(open_time) < newest, false)
  from absent b
 where {index_is_there} or not exists (
       select from answered a
        where a.symbol = b.symbol and a.asked_at >= b.open_time + interval '10 minutes'
       having max(a.asked_at) - min(a.asked_at) >= %(apart)s)
 group by symbol, newest
""").format(index_is_there=_index_is_there("b.symbol", "b.open_time", "5"))
# A candle that will never come decides what trades came to, so readers are told of it.
LOG_EMPTY = SQL("""
insert into changed
select 'empty_interval', substring(symbol from '^[A-Z]+'), symbol, interval_minutes, open_time
  from noted
 where relation = 'candle' and is_new
""")
INSERT_EMPTY = SQL("""
with noted as (
    insert into empty_interval (relation, symbol, interval_minutes, open_time, source, known_at,
                                confirmed_at)
    select %(relation)s, %(symbol)s, %(minutes)s, moment, %(source)s, %(known_at)s,
           case when %(over)s then %(known_at)s::timestamptz end
      from unnest(%(moments)s::timestamptz[]) moment
     where %(symbol)s <> {underlying} and {index_is_there}
        on conflict (relation, symbol, interval_minutes, open_time) do update
       set confirmed_at = excluded.known_at
     where empty_interval.confirmed_at is null
       and (excluded.confirmed_at is not null
            or excluded.known_at >= empty_interval.known_at + %(apart)s)
    returning *, xmax = 0 as is_new
) {log}
""").format(
    underlying=_UNDERLYING.format(symbol=SQL("%(symbol)s")),
    index_is_there=_index_is_there("%(symbol)s", "moment", "%(minutes)s::integer"),
    log=LOG_EMPTY,
)
# One answer may be incomplete while a session is on: only a second one, so much later, is believed.
CONFIRMED_AFTER = timedelta(minutes=4)


class Gap(NamedTuple):
    """What one series lacks: the first interval, their number, and whether later rows are there."""

    first: datetime
    number: int
    interior: bool


def missing_candles(
    connection: Connection[Any],
    start: datetime,
    wanted: Mapping[str, int],
    until: Mapping[int, datetime],
) -> dict[str, Gap]:
    """Return the gaps of series; those without one are left out.

    Args:
        connection: To read with.
        start: The session's open.
        wanted: Minutes of each symbol's candles.
        until: Start of the newest interval that has ended, by minutes; none where none has.
    """
    series = [(symbol, minutes) for symbol, minutes in wanted.items() if minutes in until]
    parameters = {
        "start": start,
        "apart": CONFIRMED_AFTER,
        "symbols": [symbol for symbol, _ in series],
        "minutes": [minutes for _, minutes in series],
        "until": [until[minutes] for _, minutes in series],
    }
    return _gaps(connection.execute(MISSING_CANDLES, parameters))


def missing_build_ups(
    connection: Connection[Any], start: datetime, until: datetime, symbols: Sequence[str]
) -> dict[str, Gap]:
    """Return the gaps of contracts' build-ups up to an interval's start, as above."""
    parameters = {"start": start, "until": until, "symbols": list(symbols)}
    parameters["apart"] = CONFIRMED_AFTER
    return _gaps(connection.execute(MISSING_BUILD_UPS, parameters))


def _gaps(rows: Iterable[Any]) -> dict[str, Gap]:
    return {symbol: Gap(first, number, interior) for symbol, first, number, interior in rows}


class EmptySeries(NamedTuple):
    """Whose intervals a source left out, and who said so."""

    relation: str
    symbol: str
    minutes: int
    source: str


def note_empty(
    connection: Connection[Any],
    series: EmptySeries,
    moments: Sequence[datetime],
    known_at: datetime,
    *,
    over: bool = False,
) -> None:
    """Remember that nothing was traded in intervals that a source left out.

    A second answer, minutes later, confirms it; or this one, of a session that is long `over`.
    Those without a row of their index are left out: what the source lacks then is not trades.
    """
    if not moments:
        return
    parameters = {**series._asdict(), "moments": list(moments), "known_at": known_at, "over": over}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(CREATE_CHANGED)
        cursor.execute(INSERT_EMPTY, parameters | {"apart": CONFIRMED_AFTER})
        if cursor.rowcount:
            publish(cursor)
