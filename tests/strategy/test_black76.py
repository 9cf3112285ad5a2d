"""Prices, volatilities and greeks on arrays against the textbook's formula, one at a time."""

import numpy as np
import plain_greeks
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy import black76
from strategy.black76 import Options

moneyness = st.floats(-2.5, 2.5)  # standard deviations from the forward
options = st.tuples(
    st.floats(1_000, 100_000),
    moneyness,
    st.floats(15 / (365 * 24 * 60), 0.25),
    st.floats(0, 0.1),
    st.sampled_from("CP"),
    st.floats(0.05, 2.0),
)


def as_options(rows):
    """Options and their volatilities from tuples as drawn."""
    forward, distance, years, rate, kind, volatility = map(np.array, zip(*rows, strict=True))
    strike = forward * np.exp(distance * volatility * np.sqrt(years))
    return Options(forward, strike, years, rate, kind == "C"), volatility


@given(st.lists(options, min_size=1, max_size=5))
def test_a_volatility_comes_back_from_the_price_it_gives(rows):
    contracts, volatility = as_options(rows)
    prices = black76.prices(contracts, volatility)
    assert black76.implied_volatility(contracts, prices) == pytest.approx(volatility, rel=1e-6)


@given(st.lists(options, min_size=1, max_size=5))
def test_call_less_put_is_forward_less_strike_discounted(rows):
    contracts, volatility = as_options(rows)
    calls, puts = (
        black76.prices(contracts._replace(is_call=np.full(len(rows), side)), volatility)
        for side in (True, False)
    )
    worth = np.exp(-contracts.rate * contracts.years) * (contracts.forward - contracts.strike)
    assert calls - puts == pytest.approx(worth, rel=1e-9, abs=1e-7)


@given(options)
def test_prices_and_greeks_are_those_of_the_plain_formula(row):
    contracts, volatility = as_options([row])
    forward, strike, years, rate, call = (float(values[0]) for values in contracts)
    about = forward, strike, years, rate, "C" if call else "P", float(volatility[0])
    price = black76.prices(contracts, volatility)[0]
    assert price == pytest.approx(plain_greeks.price(*about), rel=1e-7, abs=1e-8 * forward)
    plain = plain_greeks.greeks(*about)
    for name, values in black76.greeks(contracts, volatility)._asdict().items():
        scale = {"delta": 1, "gamma": plain["gamma"]}.get(name, abs(plain[name]) + 1e-6 * forward)
        assert values[0] == pytest.approx(plain[name], abs=1e-3 * scale + 1e-12), name


def test_a_call_at_the_money_by_hand():
    # F = K = 25,000, a quarter of a year, 20 %, no interest: s = 0.2 * 0.5 = 0.1, d1 = 0.05.
    # N(0.05) = 0.519939, n(0.05) = 0.398444; C = 25,000 (2 * 0.519939 - 1) = 996.94.
    at_the_money = Options(*(np.array([value]) for value in (25_000.0, 25_000.0, 0.25, 0.0, True)))
    volatility = np.array([0.2])
    assert black76.prices(at_the_money, volatility)[0] == pytest.approx(996.94, abs=0.01)
    greeks = black76.greeks(at_the_money, volatility)
    assert greeks.delta[0] == pytest.approx(0.519939, abs=1e-6)
    assert greeks.gamma[0] == pytest.approx(0.398444 / 2_500, rel=1e-5)
    assert greeks.vega[0] == pytest.approx(25_000 * 0.398444 * 0.5 / 100, rel=1e-5)
    assert greeks.theta[0] == pytest.approx(-25_000 * 0.398444 * 0.2 / (2 * 0.5) / 365, rel=1e-5)


def test_prices_that_no_volatility_gives_imply_none():
    forward, strike = np.full(5, 25_000.0), np.full(5, 24_000.0)
    calls = Options(forward, strike, np.full(5, 0.02), np.zeros(5), np.full(5, True))
    prices = np.array([0.0, 999.0, 1_000.0, 25_000.0, 1_040.0])
    found = black76.implied_volatility(calls, prices)
    assert np.isnan(found).tolist() == [True, True, True, True, False]
    greeks = np.stack(black76.greeks(calls, found))
    assert np.isnan(greeks[:, :4]).all()
    assert not np.isnan(greeks[:, 4]).any()
