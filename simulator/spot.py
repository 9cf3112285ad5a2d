"""The index of a generated day: a path with U-shaped volatility and a trend that turns once."""

from typing import NamedTuple

import numpy as np

from simulator.pricing import FloatArray, to_tick

STEPS_PER_MINUTE = 10
DAILY_VOLATILITY = 0.005


class Bars(NamedTuple):
    """Open, high, low and close; the first axis is the minute."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray


class Move(NamedTuple):
    """A planted move: from `start` minute on for `minutes`, by a share of the price."""

    start: int
    minutes: int
    share: float


def intraday_shape(minutes: int, middle: float, edges: float) -> FloatArray:
    """Return the U of a trading day: a factor per minute from the edges down to the middle."""
    place = np.linspace(-1, 1, minutes)
    return middle + (edges - middle) * place * place


def spot_bars(
    rng: np.random.Generator,
    minutes: int,
    start: float,
    trend: float,
    moves: list[Move],
    end: float | None = None,
) -> Bars:
    """Return the index per minute, on the price grid.

    Args:
        rng: Source of randomness.
        minutes: Length of the session.
        start: First price.
        trend: Share by which the price has moved at the turn, near mid-session; most of it is
            given back by the close.
        moves: Planted moves, each replacing the path in its minutes.
        end: Last price, where that is what is known; the first one then follows from it.
    """
    steps = minutes * STEPS_PER_MINUTE
    scale = np.repeat(intraday_shape(minutes, 0.7, 1.7), STEPS_PER_MINUTE)
    scale *= DAILY_VOLATILITY / np.sqrt(steps)
    increments = rng.standard_normal(steps) * scale
    turn = int(steps * rng.uniform(0.45, 0.55))
    for leg, total in ((slice(0, turn), trend), (slice(turn, steps), -0.8 * trend)):
        # The noise ends where it began, so that the trend is what remains of the leg.
        increments[leg] -= increments[leg].sum() * scale[leg] ** 2 / (scale[leg] ** 2).sum()
        increments[leg] += total / len(increments[leg])
    for move in moves:
        place = slice(move.start * STEPS_PER_MINUTE, (move.start + move.minutes) * STEPS_PER_MINUTE)
        quiet = (increments[place] - increments[place].mean()) * 0.3
        increments[place] = quiet + move.share / len(quiet)
    if end is not None:
        start = end / float(np.exp(increments.sum()))
    path = to_tick(start * np.exp(np.concatenate([[0.0], increments.cumsum()])))
    inside = path[:-1].reshape(minutes, STEPS_PER_MINUTE)
    close = path[STEPS_PER_MINUTE::STEPS_PER_MINUTE]
    return Bars(
        inside[:, 0], np.maximum(inside.max(1), close), np.minimum(inside.min(1), close), close
    )
