"""Implied volatility and greeks from the stored candles: the same function live and in Dagster."""

import logging
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection

from db.archive.source_status import longest_delay
from db.market.frames import Range
from db.server.connection import advisory_lock
from db.signals.greeks import Scope, StoredGreeks, changed_since, read_inputs, store_greeks
from db.writing.rows import Greeks
from strategy.session import session_hours, sessions_between

logger = logging.getLogger(__name__)

GREEKS_LOCK = 7_346_005
# How far back the live feed looks for candles that came late; Dagster's runs look at all of them.
RECENT = timedelta(minutes=10)


def materialise_greeks(
    connection: Connection[Any], sessions: Range, underlyings: tuple[str, ...]
) -> StoredGreeks:
    """Compute the greeks of a range of sessions and make the stored ones equal them.

    One process at a time: whoever read earlier must not take back what a later reader stored.
    Wrong rows do not hold the others back, as they do with signals: the greeks of an interval
    depend on no other interval.

    Args:
        connection: In autocommit mode.
        sessions: Whole sessions.
        underlyings: Whose options.
    """
    with advisory_lock(connection, GREEKS_LOCK, wait=True):
        parts = [
            _store(connection, Scope(Range(session, session), underlyings))
            for session in sessions_between(*sessions)
        ]
    stored = StoredGreeks(*map(sum, zip(StoredGreeks(0, 0), *parts, strict=True)))
    logger.log(
        logging.INFO if stored.written or stored.removed else logging.DEBUG,
        "greeks %s to %s: %d written, %d removed",
        *(*sessions, *stored),
    )
    return stored


class RecentGreeks:
    """The greeks of a running session's newest intervals, for the live feed.

    It remembers up to when the candles known were looked at, so that a look costs one query where
    nothing is new. A new process begins with the whole session: what an earlier one was killed
    before, it had not computed.
    """

    def __init__(self, session: date, underlyings: tuple[str, ...]) -> None:
        self._session = session
        self._underlyings = underlyings
        self._seen: datetime | None = None

    def advance(self, connection: Connection[Any]) -> int:
        """Compute the intervals whose candles became final or were corrected since the last call.

        The feed has no time to wait: while another process is at it, nothing is done.

        Returns:
            How many rows were written.
        """
        seen = self._seen or session_hours(self._session)[0]
        # A simulated market may be many minutes on since, and candles may be late by the source.
        oldest = self._seen and self._seen - RECENT - longest_delay(connection)
        recent = Scope(Range(self._session, self._session), self._underlyings, since=oldest)
        with advisory_lock(connection, GREEKS_LOCK) as held:
            changed = changed_since(connection, recent, seen) if held else None
            if changed is None:
                return 0
            since, self._seen = changed
            return _store(connection, recent._replace(since=since)).written


def _store(connection: Connection[Any], scope: Scope) -> StoredGreeks:
    # scipy takes a third of a second to load: commands that compute no greeks do without.
    from strategy.greeks import evaluate_greeks

    found = evaluate_greeks(*read_inputs(connection, scope))
    plain = found.astype(object).where(found.notna(), None)
    columns = [plain[name].tolist() for name in Greeks._fields]
    return store_greeks(connection, scope, [Greeks(*row) for row in zip(*columns, strict=True)])
