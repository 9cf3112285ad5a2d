"""Outcomes: horizons by hand, and what must hold on any day."""

from random import Random

import plain_trades as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traded_days import (
    CLOSE,
    EMPTY,
    SESSION,
    SYMBOL,
    frame,
    minute,
    random_prices,
    rows,
    series,
    signal,
)

from strategy.costs import charges_on, costs_points
from strategy.outcomes import HORIZONS, Outcome, outcomes_of
from strategy.series import series_of

CALM = (100, 105, 95, 100)
LOTS = {SYMBOL: 65}
few = settings(max_examples=60)


def outcomes(one, candles):
    """By horizon, of one signal over one contract's series."""
    found = outcomes_of([one], {(SYMBOL, SESSION): candles}, LOTS, spreads=0)
    assert found.unresolved == len(HORIZONS) - len(found.resolved)
    return {outcome.horizon_minutes: outcome for _, outcome in found.resolved}


def brief(outcome):
    return outcome.exit_reason, outcome.gross_points, outcome.mfe_points, outcome.mae_points


def test_a_trade_is_measured_over_each_horizon_from_the_candle_it_was_bought_in():
    prices = [CALM] * 375
    prices[6] = (101, 104, 98, 102)  # bought at 101: the first to open after 9:20:20
    prices[8] = (102, 111, 101, 110)
    prices[10] = (110, 112, 108, 109)  # the last of the five minutes
    prices[19] = (109, 131, 85, 130)
    prices[374] = (120, 122, 118, 121)
    found = outcomes(signal(), series(prices))
    costs = round(costs_points(charges_on(SESSION), 101.0, 109.0, 65), 6)
    assert found[5] == Outcome(
        horizon_minutes=5,
        mfe_points=11.0,
        mae_points=6.0,
        return_points=round(8.0 - costs, 6),
        hit=False,
        exit_reason="horizon",
        entered_at=minute(6),
        entry_price=101.0,
        exited_at=minute(11),
        exit_price=109.0,
        gross_points=8.0,
        costs_points=costs,
    )
    assert brief(found[15]) == ("target1", 29.0, 30.0, 16.0)
    assert (found[15].hit, found[15].exited_at, found[15].exit_price) == (True, minute(20), 130.0)
    assert brief(found[30]) == ("target1", 29.0, 30.0, 16.0)
    assert found[0].exited_at == minute(20)


def test_where_minutes_lack_the_candle_of_five_counts_and_ends_a_horizon_it_holds_the_end_of():
    minutes = rows([CALM] * 10, minutes=1)
    five = rows([None, None, (103, 112, 97, 110)], minutes=5)
    one = series_of(frame([*minutes, *five]))[SYMBOL, SESSION]
    found = outcomes(signal(), one)  # bought at minute 6; its five minutes end within the five
    assert (found[5].exited_at, found[5].exit_price) == (minute(15), 110.0)
    assert brief(found[5]) == ("horizon", 10.0, 12.0, 5.0)
    assert set(found) == {5}


def test_best_and_worst_are_of_the_whole_horizon_whenever_it_was_left():
    prices = [CALM] * 375
    prices[7] = (100, 101, 79, 85)  # stopped
    prices[9] = (85, 140, 60, 100)
    found = outcomes(signal(), series(prices))
    assert brief(found[5]) == ("stop", -20.0, 40.0, 40.0)
    assert found[5].exited_at == minute(8)


def test_horizons_beyond_the_close_end_there():
    prices = [CALM] * 375
    prices[374] = (100, 103, 99, 102)
    found = outcomes(signal(at=355), series(prices))  # bought at 15:11
    assert {h: one.exit_reason for h, one in found.items()} == {
        5: "horizon",
        15: "horizon",
        30: "session_end",
        0: "session_end",
    }
    assert found[30][1:] == found[0][1:]
    assert (found[0].exited_at, found[0].exit_price) == (CLOSE, 102.0)
    to_the_minute = outcomes(signal(at=359, known=59), series(prices))
    assert to_the_minute[15].exit_reason == "horizon"
    assert to_the_minute[15].exited_at == CLOSE


def test_a_trade_that_ended_before_a_gap_has_its_exit_and_no_best_and_worst():
    prices = [CALM] * 375
    prices[8], prices[12] = (100, 131, 99, 130), None
    found = outcomes(signal(), series(prices))
    assert brief(found[5]) == ("target1", 30.0, 31.0, 5.0)
    assert {brief(found[horizon]) for horizon in (15, 30, 0)} == {("target1", 30.0, None, None)}
    assert {one.exited_at for one in found.values()} == {minute(9)}
    prices[8], prices[7] = None, None
    assert outcomes(signal(), series(prices)) == {}  # the gap may hide another end


def test_a_missing_candle_leaves_the_horizons_that_hold_it_untold():
    prices = [CALM] * 375
    prices[12] = None
    assert outcomes(signal(), series(prices)).keys() == {5}
    prices[12], prices[5] = EMPTY, None  # before the entry: nobody needs it
    assert outcomes(signal(), series(prices)).keys() == {5, 15, 30, 0}
    prices[6] = None
    assert outcomes(signal(), series(prices)) == {}


def test_a_stop_after_a_gap_is_none_before_it():
    prices = [CALM] * 375
    prices[12], prices[13] = None, (100, 100, 70, 70)
    assert outcomes(signal(), series(prices))[5].exit_reason == "horizon"


def test_quiet_minutes_are_no_gap_and_the_last_price_counts():
    prices = [CALM] * 11 + [EMPTY] * 364
    prices[9] = (100, 104, 96, 103)
    prices[10] = EMPTY
    found = outcomes(signal(), series(prices))
    assert brief(found[5]) == ("horizon", 3.0, 5.0, 5.0)
    assert found[5].exited_at == minute(11)
    assert brief(found[0]) == ("session_end", 3.0, 5.0, 5.0)


