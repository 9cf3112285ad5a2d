"""The rules of pullback in hand-computed cases, and beside their plain reading."""

from datetime import UTC, date, datetime, timedelta

import plain_pullback
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minute_days import QuietMinutes, random_minutes
from plain_check import assert_as_plainly_read, recorded_minutes

from strategy.contract import UNDERLYINGS
from strategy.errors import ParameterError
from strategy.pullback import PULLBACK, PullbackParameters
from tests.long import examples

# Of the twentieth minute, the first that can have a trend.
T = 19
RISING = {"close": 25_001.0}
FALLING = {"close": 24_999.0}
# 20 points from 100 to 120, the body 14 of them: exactly 70 %.
CANDLE = {"open": 118.0, "high": 120.0, "low": 100.0, "close": 104.0}


def evaluate(day):
    return PULLBACK.evaluate(day.frames(), PULLBACK.defaults)


def a_day(contract="25000C", spot=RISING, candle=CANDLE, **arguments):
    """A quiet day whose minute T holds the candle and the index's close."""
    day = QuietMinutes(**arguments)
    day.spot(T, **spot)
    day.put(T, contract, **candle)
    return day


def test_a_signal_with_all_its_values():
    signals, rejections = evaluate(a_day())
    assert rejections == []
    (signal,) = signals
    end = datetime(2026, 1, 21, 4, 5, tzinfo=UTC)
    assert signal[1:] == (
        *("pullback", "2", "NIFTY", date(2026, 1, 21), end),
        *("NIFTY260127C25000", "BULLISH", "pullback", 25_000, 25_001.0, None, [25_000]),
        *(121.0, 100.0, 151.0, 181.0, "stop"),
        {
            "contract": {"symbol": "NIFTY260127C25000", **CANDLE},
            "range_points": 20.0,
            "body_points": 14.0,
            "body_share": 0.7,
            "index_close": 25_001.0,
            "index_mean": 25_000.05,
            "trend_minutes": 20,
        },
        PULLBACK.defaults.params_hash(),
        end,
        end + timedelta(seconds=2),
    )


@pytest.mark.parametrize(
    ("unit", "targets"), [("premium", (157.3, 193.6)), ("range", (151.0, 181.0))]
)
def test_targets_may_be_shares_of_the_premium_or_multiples_of_the_candles_range(unit, targets):
    numbers = PullbackParameters(level_unit=unit)
    ((signal,), _) = PULLBACK.evaluate(a_day().frames(), numbers)
    assert (signal.entry, signal.stop, signal.target1, signal.target2) == (121.0, 100.0, *targets)


def test_below_the_mean_the_put_is_bought():
    signals, rejections = evaluate(a_day("25000P", FALLING))
    assert [(row.symbol, row.direction) for row in signals] == [("NIFTY260127P25000", "BEARISH")]
    assert rejections == []


# Each as (contract, spot, candle): no signal, and no rejection either.
NOTHING = {
    "the put in a rising market": ("25000P", RISING, CANDLE),
    "the call in a falling market": ("25000C", FALLING, CANDLE),
    "the call at the mean": ("25000C", {"close": 25_000.0}, CANDLE),
    "the put at the mean": ("25000P", {"close": 25_000.0}, CANDLE),
    "a strike that is not at the money": ("25050C", RISING, CANDLE),
    "a green candle": ("25000C", RISING, CANDLE | {"open": 104.0, "close": 118.0}),
    "a candle without a body": ("25000C", RISING, CANDLE | {"open": 104.0}),
    "a body one paisa short": ("25000C", RISING, CANDLE | {"close": 104.01}),
    "a range one paisa short": (
        *("25000C", RISING),
        {"open": 114.99, "high": 114.99, "low": 100.0, "close": 100.0},
    ),
    "a range one paisa long": (
        *("25000C", RISING),
        {"open": 125.01, "high": 125.01, "low": 100.0, "close": 100.0},
    ),
}


@pytest.mark.parametrize(("contract", "spot", "candle"), NOTHING.values(), ids=NOTHING)
def test_what_does_not_qualify_leaves_no_row(contract, spot, candle):
    assert evaluate(a_day(contract, spot, candle)) == ([], [])


