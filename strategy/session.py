"""NSE index-derivatives sessions: which dates trade, and when, as effective-dated data.

Facts and their origin are in docs/calendar.md, holidays in `strategy.holidays`. What a user's
override says comes before both. Years that neither covers raise `CalendarUnknownError`; nothing
is guessed.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from strategy.errors import CalendarUnknownError
from strategy.holidays import HOLIDAYS, MUHURAT, WEEKEND_SESSIONS

IST = ZoneInfo("Asia/Kolkata")
OPEN = time(9, 15)

# The close of index derivatives, from each date on.
CLOSES = ((date(2000, 1, 1), time(15, 30)), (date(2026, 8, 3), time(15, 40)))

# Since this date the cash market ends in an auction, so that the spot index is unreliable in
# intervals that end after AUCTION_START.
AUCTION_FROM = date(2026, 8, 3)
AUCTION_START = time(15, 15)

Hours = tuple[time, time]
# Kind, day, underlying, opens, closes, moved to: a row of the table `calendar_override`.
OverrideRow = tuple[str, date, str | None, time | None, time | None, date | None]


class _Overrides(NamedTuple):
    """What users corrected; replaced as a whole, so that readers never see half of it."""

    years: frozenset[int] = frozenset()
    # Of holidays and sessions; no hours: no trading.
    hours: Mapping[date, Hours | None] = MappingProxyType({})
    holidays: frozenset[date] = frozenset()
    expiries: Mapping[tuple[str, date], date] = MappingProxyType({})


_overrides = _Overrides()


def use_overrides(rows: Iterable[OverrideRow]) -> None:
    """Let these rows, and no earlier ones, come before the calendar's own data.

    For a process's start, before it asks the calendar anything.
    """
    global _overrides
    years, holidays = set(), set()
    hours: dict[date, Hours | None] = {}
    expiries: dict[tuple[str, date], date] = {}
    for kind, day, underlying, opens, closes, moved_to in rows:
        if kind == "year":
            years.add(day.year)
        elif kind == "expiry" and underlying and moved_to:
            expiries[underlying, day] = moved_to
        elif kind in {"holiday", "session"}:
            hours[day] = (opens, closes) if opens and closes else None
            holidays.update([day] if kind == "holiday" else [])
        else:
            raise ValueError(f"no override of the calendar: {kind} {day}")
    _overrides = _Overrides(frozenset(years), hours, frozenset(holidays), expiries)


def moved_expiries(underlying: str) -> dict[date, date]:
    """Return the expiries that overrides move: from the computed date to the real one."""
    moved = _overrides.expiries.items()
    return {computed: real for (name, computed), real in moved if name == underlying}


@cache
def _holidays(year: int) -> frozenset[date]:
    days = HOLIDAYS.get(year, "").split()
    return frozenset(date.fromisoformat(f"{year}-{day}") for day in days)


def first_known_date() -> date:
    """Return the first date the calendar covers."""
    return date(min(HOLIDAYS), 1, 1)


def last_known_date() -> date:
    """Return the last date up to which the calendar covers every year."""
    year = max(HOLIDAYS)
    while year + 1 in _overrides.years:
        year += 1
    return date(year, 12, 31)


def require_covered(day: date) -> None:
    """Check that the calendar knows a date's year.

    Raises:
        CalendarUnknownError: It does not.
    """
    if day.year not in HOLIDAYS and day.year not in _overrides.years:
        known = f"{first_known_date().year} to {last_known_date().year}"
        raise CalendarUnknownError(f"no holidays known for {day.year}; the calendar covers {known}")


def is_session(day: date) -> bool:
    """Tell whether index derivatives trade on that date.

    Raises:
        CalendarUnknownError: The year is not covered.
    """
    require_covered(day)
    if day in _overrides.hours:
        return _overrides.hours[day] is not None
    ordinary = day.weekday() < 5 and day not in _holidays(day.year)
    return ordinary or day in WEEKEND_SESSIONS or day in MUHURAT


def may_expire(day: date) -> bool:
    """Tell whether contracts can expire on that date: a session that is not a Muhurat one.

    Raises:
        CalendarUnknownError: The year is not covered.
    """
    muhurat = _overrides.holidays if day in _overrides.hours else MUHURAT
    return is_session(day) and day not in muhurat


def trading_hours(day: date) -> Hours:
    """Return open and close of a session in India's time; the date itself is not checked."""
    ordinary = OPEN, next(close for start, close in reversed(CLOSES) if day >= start)
    return _overrides.hours.get(day) or MUHURAT.get(day) or ordinary


def calendar_hours() -> list[tuple[date, date, time, time]]:
    """Return the hours as effective-dated rows: first and last day, open and close in India's time.

    Rows of a single day come before those of several; overrides are not among them.
    """
    ends = [start - timedelta(days=1) for start, _ in CLOSES[1:]] + [date.max]
    ordinary = [(start, end, OPEN, close) for (start, close), end in zip(CLOSES, ends, strict=True)]
    return ordinary + [(day, day, *hours) for day, hours in MUHURAT.items()]


def session_hours(day: date) -> tuple[datetime, datetime]:
    """Return open and close of a session in UTC; the date itself is not checked."""
    opens, closes = trading_hours(day)
    return (
        datetime.combine(day, opens, IST).astimezone(UTC),
        datetime.combine(day, closes, IST).astimezone(UTC),
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


def current_or_last_session(moment: datetime) -> date:
    """Return the session of an instant's date, or the last one before it."""
    day = session_of(moment)
    return day if is_session(day) else previous_session(day)


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
