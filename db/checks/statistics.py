"""Numbers about one session's rows: what reports and checks look at."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

# The feed holds it while it runs: where this is looked at, no feed has to be imported.
FEED_LOCK = 7_346_003

SESSION_ROWS = """
with day as (
    select %(session)s::date::timestamp at time zone 'Asia/Kolkata' as first,
           (%(session)s::date + 1)::timestamp at time zone 'Asia/Kolkata' as last)
select (select count(*) from contract
         where underlying = any(%(underlyings)s)
           and first_seen <= %(session)s and last_seen >= %(session)s) as contracts,
       (select count(*) from candle
         where underlying = any(%(underlyings)s)
           and open_time >= (select first from day) and open_time < (select last from day)
       ) as candles,
       (select count(*) from chain_oi
         where underlying = any(%(underlyings)s)
           and observed_at >= (select first from day) and observed_at < (select last from day)
       ) as chain_rows,
       (select count(*) from build_up
         where underlying = any(%(underlyings)s)
           and open_time >= (select first from day) and open_time < (select last from day)
       ) as build_ups,
       (select count(*) from signal
         where underlying = any(%(underlyings)s) and session = %(session)s
           and withdrawn_at is null) as signals
"""
ARCHIVED = """
select source, count(*) as payloads, coalesce(sum(octet_length(body)), 0)::bigint as size,
       count(*) filter (where parser_error is not null) as unparsed,
       max(payload_id) filter (where parser_error is not null) as last_unparsed
  from raw_payload where session = %(session)s
 group by source order by source
"""
NEWEST_CANDLES = """
select u.underlying, max(c.open_time + make_interval(mins => c.interval_minutes))
  from unnest(%(underlyings)s::text[]) u (underlying)
  left join candle c on c.symbol = u.underlying and c.final
   and c.open_time >= %(session)s::date::timestamp at time zone 'Asia/Kolkata'
   and c.open_time < (%(session)s::date + 1)::timestamp at time zone 'Asia/Kolkata'
 group by u.underlying order by u.underlying
"""
NEWEST_BUILD_UPS = """
select u.underlying, max(b.close_time)
  from unnest(%(underlyings)s::text[]) u (underlying)
  left join build_up b on b.underlying = u.underlying
   and b.open_time >= %(session)s::date::timestamp at time zone 'Asia/Kolkata'
   and b.open_time < (%(session)s::date + 1)::timestamp at time zone 'Asia/Kolkata'
 group by u.underlying order by u.underlying
"""
NEAREST_EXPIRIES = """
select underlying, min(expiry) from contract
 where underlying = any(%(underlyings)s) and expiry >= %(session)s
   and first_seen <= %(session)s and last_seen >= %(session)s
 group by underlying order by underlying
"""
WRITTEN = """
with written as (
    select known_at from candle
     where underlying = any(%(underlyings)s)
       and open_time >= %(session)s::date::timestamp at time zone 'Asia/Kolkata'
       and open_time < (%(session)s::date + 1)::timestamp at time zone 'Asia/Kolkata'
    union all
    select known_at from build_up
     where underlying = any(%(underlyings)s)
       and open_time >= %(session)s::date::timestamp at time zone 'Asia/Kolkata'
       and open_time < (%(session)s::date + 1)::timestamp at time zone 'Asia/Kolkata')
select max(known_at) as newest, count(*) filter (where known_at > %(since)s) as rows from written
"""
LOCK_IS_HELD = """
select exists (
    select from pg_locks
     where locktype = 'advisory' and granted and objsubid = 1
       and database = (select oid from pg_database where datname = current_database())
       and (classid::bigint << 32) | objid::bigint = %s)
"""


class SessionRows(NamedTuple):
    """How many rows of each table belong to a session."""

    contracts: int
    candles: int
    chain_rows: int
    build_ups: int
    signals: int


class Archived(NamedTuple):
    """What the archive holds of one source for a session; `size` in bytes."""

    source: str
    payloads: int
    size: int
    unparsed: int
    last_unparsed: int | None


class Written(NamedTuple):
    """When a session's newest row became known, and how many rows did since some time."""

    newest: datetime | None
    rows: int


def _parameters(session: date, underlyings: Sequence[str]) -> dict[str, Any]:
    return {"session": session, "underlyings": list(underlyings)}


def session_rows(
    connection: Connection[Any], session: date, underlyings: Sequence[str]
) -> SessionRows:
    """Return how many rows are stored for a session."""
    with connection.cursor(row_factory=class_row(SessionRows)) as cursor:
        row = cursor.execute(SESSION_ROWS, _parameters(session, underlyings)).fetchone()
    return row or SessionRows(0, 0, 0, 0, 0)


def archived_payloads(connection: Connection[Any], session: date) -> list[Archived]:
    """Return what is archived for a session, by source."""
    with connection.cursor(row_factory=class_row(Archived)) as cursor:
        return cursor.execute(ARCHIVED, {"session": session}).fetchall()


def newest_candles(
    connection: Connection[Any], session: date, underlyings: Sequence[str]
) -> dict[str, datetime | None]:
    """Return the end of each index's newest final candle; None where there is none."""
    return dict(connection.execute(NEWEST_CANDLES, _parameters(session, underlyings)).fetchall())


def newest_build_ups(
    connection: Connection[Any], session: date, underlyings: Sequence[str]
) -> dict[str, datetime | None]:
    """Return the end of each underlying's newest build-up; None where there is none."""
    return dict(connection.execute(NEWEST_BUILD_UPS, _parameters(session, underlyings)).fetchall())


def written_since(
    connection: Connection[Any], session: date, underlyings: Sequence[str], since: datetime
) -> Written:
    """Return when the session's newest candle or build-up became known, and how many since."""
    parameters = _parameters(session, underlyings) | {"since": since}
    with connection.cursor(row_factory=class_row(Written)) as cursor:
        return cursor.execute(WRITTEN, parameters).fetchone() or Written(None, 0)


def nearest_expiries(
    connection: Connection[Any], session: date, underlyings: Sequence[str]
) -> dict[str, date]:
    """Return the first expiry that the session's stored contracts have, per underlying."""
    return dict(connection.execute(NEAREST_EXPIRIES, _parameters(session, underlyings)).fetchall())


def lock_is_held(connection: Connection[Any], key: int) -> bool:
    """Tell whether somebody holds a session advisory lock in this database."""
    row = connection.execute(LOCK_IS_HELD, (key,)).fetchone()
    return bool(row and row[0])