# The ends of the ranges belong to them; sums like 100.10 + 14.90 and shares like 0.7 * 15 are no
# binary fractions.
ENDS = {
    ("NIFTY", 100.0, 115.0),
    ("NIFTY", 100.0, 125.0),
    ("NIFTY", 100.1, 115.1),
    ("NIFTY", 0.05, 15.05),
    ("BANKNIFTY", 100.0, 130.0),
    ("BANKNIFTY", 100.15, 145.15),
}


@pytest.mark.parametrize(("underlying", "low", "high"), sorted(ENDS))
def test_the_ends_of_the_range_and_of_the_body_belong_to_them(underlying, low, high):
    close = round(high - 0.7 * (high - low), 2)
    candle = {"open": high, "high": high, "low": low, "close": close}
    signals, _ = evaluate(a_day(candle=candle, underlying=underlying))
    assert [(row.entry, row.stop) for row in signals] == [(round(high + 1, 2), low)]


def test_a_stop_is_never_below_one_tick():
    candle = {"open": 20.0, "high": 20.0, "low": 0.0, "close": 0.0}
    (signal,), _ = evaluate(a_day(candle=candle))
    assert (signal.stop, signal.entry) == (0.05, 21.0)


def test_levels_off_the_grid_go_to_the_nearest_tick():
    candle = {"open": 120.02, "high": 120.02, "low": 100.03, "close": 104.0}
    (signal,), _ = evaluate(a_day(candle=candle))
    assert (signal.entry, signal.stop, signal.target1) == (121.0, 100.05, 151.0)


def test_prices_off_the_paisa_count_as_the_nearest_one():
    # A paisa above the mean of the 20 closes would be 25,000.0105.
    assert evaluate(a_day(spot={"close": 25_000.004})) == ([], [])
    (signal,), _ = evaluate(a_day(spot={"close": 25_000.006}))
    assert signal.spot == 25_000.01


def test_a_tie_between_two_strikes_goes_to_the_lower_one():
    for close, strike in ((25_025.0, 25_000), (25_025.01, 25_050)):
        for contract in ("25000C", "25050C"):
            day = a_day(contract, {"close": close})
            assert [row.atm_strike for row in evaluate(day)[0]] == (
                [strike] if contract == f"{strike}C" else []
            )


@pytest.mark.parametrize(
    ("close", "strikes"),
    [
        (25_050.0, [25_050]),
        (25_050.05, []),  # outside the known strikes
        (26_000.0, []),
    ],
)
def test_outside_the_known_strikes_nothing_is_at_the_money(close, strikes):
    signals, rejections = evaluate(a_day("25050C", {"close": close}))
    assert [row.atm_strike for row in signals] == strikes
    assert rejections == []


@pytest.mark.parametrize(
    ("close", "strikes"), [(25_025.0, [25_000]), (25_025.05, []), (25_074.95, []), (25_075.0, [])]
)
def test_where_the_usual_strike_is_not_known_no_other_one_is_at_the_money(close, strikes):
    day = a_day("25000C", {"close": close})
    day.ladder = [(*day.ladder[0][:2], strike) for strike in (24_950, 25_000, 25_100)]
    signals, _ = evaluate(day)
    assert [row.atm_strike for row in signals] == strikes


def test_a_signal_is_known_when_the_last_of_its_rows_is():
    day = a_day()
    late = day.opens[T] + timedelta(minutes=30)
    day.spot(0, 25_000.0, known_at=late)
    (signal,), _ = evaluate(day)
    assert signal.known_at == late
    day.put(T, "25000C", **CANDLE, known_at=late + timedelta(minutes=1))
    (signal,), _ = evaluate(day)
    assert signal.known_at == late + timedelta(minutes=1)


def test_nothing_but_the_twenty_closes_makes_the_trend():
    day = a_day(minutes=30)
    day.put(25, "25000C", **CANDLE)
    day.spot(25, 25_000.5)
    # The twenty closes of minute 25 hold the one of minute 19, and not the first one.
    day.spot(0, 1_000_000.0, known_at=day.opens[0] + timedelta(hours=3))
    assert [row.event_time for row in evaluate(day)[0]] == [day.opens[25] + timedelta(minutes=1)]


