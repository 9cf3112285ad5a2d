"""The generated day: deterministic, realistic, and covering where it says so."""

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import mean
from typing import NamedTuple

import pytest

from simulator.errors import DayUnavailable, UnderlyingUnavailable
from simulator.forming import Candle
from simulator.generate import generate
from simulator.market import Market
from simulator.pricing import MINUTE_IN_YEARS, RATE
from strategy.contract import Contract, lot_size, nearest_expiry
from strategy.session import session_hours

DAY = date(2026, 1, 21)
# Ordinary, a Sunday session, the expiry of both, the later close, before an expiry.
DAYS = [DAY, date(2026, 2, 1), date(2026, 1, 27), date(2026, 8, 3), date(2026, 12, 28)]


@pytest.fixture(scope="module")
def market() -> Market:
    return generate(DAY, 7)


class Evaluated(NamedTuple):
    """The rules of docs/strategies for one interval, evaluated in plain Python."""

    signal: str
    spikes: list[str]
    covering: list[str]


def evaluate(market: Market, underlying: str, place: int) -> Evaluated:
    """Apply the Delta Volume rules to the cluster of one 5-minute interval."""
    end = session_hours(market.day)[1]
    expiry = nearest_expiry(underlying, market.day)
    spot = market.candles(underlying, 5, end)[place].close
    ladder = market.strikes(underlying, expiry)
    atm = min(ladder, key=lambda strike: (abs(strike - spot), strike))
    net = 0.0
    spikes, covering = [], []
    for kind, side in (("C", 1), ("P", -1)):
        for strike in ladder[ladder.index(atm) - 1 : ladder.index(atm) + 2]:
            symbol = Contract(underlying, expiry, strike, kind).symbol
            rows = market.candles(symbol, 5, end)
            now, before = rows[place], rows[place - 1]
            rise = round(now.close - before.close, 2)
            net += side * now.volume * ((rise > 0) - (rise < 0))
            past = [row.volume for row in rows[max(0, place - 9) : place]]
            if len(past) >= 3 and now.volume > 2.0 * mean(past):
                spikes.append(symbol)
                if rise > 0 and now.oi < before.oi:
                    covering.append(kind)
    if "C" in covering and net > 0:
        return Evaluated("BULLISH", spikes, covering)
    if "P" in covering and net < 0:
        return Evaluated("BEARISH", spikes, covering)
    return Evaluated("", spikes, covering)


def place_of(market: Market, opened: datetime) -> int:
    return (int(opened.timestamp()) - market.hours[0]) // 300


def options(market: Market) -> Iterator[tuple[Contract, list[Candle]]]:
    for contract in market.contracts:
        yield contract, market.series[contract.symbol].candles


def test_the_same_day_and_seed_give_the_same_market_whatever_else_is_generated(market):
    alone = generate(DAY, 7, ["BANKNIFTY"])
    assert alone.episodes == tuple(e for e in market.episodes if e.underlying == "BANKNIFTY")
    for symbol, series in alone.series.items():
        assert series.candles == market.series[symbol].candles


def test_another_seed_and_another_day_give_other_markets(market):
    spot = market.series["NIFTY"].candles
    assert generate(DAY, 8).series["NIFTY"].candles != spot
    assert generate(date(2026, 1, 22), 7).series["NIFTY"].candles[0].open != spot[0].open


@pytest.mark.parametrize(("day", "minutes"), [(DAY, 375), (date(2026, 8, 3), 385)])
def test_every_series_has_one_candle_per_minute_of_the_session(day, minutes):
    market = generate(day)
    start, end = market.hours
    for series in market.series.values():
        opens = [candle.open_time for candle in series.candles]
        assert opens == list(range(start, end, 60))
        assert len(opens) == minutes


def test_levels_and_listing_are_realistic(market):
    for underlying, low, high, step in (
        ("NIFTY", 24_800, 26_200, 50),
        ("BANKNIFTY", 57_500, 60_500, 100),
    ):
        candles = market.series[underlying].candles
        assert low < min(candle.low for candle in candles)
        assert max(candle.high for candle in candles) < high
        strikes = market.strikes(underlying, nearest_expiry(underlying, DAY))
        assert len(strikes) == 51
        assert {b - a for a, b in pairwise(strikes)} == {step}
        future = market.series[f"{underlying}1!"].candles
        assert all(
            0 < f.close - s.close < 0.01 * s.close for f, s in zip(future, candles, strict=True)
        )


def test_candles_are_sane_and_prices_on_the_grid(market):
    for series in market.series.values():
        for candle in series.candles:
            assert candle.low <= min(candle.open, candle.close)
            assert candle.high >= max(candle.open, candle.close)
            assert candle.low > 0
            for price in candle[2:6]:
                assert math.isclose(price * 20, round(price * 20), abs_tol=1e-6)


