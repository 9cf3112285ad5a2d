"""What the checks found last: one row per session, asset and check."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

RECORD = """
insert into check_state
    (session, asset, check_name, severity, failed_since, details, checked_at)
values (%(session)s, %(asset)s, %(check_name)s, %(severity)s,
        case when %(passed)s then null else %(checked_at)s::timestamptz end,
        %(details)s, %(checked_at)s)
on conflict (session, asset, check_name) do update
   set severity = excluded.severity, details = excluded.details, checked_at = excluded.checked_at,
       failed_since = case when excluded.failed_since is null then null
                           else coalesce(check_state.failed_since, excluded.failed_since) end
"""
STATES = """
select session, asset, check_name, severity, failed_since, details, checked_at, alerted_at
  from check_state
 where session = any(%(sessions)s) and (failed_since is not null or alerted_at is not null)
 order by session, asset, check_name
"""
FAILING = """
select session, asset, check_name from check_state
 where session between %(first)s and %(last)s and failed_since is not null
"""
MARK = """
update check_state set alerted_at = %(alerted_at)s
 where (session, asset, check_name) = (%(session)s, %(asset)s, %(check_name)s)
"""

Key = tuple[date, str, str]


class Finding(NamedTuple):
    """One look of one check at one session; `details` can be written as JSON."""

    session: date
    asset: str
    check_name: str
    severity: str
    passed: bool
    details: dict[str, Any]
    checked_at: datetime

    @property
    def key(self) -> Key:
        """What identifies the check's row."""
        return self[:3]


class CheckState(NamedTuple):
    """A check's stored row; `failed_since` is None where it passes."""

    session: date
    asset: str
    check_name: str
    severity: str
    failed_since: datetime | None
    details: dict[str, Any]
    checked_at: datetime
    alerted_at: datetime | None


def record(connection: Connection[Any], findings: Iterable[Finding]) -> None:
    """Keep what checks found; the first failure since a check last passed keeps its time."""
    rows = [
        finding._asdict() | {"details": Jsonb(finding.details)}
        for finding in sorted(findings, key=lambda finding: finding.key)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(RECORD, rows)


def failing(connection: Connection[Any], first: date, last: date) -> set[Key]:
    """Return the checks that failed when they last looked at sessions of a range."""
    parameters = {"first": first, "last": last}
    return set(connection.execute(FAILING, parameters).fetchall())


def noteworthy(connection: Connection[Any], sessions: Sequence[date]) -> list[CheckState]:
    """Return the checks that fail, and those that pass again after an alert."""
    with connection.cursor(row_factory=class_row(CheckState)) as cursor:
        return cursor.execute(STATES, {"sessions": list(sessions)}).fetchall()


def mark_alerted(
    connection: Connection[Any], states: Iterable[CheckState], at: datetime | None
) -> None:
    """Note that failures were alerted at a market time; None: that their recoveries were."""
    rows = [{**state._asdict(), "details": None, "alerted_at": at} for state in states]
    with connection.cursor() as cursor:
        cursor.executemany(MARK, rows)
