"""Contracts: expiries, lots and symbols over every covered year, and positions both ways."""

from datetime import date, timedelta
from itertools import pairwise, takewhile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strategy.contract import (
    UNDERLYINGS,
    Contract,
    expiries,
    lot_size,
    monthly_expiry,
    nearest_expiry,
    nearest_known_expiry,
    parse_symbol,
    upcoming_expiries,
)
from strategy.errors import CalendarUnknownError, ExpiryUnlistedError
from strategy.resolver import POSITIONS, position_of, resolve
from strategy.session import is_session, may_expire, sessions_between, use_overrides

LAST_EXPIRY = date(2026, 12, 29)
SESSIONS = sessions_between(date(2020, 1, 1), LAST_EXPIRY)


def all_expiries(underlying: str) -> list[date]:
    upcoming = upcoming_expiries(underlying, SESSIONS[0])
    return [*takewhile(lambda expiry: expiry < LAST_EXPIRY, upcoming), LAST_EXPIRY]


EXPIRIES = {underlying: all_expiries(underlying) for underlying in UNDERLYINGS}
# Holidays on a nominal expiry, as announced and as listed at the time.
SHIFTED = {
    "NIFTY": (
        "2020-04-01 2021-03-10 2021-05-12 2021-08-18 2021-11-03 2022-04-13 2023-01-25 2023-03-29"
        " 2023-06-28 2024-04-10 2024-08-14 2025-04-09 2025-04-30 2025-10-20 2026-03-02 2026-03-30"
        " 2026-04-13 2026-10-19 2026-11-09 2026-11-23"
    ),
    "BANKNIFTY": (
        "2020-04-01 2021-03-10 2021-05-12 2021-08-18 2021-11-03 2022-04-13 2023-01-25 2023-03-29"
        " 2023-06-28 2024-04-16 2024-04-30 2024-07-16 2024-10-01 2024-12-24 2026-03-30 2026-11-23"
    ),
}
underlyings = st.sampled_from(UNDERLYINGS)
sessions = st.sampled_from(SESSIONS)
# With three expiries ahead of them inside the calendar.
early_sessions = st.sampled_from([day for day in SESSIONS if day <= date(2026, 10, 27)])
strikes = st.integers(1, 2_000).map(lambda steps: 50 * steps)
option_types = st.sampled_from(["C", "P"])


def nominal_weekday(underlying: str, expiry: date) -> int:
    """The weekday that an expiry is on or, by a holiday, before: written out anew."""
    if expiry >= date(2025, 9, 1):
        return 1
    wednesdays = (date(2024, 3, 1), date(2024, 12, 31))
    if underlying == "BANKNIFTY" and wednesdays[0] <= expiry <= wednesdays[1]:
        return 2
    if underlying == "BANKNIFTY" and date(2023, 9, 4) <= expiry < wednesdays[0]:
        last_of_month = (expiry + timedelta(days=7)).month != expiry.month
        return 3 if last_of_month and expiry.weekday() == 3 else 2
    return 3


def nominal(underlying: str, expiry: date) -> date:
    return expiry + timedelta(days=(nominal_weekday(underlying, expiry) - expiry.weekday()) % 7)


@pytest.mark.parametrize("underlying", UNDERLYINGS)
def test_every_expiry_is_a_session_on_or_before_its_weekday_with_none_between(underlying: str):
    for expiry in EXPIRIES[underlying]:
        day = nominal(underlying, expiry)
        assert is_session(expiry)
        assert expiry <= day
        skipped = sessions_between(expiry + timedelta(days=1), day)
        assert not [other for other in skipped if may_expire(other)], expiry


@pytest.mark.parametrize("underlying", UNDERLYINGS)
def test_the_shifted_expiries_are_the_announced_ones(underlying: str):
    shifted = [day for day in EXPIRIES[underlying] if day != nominal(underlying, day)]
    assert [str(day) for day in shifted] == SHIFTED[underlying].split()


@pytest.mark.parametrize("underlying", UNDERLYINGS)
def test_expiries_are_strictly_ascending(underlying: str):
    assert all(before < after for before, after in pairwise(EXPIRIES[underlying]))


