"""How old the newest prices are, and whether a session that closed has all of its own."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from chartserver.frames import seconds
from db.pages.freshness import Newest
from strategy.session import session_hours, session_of

# So long after the close, beside what a source says it is late, its last candle may be on its way.
CLOSING = timedelta(minutes=5)


def ages_object(
    now: datetime, newest: Iterable[Newest], underlying: str | None
) -> dict[str, int | None]:
    """Return the market seconds since what the newest rows tell of, of one underlying or of all."""
    rows = [row for row in newest if underlying in {None, row.underlying}]
    return {
        "candle": _age(now, [row.candle for row in rows]),
        "build_up": _age(now, [row.build_up for row in rows]),
    }


def incomplete(
    now: datetime, newest: Iterable[Newest], delay: timedelta, underlying: str | None
) -> list[dict[str, Any]]:
    """Return the underlyings whose newest session closed and lacks its last index candle.

    Each as `{underlying, session, close, last}`; `last` is as of when its newest price is.
    """
    found = []
    for row in newest:
        if row.candle is None or underlying not in {None, row.underlying}:
            continue
        session = session_of(row.candle - timedelta(microseconds=1))
        _, close = session_hours(session)
        if row.candle < close and now >= close + CLOSING + delay:
            found.append(
                {
                    "underlying": row.underlying,
                    "session": session.isoformat(),
                    "close": seconds(close),
                    "last": seconds(row.candle),
                }
            )
    return found


def _age(now: datetime, moments: Iterable[datetime | None]) -> int | None:
    known = [moment for moment in moments if moment is not None]
    return max(0, int((now - max(known)).total_seconds())) if known else None