def test_five_minute_candles_serve_where_there_are_no_finer_ones():
    prices = [CALM] * 75
    prices[2], prices[3] = (101, 106, 99, 104), (104, 131, 103, 130)
    found = outcomes(signal(), series(prices, minutes=5))  # 9:20:20, so 9:25
    assert brief(found[5]) == ("horizon", 3.0, 5.0, 2.0)
    assert brief(found[15]) == ("target1", 29.0, 30.0, 6.0)
    exact = outcomes(signal(at=4, known=59), series(prices, minutes=5))
    assert exact[5].entered_at == minute(5)


def test_what_was_not_entered_has_zeros_for_every_horizon():
    stop = signal(entry_order="stop", entry=110.0)
    prices = [CALM] * 7 + [(100, 101, 79, 80)]
    found = outcomes(stop, series(prices))  # cancelled: what follows does not matter
    assert set(found.values()) == {
        Outcome(minutes, 0.0, 0.0, 0.0, hit=False, exit_reason="not_entered")
        for minutes in HORIZONS
    }
    assert outcomes(stop, series([CALM] * 374)) == {}  # it may still be filled
    assert outcomes(stop, series([CALM] * 375)).keys() == {5, 15, 30, 0}
    late = signal(known=3 * 3_600 + 7 * 3_600)
    assert outcomes(late, series([CALM] * 375))[5].exit_reason == "not_entered"


def test_a_contract_without_candles_lot_or_charges_has_no_outcome():
    candles = {(SYMBOL, SESSION): series([CALM] * 375)}
    assert outcomes_of([signal()], {}, LOTS) == ([], 4)
    assert outcomes_of([signal()], candles, {}) == ([], 4)
    old = signal(session=SESSION.replace(year=2023, month=1, day=20))
    assert outcomes_of([old], {(SYMBOL, old.session): candles[SYMBOL, SESSION]}, LOTS) == ([], 4)


orders = st.sampled_from(["market", "stop"])
seeds = st.integers(0, 1_000_000)


def random_case(seed, order, minutes):
    rng = Random(seed)
    prices = random_prices(rng, 375 // minutes, gaps=rng.choice([0, 0, 0.01]), empties=0.1)
    entry = float(rng.randint(90, 114))
    reach = rng.choice([30, 300])
    one = signal(
        at=rng.randint(0, 374),
        known=rng.randint(0, 400),
        entry_order=order,
        entry=entry,
        stop=entry - rng.randint(1, reach),
        target1=entry + rng.randint(1, reach),
    )
    return one, prices


@few
@given(seed=seeds, order=orders, minutes=st.sampled_from([1, 5]))
def test_outcomes_equal_a_plain_reading_candle_by_candle(seed, order, minutes):
    one, prices = random_case(seed, order, minutes)
    lines = rows(prices, minutes=minutes)
    found = outcomes(one, series_of(frame(lines))[SYMBOL, SESSION])
    candles = plain.candles_of(lines)[SYMBOL, SESSION]
    for horizon in HORIZONS:
        expected = plain.outcome(one, candles, horizon, CLOSE)
        assert (horizon in found) == (expected is not None)
        if expected is not None:
            assert {name: getattr(found[horizon], name) for name in expected} == expected


@few
@given(seed=seeds, order=orders)
def test_numbers_stay_within_what_the_prices_did(seed, order):
    one, prices = random_case(seed, order, 1)
    found = outcomes(one, series(prices))
    for outcome in found.values():
        if outcome.mfe_points is None:  # behind a gap
            assert outcome.mae_points is None
            assert outcome.exit_reason in {"stop", "target1"}
            continue
        assert outcome.mfe_points >= 0
        assert outcome.mae_points >= 0
        assert -outcome.mae_points <= outcome.gross_points <= outcome.mfe_points
        assert outcome.return_points <= outcome.mfe_points
        assert outcome.costs_points >= 0
        assert outcome.hit == (outcome.exit_reason == "target1")
    longer = [found[horizon] for horizon in HORIZONS if horizon in found]
    for name in ("mfe_points", "mae_points"):
        told = [getattr(one, name) for one in longer if getattr(one, name) is not None]
        assert told == sorted(told)


@few
@given(seed=seeds, order=orders, cut=st.integers(0, 375), poison=seeds)
def test_later_candles_never_change_a_resolved_outcome(seed, order, cut, poison):
    one, prices = random_case(seed, order, 1)
    before = outcomes(one, series([(100, 100, 100, 100), *prices[1:cut]]))
    other = random_prices(Random(poison), 375 - max(cut, 1))
    after = outcomes(one, series([(100, 100, 100, 100), *prices[1:cut], *other]))
    for horizon, told in before.items():
        later = after[horizon]
        if told.mfe_points is None:  # the trade had ended; how far it went on was to come
            later = later._replace(mfe_points=None, mae_points=None)
        assert later == told


def test_random_days_have_every_exit():
    reasons = set()
    for seed in range(60):
        one, prices = random_case(seed, ["market", "stop"][seed % 2], 1)
        reasons |= {outcome.exit_reason for outcome in outcomes(one, series(prices)).values()}
    assert reasons == {"target1", "stop", "horizon", "session_end", "not_entered"}


@pytest.mark.parametrize(("seconds", "later"), [(-1, 0), (0, 1), (1, 1), (59, 1), (60, 2)])
def test_it_is_bought_at_the_first_open_a_second_after_it_was_known_or_later(seconds, later):
    entered = outcomes(signal(known=seconds), series([CALM] * 375))[5].entered_at
    assert entered == minute(5 + later)
