"""The rules of the VWAP trap in hand-computed cases, and beside their plain reading."""

from datetime import UTC, date, datetime, timedelta

import plain_vwap_trap
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minute_days import QuietMinutes, random_minutes
from plain_check import assert_as_plainly_read, recorded_minutes

from strategy.errors import ParameterError
from strategy.vwap_trap import VWAP_TRAP
from tests.long import examples

T = 3
# Red, and closing in the upper half: delta is (1 - 2 x 0.5 / 4) x 100 = 50 % of 100.
CANDLE = {"open": 94.5, "high": 95.0, "low": 91.0, "close": 94.0}


def evaluate(day):
    return VWAP_TRAP.evaluate(day.frames(), VWAP_TRAP.defaults)


def a_day(contract="25000C", candle=CANDLE, **arguments):
    """A quiet day (three minutes at 100, volume 100 each) whose minute T holds the candle."""
    day = QuietMinutes(**{"minutes": 5, **arguments})
    day.put(T, contract, **candle)
    return day


def test_a_signal_with_all_its_values():
    signals, rejections = evaluate(a_day())
    assert rejections == []
    (signal,) = signals
    end = datetime(2026, 1, 21, 3, 49, tzinfo=UTC)
    # VWAP: (3 x 100 x 100 + 280 / 3 x 100) / 400 = 98.3333
    assert signal[1:] == (
        *("vwap_trap", "2", "NIFTY", date(2026, 1, 21), end),
        *("NIFTY260127C25000", "BULLISH", "vwap_trap", 25_000, 25_000.0, None, [25_000]),
        *(96.0, 91.0, 98.35, None, "stop"),
        {
            "contract": {"symbol": "NIFTY260127C25000", **CANDLE, "volume": 100},
            "delta_volume": 50.0,
            "index_close": 25_000.0,
            "vwap": 118_000 / 1_200,
            "vwap_volume": 400,
            "vwap_minutes": 4,
        },
        VWAP_TRAP.defaults.params_hash(),
        end,
        end + timedelta(seconds=2),
    )


def test_the_put_is_bearish_and_both_sides_may_give_a_signal():
    day = a_day()
    day.put(T, "25000P", **CANDLE)
    signals, _ = evaluate(day)
    assert [(row.symbol, row.direction) for row in signals] == [
        ("NIFTY260127C25000", "BULLISH"),
        ("NIFTY260127P25000", "BEARISH"),
    ]


NOTHING = {
    "a strike that is not at the money": ("25050C", CANDLE),
    "a green candle": ("25000C", CANDLE | {"open": 93.95}),
    "a candle without a body": ("25000C", CANDLE | {"open": 94.0}),
    "a close in the middle": ("25000C", CANDLE | {"close": 93.0}),
    "a close below the middle": ("25000C", CANDLE | {"close": 92.95}),
    "a flat candle": ("25000C", {"close": 90.0}),
    "no volume": ("25000C", CANDLE | {"volume": 0}),
    "unknown volume": ("25000C", CANDLE | {"volume": None}),
}


@pytest.mark.parametrize(("contract", "candle"), NOTHING.values(), ids=NOTHING)
def test_what_does_not_qualify_leaves_no_row(contract, candle):
    assert evaluate(a_day(contract, candle)) == ([], [])


def test_a_close_at_vwap_is_not_below_it_and_a_paisa_less_is():
    # By equal volume (100.5 + (102 + 96.5 + 100) / 3) / 2 = (100.5 + 99.5) / 2 = 100.
    candle = {"open": 101.0, "high": 102.0, "low": 96.5, "close": 100.0}
    for earlier, reasons in ((100.5, []), (100.51, ["target_below_entry"])):
        day = QuietMinutes(2)
        day.put(0, "25000C", close=earlier)
        day.put(1, "25000C", **candle)
        signals, rejections = evaluate(day)
        assert signals == []
        assert [row.reason for row in rejections] == reasons


