"""Errors hold back the signals of their session, wherever signals are computed."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from db.checks.findings import Finding, Key, failing, record
from pipelines.checks.faults import KINDS, find_faults

ERRORS = {(kind.asset, kind.name) for kind in KINDS}


def blocked_sessions(
    connection: Connection[Any],
    first: date,
    last: date,
    underlyings: tuple[str, ...],
    now: datetime,
) -> dict[date, list[str]]:
    """Return the sessions of a range that get no new signals, with the checks that fail.

    Looks at the rows as they are now, so that the gate closes before a wrong row becomes a signal
    and opens by itself, with Dagster or without. Failures and their ends are recorded.
    """
    findings = list(find_faults(connection, first, last, underlyings, now))
    failed_before = failing(connection, first, last)
    findings += _gone(failed_before - {finding.key for finding in findings}, now)
    record(
        connection,
        (finding for finding in findings if not finding.passed or finding.key in failed_before),
    )
    blocked: dict[date, list[str]] = {}
    for finding in findings:
        if not finding.passed:
            name = f"{finding.asset}/{finding.check_name}"
            blocked.setdefault(finding.session, []).append(name)
    return blocked


def blocked_since(
    connection: Connection[Any],
    session: date,
    underlyings: tuple[str, ...],
    now: datetime,
    since: datetime,
) -> dict[date, list[str]]:
    """Return what `blocked_sessions` does, if only rows from a moment on may have changed.

    While nothing fails only those are looked at, which makes it quick.
    """
    if not failing(connection, session, session) and all(
        finding.passed
        for finding in find_faults(connection, session, session, underlyings, now, since)
    ):
        return {}
    return blocked_sessions(connection, session, session, underlyings, now)


def _gone(keys: set[Key], now: datetime) -> Iterator[Finding]:
    """Yield what to record of errors whose rows are not there any more."""
    for session, asset, name in keys:
        if (asset, name) in ERRORS:
            yield Finding(session, asset, name, "error", True, {"rows": 0, "wrong": 0}, now)
