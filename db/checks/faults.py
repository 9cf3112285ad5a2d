"""Rows that cannot be true and answers that nobody could read, counted by session.

Over any range of sessions in one statement each: signals are not made of such sessions.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier

Query = SQL | Composed

# Of a range only sessions with wrong rows are counted in full: a year is looked through quickly.
_FAULTS = SQL("""
with wrong as (
    select (moment at time zone 'Asia/Kolkata')::date as session,
           count(*) filter (where source <> 'import') as live,
           count(*) filter (where source = 'import') as imported,
           (array_agg(example order by moment, example))[1:5] as examples
      from ({rows}) r
     where wrong and underlying = any(%(underlyings)s)
       and moment >= %(first)s::date::timestamp at time zone 'Asia/Kolkata'
       and moment < (%(last)s::date + 1)::timestamp at time zone 'Asia/Kolkata'
       and moment >= %(since)s::timestamptz
     group by 1
), looked_at as (
    select session from wrong
    union select %(first)s::date where %(first)s::date = %(last)s::date
)
select l.session, n.rows, coalesce(w.live, 0) as wrong, n.imported,
       coalesce(w.imported, 0) as wrong_imported, coalesce(w.examples, '{{}}') as examples, {more}
  from looked_at l left join wrong w using (session)
  cross join lateral (
       select count(*) as rows, count(*) filter (where source = 'import') as imported
         from ({rows}) r
        where underlying = any(%(underlyings)s)
          and moment >= l.session::timestamp at time zone 'Asia/Kolkata'
          and moment < (l.session + 1)::timestamp at time zone 'Asia/Kolkata'
          and moment >= %(since)s::timestamptz) n
