"""Walk-forward: choose on some sessions, judge on the next ones, roll on; luck beside it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from strategy.frames import Floats, Ints

CHOOSERS = 2_000  # who choose at random, window by window
SEED = 20_260_122
LOW, HIGH = 2.5, 97.5  # percentiles: 95 % of them lie between


class Tallies(NamedTuple):
    """What versions gave: a row a version, a column a session in time's order."""

    entered: Ints
    points: Floats  # totals after costs, premium points


class Window(NamedTuple):
    """Places of sessions, stops excluded, and the row of the version chosen on the first ones.

    Attributes:
        chosen: None where no version was entered in the sessions to choose on.
        fit_mean: Its mean return per trade there.
        luck_entered: Trades of the judged sessions, mean over all versions.
        luck_points: The same of their totals: a choice at random.
    """

    fit: tuple[int, int]
    judged: tuple[int, int]
    chosen: int | None
    fit_mean: float | None
    entered: int
    points: float
    luck_entered: float
    luck_points: float


class Walk(NamedTuple):
    """All windows, and the equity of the judged sessions beside that of choices at random.

    Attributes:
        places: The judged sessions.
        entered: Trades in each.
        points: Totals of each.
        low: Of choices at random, summed from the first judged session on: the lower end of 95 %.
        median: Their middle.
        high: Their upper end.
        luck_points: Mean of their totals.
        chance: Share of them that give at least as much as the choices.
    """

    windows: list[Window]
    places: range
    entered: Ints
    points: Floats
    low: Floats
    median: Floats
    high: Floats
    luck_points: float
    chance: float


def walk_forward(tallies: Tallies, fit: int, judge: int) -> Walk | None:
    """Choose the best mean return per trade of `fit` sessions, judge the next `judge`, roll on.

    Of versions that are equally good the first counts; the last window may judge fewer sessions.

    Returns:
        None with fewer than `fit + 1` sessions.
    """
    versions, sessions = tallies.points.shape
    if sessions <= fit:
        return None
    windows = [_window(tallies, start, fit, judge) for start in range(0, sessions - fit, judge)]
    entered, points = _judged(tallies, windows)
    picks = np.random.default_rng(SEED).integers(versions, size=(len(windows), CHOOSERS))
    # One row a judged session, one column a chooser.
    paths = np.concatenate(
        [
            tallies.points[picked, slice(*one.judged)].T
            for one, picked in zip(windows, picks, strict=True)
        ]
    ).cumsum(axis=0)
    low, median, high = np.percentile(paths, (LOW, 50, HIGH), axis=1)
    # What is summed in another order differs by binary dust.
    chance = float(np.mean(paths[-1] >= points.sum() - 1e-6))
    return Walk(
        *(windows, range(fit, sessions), entered, points, low, median, high),
        *(sum(one.luck_points for one in windows), chance),
    )


def _window(tallies: Tallies, start: int, fit: int, judge: int) -> Window:
    middle = start + fit
    stop = min(middle + judge, tallies.points.shape[1])
    trades = tallies.entered[:, start:middle].sum(axis=1)
    totals = tallies.points[:, start:middle].sum(axis=1)
    means = np.where(trades > 0, totals / np.maximum(trades, 1), -np.inf)
    best = int(np.argmax(means))
    chosen = best if trades[best] else None
    judged = tallies.entered[:, middle:stop].sum(axis=1), tallies.points[:, middle:stop].sum(axis=1)
    return Window(
        *((start, middle), (middle, stop), chosen, None if chosen is None else float(means[best])),
        *((0, 0.0) if chosen is None else (int(judged[0][chosen]), float(judged[1][chosen]))),
        *(float(judged[0].mean()), float(judged[1].mean())),
    )


def _judged(tallies: Tallies, windows: list[Window]) -> tuple[Ints, Floats]:
    return (
        np.concatenate(list(_of_choice(tallies.entered, windows))),
        np.concatenate(list(_of_choice(tallies.points, windows))),
    )


def _of_choice(values: np.ndarray, windows: list[Window]) -> Iterator[np.ndarray]:
    """Yield what the choices have in the sessions they are judged on; 0 where nothing is chosen."""
    for one in windows:
        row = values[one.chosen] if one.chosen is not None else np.zeros_like(values[0])
        yield row[slice(*one.judged)]
