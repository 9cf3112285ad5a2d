"""Where the clusters of all intervals lie: their strikes, and the rows they hold."""

from typing import NamedTuple

import numpy as np

from strategy.delta_volume.inputs import Inputs
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
    rows: Ints  # row numbers of t; -1 where missing
    rows_before: Ints  # and of t - 5 minutes

    def of(self, chosen: Flags) -> "Points":
        """Return the chosen ones of the intervals."""
        return Points(*(column[chosen] for column in self))


def place_clusters(inputs: Inputs, parameters: Parameters) -> Points:
    """Place ATM wherever there are rows and a reference, and look up the cluster's rows."""
    group, slot = np.nonzero((inputs.recorded & ~np.isnan(inputs.reference.price))[:, 1:])
    slot += 1
    price = inputs.reference.price[group, slot]
    offsets = np.arange(-parameters.wings, parameters.wings + 1)
    places = np.full((len(group), len(offsets)), -1, dtype=np.int64)
    strikes = np.full_like(places, -1)
    edges = np.searchsorted(group, np.arange(len(inputs.ladders.strikes) + 1))
    for ladder, start, end in zip(inputs.ladders.strikes, edges[:-1], edges[1:], strict=True):
        if len(ladder) and start < end:
            wanted = _nearest(ladder, price[start:end])[:, None] + offsets
            inside = (wanted >= 0) & (wanted < len(ladder))
            places[start:end] = np.where(inside, wanted, -1)
            strikes[start:end] = np.where(inside, ladder.take(wanted, mode="clip"), -1)

    numbers = inputs.ladders.firsts[group][:, None, None] + 2 * places[:, :, None] + np.arange(2)
    lines = np.append(inputs.lines, -1)[np.where(places[:, :, None] < 0, -1, numbers)]
    lines = lines.reshape(len(group), 2 * len(offsets))

    def rows_at(slots: Ints) -> Ints:
        found: Ints = inputs.grid[lines, slots[:, None]]
        return found

    return Points(
        group, slot, strikes, strikes[:, parameters.wings], rows_at(slot), rows_at(slot - 1)
    )


def _nearest(ladder: Ints, prices: Floats) -> Ints:
    """Return the place of the strike nearest to each price; a tie goes to the lower one."""
    above = np.searchsorted(ladder, prices)
    below = np.maximum(above - 1, 0)
    above = np.minimum(above, len(ladder) - 1)
    nearer_above = np.abs(ladder[above] - prices) < np.abs(ladder[below] - prices)
    return np.where(nearer_above, above, below)
