"""NSE index-derivatives sessions: which dates trade, and when, as effective-dated data.

Facts are from NSE circulars (NSE/FAOP/71777 and 74467, NSE/CMTR/72260) as summarised in
docs/calendar.md. Dates outside the years below raise `CalendarUnknownError`; nothing is guessed.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from strategy.errors import CalendarUnknownError

IST = ZoneInfo("Asia/Kolkata")
OPEN = time(9, 15)

# The close of index derivatives, from each date on.
CLOSES = ((date(2000, 1, 1), time(15, 30)), (date(2026, 8, 3), time(15, 40)))

# Since this date the cash market ends in an auction, so that the spot index is unreliable in
# intervals that end after AUCTION_START.
AUCTION_FROM = date(2026, 8, 3)
AUCTION_START = time(15, 15)

HOLIDAYS = {
    2025: ("02-26 03-14 03-31 04-10 04-14 04-18 05-01 08-15 08-27 10-02 10-21 10-22 11-05 12-25"),
    2026: (
        "01-15 01-26 03-03 03-26 03-31 04-03 04-14 05-01 05-28 06-26 09-14 10-02 10-20 11-10"
        " 11-24 12-25"
    ),
}
# Weekend sessions with full hours. Muhurat evenings are left out until their hours are data.
SPECIAL_SESSIONS = frozenset({date(2025, 2, 1), date(2026, 2, 1)})


@cache
def _holidays(year: int) -> frozenset[date]:
    if year not in HOLIDAYS:
        known = f"{min(HOLIDAYS)} to {max(HOLIDAYS)}"
        raise CalendarUnknownError(f"no holidays known for {year}; the calendar covers {known}")
    return frozenset(date.fromisoformat(f"{year}-{day}") for day in HOLIDAYS[year].split())


def first_known_date() -> date:
    """Return the first date the calendar covers."""
    return date(min(HOLIDAYS), 1, 1)


def last_known_date() -> date:
    """Return the last date the calendar covers."""
    return date(max(HOLIDAYS), 12, 31)


def is_session(day: date) -> bool:
    """Tell whether index derivatives trade on that date.

    Raises:
        CalendarUnknownError: The year is not covered.
    """
    holidays = _holidays(day.year)
    return day in SPECIAL_SESSIONS or (day.weekday() < 5 and day not in holidays)


def closing_time(day: date) -> time:
    """Return the IST time at which index derivatives close on that date."""
    return next(close for start, close in reversed(CLOSES) if day >= start)


def session_hours(day: date) -> tuple[datetime, datetime]:
    """Return open and close of a session in UTC; the date itself is not checked."""
    return (
        datetime.combine(day, OPEN, IST).astimezone(UTC),
        datetime.combine(day, closing_time(day), IST).astimezone(UTC),
    )


def session_of(moment: datetime) -> date:
    """Return the IST date of an instant, whether or not it trades."""
    return moment.astimezone(IST).date()


def is_open(moment: datetime) -> bool:
    """Tell whether index derivatives trade at that instant."""
    day = session_of(moment)
    if not is_session(day):
        return False
    start, end = session_hours(day)
    return start <= moment < end


def sessions_between(first: date, last: date) -> list[date]:
    """Return all sessions from first to last, both included."""
    days = ((first + timedelta(days=n)) for n in range((last - first).days + 1))
    return [day for day in days if is_session(day)]


def previous_session(day: date) -> date:
    """Return the last session before that date."""
    day -= timedelta(days=1)
    while not is_session(day):
        day -= timedelta(days=1)
    return day


def next_session(day: date) -> date:
    """Return the first session after that date."""
    day += timedelta(days=1)
    while not is_session(day):
        day += timedelta(days=1)
    return day


def interval_opens(day: date, minutes: int) -> list[datetime]:
    """Return the UTC start of every interval of a session, anchored at the open."""
    start, end = session_hours(day)
    count = -(-int((end - start).total_seconds()) // (minutes * 60))
    return [start + timedelta(minutes=minutes * n) for n in range(count)]


def spot_is_reliable(interval_end: datetime) -> bool:
    """Tell whether the spot index may place ATM for an interval that ends then."""
    local = interval_end.astimezone(IST)
    return local.date() < AUCTION_FROM or local.time() <= AUCTION_START
