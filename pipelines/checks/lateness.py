"""Whether rows are as new as they should be: pure, by the market's clock."""

from datetime import date, datetime, timedelta

from strategy.session import is_open, session_hours, session_of

# Market time from the end of an interval until its row should be stored. A run a minute plus the
# source's own delay; build-ups appear about three minutes after their interval.
CANDLE_LAG = timedelta(minutes=3)
BUILD_UP_LAG = timedelta(minutes=10)
# The feed writes several times a second; a quiet minute may happen.
FEED_LAG = timedelta(minutes=2)
# Seconds of this computer that a run takes from fetching to checking: many market minutes when a
# simulated market runs fast.
RUN_SECONDS = 5.0


def allowed_lag(lag: timedelta, speed: float) -> timedelta:
    """Return how far rows may stay behind a market of that speed before they are late."""
    return lag + timedelta(seconds=RUN_SECONDS * speed)


def behind(newest_end: datetime | None, session: date, now: datetime) -> timedelta | None:
    """Return how long ago the newest row's interval ended.

    Args:
        newest_end: End of the newest stored interval; None when the session has no row yet.
        session: Whose rows.
        now: Market time.

    Returns:
        Time since then, or since the open where nothing is stored; None when lateness has no
        meaning: the market is shut, or another session is on.
    """
    if session != session_of(now) or not is_open(now):
        return None
    start, _ = session_hours(session)
    return now - max(newest_end or start, start)
