"""What luck alone does to hit rates, and to the best of many; docs/sweeps.md explains it."""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from strategy.frames import Floats, Ints

CONFIDENCE = 0.95
_STEPS = 2_000  # of the hit rate, over which the best one is averaged


class Trials(NamedTuple):
    """How often something was tried, and how often it was a hit."""

    hits: int
    tried: int

    @property
    def rate(self) -> float | None:
        """The share of hits; None without trials."""
        return self.hits / self.tried if self.tried else None

    def interval(self, chosen_of: int = 1) -> tuple[float, float] | None:
        """Return Wilson's 95 % interval of the rate; None without trials.

        Args:
            chosen_of: Of how many these trials were chosen. All their intervals together hold
                with 95 % (Sidak), so that the best one's does too.
        """
        if not self.tried:
            return None
        z = NormalDist().inv_cdf((1 + CONFIDENCE ** (1 / chosen_of)) / 2)
        centre = self.hits + z * z / 2
        reach = z * sqrt(self.hits * (self.tried - self.hits) / self.tried + z * z / 4)
        whole = self.tried + z * z
        return max((centre - reach) / whole, 0.0), min((centre + reach) / whole, 1.0)


class Luck(NamedTuple):
    """What the best of several would show if all were equally good, and independent.

    Attributes:
        rate: The hit rate of all together.
        expected_best: The hit rate that the best of them is expected to show.
        chance: How likely the best shows at least what it did.
    """

    rate: float
    expected_best: float
    chance: float


def luck_of_best(several: Sequence[Trials]) -> Luck | None:
    """Return what luck does to the best hit rate of several; None without trials."""
    tried = [trials for trials in several if trials.tried]
    if not tried:
        return None
    rate = sum(trials.hits for trials in tried) / sum(trials.tried for trials in tried)
    best = max(trials.hits / trials.tried for trials in tried)
    sizes = np.array([trials.tried for trials in tried])
    steps = (np.arange(_STEPS) + 0.5) / _STEPS
    expected = float(np.mean(1 - _best_at_most(steps, sizes, rate)))
    chance = 1 - float(_best_at_most(np.array([best - 1e-9]), sizes, rate)[0])
    return Luck(rate, expected, chance)


def _best_at_most(rates: Floats, sizes: Ints, rate: float) -> Floats:
    """Return how likely no one's hit rate is above each of the given ones."""
    # A third of a second to load, and only sweeps need it.
    from scipy.special import bdtr

    found: Floats = np.ones(len(rates))
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        hits = np.floor(rates * size)
        # What scipy.stats calls the binomial distribution's cdf, after a second of loading.
        found *= np.where(hits < 0, 0.0, bdtr(hits, size, rate)) ** count
    return found