# VWAP of three minutes at `earlier` and the candle (93.3333) by equal volume: of 96.92 it is
# 96.0233, of 96.93 it is 96.0308. The entry is 96.
@pytest.mark.parametrize(
    ("earlier", "target"),
    [(96.88, None), (96.92, None), (96.93, 96.05), (96.98, 96.05), (96.99, 96.1)],
)
def test_the_target_must_lie_above_the_entry(earlier, target):
    day = a_day()
    for place in range(T):
        day.put(place, "25000C", close=earlier)
    signals, rejections = evaluate(day)
    assert [row.target1 for row in signals] == ([target] if target else [])
    assert [row.reason for row in rejections] == ([] if target else ["target_below_entry"])


def test_a_target_at_the_entry_is_rejected_with_all_values():
    day = a_day()
    for place in range(T):
        day.put(place, "25000C", close=96.88)
    ((), (rejection,)) = map(tuple, evaluate(day))
    assert (rejection.symbol, rejection.known_at) == (
        "NIFTY260127C25000",
        day.opens[T] + timedelta(minutes=1, seconds=2),
    )
    assert rejection.details == {
        "contract": {"symbol": "NIFTY260127C25000", **CANDLE, "volume": 100},
        "delta_volume": 50.0,
        "index_close": 25_000.0,
        "vwap": (3 * 9_688 * 300 + 28_000 * 100) / 120_000,
        "vwap_volume": 400,
        "vwap_minutes": 4,
        "entry": 96.0,
        "stop": 91.0,
        "target1": 96.0,
        "atm_strike": 25_000,
    }


def test_half_a_tick_of_vwap_goes_up():
    # Typical prices of 93.35 and 98.7 by equal volume make 96.025.
    candle = {"open": 94.5, "high": 95.0, "low": 91.05, "close": 94.0}
    day = QuietMinutes(2)
    day.put(0, "25000C", close=98.7)
    day.put(1, "25000C", **candle)
    (signal,), _ = evaluate(day)
    assert signal.reasons["vwap"] == 96.025
    assert signal.target1 == 96.05


def test_vwap_weighs_by_volume():
    day = a_day()
    day.put(0, "25000C", close=200.0, volume=0)
    day.put(1, "25000C", close=110.0, volume=700)
    (signal,), _ = evaluate(day)
    # (110 x 700 + 100 x 100 + 93.3333 x 100) / 900 = 107.037
    assert signal.target1 == 107.05
    assert signal.reasons["vwap_volume"] == 900


MISSING = {
    "a row": lambda day: day.rows.pop((1, "25000C")),
    "a volume": lambda day: day.put(1, "25000C", close=100.0, volume=None),
}


@pytest.mark.parametrize("lose", MISSING.values(), ids=MISSING)
def test_a_candle_whose_vwap_lacks_a_minute_is_rejected(lose):
    day = a_day()
    lose(day)
    signals, rejections = evaluate(day)
    assert signals == []
    ((*_, reason, symbol, details, known_at),) = rejections
    assert (reason, symbol, known_at) == ("missing_rows", "NIFTY260127C25000", None)
    assert details == {
        "contract": {"symbol": "NIFTY260127C25000", **CANDLE, "volume": 100},
        "delta_volume": 50.0,
        "index_close": 25_000.0,
        "atm_strike": 25_000,
        "missing": [["2026-01-21T03:46:00+00:00"] * 2],
    }


def silent(day, place, known_at=None):
    """It is stored that nothing of the contract was traded in a minute."""
    at = {"known_at": known_at} if known_at else {}
    day.put(place, "25000C", close=None, volume=0, **at)


def test_a_minute_in_which_nothing_was_traded_is_no_gap_and_weighs_nothing():
    day = a_day()
    silent(day, 1, day.opens[T] + timedelta(minutes=30))
    (signal,), _ = evaluate(day)
    # (2 x 100 x 100 + 280 / 3 x 100) / 300 = 97.7778
    assert (signal.target1, signal.reasons["vwap_volume"]) == (97.8, 300)
    assert signal.reasons["vwap_minutes"] == 4
    assert signal.known_at == day.opens[T] + timedelta(minutes=30)
    silent(day, T)
    assert evaluate(day) == ([], [])


