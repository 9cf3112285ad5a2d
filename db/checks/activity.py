"""Who keeps whom waiting in the database, and which questions take long."""

from datetime import timedelta
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

# A lock of our own (advisory) is held by whoever is at work. A table that is locked whole keeps
# everybody waiting, also where none waits at this moment because all gave up.
BLOCKING = """
with holder as (
    select unnest(pg_blocking_pids(pid)) as pid from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock' and wait_event <> 'advisory'
       and query_start < clock_timestamp() - %(patience)s
    union
    select l.pid from pg_locks l
     join pg_stat_activity a using (pid)
     where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' and l.granted
       and l.database = (select oid from pg_database where datname = current_database())
       and a.xact_start < clock_timestamp() - %(patience)s
)
select a.pid, coalesce(nullif(a.application_name, ''), 'no name') as application,
       a.usename as account, clock_timestamp() - coalesce(a.xact_start, a.query_start) as lasts
  from holder join pg_stat_activity a using (pid)
 where a.pid <> pg_backend_pid()
 order by lasts desc nulls last, a.pid
"""
LONG = """
select pid, coalesce(nullif(application_name, ''), 'no name') as application, usename as account,
       clock_timestamp() - query_start as lasts
  from pg_stat_activity
 where datname = current_database() and backend_type = 'client backend' and state = 'active'
   and query_start < clock_timestamp() - %(patience)s and pid <> pg_backend_pid()
 order by lasts desc, pid
"""


class Busy(NamedTuple):
    """A session of the database; `lasts` is how long its transaction or question does by now."""

    pid: int
    application: str
    account: str | None
    lasts: timedelta | None


def blocking(connection: Connection[Any], patience: timedelta) -> list[Busy]:
    """Return the sessions that keep others waiting for longer, the longest first."""
    return _busy(connection, BLOCKING, patience)


def long_questions(connection: Connection[Any], patience: timedelta) -> list[Busy]:
    """Return the sessions whose question takes longer already, the longest first."""
    return _busy(connection, LONG, patience)


def _busy(connection: Connection[Any], query: str, patience: timedelta) -> list[Busy]:
    with connection.cursor(row_factory=class_row(Busy)) as cursor:
        return cursor.execute(query.encode(), {"patience": patience}).fetchall()
