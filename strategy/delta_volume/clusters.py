"""Where the clusters of all intervals lie: their strikes, and the rows they hold."""

from typing import NamedTuple

import numpy as np

from strategy.delta_volume.inputs import Inputs, Ladders
from strategy.delta_volume.parameters import Parameters
from strategy.frames import Flags, Floats, Ints


class Points(NamedTuple):
    """The intervals that have rows and a reference, and the rows of their clusters.

    One column per contract of the cluster, by strike, the call before the put.
    """

    group: Ints
    slot: Ints
    strikes: Ints  # one column per strike; -1 where the ladder ends
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
    offsets = np.arange(-parameters.wings, parameters.wings + 1)
    places = _nearest(inputs.ladders, group, inputs.reference.price[group, slot])[:, None] + offsets
    first, end = inputs.ladders.firsts[group], inputs.ladders.firsts[group + 1]
    places[(places < first[:, None]) | (places >= end[:, None])] = -1
    strikes = inputs.ladders.strikes[places]
    lines = inputs.lines.take(places, axis=0).reshape(len(group), 2 * len(offsets))
    cells = lines * inputs.grid.shape[1] + slot[:, None]
    rows = inputs.grid.ravel().take
    return Points(
        group, slot, strikes, strikes[:, parameters.wings], lines, rows(cells), rows(cells - 1)
    )


def _nearest(ladders: Ladders, group: Ints, prices: Floats) -> Ints:
    """Return the place of the strike nearest to each price; a tie goes to the lower one.

    Where a group has no strikes it is no place of the group.
    """
    above = ladders.place(group, prices)
    below = np.maximum(above - 1, ladders.firsts[group])
    above = np.minimum(above, ladders.firsts[group + 1] - 1)
    distance = np.abs(ladders.strikes[below] - prices)
    return np.where(np.abs(ladders.strikes[above] - prices) < distance, above, below)
