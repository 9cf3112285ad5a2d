"""Which sessions a moment is about: what can be seen now, and what cannot. Pure."""

from datetime import date, datetime
from typing import NamedTuple

from strategy.session import (
    IST,
    is_open,
    is_session,
    next_session,
    previous_session,
    session_hours,
    session_of,
)


class Times(NamedTuple):
    """What a first contact is about.

    Attributes:
        now: Market time.
        is_open: Whether the market is.
        data: The session of the newest values: the one that began last.
        coming: The session that is on, or comes next: its contracts are listed.
    """

    now: datetime
    is_open: bool
    data: date
    coming: date

    @property
    def close(self) -> datetime:
        """When the session that is on or comes next closes, UTC."""
        return session_hours(self.coming)[1]

    @property
    def next_open(self) -> datetime:
        """When the session that is on or comes next opens, UTC."""
        return session_hours(self.coming)[0]

    @property
    def closed_note(self) -> str:
        """Why something cannot be seen now, and when it can."""
        opens = self.next_open.astimezone(IST)
        return f"the market is closed: probe again after {opens:%Y-%m-%d %H:%M} IST"


def times_at(now: datetime) -> Times:
    """Return what a moment is about.

    Raises:
        CalendarUnknownError: The calendar does not cover it, or the session that comes next.
    """
    today = session_of(now)
    trades = is_session(today)
    opens, closes = session_hours(today)
    return Times(
        now,
        is_open(now),
        today if trades and now >= opens else previous_session(today),
        today if trades and now < closes else next_session(today),
    )