# VWAP of the known minutes is 98.3333 by two of 100 and the candle.
@pytest.mark.parametrize(
    ("earlier", "unknown", "reasons"),
    [
        (100.0, 90.0, ["missing_rows"]),  # VWAP may be above the close, or not
        (90.0, 94.0, []),  # 91.3333 or up to 94: never above the close
        (90.0, 94.01, ["missing_rows"]),
        (94.34, 90.0, ["missing_rows"]),  # 94.0044 if nothing was traded
        (94.33, 90.0, []),  # 93.9978 at most
    ],
)
def test_an_unknown_volume_silences_only_while_it_matters(earlier, unknown, reasons):
    day = a_day()
    for place in (0, 2):
        day.put(place, "25000C", close=earlier)
    day.put(1, "25000C", close=unknown, volume=None)
    signals, rejections = evaluate(day)
    assert signals == []
    assert [row.reason for row in rejections] == reasons
    day.rows.pop((1, "25000C"))  # a whole minute's price may have been anything
    assert [row.reason for row in evaluate(day)[1]] == ["missing_rows"]


def test_a_session_recorded_late_lacks_the_minutes_since_the_open():
    _, (rejection,) = evaluate(a_day(first=10))
    assert rejection.details["missing"] == [
        ["2026-01-21T03:45:00+00:00", "2026-01-21T03:54:00+00:00"]
    ]


def test_only_the_bought_contracts_gaps_count_and_the_index_may_have_some():
    day = a_day()
    del day.rows[1, "25000P"], day.rows[1, "25050C"], day.spots[1]
    assert len(evaluate(day)[0]) == 1


@pytest.mark.parametrize("what", ["the index", "the candle", "the ladder"])
def test_without_what_is_at_the_money_there_is_no_row(what):
    day = a_day()
    if what == "the index":
        del day.spots[T]
    elif what == "the candle":
        del day.rows[T, "25000C"]
    else:
        day.ladder = []
    assert evaluate(day) == ([], [])


def test_a_contract_that_comes_to_the_money_has_the_vwap_of_its_own_session():
    day = a_day("25050C")
    day.spot(T, 25_045.0)
    (signal,), _ = evaluate(day)
    assert (signal.symbol, signal.target1) == ("NIFTY260127C25050", 98.35)


def test_a_signal_is_known_when_the_last_of_its_rows_is():
    for change in (
        lambda day, at: day.put(0, "25000C", close=100.0, known_at=at),
        lambda day, at: day.spot(T, 25_000.0, known_at=at),
    ):
        day = a_day()
        late = day.opens[T] + timedelta(minutes=30)
        change(day, late)
        (signal,), _ = evaluate(day)
        assert signal.known_at == late
    # The index's earlier rows are not used.
    day.spot(0, 25_000.0, known_at=late + timedelta(hours=1))
    assert evaluate(day)[0] == [signal]


@pytest.mark.parametrize(
    ("session", "expiry", "signals"),
    [(date(2026, 8, 4), date(2026, 8, 4), 1), (date(2026, 7, 31), date(2026, 8, 4), 2)],
)
def test_minutes_that_end_in_the_closing_auction_give_nothing(session, expiry, signals):
    day = QuietMinutes(361, session, expiry)
    for place in (359, 360):  # they end at 15:15 and at 15:16
        day.put(place, "25000C", **CANDLE)
    assert len(evaluate(day)[0]) == signals


def test_numbers_that_make_no_sense_are_refused():
    for changes in ({"entry_points": 0.05}, {"tick_size": 0}, {"entry_points": float("nan")}):
        with pytest.raises(ParameterError):
            VWAP_TRAP.defaults.with_values(changes)


@settings(max_examples=examples(15))
@given(seed=st.integers(0, 1_000_000))
def test_the_rules_are_the_rules_as_read_plainly(seed):
    assert_as_plainly_read(VWAP_TRAP, plain_vwap_trap, random_minutes(seed))


@pytest.mark.parametrize("file", ["nifty_1m_2025-03-12", "nifty_1m_2026-07-15"])
def test_recorded_minutes_give_the_rows_that_the_plain_reading_gives(shared_data, file):
    frames = recorded_minutes(shared_data / f"{file}.parquet")
    assert_as_plainly_read(VWAP_TRAP, plain_vwap_trap, frames)
