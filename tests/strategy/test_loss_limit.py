"""No new entries after two losing trades: by hand, candle by candle, and never by hindsight."""

from datetime import timedelta
from random import Random

import plain_trades as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traded_days import SYMBOL, frame, minute, random_prices, rows, signal

from strategy.delta_volume import Parameters
from strategy.errors import ParameterError
from strategy.loss_limit import limit_losses
from strategy.series import series_of

CALM = (100, 105, 95, 100)
STOPS = (100, 101, 80, 90)
OTHER = "NIFTY260127P25000"
few = settings(max_examples=60)


def day(changes, symbol=SYMBOL, minutes=1):
    prices = [CALM] * (375 // minutes)
    for place, four in changes.items():
        prices[place] = four
    return rows(prices, symbol=symbol, minutes=minutes)


def limited(signals, lines, losing_trades=2):
    kept, rejections = limit_losses(
        signals, series_of(frame(lines)), Parameters(losing_trades=losing_trades)
    )
    return kept, rejections


def minutes_of(rows_):
    return [int((row.event_time - minute(0)).total_seconds() / 60) for row in rows_]


def test_the_third_candidate_after_two_stops_is_rejected_and_names_them():
    lines = [*day({12: STOPS}), *day({25: STOPS}, OTHER)]
    signals = [signal(10), signal(20, OTHER), signal(30), signal(35, OTHER)]
    kept, rejections = limited(signals, lines)
    assert kept == signals[:2]
    assert minutes_of(rejections) == [30, 35]
    first = rejections[0]
    assert first[:5] == signals[2][1:6]
    assert (first.reason, first.symbol) == ("daily_loss_limit", SYMBOL)
    assert first.known_at == signals[2].known_at
    assert first.details == {
        "direction": "BULLISH",
        "entry": 100.0,
        "stop": 80.0,
        "target1": 130.0,
        "losing_signals": [
            {
                "signal_id": str(signals[0].signal_id),
                "symbol": SYMBOL,
                "event_time": "2026-01-21T03:55:00+00:00",
                "stopped_by": "2026-01-21T03:58:00+00:00",
            },
            {
                "signal_id": str(signals[1].signal_id),
                "symbol": OTHER,
                "event_time": "2026-01-21T04:05:00+00:00",
                "stopped_by": "2026-01-21T04:11:00+00:00",
            },
        ],
    }


@pytest.mark.parametrize(
    ("second", "rejected"),
    [
        ({29: STOPS}, [30]),  # its candle ends as the candidate's interval does
        ({30: STOPS}, []),
        ({25: (100, 130, 80, 90)}, [30]),  # stop and target in one candle: the stop
        ({24: (100, 130, 95, 120), 25: STOPS}, []),  # target 1 came first
        ({19: STOPS}, []),  # before it was bought
        ({24: None, 25: STOPS}, []),  # a gap: no verdict
        ({24: STOPS, 25: None}, [30]),  # known before the gap
        ({20: None, 21: STOPS}, []),
    ],
)
def test_what_counts_as_a_losing_trade(second, rejected):
    lines = [*day({12: STOPS}), *day(second, OTHER)]
    _, rejections = limited([signal(10), signal(20, OTHER), signal(30)], lines)
    assert minutes_of(rejections) == rejected


def test_a_trade_begins_with_its_interval_whenever_its_rows_were_received():
    lines = [*day({10: STOPS}), *day({25: STOPS}, OTHER)]
    early = [signal(10, known=0), signal(20, OTHER), signal(30)]
    late = [signal(10, known=900), signal(20, OTHER), signal(30)]
    assert minutes_of(limited(early, lines)[1]) == minutes_of(limited(late, lines)[1]) == [30]
    # But nobody knew the first one before: so long the rejection was not known either.
    assert limited(late, lines)[1][0].known_at == late[2].known_at
    later = [signal(10, known=3_600), signal(20, OTHER), signal(30)]
    assert limited(later, lines)[1][0].known_at == later[0].known_at


def test_orders_above_the_market_lose_only_once_they_are_filled():
    stop = {"entry_order": "stop", "entry": 110.0}
    fills = (105, 111, 104, 110)
    for second, rejected in (
        ({24: fills, 25: STOPS}, [30]),
        ({25: (100, 112, 79, 90)}, [30]),  # filled and stopped in one candle
        ({25: STOPS, 26: fills, 27: STOPS}, []),  # cancelled before
        ({}, []),
    ):
        lines = [*day({12: STOPS}), *day(second, OTHER)]
        signals = [signal(10), signal(20, OTHER, **stop), signal(30)]
        assert minutes_of(limited(signals, lines)[1]) == rejected


def test_each_version_underlying_and_session_has_its_own_count():
    lines = [*day({12: STOPS}), *day({25: STOPS}, OTHER)]
    others = [
        signal(30, version="1+0a1b2c3d"),
        signal(30, strategy="another"),
        signal(30, underlying="BANKNIFTY"),
        signal(30, session=minute(0).date() + timedelta(days=1)),
    ]
    kept, rejections = limited([signal(10), signal(20, OTHER), signal(30), *others], lines)
    assert len(kept) == 6
    assert minutes_of(rejections) == [30]


def test_the_limit_is_a_number_of_the_rules():
    lines = [*day({12: STOPS}), *day({25: STOPS}, OTHER)]
    signals = [signal(10), signal(20, OTHER), signal(30)]
    assert minutes_of(limited(signals, lines, losing_trades=1)[1]) == [20, 30]
    assert limited(signals, lines, losing_trades=3)[1] == []
    with pytest.raises(ParameterError, match="losing_trades must be at least 1"):
        Parameters(losing_trades=0)


def test_rejected_candidates_are_no_trades():
    lines = [*day({12: STOPS, 22: STOPS, 32: STOPS})]
    kept, rejections = limited([signal(n) for n in (10, 20, 30, 40)], lines, losing_trades=1)
    assert (minutes_of(kept), minutes_of(rejections)) == ([10], [20, 30, 40])
    assert {len(row.details["losing_signals"]) for row in rejections} == {1}


def test_a_signal_is_known_when_the_candles_are_by_which_too_few_had_lost():
    calm = day({})
    late = minute(60)
    lines = [(*row[:8], late if row[3] == minute(25) else row[8]) for row in calm]
    signals = [signal(10), signal(20), signal(30)]
    # One of the two that had not lost is enough, and both hold the late candle.
    assert [one.known_at for one in limited(signals, lines)[0]] == [
        *(signals[0].known_at, signals[1].known_at, late)
    ]
    # With a third trade allowed nothing has to be known of them.
    assert limited(signals, lines, losing_trades=3)[0] == signals
    target = day({15: (100, 130, 99, 120)}, OTHER)
    signals = [signal(10, OTHER), signal(20), signal(30)]
    assert limited(signals, [*lines, *target])[0] == signals


def random_session(seed):
    """Signals on two contracts, candles known at different times, and how many may lose."""
    rng = Random(seed)
    lines = []
    for symbol in (SYMBOL, OTHER):
        gaps = rng.choice([0, 0, 0.02])
        coarse = rng.choice([0, 0, 0.3, 1])
        prices = random_prices(rng, 120, gaps, 0.05)
        fives = rows(random_prices(rng, 24, gaps), symbol=symbol, minutes=5)
        ones = [
            place
            for place in range(24)
            if rng.random() >= coarse or (coarse < 1 and rng.random() < 0.1)
        ]
        minutes = rows(
            [four if n // 5 in ones else None for n, four in enumerate(prices)], symbol=symbol
        )
        # Some five minutes have both; then the minutes count, whatever is missing of them.
        both = [row for row in fives if rng.random() < max(coarse, 0.05)]
        for row in [*minutes, *(both if coarse else [])]:
            known_at = row[8] + timedelta(seconds=rng.choice([0, 0, 0, 40, 300]))
            lines.append((*row[:8], known_at))
    signals = []
    for place in sorted(rng.sample(range(1, 119), rng.randint(1, 12))):
        entry = float(rng.randint(90, 110))
        signals.append(
            signal(
                place,
                rng.choice([SYMBOL, OTHER]),
                known=rng.choice([0, 20, 90]),
                entry_order=rng.choice(["market", "stop"]),
                entry=entry,
                stop=entry - rng.randint(1, 25),
                target1=entry + rng.randint(1, 40),
            )
        )
    return signals, lines, rng.randint(1, 3)


seeds = st.integers(0, 1_000_000)


@few
@given(seed=seeds)
def test_the_batch_equals_a_plain_reading_candle_by_candle(seed):
    signals, lines, losing_trades = random_session(seed)
    kept, rejections = limited(signals, lines, losing_trades)
    expected = plain.limit(signals, plain.candles_of(lines), losing_trades)
    found = (
        [(one.signal_id, one.known_at) for one in kept],
        [
            (
                *(next(s.signal_id for s in signals if s.event_time == row.event_time),),
                [one["signal_id"] for one in row.details["losing_signals"]],
                row.known_at,
            )
            for row in rejections
        ],
    )
    assert found == (
        expected[0],
        [(one, list(map(str, lost)), known_at) for one, lost, known_at in expected[1]],
    )


@few
@given(seed=seeds, cut=st.integers(0, 120))
def test_cutting_all_rows_after_a_moment_changes_no_decision_before(seed, cut):
    signals, lines, losing_trades = random_session(seed)
    moment = minute(cut)
    before = limited(
        [one for one in signals if one.event_time <= moment],
        [row for row in lines if row[3] + timedelta(minutes=row[2]) <= moment],
        losing_trades,
    )
    full = limited(signals, lines, losing_trades)
    assert before == tuple([row for row in part if row.event_time <= moment] for part in full)


@few
@given(seed=seeds, cut=st.integers(0, 130), poison=seeds)
def test_changing_what_was_not_yet_known_changes_no_signal_that_was(seed, cut, poison):
    signals, lines, losing_trades = random_session(seed)
    moment = minute(cut)
    other = rows(random_prices(Random(poison), 120)) * 3
    poisoned = [
        row if row[8] <= moment else (*row[:4], *changed[4:8], row[8])
        for row, changed in zip(lines, other[: len(lines)], strict=True)
    ]
    known = [
        [row for row in part if row.known_at <= moment]
        for found in (
            limited(signals, lines, losing_trades),
            limited(signals, poisoned, losing_trades),
        )
        for part in found
    ]
    assert known[:2] == known[2:]


def test_random_sessions_reach_the_limit_and_do_not():
    found = [limited(*random_session(seed)) for seed in range(40)]
    assert sum(bool(rejections) for _, rejections in found) > 5
    assert sum(not rejections for _, rejections in found) > 5
