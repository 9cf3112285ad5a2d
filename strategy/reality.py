"""What the best of many versions shows without any skill; docs/sweeps.md explains it."""

from math import e, sqrt
from statistics import NormalDist

import numpy as np

from strategy.frames import Floats

RESAMPLED = 2_000  # draws of whole sessions
SEED = 20_260_121
EULER = 0.5772156649015329
FEWEST_SESSIONS = 5


def sharpe(points: Floats) -> float | None:
    """Return mean by standard deviation, not annualised; None without spread.

    Args:
        points: Totals of sessions, those without a trade included.
    """
    if len(points) < 2 or not (spread := float(np.std(points, ddof=1))) > 0:
        return None
    return float(np.mean(points)) / spread


def expected_best(tried: int, variance: float) -> float:
    """Return the Sharpe ratio that the best of so many is expected to show without skill.

    Args:
        tried: Independent versions; where they are alike, the result is too strict.
        variance: Of their Sharpe ratios.
    """
    if tried < 2:
        return 0.0
    inverse = NormalDist().inv_cdf
    near, far = inverse(1 - 1 / tried), inverse(1 - 1 / (tried * e))
    return sqrt(variance) * ((1 - EULER) * near + EULER * far)


def deflated_sharpe(points: Floats, benchmark: float) -> float | None:
    """Return how likely the true Sharpe ratio is above a benchmark (Bailey, Lopez de Prado).

    Args:
        points: Totals of sessions.
        benchmark: `expected_best` of all that were tried.

    Returns:
        A probability; None with too few sessions, or without spread.
    """
    ratio = sharpe(points)
    if ratio is None or len(points) < FEWEST_SESSIONS:
        return None
    scaled = (points - np.mean(points)) / np.std(points)
    skew, kurtosis = float(np.mean(scaled**3)), float(np.mean(scaled**4))
    spread = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    if not spread > 0:
        return None
    return NormalDist().cdf((ratio - benchmark) * sqrt(len(points) - 1) / sqrt(spread))


def reality_check(points: Floats) -> float | None:
    """Return how likely luck alone gives a best version as good as the best of these (White).

    Sessions are drawn anew with all versions together, so that it does not matter how alike they
    are; each version counts by its mean in units of its own standard deviation.

    Args:
        points: Totals, a row a version, a column a session.

    Returns:
        A probability, one-sided against "none makes money after costs"; None with too few sessions,
        or where no version has any spread.
    """
    sessions = points.shape[1]
    spreads = points.std(axis=1)
    moving = points[spreads > 0]
    if sessions < FEWEST_SESSIONS or not len(moving):
        return None
    scaled = moving / spreads[spreads > 0, None]
    means = scaled.mean(axis=1)
    draws = np.random.default_rng(SEED).multinomial(sessions, [1 / sessions] * sessions, RESAMPLED)
    best = (draws @ (scaled - means[:, None]).T / sessions).max(axis=1)
    return float(1 + np.sum(best >= means.max())) / (RESAMPLED + 1)