def test_every_week_has_one_nifty_expiry_and_one_of_banknifty_until_its_last():
    weeks = {expiry.isocalendar()[:2] for expiry in EXPIRIES["NIFTY"]}
    assert len(weeks) == len(EXPIRIES["NIFTY"])
    assert weeks == {day.isocalendar()[:2] for day in SESSIONS if day.weekday() < 5}
    weekly = [day for day in EXPIRIES["BANKNIFTY"] if day <= date(2024, 11, 13)]
    months = [day for day in EXPIRIES["BANKNIFTY"] if day > date(2024, 11, 13)]
    assert {day.isocalendar()[:2] for day in weekly} == {
        day.isocalendar()[:2] for day in SESSIONS if day <= date(2024, 11, 15) and day.weekday() < 5
    }
    assert [(day.year, day.month) for day in months] == [
        *((2024, month) for month in (11, 12)),
        *((year, month) for year in (2025, 2026) for month in range(1, 13)),
    ]


@pytest.mark.parametrize(
    ("underlying", "session", "expected"),
    [
        ("NIFTY", "2025-08-28", "2025-08-28 2025-09-02 2025-09-09"),
        ("BANKNIFTY", "2023-08-31", "2023-08-31 2023-09-06 2023-09-13 2023-09-20 2023-09-28"),
        ("BANKNIFTY", "2024-02-21", "2024-02-21 2024-02-29 2024-03-06"),
        ("BANKNIFTY", "2024-03-20", "2024-03-20 2024-03-27 2024-04-03"),
        ("BANKNIFTY", "2024-11-06", "2024-11-06 2024-11-13 2024-11-27 2024-12-24 2025-01-30"),
        ("BANKNIFTY", "2025-08-28", "2025-08-28 2025-09-30 2025-10-28"),
    ],
)
def test_changes_of_the_rules_take_effect_on_their_dates(
    underlying: str, session: str, expected: str
):
    found = expiries(underlying, date.fromisoformat(session), len(expected.split()))
    assert " ".join(map(str, found)) == expected


@given(underlyings, sessions)
def test_the_nearest_expiry_is_the_first_listed_one_on_or_after_the_session(
    underlying: str, session: date
):
    found = nearest_expiry(underlying, session)
    assert found == next(expiry for expiry in EXPIRIES[underlying] if expiry >= session)
    assert nearest_known_expiry(underlying, session) == found


@given(underlyings, sessions)
@example("BANKNIFTY", date(2023, 12, 29))
def test_the_monthly_expiry_is_the_last_of_its_month(underlying: str, session: date):
    expiry = monthly_expiry(underlying, session)
    # Weekly expiries of BANKNIFTY were on Wednesdays already, monthly ones still on Thursdays.
    later = [day for day in EXPIRIES[underlying] if day > expiry and day != date(2024, 1, 31)]
    assert expiry >= session
    assert expiry in EXPIRIES[underlying]
    # By nominal dates: BANKNIFTY's first weekly expiry of May 2024 was shifted into April.
    assert not later or nominal(underlying, later[0]).month != nominal(underlying, expiry).month


@pytest.mark.parametrize("underlying", UNDERLYINGS)
def test_the_lot_of_every_expiry_is_known(underlying: str):
    assert all(lot_size(underlying, expiry) for expiry in EXPIRIES[underlying])
    assert lot_size(underlying, date(2019, 12, 26)) is None
    assert lot_size("SENSEX", LAST_EXPIRY) is None


@pytest.mark.parametrize(
    ("underlying", "changes"),
    [
        (
            "NIFTY",
            {
                "2020-01-02": 75,
                "2021-07-29": 50,
                "2024-05-02": 25,
                "2025-01-02": 75,
                "2025-01-30": 25,
                "2025-02-06": 75,
                "2026-01-06": 65,
            },
        ),
        (
            "BANKNIFTY",
            {
                "2020-01-02": 20,
                "2020-07-30": 25,
                "2023-07-27": 15,
                "2025-02-27": 30,
                "2025-07-31": 35,
                "2026-01-27": 30,
            },
        ),
    ],
)
def test_lots_change_at_the_announced_expiries(underlying: str, changes: dict[str, int]):
    found, lot = {}, None
    for expiry in EXPIRIES[underlying]:
        if lot_size(underlying, expiry) != lot:
            lot = lot_size(underlying, expiry)
            found[str(expiry)] = lot
    assert found == changes


