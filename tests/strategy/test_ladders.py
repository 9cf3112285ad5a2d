"""The ladder is what was known at each moment, never what was listed later."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from option_days import EXPIRY, LADDER, QuietDay, as_lines, ladder_frame, listed_frame

from strategy.delta_volume import evaluate
from strategy.errors import FrameContractError
from strategy.ladders import Ladders

TODAY = date(2026, 1, 21)
TOMORROW = TODAY + timedelta(days=1)


NOON = datetime(2026, 1, 21, 6, 30, tzinfo=UTC)
SOONER, LATER = date(2026, 1, 22), date(2026, 2, 3)
MICROSECOND = timedelta(microseconds=1)


def listed(*rows) -> Ladders:
    return Ladders(listed_frame(rows))


def at(ladders: Ladders, moment: datetime, session: date = TODAY, underlying: str = "NIFTY"):
    """The nearest expiry and its known contracts; None where none is known."""
    ladder = ladders.at(underlying, session, moment)
    if ladder is None:
        return None
    assert ladder.strikes.tolist() == sorted({strike for strike, _ in ladder.contracts})
    return ladder.expiry, {f"{strike}{kind}" for strike, kind in ladder.contracts}


def test_contracts_of_earlier_sessions_are_known_from_the_start_and_later_ones_never():
    next_noon = NOON + timedelta(days=1)
    ladders = listed(
        ("NIFTY", EXPIRY, 25_100, "C", TOMORROW, next_noon),
        ("NIFTY", EXPIRY, 25_000, "C", TODAY, NOON),
        ("NIFTY", EXPIRY, 24_900, "P", TOMORROW, next_noon),
        ("NIFTY", EXPIRY, 24_900, "P", TODAY, NOON),
        ("NIFTY", LATER, 24_900, "P", TODAY, NOON),
        ("BANKNIFTY", EXPIRY, 58_000, "C", TODAY, NOON),
    )
    assert at(ladders, next_noon - MICROSECOND, TOMORROW) == (EXPIRY, {"25000C", "24900P"})
    assert at(ladders, next_noon, TOMORROW) == (EXPIRY, {"25100C", "25000C", "24900P"})
    assert at(ladders, NOON) == (EXPIRY, {"25000C", "24900P"})
    assert at(ladders, NOON, TODAY - timedelta(days=1)) is None
    assert at(ladders, NOON, EXPIRY + timedelta(days=1)) == (LATER, {"24900P"})
    assert at(ladders, NOON, underlying="SENSEX") is None


def test_a_contract_of_the_day_is_known_from_the_moment_it_was_listed_on():
    ladders = listed(
        ("NIFTY", EXPIRY, 25_000, "C", TODAY - timedelta(days=1), None),
        ("NIFTY", EXPIRY, 25_000, "P", TODAY, NOON),
        ("NIFTY", EXPIRY, 25_050, "C", TODAY, NOON + timedelta(hours=1)),
        ("NIFTY", EXPIRY, 25_100, "C", TODAY, None),
    )
    assert at(ladders, NOON - MICROSECOND) == (EXPIRY, {"25000C"})
    assert at(ladders, NOON) == (EXPIRY, {"25000C", "25000P"})
    assert at(ladders, NOON + timedelta(hours=1)) == (EXPIRY, {"25000C", "25000P", "25050C"})
    # When one was listed today is not known: it counts from tomorrow on.
    assert "25100C" in at(ladders, NOON, TOMORROW)[1]


def test_a_nearer_expiry_is_the_nearest_from_its_first_contract_on():
    ladders = listed(
        ("NIFTY", EXPIRY, 25_000, "C", TODAY, NOON - timedelta(hours=1)),
        ("NIFTY", SOONER, 25_000, "C", TODAY, NOON),
        ("NIFTY", SOONER, 25_050, "C", TODAY, NOON + timedelta(hours=1)),
        ("NIFTY", LATER, 25_000, "C", TODAY, NOON - timedelta(hours=2)),
        ("NIFTY", LATER, 25_050, "C", TODAY, NOON + timedelta(hours=2)),
    )
    hours = [at(ladders, NOON + timedelta(hours=hour)) for hour in range(-3, 3)]
    assert hours == [
        None,
        (LATER, {"25000C"}),
        (EXPIRY, {"25000C"}),
        (SOONER, {"25000C"}),
        (SOONER, {"25000C", "25050C"}),
        (SOONER, {"25000C", "25050C"}),
    ]
    assert len(ladders.of_session("NIFTY", TODAY)) == 4


def test_a_strike_listed_tomorrow_changes_nothing_today():
    day = QuietDay(8)
    day.cover(5, "25000C")
    build_ups, reference, contracts = day.frames()
    between = ladder_frame([("NIFTY", EXPIRY, 25_025)], TOMORROW, NOON + timedelta(days=1))
    later = pd.concat([contracts, between], ignore_index=True)
    today = [as_lines(frame) for frame in evaluate(build_ups, reference, contracts)]
    assert [as_lines(frame) for frame in evaluate(build_ups, reference, later)] == today


@pytest.mark.parametrize("minutes", [0, 5, 10, 14, 15, 20])
def test_a_nearer_expiry_that_is_listed_during_the_day_changes_nothing_before(minutes):
    day = QuietDay(8)
    day.cover(2, "25000C")
    day.cover(3, "25000C")
    build_ups, reference, contracts = day.frames()
    moment = day.opens[0] + timedelta(minutes=minutes)
    nearer = ladder_frame([("NIFTY", SOONER, strike) for strike in LADDER], TODAY, moment)
    both = pd.concat([contracts, nearer], ignore_index=True)
    before, after = (evaluate(build_ups, reference, part) for part in (contracts, both))
    for old, new in zip(before, after, strict=True):
        assert as_lines(old[old["event_time"] < moment]) == as_lines(
            new[new["event_time"] < moment]
        )
    missing = after.rejections
    ends = [opened + timedelta(minutes=5) for opened in day.opens[1:]]
    assert missing["event_time"].tolist() == [end for end in ends if end >= moment]
    assert all(details == {"recorded": False} for details in missing["details"])


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("underlying", 1, "not text"),
        ("underlying", None, "null is not allowed"),
        ("expiry", "2026-01-27", "not a date"),
        ("strike", 0, "not above zero"),
        ("strike", -50, "not above zero"),
        ("strike", np.nan, "null is not allowed"),
        ("first_seen", None, "null is not allowed"),
        ("first_seen", "today", "not a date"),
        ("option_type", "PE", "not one of C, P"),
        ("listed_at", "noon", "not tz-aware times but object"),
    ],
)
def test_what_is_no_listed_strike_is_refused_with_its_row(column, value, problem):
    frame = ladder_frame([("NIFTY", EXPIRY, 25_000)])
    frame[column] = frame[column].astype(object)
    frame.loc[1, column] = value
    if column == "strike" and value == value:
        frame["strike"] = frame["strike"].astype("int64")
    with pytest.raises(FrameContractError, match=f"contracts.{column}: {problem}, first in row 1"):
        Ladders(frame)
