"""Rejections in the database: what is stored is what would be computed now."""

from datetime import UTC, date, datetime, timedelta

from psycopg import Connection

from db.market.frames import Range
from db.signals.store import Scope, store_signals
from db.writing.rows import SignalRejection

DAY = date(2026, 1, 21)
NOW = datetime(2026, 1, 21, 4, 0, tzinfo=UTC)
SCOPE = Scope("vwap_trap", "1", Range(DAY, DAY), ("NIFTY",))
REJECTED = SignalRejection(
    *("vwap_trap", "1", "NIFTY", DAY, NOW - timedelta(minutes=1), "target_below_entry"),
    *("NIFTY260127C25650", {"entry": 101.5}, NOW),
)


def test_a_rejection_whose_inputs_became_known_later_says_so(connection: Connection):
    """As when the preferred source tells the same candle, with open interest, after another."""
    later = REJECTED._replace(known_at=NOW + timedelta(hours=6))
    assert store_signals(connection, SCOPE, [], [REJECTED], NOW).rejections == 1
    assert store_signals(connection, SCOPE, [], [REJECTED], NOW).rejections == 0
    assert store_signals(connection, SCOPE, [], [later], NOW).rejections == 1
    assert connection.execute("select known_at from signal_rejection").fetchall() == [
        (later.known_at,)
    ]