@given(underlyings, st.sampled_from(EXPIRIES["NIFTY"]), strikes, option_types)
def test_a_symbol_names_its_contract_and_back(
    underlying: str, expiry: date, strike: int, option_type: str
):
    contract = Contract(underlying, expiry, strike, option_type)
    assert parse_symbol(contract.symbol) == contract


@given(underlyings, early_sessions, strikes, option_types, st.sampled_from(POSITIONS))
def test_a_position_resolves_to_a_contract_and_back(
    underlying: str, session: date, strike: int, option_type: str, position: str
):
    contract = resolve(underlying, session, strike, option_type, position)
    assert contract.expiry == expiries(underlying, session)[POSITIONS.index(position)]
    assert position_of(underlying, parse_symbol(contract.symbol).expiry, session) == position


@given(underlyings, sessions, st.lists(st.sampled_from(EXPIRIES["NIFTY"]), max_size=6))
def test_what_a_source_lists_wins_over_the_calendar(
    underlying: str, session: date, listed: list[date]
):
    ahead = sorted({expiry for expiry in listed if expiry >= session})
    for place, position in enumerate(POSITIONS):
        if place < len(ahead):
            contract = resolve(underlying, session, 25_000, "C", position, listed)
            assert contract.expiry == ahead[place]
            assert position_of(contract.underlying, contract.expiry, session, listed) == position
        else:
            with pytest.raises(ExpiryUnlistedError, match=f"no {position} expiry is listed"):
                resolve(underlying, session, 25_000, "C", position, listed)
    for expiry in {*EXPIRIES["NIFTY"][::40], *ahead[3:]} - set(ahead[:3]):
        assert position_of(underlying, expiry, session, listed) is None


@pytest.mark.parametrize("underlying", UNDERLYINGS)
def test_the_calendars_end_is_an_error_only_where_an_unknown_expiry_is_needed(underlying: str):
    assert expiries(underlying, date(2026, 12, 28), 1) == [LAST_EXPIRY]
    contract = resolve(underlying, LAST_EXPIRY, 25_000, "C")
    assert contract.expiry == LAST_EXPIRY
    assert position_of(contract.underlying, contract.expiry, LAST_EXPIRY) == "near"
    for needed in (
        lambda: expiries(underlying, date(2026, 12, 28), 2),
        lambda: resolve(underlying, LAST_EXPIRY, 25_000, "C", "next"),
        lambda: nearest_expiry(underlying, date(2026, 12, 30)),
        lambda: nearest_expiry(underlying, date(2027, 6, 1)),
    ):
        with pytest.raises(CalendarUnknownError, match="no holidays known for 2027"):
            needed()
    assert nearest_known_expiry(underlying, date(2026, 12, 30)) is None
    listed = [date(2027, 1, 5)]
    assert resolve(underlying, date(2026, 12, 30), 25_000, "C", "near", listed).expiry == listed[0]


def test_a_late_holiday_moves_the_expiry_that_it_falls_on():
    use_overrides([("holiday", date(2026, 12, 15), None, None, None, None)])
    assert nearest_expiry("NIFTY", date(2026, 12, 10)) == date(2026, 12, 14)


def test_an_override_moves_one_underlyings_expiry():
    moved = ("expiry", date(2026, 12, 29), "NIFTY", None, None, date(2026, 12, 31))
    use_overrides([moved])
    assert nearest_expiry("NIFTY", date(2026, 12, 24)) == date(2026, 12, 31)
    assert nearest_expiry("NIFTY", date(2026, 12, 30)) == date(2026, 12, 31)
    assert expiries("NIFTY", date(2026, 12, 22), 2) == [date(2026, 12, 22), date(2026, 12, 31)]
    assert nearest_expiry("BANKNIFTY", date(2026, 12, 24)) == date(2026, 12, 29)
    assert monthly_expiry("NIFTY", date(2026, 12, 1)) == date(2026, 12, 31)
    use_overrides([(*moved[:5], date(2026, 12, 28))])
    assert nearest_expiry("NIFTY", date(2026, 12, 24)) == date(2026, 12, 28)
