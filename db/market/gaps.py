"""Which intervals of a session should have a row and have none: what ingestion asks for.

An interval for which the source was asked after its end, twice, and had nothing is not missing:
see `empty_interval`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL

from db.writing.bulk import CREATE_CHANGED, publish

MISSING_CANDLES = """
with wanted as (
    select w.symbol, w.minutes, w.until,
           (select max(c.open_time) from candle c
             where c.symbol = w.symbol and c.interval_minutes = w.minutes and c.final
               and c.open_time between %(start)s and w.until) as newest
      from unnest(%(symbols)s::text[], %(minutes)s::smallint[], %(until)s::timestamptz[])
           w (symbol, minutes, until)
)
select w.symbol, min(g.open_time), count(*), coalesce(min(g.open_time) < w.newest, false)
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
 group by w.symbol, w.newest
"""
MISSING_BUILD_UPS = """
with wanted as (
    select w.symbol, (select max(b.open_time) from build_up b
                       where b.symbol = w.symbol
                         and b.open_time between %(start)s and %(until)s) as newest
      from unnest(%(symbols)s::text[]) w (symbol)
)
select w.symbol, min(g.open_time), count(*), coalesce(min(g.open_time) < w.newest, false)
  from wanted w
 cross join generate_series(%(start)s::timestamptz, %(until)s::timestamptz, interval '5 minutes')
       g (open_time)
 where not exists (select from build_up b
                    where b.symbol = w.symbol and b.open_time = g.open_time)
   and not exists (select from empty_interval e
                    where e.relation = 'build_up' and e.symbol = w.symbol
                      and e.interval_minutes = 5 and e.open_time = g.open_time
                      and e.confirmed_at is not null)
 group by w.symbol, w.newest
"""
# An interval's ladder is that of its end. One that was asked for by its minute twice, and
# late enough for the source to have it, is not asked for again: the source has nothing else to say.
# Twice, because a process may have been killed between the archive and the rows.
MISSED_SNAPSHOTS = """
with missed as materialized (
    select g.moment
      from generate_series(%(first)s::timestamptz, %(until)s::timestamptz, interval '5 minutes')
           g (moment)
     where not exists (select from chain_oi c
                        where c.underlying = %(underlying)s and c.expiry = %(expiry)s
                          and c.observed_at = g.moment)
)
select moment from missed
 where to_char(moment at time zone 'Asia/Kolkata', 'HH24:MI') not in (
       select p.about ->> 'until' from raw_payload p join raw_receipt r using (payload_id)
        where p.session = %(session)s and p.about ->> 'kind' = 'chain'
          and p.about ->> 'underlying' = %(underlying)s and p.parser_error is null
          and (r.asked_at at time zone 'Asia/Kolkata') - interval '5 minutes'
              >= p.session + (p.about ->> 'until')::time
        group by 1 having count(*) > 1)
 order by 1
"""
LADDER_ASKS = """
select count(*), max(r.asked_at) from raw_payload p join raw_receipt r using (payload_id)
 where p.session = %(session)s and p.about ->> 'kind' = 'chain'
   and p.about ->> 'underlying' = %(underlying)s and r.asked_at >= %(since)s
   and coalesce((p.about ->> 'until')::time >= (%(newest)s at time zone 'Asia/Kolkata')::time, true)
"""
# A candle that will never come decides what trades came to, so readers are told of it.
LOG_EMPTY = SQL("""
insert into changed
select 'empty_interval', substring(symbol from '^[A-Z]+'), symbol, interval_minutes, open_time
  from noted
 where relation = 'candle' and is_new
""")
INSERT_EMPTY = SQL("""
with noted as (
    insert into empty_interval (relation, symbol, interval_minutes, open_time, source, known_at)
    select %(relation)s, %(symbol)s, %(minutes)s, moment, %(source)s, %(known_at)s
      from unnest(%(moments)s::timestamptz[]) moment
        on conflict (relation, symbol, interval_minutes, open_time) do update
       set confirmed_at = excluded.known_at
     where empty_interval.confirmed_at is null
       and excluded.known_at >= empty_interval.known_at + %(apart)s
    returning *, xmax = 0 as is_new
) {}
""").format(LOG_EMPTY)
# One answer may be incomplete: only a second one, so much later, is believed.
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
    return _gaps(connection.execute(MISSING_BUILD_UPS, parameters))


def missed_snapshots(
    connection: Connection[Any],
    session: date,
    underlying: str,
    expiry: date,
    first: datetime,
    newest: datetime,
) -> list[datetime]:
    """Return the ends of the 5-minute intervals without a strike ladder, that can be asked for.

    Args:
        connection: To read with.
        session: Which.
        underlying: Whose.
        expiry: Of the ladder.
        first: End of the session's first interval,
        newest: and of the last one to look at.
    """
    parameters = {
        "session": session,
        "underlying": underlying,
        "expiry": expiry,
        "first": first,
        "until": newest,
    }
    return [row[0] for row in connection.execute(MISSED_SNAPSHOTS, parameters)]


class LadderAsks(NamedTuple):
    """How often the ladder of the moment was asked for, and when last; None if never."""

    number: int
    newest: datetime | None


def ladder_asks(
    connection: Connection[Any],
    session: date,
    underlying: str,
    newest: datetime,
    since: datetime,
) -> LadderAsks:
    """Return how often a ladder not older than `newest` was asked for since a time."""
    parameters = {"session": session, "underlying": underlying}
    parameters |= {"newest": newest, "since": since}
    row = connection.execute(LADDER_ASKS, parameters).fetchone()
    return LadderAsks(*row) if row else LadderAsks(0, None)


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
) -> None:
    """Remember that a source has no row for intervals that start at these times."""
    if not moments:
        return
    parameters = {**series._asdict(), "moments": list(moments), "known_at": known_at}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(CREATE_CHANGED)
        cursor.execute(INSERT_EMPTY, parameters | {"apart": CONFIRMED_AFTER})
        if cursor.rowcount:
            publish(cursor)
