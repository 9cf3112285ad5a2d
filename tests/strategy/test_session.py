"""Sessions: the calendar's facts, what overrides change, and where it ends."""

import time as computer
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.errors import CalendarUnknownError
from strategy.session import (
    IST,
    first_known_date,
    interval_opens,
    is_open,
    is_session,
    last_known_date,
    may_expire,
    next_session,
    previous_session,
    session_hours,
    sessions_between,
    trading_hours,
    use_overrides,
)

FIRST, LAST = date(2020, 1, 1), date(2026, 12, 31)
SESSIONS = sessions_between(FIRST, LAST)
CLOSING_CHANGE = date(2026, 8, 3)
# As in the summary of the circulars for 2026.
HOLIDAYS_2026 = (
    "01-15 01-26 03-03 03-26 03-31 04-03 04-14 05-01 05-28 06-26 09-14 10-02 10-20 11-10"
    " 11-24 12-25"
)
MUHURAT = {
    date(2020, 11, 14): ("18:15", "19:15"),
    date(2021, 11, 4): ("18:15", "19:15"),
    date(2022, 10, 24): ("18:15", "19:15"),
    date(2023, 11, 12): ("18:15", "19:15"),
    date(2024, 11, 1): ("18:00", "19:00"),
    date(2025, 10, 21): ("13:45", "14:45"),
}
days = st.dates(FIRST, LAST)
sessions = st.sampled_from(SESSIONS)
inner_sessions = st.sampled_from(SESSIONS[1:-1])


def test_2026_has_exactly_the_holidays_of_its_circular():
    weekdays = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    shut = [f"{day:%m-%d}" for day in weekdays if day.weekday() < 5 and not is_session(day)]
    assert " ".join(shut) == HOLIDAYS_2026


def test_weekends_trade_only_where_a_special_session_was_held():
    weekend = {day for day in SESSIONS if day.weekday() >= 5}
    full = {date(2020, 2, 1), date(2024, 1, 20), date(2025, 2, 1), date(2026, 2, 1)}
    assert weekend == full | {day for day in MUHURAT if day.weekday() >= 5}


@pytest.mark.parametrize("day", ["2024-01-22", "2024-05-20", "2024-11-20", "2026-01-15"])
def test_closures_that_were_announced_late_are_in_it(day: str):
    assert not is_session(date.fromisoformat(day))


@pytest.mark.parametrize("day", MUHURAT)
def test_a_muhurat_session_has_its_own_hour_and_no_expiry(day: date):
    opens, closes = (time.fromisoformat(text) for text in MUHURAT[day])
    assert is_session(day)
    assert not may_expire(day)
    assert trading_hours(day) == (opens, closes)
    assert len(interval_opens(day, 1)) == 60
    assert len(interval_opens(day, 5)) == 12
    assert is_open(datetime.combine(day, opens, IST))
    assert not is_open(datetime.combine(day, closes, IST))
    assert not is_open(datetime.combine(day, time(10), IST))


@given(sessions)
def test_an_ordinary_session_has_375_minutes_and_385_since_august_2026(day: date):
    minutes = 60 if day in MUHURAT else 375 if day < CLOSING_CHANGE else 385
    opens = interval_opens(day, 1)
    assert len(opens) == minutes
    start, end = session_hours(day)
    assert opens[0] == start
    assert opens[-1] == end - timedelta(minutes=1)
    assert start.tzinfo is UTC
    assert start.astimezone(IST).date() == end.astimezone(IST).date() == day


@given(inner_sessions)
def test_next_and_previous_are_inverse_and_skip_no_session(day: date):
    after, before = next_session(day), previous_session(day)
    assert previous_session(after) == next_session(before) == day
    assert sessions_between(before, after) == [before, day, after]


@given(days)
def test_a_date_trades_exactly_when_it_is_listed(day: date):
    assert is_session(day) == (day in SESSIONS)
    assert is_open(datetime.combine(day, time(10), IST)) == (is_session(day) and day not in MUHURAT)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
def test_the_computers_time_zone_changes_nothing(zone: str, monkeypatch: pytest.MonkeyPatch):
    def hours() -> list[object]:
        return [(session_hours(day), interval_opens(day, 5)) for day in SESSIONS[::50]]

    expected = hours()
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            computer.tzset()
            assert hours() == expected
            assert session_hours(date(2026, 1, 21))[0] == datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
    finally:
        computer.tzset()


@given(st.one_of(st.dates(max_value=date(2019, 12, 31)), st.dates(min_value=date(2027, 1, 1))))
def test_a_year_that_is_not_covered_is_an_error(day: date):
    with pytest.raises(CalendarUnknownError, match="the calendar covers 2020 to 2026"):
        is_session(day)


def test_beyond_its_last_session_the_calendar_says_that_it_ends():
    assert previous_session(SESSIONS[-1]) == date(2026, 12, 30)
    with pytest.raises(CalendarUnknownError, match="2027"):
        next_session(SESSIONS[-1])
    assert (first_known_date(), last_known_date()) == (FIRST, LAST)


def test_an_override_announces_a_holiday():
    day = date(2026, 12, 16)
    use_overrides([("holiday", day, None, None, None, None)])
    assert not is_session(day)
    assert not may_expire(day)
    assert next_session(date(2026, 12, 15)) == date(2026, 12, 17)


def test_an_override_adds_a_special_session_with_its_hours():
    day = date(2026, 12, 19)  # a Saturday
    use_overrides([("session", day, None, time(9, 15), time(12, 30), None)])
    assert is_session(day)
    assert may_expire(day)
    assert len(interval_opens(day, 1)) == 195


def test_an_override_gives_a_holiday_its_muhurat_session():
    day = date(2026, 11, 8)
    assert not is_session(day)
    use_overrides([("holiday", day, None, time(18), time(19), None)])
    assert is_session(day)
    assert not may_expire(day)
    assert session_hours(day)[0] == datetime(2026, 11, 8, 12, 30, tzinfo=UTC)


def test_an_override_takes_a_holiday_back():
    use_overrides([("session", date(2026, 11, 24), None, time(9, 15), time(15, 40), None)])
    assert is_session(date(2026, 11, 24))
    assert may_expire(date(2026, 11, 24))


def test_an_override_covers_a_year_whose_holidays_are_all_known():
    new_year, republic_day = date(2027, 1, 1), date(2027, 1, 26)
    rows = [("holiday", republic_day, None, None, None, None)]
    use_overrides(rows)
    with pytest.raises(CalendarUnknownError):  # one holiday is no whole year
        is_session(republic_day)
    use_overrides([*rows, ("year", new_year, None, None, None, None)])
    assert next_session(date(2026, 12, 31)) == new_year
    assert not is_session(republic_day)
    assert last_known_date() == date(2027, 12, 31)
    use_overrides([("year", date(2028, 1, 1), None, None, None, None)])
    assert last_known_date() == LAST


def test_an_override_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="no override of the calendar: weekend 2026-12-19"):
        use_overrides([("weekend", date(2026, 12, 19), None, None, None, None)])