""")
_NO_MORE = SQL("'{}'::jsonb as columns, array[]::text[] as in_lots")
# PostgreSQL sorts NaN above everything, so that the last conditions find it too.
CANDLE_PRICES = _FAULTS.format(
    rows=SQL("""
    select source, underlying, open_time as moment,
           symbol || ' ' || to_char(open_time, 'YYYY-MM-DD"T"HH24:MI"Z"') as example,
           not (low >= 0 and low <= least(open, close) and high >= greatest(open, close)
                and high < 'infinity')
               or (low = 0 and symbol in (underlying, underlying || '1!')) as wrong
      from candle"""),
    more=_NO_MORE,
)
BUILD_UP_PRICES = _FAULTS.format(
    rows=SQL("""
    select source, underlying, open_time as moment,
           symbol || ' ' || to_char(open_time, 'YYYY-MM-DD"T"HH24:MI"Z"') as example,
           not (close >= 0 and close < 'infinity') as wrong
      from build_up"""),
    more=_NO_MORE,
)
_LOTS = SQL("""
    select k.source, k.underlying, k.open_time as moment,
           format('%%s %%s: volume %%s, open interest %%s, lot %%s', symbol,
                  to_char(k.open_time, 'YYYY-MM-DD"T"HH24:MI"Z"'),
                  coalesce(k.volume::text, 'unknown'),
                  coalesce(k.open_interest::text, 'unknown'), c.lot_size) as example,
           (k.volume %% c.lot_size <> 0 or k.open_interest %% c.lot_size <> 0) is true as wrong,
           k.symbol, nullif(k.volume, 0) %% c.lot_size <> 0 as odd_volume,
           nullif(k.open_interest, 0) %% c.lot_size <> 0 as odd_interest
      from {table} k join contract c using (symbol)
     where c.lot_size is not null and {usable}""")
# Zeros and unknown counts tell nothing, so that each column is judged by its others. A few symbols,
# or a part of the day, are lost in the whole: what is mostly odd in itself is named, be it a column
# of one symbol, of one moment, or of a symbol's five minutes. Where no row is wrong nothing is.
_APART = SQL("""
       coalesce(case when w.session is not null then (
           select jsonb_object_agg(name, counts) from (
               select o.name, jsonb_build_array(count(*) filter (where o.odd), count(*)) as counts
                 from ({rows}) r
                cross join lateral (values ('volume', r.odd_volume),
                                           ('open_interest', r.odd_interest)) o (name, odd)
                where o.odd is not null and r.source = 'import' and {bounds}
                group by o.name) c) end, '{{}}') as columns,
       coalesce(case when w.session is not null then (
           select array_agg(distinct name || coalesce(' of ' || symbol, '')
                            || coalesce(' at ' || to_char(moment, 'YYYY-MM-DD"T"HH24:MI"Z"'), '')
                            || coalesce(' from ' || to_char(five, 'YYYY-MM-DD"T"HH24:MI"Z"'), ''))
             from (select o.name, r.symbol, r.moment, b.five
                     from ({rows}) r
                    cross join lateral (values ('volume', r.odd_volume),
                                               ('open_interest', r.odd_interest)) o (name, odd)
                    cross join lateral (
                          select date_bin('5 minutes', r.moment, '2000-01-01 00:00+00')) b (five)
                    where o.odd is not null and {bounds}
                    group by grouping sets ((o.name, r.source, r.symbol),
                                            (o.name, r.source, r.moment),
                                            (o.name, r.source, r.symbol, b.five))
                   having count(*) filter (where o.odd) >= 3
                      and count(*) filter (where o.odd) * 2 > count(*)) g) end, '{{}}')
           as in_lots""")
_BOUNDS = SQL("""
                      r.underlying = any(%(underlyings)s)
                  and r.moment >= l.session::timestamp at time zone 'Asia/Kolkata'
                  and r.moment < (l.session + 1)::timestamp at time zone 'Asia/Kolkata'
                  and r.moment >= %(since)s::timestamptz""")


def _lots(table: LiteralString, usable: LiteralString) -> Composed:
    rows = _LOTS.format(table=Identifier(table), usable=SQL(usable))
    return _FAULTS.format(rows=rows, more=_APART.format(rows=rows, bounds=_BOUNDS))


CANDLE_LOTS = _lots("candle", "k.final")
BUILD_UP_LOTS = _lots("build_up", "true")
# A strike's call and put have one lot.
CHAIN_LOTS = _FAULTS.format(
    rows=SQL("""
    select o.source, o.underlying, o.observed_at as moment,
           format('%%s %%s %%s at %%s: calls %%s (%%s), puts %%s (%%s), lot %%s', o.underlying,
                  o.expiry, o.strike, to_char(o.observed_at, 'YYYY-MM-DD"T"HH24:MI"Z"'),
                  o.call_oi, o.call_prev_oi, o.put_oi, o.put_prev_oi, c.lot_size) as example,
           (o.call_oi %% c.lot_size <> 0 or o.put_oi %% c.lot_size <> 0
            or o.call_prev_oi %% c.lot_size <> 0
            or o.put_prev_oi %% c.lot_size <> 0) is true as wrong
      from chain_oi o join contract c using (underlying, expiry, strike)
     where c.lot_size is not null and c.option_type = 'C'"""),
    more=_NO_MORE,
)
# A question that was answered well later lost nothing. What a stream sent answers no question:
# any later answer of that source that could be read shows that it was asked again.
UNREADABLE: Query = SQL("""
with answer as (
    select p.payload_id, p.session, p.source, p.parser_error is not null as unparsed,
           p.about ->> 'kind' = 'stream' or p.request ~ '^(stream|unparsed)' as streamed,
           coalesce(p.about ->> 'kind', p.request) as kind,
           coalesce(p.about ->> 'symbol', p.about ->> 'underlying', '') as subject,
           greatest(p.received_at, max(r.received_at)) as received_at
      from raw_payload p left join raw_receipt r using (payload_id)
     where p.session in (select session from raw_payload
                          where session between %(first)s and %(last)s
                            and parser_error is not null)
     group by p.payload_id
), good as (
    select session, source, kind, subject, max(received_at) as received_at
      from answer where not unparsed group by session, source, kind, subject
), bad as (
    select a.session, a.payload_id,
           not exists (
               select from good g
                where g.session = a.session and g.source = a.source
                  and g.received_at > a.received_at
                  and (a.streamed is true or (g.kind, g.subject) = (a.kind, a.subject)))
           as standing
      from answer a where a.unparsed
)
select session, count(*) as rows, count(*) filter (where standing) as wrong, 0 as imported,
       0 as wrong_imported,
       coalesce((array_agg('payload ' || payload_id order by payload_id desc)
                filter (where standing))[1:5], '{}') as examples,
       '{}'::jsonb as columns, array[]::text[] as in_lots
  from bad group by session
""")


class Fault(NamedTuple):
    """What one kind of look at a session's rows found.

    Attributes:
        session: Whose rows.
        rows: How many were looked at.
        wrong: How many of them cannot be right; of rows that a file brought: `wrong_imported`.
        imported: How many a file brought.
        wrong_imported: How many of those cannot be right.
        examples: The first of them, in words.
        columns: Of imported counts, by column: how many are odd, and of how many.
        in_lots: Which columns of which symbols or moments are mostly odd, in words.
    """

    session: date
    rows: int
    wrong: int
    imported: int
    wrong_imported: int
    examples: list[str]
    columns: dict[str, list[int]]
    in_lots: list[str]


def count_faults(
    connection: Connection[Any],
    query: Query,
    first: date,
    last: date,
    underlyings: Sequence[str],
    since: datetime | None = None,
) -> dict[date, Fault]:
    """Return what one of this module's queries finds: of one session, or of those with faults.

    Args:
        connection: Open.
        query: One of this module's.
        first: First session.
        last: Last session, included.
        underlyings: Whose rows.
        since: Only rows from this moment on; all if None.
    """
    parameters = {
        "first": first,
        "last": last,
        "underlyings": list(underlyings),
        "since": since or "-infinity",
    }
    with connection.cursor(row_factory=class_row(Fault)) as cursor:
        return {fault.session: fault for fault in cursor.execute(query, parameters)}
