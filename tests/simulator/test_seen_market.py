"""What can be seen of a day at a moment: closed candles, the forming one, and no future."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ResolutionUnavailable, SymbolUnknown
from simulator.forming import Candle, partial

OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
ticks = st.integers(1, 4000).map(lambda n: round(n * 0.05, 2))


@st.composite
def candles(draw):
    low, one, other, high = sorted(draw(st.lists(ticks, min_size=4, max_size=4)))
    start, end = draw(st.permutations([one, other]))
    volume = draw(st.integers(0, 1000)) * 65
    return Candle(0, 60, start, high, low, end, volume, 6500)


@given(candles(), st.lists(st.floats(0, 59.999), min_size=2).map(sorted))
def test_a_forming_candle_grows_into_the_final_one(candle, moments):
    states = [partial(candle, at, 65, 65) for at in moments]
    for state in states:
        assert candle.low <= state.low <= min(state.open, state.close)
        assert max(state.open, state.close) <= state.high <= candle.high
        assert (state.open, state.oi, state.closed) == (candle.open, 65, False)
        assert 0 <= state.volume <= candle.volume
        assert state.volume % 65 == 0
        assert abs(state.close * 20 - round(state.close * 20)) < 1e-6
    for earlier, later in pairwise(states):
        assert earlier.high <= later.high
        assert earlier.low >= later.low
        assert earlier.volume <= later.volume


def test_a_forming_candle_begins_at_its_open_and_has_met_both_extremes_before_its_close():
    candle = Candle(0, 60, 10.0, 12.0, 9.0, 11.0, 650, 65)
    first, last = partial(candle, 0, None, 65), partial(candle, 59.9, None, 65)
    assert first[2:8] == (10.0, 10.0, 10.0, 10.0, 0, None)
    assert last[2:8] == (10.0, 12.0, 9.0, 11.0, 585, None)


@pytest.mark.parametrize("minutes", [1, 5, 15])
@pytest.mark.parametrize("seconds", [0, 30, 60, 299.9, 300, 4000, 22_499])
def test_nothing_seen_depends_on_later_candles(market, minutes, seconds):
    at = OPEN + timedelta(seconds=seconds)
    symbol = market.contracts[25].symbol
    whole = market.series[symbol]
    known = [c for c in whole.candles if c.open_time <= at.timestamp()]
    cut = replace(market, series={symbol: replace(whole, candles=known)})
    seen = market.candles(symbol, minutes, at)
    assert seen == cut.candles(symbol, minutes, at)
    assert all(candle.open_time <= at.timestamp() for candle in seen)
    assert all(candle.closed == (candle.close_time <= at.timestamp()) for candle in seen)


def test_before_the_open_there_is_nothing_and_after_the_close_everything_is_final(market):
    assert market.candles("NIFTY", 1, OPEN - timedelta(seconds=1)) == []
    late = market.candles("NIFTY", 1, OPEN + timedelta(days=3))
    assert late == market.series["NIFTY"].candles
    assert all(candle.closed for candle in late)


def test_five_minutes_are_made_of_one_minute_candles_from_the_open(market):
    symbol = market.contracts[25].symbol
    minutes = market.series[symbol].candles
    seen = market.candles(symbol, 5, OPEN + timedelta(minutes=11))
    assert [candle.closed for candle in seen] == [True, True, False]
    second = minutes[5:10]
    assert seen[1] == Candle(
        open_time=second[0].open_time,
        close_time=second[-1].close_time,
        open=second[0].open,
        high=max(candle.high for candle in second),
        low=min(candle.low for candle in second),
        close=second[-1].close,
        volume=sum(candle.volume for candle in second),
        oi=second[-1].oi,
    )
    assert seen[2].volume == minutes[10].volume


def test_the_last_hour_ends_with_the_session(market):
    last = market.candles("NIFTY", 60, OPEN + timedelta(days=1))[-1]
    assert (last.open_time, last.close_time) == (market.hours[0] + 6 * 3600, market.hours[1])


def test_open_interest_of_the_forming_minute_is_the_last_one_told(market):
    series = market.series[market.contracts[25].symbol]
    assert market.last(series.symbol, OPEN + timedelta(seconds=30)).oi == series.previous_oi
    assert market.last(series.symbol, OPEN + timedelta(seconds=90)).oi == series.candles[0].oi


def test_unknown_symbols_and_impossible_intervals_are_errors(market):
    with pytest.raises(SymbolUnknown, match="NIFTY260127C1"):
        market.candles("NIFTY260127C1", 1, OPEN)
    coarse = replace(market.series["NIFTY"], interval_minutes=5, candles=[])
    with pytest.raises(ResolutionUnavailable, match="5-minute candles, not 1-minute"):
        replace(market, series={"NIFTY": coarse}).candles("NIFTY", 1, OPEN)
