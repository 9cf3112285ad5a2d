"""Which sessions were received here, and of which the closing work is done."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from db.pages.change_log import STATE, Cursor, LogState, earliest_changes

RECEIVED = """
select s.session from unnest(%(sessions)s::date[]) s (session)
 where exists (select from raw_payload p where p.session = s.session)
    or exists (select from raw_part p where p.session = s.session)
 order by 1
"""
CLOSED = "select epoch, log_seq from session_closed where session = %s"
CLOSE = """
insert into session_closed (session, closed_at, epoch, log_seq) values (%s, %s, %s, %s)
on conflict (session) do update set closed_at = excluded.closed_at, epoch = excluded.epoch,
       log_seq = excluded.log_seq
"""
REOPEN = "delete from session_closed where session = %s"


def unclosed(connection: Connection[Any], sessions: Mapping[date, Mapping[str, Any]]) -> list[date]:
    """Return those of some sessions that have closing work to do, ascending.

    Of one that was received here it was never finished, or inputs of signals changed since. What
    was pruned from the change log since is not looked at.

    Args:
        connection: In autocommit mode.
        sessions: Each with its parameters, as `db.market.frames.Range.parameters` gives them.
    """
    received = connection.execute(RECEIVED, {"sessions": list(sessions)}).fetchall()
    return [day for (day,) in received if not _is_closed(connection, day, sessions[day])]


def _is_closed(connection: Connection[Any], session: date, parameters: Mapping[str, Any]) -> bool:
    row = connection.execute(CLOSED, (session,)).fetchone()
    if row is None:
        return False
    epoch, log_seq = row
    log, changed = earliest_changes(connection, Cursor(epoch, log_seq), parameters)
    return log.epoch == epoch and not changed


def reopen(connection: Connection[Any], session: date) -> None:
    """Note that a session's closing work is not done."""
    connection.execute(REOPEN, (session,))


def log_state(connection: Connection[Any]) -> LogState:
    """Return where the change log stands.

    Raises:
        LookupError: The database has none.
    """
    row = connection.execute(STATE, {"stretch": ""}).fetchone()
    if row is None:
        raise LookupError("feed_meta is empty: run `optionscalp migrate`")
    return LogState(*row)


def close(connection: Connection[Any], session: date, now: datetime, log: LogState) -> None:
    """Note that a session's closing work is done, of all that the log had when it began."""
    connection.execute(CLOSE, (session, now, log.epoch, log.newest))
