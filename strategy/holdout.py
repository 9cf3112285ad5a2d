"""Whether a registered version did better than luck on sessions that it was not chosen by."""

from math import sqrt
from typing import NamedTuple

import numpy as np

from strategy.frames import Floats

FAMILY = 0.05  # how likely luck passes at all, however many versions are judged on the sessions
FEWEST_SESSIONS = 10


class Judgement(NamedTuple):
    """The difference from luck, by session.

    Attributes:
        mean: Of the sessions' differences, premium points.
        low: Lower end of its one-sided interval at `level`.
        p_value: How likely luck does as well, one-sided.
        level: Below which it is called better.
    """

    mean: float
    low: float
    p_value: float
    level: float

    @property
    def better(self) -> bool:
        """Whether luck is ruled out."""
        return self.p_value < self.level


def level_of(look: int) -> float:
    """Return how likely luck may pass the n-th look at the same sessions.

    The levels of any number of looks add up to less than 5 %. The first is 2.5 %: as if the
    two-sided 95 % interval lay above 0.
    """
    return FAMILY / (look * (look + 1))


def judge(differences: Floats, look: int) -> Judgement | None:
    """Return what differences from luck, one a session with trades, tell by Student's t.

    Args:
        differences: Of a session's trades together, from as many random entries of the session.
        look: The how many-th try, on these sessions or of the strategy; 1 is the first.

    Returns:
        None with fewer than `FEWEST_SESSIONS`, or where all are equal: nothing can be told.
    """
    # A third of a second to load, and only holdouts need it.
    from scipy.special import stdtr, stdtrit

    count = len(differences)
    if count < FEWEST_SESSIONS or not (spread := float(np.std(differences, ddof=1))) > 0:
        return None
    mean, error, level = float(np.mean(differences)), spread / sqrt(count), level_of(look)
    reach = float(stdtrit(count - 1, 1 - level)) * error
    return Judgement(mean, mean - reach, float(stdtr(count - 1, -mean / error)), level)
