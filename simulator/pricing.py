"""Option prices: Black-76 on the forward with a volatility smile, on the exchange's price grid."""

import math

import numpy as np
import numpy.typing as npt

from simulator.forming import TICK

FloatArray = npt.NDArray[np.float64]

RATE = 0.065
MINUTE_IN_YEARS = 1 / (365 * 24 * 60)

# The smile over standardised moneyness z: puts below the money cost more, both wings rise.
SKEW = -0.05
CURVATURE = 0.025
WINGS_END = 4.0

_erf = np.frompyfunc(math.erf, 1, 1)


def to_tick(prices: FloatArray) -> FloatArray:
    """Return prices rounded to the 0.05 grid."""
    rounded: FloatArray = np.round(np.round(prices / TICK) * TICK, 2)
    return rounded


def forward(spot: FloatArray, years: FloatArray) -> FloatArray:
    """Return the forward price of the index after so many years."""
    return spot * np.exp(RATE * years)


def smile(
    volatility: FloatArray, forwards: FloatArray, years: FloatArray, strikes: FloatArray
) -> FloatArray:
    """Return the implied volatility per strike from that at the money; all broadcast."""
    z = np.log(strikes / forwards) / (volatility * np.sqrt(years))
    z = np.clip(z, -WINGS_END, WINGS_END)
    return volatility * (1 + SKEW * z + CURVATURE * z * z)


def option_prices(
    spot: FloatArray, volatility: FloatArray, years: FloatArray, strikes: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return call and put prices on the grid, one row per moment and one column per strike.

    The out-of-the-money option is priced and the other one follows from put-call parity, so that
    parity holds to half a tick and no price is below one tick.

    Args:
        spot: Index per moment.
        volatility: At-the-money implied volatility per moment, as a share of one.
        years: Time to expiry per moment, above zero.
        strikes: Strikes in rupees.
    """
    years, spot, volatility = years[:, None], spot[:, None], volatility[:, None]
    forwards, discount = forward(spot, years), np.exp(-RATE * years)
    deviation = smile(volatility, forwards, years, strikes) * np.sqrt(years)
    upper = np.log(forwards / strikes) / deviation + deviation / 2
    calls = discount * (forwards * _normal(upper) - strikes * _normal(upper - deviation))
    parity = discount * (forwards - strikes)
    out_of_the_money = np.where(parity > 0, calls - parity, calls)
    cheap = np.maximum(to_tick(out_of_the_money), TICK)
    dear = to_tick(cheap + np.abs(to_tick(parity)))
    return np.where(parity > 0, dear, cheap), np.where(parity > 0, cheap, dear)


def _normal(x: FloatArray) -> FloatArray:
    return 0.5 * (1 + np.asarray(_erf(x / math.sqrt(2)), np.float64))
