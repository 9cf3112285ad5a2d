"""Volume and open interest of a generated day, in whole lots."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.pricing import FloatArray
from simulator.spot import intraday_shape

IntArray = npt.NDArray[np.int64]

# What a planted short covering does to strikes 0, 1, 2 and 3 away from ATM on its side: volume
# times the first, and that share of the open interest closed. Volume well above twice the
# mean of the intervals before it, even when an earlier episode is among them.
COVERING_VOLUME = (6.0, 6.0, 4.0, 2.5)
COVERING_CLOSED = (0.04, 0.04, 0.025, 0.01)
MINIMUM_LOTS = 20


class Covering(NamedTuple):
    """A planted short covering of one side: its minutes and the place of ATM in the strikes."""

    minutes: slice
    atm: int


def quiet_volume(rng: np.random.Generator, minutes: int, lots: float) -> FloatArray:
    """Return lots per minute, U-shaped over the day with a little noise."""
    noise: FloatArray = np.exp(rng.normal(0, 0.15, minutes))
    return lots * intraday_shape(minutes, 0.75, 1.75) * noise


def option_volume(
    rng: np.random.Generator, distance: FloatArray, lots: float, coverings: list[Covering]
) -> IntArray:
    """Return lots per minute and strike.

    Args:
        rng: Source of randomness.
        distance: Signed strikes out of the money, per minute and strike.
        lots: Mean of a minute at the money.
        coverings: Planted episodes of this side.
    """
    weight = np.exp(-0.5 * (distance / 7) ** 2) * (0.7 + 0.3 * np.tanh(distance / 4)) + 0.01
    noise = np.exp(rng.normal(0, 0.15, distance.shape))
    volume = lots * intraday_shape(len(distance), 0.75, 1.75)[:, None] * weight * noise
    for covering in coverings:
        for strike, wing in _strikes_of(covering, distance.shape[1]):
            volume[covering.minutes, strike] *= COVERING_VOLUME[wing]
    return np.rint(volume).astype(np.int64)


def previous_open_interest(
    rng: np.random.Generator, distance: FloatArray, strikes: FloatArray, lots: float
) -> IntArray:
    """Return the lots per strike that stood open at the end of the session before.

    Args:
        rng: Source of randomness.
        distance: Signed strikes out of the money, per strike.
        strikes: Strikes in rupees; round ones hold more.
        lots: Open interest of a liquid strike.
    """
    weight = np.exp(-0.5 * ((distance - 4) / 9) ** 2) + 0.02
    weight *= np.where(strikes % 500 == 0, 1.8, 1.0) * rng.uniform(0.8, 1.2, len(strikes))
    return np.maximum(np.rint(lots * weight), MINIMUM_LOTS).astype(np.int64)


def open_interest(
    rng: np.random.Generator, before: IntArray, minutes: int, coverings: list[Covering]
) -> IntArray:
    """Return open interest in lots per minute and strike; it falls in a covering's minutes."""
    changes = np.rint(before * rng.normal(0.0003, 0.0015, (minutes, len(before))))
    for covering in coverings:
        length = covering.minutes.stop - covering.minutes.start
        for strike, wing in _strikes_of(covering, len(before)):
            closed = before[strike] * COVERING_CLOSED[wing] / length
            changes[covering.minutes, strike] = -np.ceil(closed * rng.uniform(0.7, 1.3, length))
    lots: IntArray = before + changes.cumsum(axis=0).astype(np.int64)
    return lots


def _strikes_of(covering: Covering, count: int) -> list[tuple[int, int]]:
    near = range(covering.atm - 3, covering.atm + 4)
    return [(strike, abs(strike - covering.atm)) for strike in near if 0 <= strike < count]
