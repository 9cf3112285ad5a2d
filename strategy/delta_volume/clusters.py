"""Where the clusters of all intervals lie: their strikes, and the rows they hold."""

from typing import NamedTuple

import numpy as np

from strategy.contract import STRIKE_STEPS
from strategy.delta_volume.inputs import Inputs, Ladders
from strategy.delta_volume.parameters import Parameters
from strategy.frames import Flags, Floats, Ints


class Points(NamedTuple):
    """The intervals that have rows and a reference, and the rows of their clusters.

    One column per contract of the cluster, by strike, the call before the put.
    """

    group: Ints
    slot: Ints
    strikes: Ints  # one column per strike; -1 where one is not known
    atm: Ints
    lines: Ints  # of the grid
    rows: Ints  # of t; -1 where missing
    rows_before: Ints  # and of t - 5 minutes, which is the row before where neither is missing

    def of(self, chosen: Flags) -> "Points":
        """Return the chosen ones of the intervals."""
        return self if chosen.all() else Points(*(column[chosen] for column in self))


def place_clusters(inputs: Inputs, parameters: Parameters) -> Points:
    """Place ATM wherever there are rows and a reference, and look up the cluster's rows."""
    group, slot = np.nonzero((inputs.recorded & ~np.isnan(inputs.reference.price))[:, 1:])
    slot += 1
    prices = inputs.reference.price[group, slot]
    steps = np.resize(
        [STRIKE_STEPS[name] for name in inputs.axes.underlyings], len(inputs.recorded)
    )
    ladder = inputs.ladders.numbers[group, slot]
    places, strikes = _places(inputs.ladders, ladder, steps[group], prices, parameters.wings)
    lines = inputs.lines.take(places, axis=0).reshape(len(group), 2 * places.shape[1])
    cells = lines * inputs.grid.shape[1] + slot[:, None]
    rows = inputs.grid.ravel().take
    return Points(
        group, slot, strikes, strikes[:, parameters.wings], lines, rows(cells), rows(cells - 1)
    )


def _places(
    ladders: Ladders, ladder: Ints, step: Ints, prices: Floats, wings: int
) -> tuple[Ints, Ints]:
    """Return the clusters' places in the ladders, and their strikes: twin of `cluster_strikes`."""
    first, end = ladders.firsts[ladder], ladders.firsts[ladder + 1]
    atm = _nearest(ladders, ladder, prices)
    offsets = np.arange(-wings, wings + 1)
    places = atm[:, None] + offsets
    places[(places < first[:, None]) | (places >= end[:, None])] = -1
    strikes = ladders.strikes[places]
    wanted = ladders.strikes[atm][:, None] + step[:, None] * offsets
    other = strikes != wanted
    # Where all of several strikes are known the price lies among them, nearest to the middle one.
    if wings and not other.any():
        return places, strikes
    unsure = np.flatnonzero(other.any(axis=1)) if wings else np.arange(len(places))
    # Not the next of the ladder: another strike lies between, or none is known.
    rows, columns = np.nonzero(other)
    place = ladders.place(ladder[rows], wanted[rows, columns].astype(np.float64))
    there = (place < end[rows]) & (ladders.strikes[place] == wanted[rows, columns])
    places[rows, columns] = np.where(there, place, -1)
    twice = 2 * (prices - ladders.strikes[atm])[unsure]
    prices, first, end, step = prices[unsure], first[unsure], end[unsure], step[unsure]
    outside = (prices < ladders.strikes[first]) | (prices > ladders.strikes[end - 1])
    # Of two equally near the lower one wins.
    places[unsure[outside | (twice <= -step) | (twice > step) | (first == end)]] = -1
    return places, ladders.strikes[places]


def _nearest(ladders: Ladders, ladder: Ints, prices: Floats) -> Ints:
    """Return the place of the strike nearest to each price; a tie goes to the lower one.

    Where a ladder has no strikes it is no place of the ladder.
    """
    above = ladders.place(ladder, prices)
    below = np.maximum(above - 1, ladders.firsts[ladder])
    above = np.minimum(above, ladders.firsts[ladder + 1] - 1)
    distance = np.abs(ladders.strikes[below] - prices)
    return np.where(np.abs(ladders.strikes[above] - prices) < distance, above, below)
