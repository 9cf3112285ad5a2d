"""Rows that cannot be true and answers that nobody could read, counted by session.

Over any range of sessions in one statement each: signals are not made of such sessions.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier

Query = SQL | Composed

_PRICES = SQL("""
select (open_time at time zone 'Asia/Kolkata')::date as session, count(*) as rows,
       count(*) filter (where broken) as wrong, 0 as imported, 0 as wrong_imported,
       coalesce((array_agg(symbol || ' ' || to_char(open_time, 'YYYY-MM-DD"T"HH24:MI"Z"')
                           order by open_time, symbol) filter (where broken))[1:5], '{{}}')
           as examples
  from (select symbol, open_time, not ({sane}) as broken
          from {table}
         where underlying = any(%(underlyings)s)
           and open_time >= %(first)s::date::timestamp at time zone 'Asia/Kolkata'
           and open_time < (%(last)s::date + 1)::timestamp at time zone 'Asia/Kolkata') row
 group by 1
""")
# PostgreSQL sorts NaN above everything, so that the last conditions find it too.
CANDLE_PRICES = _PRICES.format(
    table=Identifier("candle"),
    sane=SQL(
        "low >= 0 and low <= least(open, close) and high >= greatest(open, close)"
        " and high < 'infinity'"
    ),
)
BUILD_UP_PRICES = _PRICES.format(
    table=Identifier("build_up"), sane=SQL("close >= 0 and close < 'infinity'")
)
_LOTS = SQL("""
select (open_time at time zone 'Asia/Kolkata')::date as session, count(*) as rows,
       count(*) filter (where odd and source <> 'import') as wrong,
       count(*) filter (where source = 'import') as imported,
       count(*) filter (where odd and source = 'import') as wrong_imported,
       coalesce((array_agg(format('%%s %%s: volume %%s, open interest %%s, lot %%s', symbol,
                                  to_char(open_time, 'YYYY-MM-DD"T"HH24:MI"Z"'),
                                  coalesce(volume::text, 'unknown'),
                                  coalesce(open_interest::text, 'unknown'), lot_size)
                           order by open_time, symbol) filter (where odd))[1:5], '{{}}')
           as examples
  from (select k.*, c.lot_size,
               (k.volume %% c.lot_size <> 0 or k.open_interest %% c.lot_size <> 0) is true as odd
          from {table} k join contract c using (symbol)
         where k.underlying = any(%(underlyings)s) and c.lot_size is not null and {usable}
           and k.open_time >= %(first)s::date::timestamp at time zone 'Asia/Kolkata'
           and k.open_time < (%(last)s::date + 1)::timestamp at time zone 'Asia/Kolkata') row
 group by 1
""")
CANDLE_LOTS = _LOTS.format(table=Identifier("candle"), usable=SQL("k.final"))
BUILD_UP_LOTS = _LOTS.format(table=Identifier("build_up"), usable=SQL("true"))
# A strike's call and put have one lot.
CHAIN_LOTS = SQL("""
select (observed_at at time zone 'Asia/Kolkata')::date as session, count(*) as rows,
       count(*) filter (where odd and source <> 'import') as wrong,
       count(*) filter (where source = 'import') as imported,
       count(*) filter (where odd and source = 'import') as wrong_imported,
       coalesce((array_agg(format('%%s %%s %%s at %%s: calls %%s (%%s), puts %%s (%%s), lot %%s',
                                  underlying, expiry, strike,
                                  to_char(observed_at, 'YYYY-MM-DD"T"HH24:MI"Z"'),
                                  call_oi, call_prev_oi, put_oi, put_prev_oi, lot_size)
                           order by observed_at, strike) filter (where odd))[1:5], '{}')
           as examples
  from (select o.*, c.lot_size,
               (o.call_oi %% c.lot_size <> 0 or o.put_oi %% c.lot_size <> 0
                or o.call_prev_oi %% c.lot_size <> 0
                or o.put_prev_oi %% c.lot_size <> 0) is true as odd
          from chain_oi o
          join contract c using (underlying, expiry, strike)
         where o.underlying = any(%(underlyings)s) and c.lot_size is not null
           and c.option_type = 'C'
           and o.observed_at >= %(first)s::date::timestamp at time zone 'Asia/Kolkata'
           and o.observed_at < (%(last)s::date + 1)::timestamp at time zone 'Asia/Kolkata') o
 group by 1
""")
# A question that was answered well later lost nothing. What a stream sent answers no question:
# any later answer of that source that could be read shows that it was asked again.
UNREADABLE = SQL("""
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
                filter (where standing))[1:5], '{}') as examples
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
    """

    session: date
    rows: int
    wrong: int
    imported: int
    wrong_imported: int
    examples: list[str]


def count_faults(
    connection: Connection[Any],
    query: Query,
    first: date,
    last: date,
    underlyings: Sequence[str],
) -> dict[date, Fault]:
    """Return what one of this module's queries finds, per session that has rows.

    Args:
        connection: Open.
        query: One of this module's.
        first: First session.
        last: Last session, included.
        underlyings: Whose rows.
    """
    parameters = {"first": first, "last": last, "underlyings": list(underlyings)}
    with connection.cursor(row_factory=class_row(Fault)) as cursor:
        return {fault.session: fault for fault in cursor.execute(query, parameters)}
