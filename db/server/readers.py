"""Ending the sessions of readers that would cost the others something.

Timeouts are settings that a reader can set back. Whoever is granted the reader's login, as the
chart server is, may end its sessions.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection

# In every database of the server, whose queue of notifications is one. Not the chart server itself,
# nor who may write, which includes a superuser.
END = """
select a.pid, a.usename, a.state, pg_terminate_backend(a.pid)
  from pg_stat_activity a, pg_roles reader, pg_roles writer
 where reader.rolname = 'optionscalp_reader' and writer.rolname = 'optionscalp_writer'
   and a.usename <> current_user
   and pg_has_role(a.usesysid, reader.oid, 'member')
   and not pg_has_role(a.usesysid, writer.oid, 'member')
   and pg_has_role(a.usesysid, 'usage')
   and (a.xact_start < clock_timestamp() - %(transaction)s
        or a.state like 'idle in transaction%%' and a.state_change < clock_timestamp() - %(waiting)s
        or a.state = 'idle' and a.state_change < clock_timestamp() - %(idle)s
        or pg_notification_queue_usage() > %(queue)s)
"""


class Limits(NamedTuple):
    """How long a reader may be at it.

    Attributes:
        transaction: From its start, whatever it does.
        waiting: For its next statement, inside a transaction.
        idle: Outside of one.
        queue: How full, as a part of one, the queue of notifications may become: a listener in a
            transaction keeps it from being emptied, and a full one stops all writers.
    """

    transaction: timedelta = timedelta(minutes=5)
    waiting: timedelta = timedelta(minutes=1)
    idle: timedelta = timedelta(hours=1)
    queue: float = 0.01


USUAL = Limits()


async def end_long_readers(
    connection: AsyncConnection[Any], limits: Limits = USUAL
) -> list[tuple[int, str, str]]:
    """End sessions of readers of this server; return process, user and state of each."""
    cursor = await connection.execute(END, limits._asdict())
    return [tuple(row[:3]) for row in await cursor.fetchall() if row[3]]