def test_without_twenty_closes_a_pullback_of_either_side_is_rejected():
    day = a_day()
    day.put(T, "25000P", **CANDLE)
    del day.spots[3], day.spots[4], day.spots[10]
    signals, rejections = evaluate(day)
    assert signals == []
    assert [(row.reason, row.symbol, row.known_at) for row in rejections] == [
        ("missing_rows", "NIFTY260127C25000", None),
        ("missing_rows", "NIFTY260127P25000", None),
    ]
    assert rejections[0].details == {
        "contract": {"symbol": "NIFTY260127C25000", **CANDLE},
        "atm_strike": 25_000,
        "index_close": 25_001.0,
        "trend_minutes": 20,
        "stored_minutes": 17,
        "missing": [
            ["2026-01-21T03:48:00+00:00", "2026-01-21T03:49:00+00:00"],
            ["2026-01-21T03:55:00+00:00", "2026-01-21T03:55:00+00:00"],
        ],
    }


def test_minutes_before_the_open_are_no_gap():
    day = QuietMinutes()
    day.put(T - 1, "25000C", **CANDLE)
    ((), (rejection,)) = map(tuple, evaluate(day))
    assert (rejection.details["stored_minutes"], rejection.details["missing"]) == (19, [])


@pytest.mark.parametrize("what", ["the index", "the candle", "the ladder", "any contract"])
def test_without_what_is_at_the_money_there_is_no_row(what):
    day = a_day()
    if what == "the index":
        del day.spots[T]
    elif what == "the candle":
        del day.rows[T, "25000C"]
    elif what == "the ladder":
        day.ladder = []
    else:
        day.rows = {}
    assert evaluate(day) == ([], [])


@pytest.mark.parametrize(
    ("session", "expiry", "signals"),
    [(date(2026, 8, 4), date(2026, 8, 4), 1), (date(2026, 7, 31), date(2026, 8, 4), 2)],
)
def test_minutes_that_end_in_the_closing_auction_give_nothing(session, expiry, signals):
    day = QuietMinutes(24, session, expiry, first=338)
    for place in (21, 22):  # they end at 15:15 and at 15:16
        day.put(place, "25000C", **CANDLE)
        day.spot(place, 25_010.0)
    found, rejections = evaluate(day)
    assert len(found) == signals
    assert rejections == []


def test_both_sides_of_a_minute_are_judged_by_the_same_trend():
    day = a_day()
    day.put(T, "25000P", **CANDLE)
    signals, rejections = evaluate(day)
    assert [row.direction for row in signals] == ["BULLISH"]
    assert rejections == []


NONSENSE = {
    "no minutes": {"trend_minutes": 0},
    "ranges that end before they begin": {"least_range.NIFTY": 26},
    "a negative range": {"least_range.NIFTY": -1},
    "a body beyond its range": {"body_share": 1.1},
    "targets that fall": {"second_target_points": 29},
    "no way to a target": {"first_target_points": 0},
    "an entry at the high": {"entry_points": 0},
    "a tick below a paisa": {"tick_size": 0.001},
}


@pytest.mark.parametrize("changes", NONSENSE.values(), ids=NONSENSE)
def test_numbers_that_make_no_sense_are_refused(changes):
    with pytest.raises(ParameterError):
        PULLBACK.defaults.with_values(changes)


def test_every_underlying_needs_its_range():
    with pytest.raises(ParameterError):
        PullbackParameters(least_range={"NIFTY": 15.0})
    assert set(UNDERLYINGS) == {*PullbackParameters().least_range}


@settings(max_examples=examples(15))
@given(seed=st.integers(0, 1_000_000))
def test_the_rules_are_the_rules_as_read_plainly(seed):
    assert_as_plainly_read(PULLBACK, plain_pullback, random_minutes(seed))


@pytest.mark.parametrize("file", ["nifty_1m_2025-03-12", "nifty_1m_2026-07-15"])
def test_recorded_minutes_give_the_rows_that_the_plain_reading_gives(shared_data, file):
    frames = recorded_minutes(shared_data / f"{file}.parquet")
    assert_as_plainly_read(PULLBACK, plain_pullback, frames)
