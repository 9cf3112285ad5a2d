"""Black-76: an option's price on a forward, its implied volatility and its greeks, on arrays.

Arrays of one shape in, of that shape out; each element for itself. Prices and strikes are rupees,
years are years, volatilities are per year (0.14 is 14 %), rates are per year and continuous.

Out of the money or in it, a call and a put of one strike have the same time value. So everything
is computed from that, which keeps its digits where a whole price would lose them.
"""

from typing import Final, NamedTuple

import numpy as np
from scipy.optimize.elementwise import find_root
from scipy.special import ndtr

from strategy.frames import Flags, Floats

# Beyond these a price says nothing about volatility: it is stale, or the option about to expire.
LOWEST_VOLATILITY: Final = 0.001
HIGHEST_VOLATILITY: Final = 10.0
DAYS_PER_YEAR: Final = 365.0
POINT: Final = 0.01
# Ten digits of a volatility are more than a price on a grid of 0.05 rupees can tell.
TOLERANCES: Final = {"xrtol": 1e-10}


class Options(NamedTuple):
    """What is to be priced, one element per option."""

    forward: Floats
    strike: Floats
    years: Floats
    rate: Floats
    is_call: Flags


class Greeks(NamedTuple):
    """What a price does, of one unit: rupees per one step of what moves it.

    Attributes:
        delta: Per point of the forward; below zero for puts.
        gamma: Of delta, per point of the forward.
        theta: Per calendar day that passes.
        vega: Per percentage point of volatility.
    """

    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats


def discount(options: Options) -> Floats:
    """Return what a rupee at expiry is worth now."""
    factor: Floats = np.exp(-options.rate * options.years)
    return factor


def intrinsic(options: Options) -> Floats:
    """Return the price without any volatility."""
    signed = np.where(options.is_call, 1.0, -1.0) * (options.forward - options.strike)
    value: Floats = discount(options) * np.maximum(signed, 0.0)
    return value


def prices(options: Options, volatility: Floats) -> Floats:
    """Return option prices."""
    scale = discount(options) * np.sqrt(options.forward * options.strike)
    deviation = volatility * np.sqrt(options.years)
    value: Floats = intrinsic(options) + scale * _time_value(deviation, _distance(options))
    return value


def implied_volatility(options: Options, price: Floats) -> Floats:
    """Return the volatilities that give the prices.

    NaN where none within the bounds does: a price below the intrinsic one, one with no time value,
    or one above what any volatility gives.
    """
    scale = discount(options) * np.sqrt(options.forward * options.strike)
    wanted = (price - intrinsic(options)) / scale
    root_years, distance = np.sqrt(options.years), _distance(options)
    solved = find_root(
        lambda volatility, wanted, root_years, distance: (
            _time_value(volatility * root_years, distance) - wanted
        ),
        (np.full_like(price, LOWEST_VOLATILITY), np.full_like(price, HIGHEST_VOLATILITY)),
        args=(wanted, root_years, distance),
        tolerances=TOLERANCES,
    )
    # A price worth no more than at the lower bound has its root there, or no value to speak of.
    above = wanted > _time_value(LOWEST_VOLATILITY * root_years, distance)
    return np.where(solved.success & above, solved.x, np.nan)


def greeks(options: Options, volatility: Floats) -> Greeks:
    """Return the greeks at a volatility; NaN where that is."""
    factor, root_years = discount(options), np.sqrt(options.years)
    deviation = volatility * root_years
    upper = np.log(options.forward / options.strike) / deviation + deviation / 2
    density = np.exp(-upper * upper / 2) / np.sqrt(2 * np.pi)
    sign = np.where(options.is_call, 1.0, -1.0)
    delta = sign * factor * ndtr(sign * upper)
    vega = factor * options.forward * density * root_years
    carried = delta * options.forward - sign * factor * options.strike * ndtr(
        sign * (upper - deviation)
    )
    return Greeks(
        delta,
        gamma=factor * density / (options.forward * deviation),
        theta=(options.rate * carried - vega * volatility / (2 * options.years)) / DAYS_PER_YEAR,
        vega=vega * POINT,
    )


def _distance(options: Options) -> Floats:
    """Return how far the strike lies from the forward, whichever side, as a logarithm."""
    distance: Floats = np.abs(np.log(options.forward / options.strike))
    return distance


def _time_value(deviation: Floats, distance: Floats) -> Floats:
    """Return undiscounted time values, in units of the mean of forward and strike."""
    far, half = distance / deviation, deviation / 2
    root = np.exp(-distance / 2)
    value: Floats = root * ndtr(half - far) - ndtr(-half - far) / root
    return value