def test_volume_and_open_interest_are_whole_lots_and_the_index_has_no_open_interest(market):
    for contract, candles in options(market):
        lot = lot_size(contract.underlying, contract.expiry)
        assert all(c.volume % lot == 0 and c.oi % lot == 0 and c.oi > 0 for c in candles)
    for underlying in market.underlyings:
        lot = lot_size(underlying, nearest_expiry("BANKNIFTY", DAY))
        future = market.series[f"{underlying}1!"].candles
        assert all(c.volume % lot == 0 and c.oi % lot == 0 and c.volume > 0 for c in future)
        assert all(c.oi is None for c in market.series[underlying].candles)


@pytest.mark.parametrize("day", DAYS)
def test_put_call_parity_holds_to_the_tick(day):
    market = generate(day)
    for contract, calls in options(market):
        if contract.option_type == "P":
            continue
        puts = market.series[contract._replace(option_type="P").symbol].candles
        spots = market.series[contract.underlying].candles
        expiry = session_hours(contract.expiry)[1].timestamp()
        for call, put, spot in zip(calls, puts, spots, strict=True):
            years = max((expiry - call.close_time) / 60, 1) * MINUTE_IN_YEARS
            parity = spot.close - contract.strike * math.exp(-RATE * years)
            assert abs(call.close - put.close - parity) <= 0.05 + 1e-6


def test_options_out_of_the_money_show_a_smile(market):
    expiry = nearest_expiry("NIFTY", DAY)
    spot = market.series["NIFTY"].candles[100].close
    for kind in ("C", "P"):
        prices = [
            market.series[Contract("NIFTY", expiry, strike, kind).symbol].candles[100].close
            for strike in market.strikes("NIFTY", expiry)
        ]
        assert prices == sorted(prices, reverse=kind == "C")
    # Without a smile a put three percent below the money would be worth less than this call's.
    steps = [round(spot / 50) * 50 + offset for offset in (-750, 750)]
    put = market.series[Contract("NIFTY", expiry, steps[0], "P").symbol].candles[100].close
    call = market.series[Contract("NIFTY", expiry, steps[1], "C").symbol].candles[100].close
    assert put > call


@pytest.mark.parametrize("seed", range(5))
def test_volatility_and_volume_are_u_shaped_and_the_trend_turns_around_mid_session(seed):
    market = generate(DAY, seed)
    for underlying in market.underlyings:
        candles = market.series[underlying].candles
        ranges = [candle.high - candle.low for candle in candles]
        assert min(mean(ranges[:45]), mean(ranges[-45:])) > 1.3 * mean(ranges[165:210])
        volume = [candle.volume for candle in market.series[f"{underlying}1!"].candles]
        assert min(mean(volume[:45]), mean(volume[-45:])) > 1.3 * mean(volume[165:210])
        turns = [candles[minute].close for minute in range(160, 215)]
        first = mean(turns) - candles[0].open
        second = candles[-1].close - mean(turns)
        assert first * second < 0


def test_each_underlying_has_three_episodes_a_side_the_first_from_nine_forty_five(market):
    for underlying in market.underlyings:
        mine = [e for e in market.episodes if e.underlying == underlying]
        assert place_of(market, mine[0].open_time) == 6
        assert min(sum(e.option_type == kind for e in mine) for kind in "CP") >= 3


@pytest.mark.parametrize("day", DAYS)
def test_every_episode_must_give_its_signal(day):
    market = generate(day)
    end = session_hours(day)[1]
    for underlying, kind, opened in market.episodes:
        place = place_of(market, opened)
        evaluated = evaluate(market, underlying, place)
        assert evaluated.signal == ("BULLISH" if kind == "C" else "BEARISH")
        assert evaluated.covering == [kind] * 3
        for symbol in evaluated.spikes:
            rows = market.candles(symbol, 5, end)
            past = mean(row.volume for row in rows[max(0, place - 9) : place])
            assert rows[place].volume > 2.4 * past


@pytest.mark.parametrize("day", DAYS)
def test_outside_the_episodes_volume_hardly_spikes(day):
    market = generate(day)
    planted = {(e.underlying, place_of(market, e.open_time)) for e in market.episodes}
    count = (market.hours[1] - market.hours[0]) // 300
    quiet = [
        evaluate(market, underlying, place)
        for underlying in market.underlyings
        for place in range(1, count)
        if (underlying, place) not in planted
    ]
    assert sum(len(evaluated.spikes) for evaluated in quiet) < 0.01 * 6 * len(quiet)


def test_a_day_the_exchange_is_shut_names_the_days_around_it():
    with pytest.raises(DayUnavailable, match=r"2026-01-26; .* 2026-01-23 or 2026-01-27"):
        generate(date(2026, 1, 26))


def test_a_day_outside_the_calendar_says_so():
    with pytest.raises(DayUnavailable, match="calendar covers 2020 to 2026"):
        generate(date(2031, 1, 6))


def test_an_unknown_underlying_names_the_known_ones():
    with pytest.raises(UnderlyingUnavailable, match="known: NIFTY, BANKNIFTY"):
        generate(DAY, 7, ["SENSEX"])


def test_the_last_days_of_the_calendar_can_be_generated():
    market = generate(date(2026, 12, 28))
    assert market.expiries["NIFTY"][0] == date(2026, 12, 29)
    assert timedelta(0) < session_hours(market.day)[1] - market.episodes[-1].open_time
