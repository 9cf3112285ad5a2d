"""What the contracts of all clusters did: the vectorised twin of `rules.judge`."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from strategy.build_up import BUILD_UPS, build_up_codes
from strategy.delta_volume.clusters import Points
from strategy.delta_volume.inputs import Inputs
from strategy.delta_volume.parameters import Parameters
from strategy.delta_volume.rules import Verdict
from strategy.frames import Flags, Floats, Ints
from strategy.ladders import OPTION_TYPES

_OPTION_TYPES = np.array(OPTION_TYPES, dtype=object)
_BUILD_UPS = np.array(BUILD_UPS, dtype=object)
_COVERING = BUILD_UPS.index("short_covering")


class Baseline:
    """Earlier volumes of a row's contract: its previous stored rows of the session."""

    def __init__(self, inputs: Inputs, parameters: Parameters) -> None:
        self._inputs = inputs
        self._parameters = parameters
        self._sums = _running_sum(inputs.volume.numbers)
        known = inputs.volume.known
        self._unknown = None if known.all() else _running_sum(~known)

    def _first(self, rows: Ints, lines: Ints) -> Ints:
        """Return the first row of each row's window, which ends before the row itself."""
        return np.maximum(rows - self._parameters.spike_window, self._inputs.firsts[lines])

    def spikes(self, rows: Ints, lines: Ints) -> tuple[Floats, Flags, Flags]:
        """Return the mean volume before each row, where it counts, and where volume spikes."""
        first = self._first(rows, lines)
        counts = rows - first
        if self._unknown is not None:
            counts -= self._unknown[rows] - self._unknown[first]
        mean = (self._sums[rows] - self._sums[first]) / np.maximum(counts, 1)
        mean_known = counts >= self._parameters.spike_minimum
        volume = self._inputs.volume.at(rows)
        spike = mean_known & volume.known
        spike &= volume.numbers > self._parameters.spike_factor * mean
        return mean, mean_known, spike

    def traded_ranges(self, rows: Ints, lines: Ints) -> Floats:
        """Return the range between the highest and lowest close of each row and its window."""
        first = self._first(rows, lines)
        highest = lowest = self._inputs.close[rows]
        for back in range(1, self._parameters.spike_window + 1):
            earlier = self._inputs.close[np.maximum(rows - back, first)]
            highest, lowest = np.maximum(highest, earlier), np.minimum(lowest, earlier)
        return highest - lowest

    def known_at(self, rows: Ints, lines: Ints) -> Ints:
        """Return the latest instant among each row and its window."""
        first = self._first(rows, lines)
        latest = self._inputs.known_at[rows]
        for back in range(1, self._parameters.spike_window + 1):
            earlier = self._inputs.known_at[np.maximum(rows - back, first)]
            np.maximum(latest, earlier, out=latest)
        return latest


def _running_sum(values: npt.NDArray[Any]) -> Ints:
    sums = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=sums[1:])
    return sums


class Verdicts(NamedTuple):
    """What each of some contracts did in an interval, as arrays."""

    price_change: Floats
    oi_change: Ints
    oi_known: Flags  # now and before
    mean_volume: Floats
    mean_known: Flags
    spike: Flags
    label: Ints
    delta_volume: Ints  # zero where the volume is unknown, since the price stood still then
    covering: Flags

    def at(self, places: Ints) -> "Verdicts":
        """Return the verdicts at some places of the arrays laid out flat."""
        columns: Any = (column.ravel()[places] for column in self)
        return Verdicts(*columns)


def judge_all(inputs: Inputs, rows: Ints, lines: Ints, baseline: Baseline) -> Verdicts:
    """Return what happened in some rows, each of which follows the one of 5 minutes before."""
    price_change = inputs.close[rows] - inputs.close[rows - 1]
    now, before = inputs.open_interest.at(rows), inputs.open_interest.at(rows - 1)
    oi_known = now.known & before.known
    oi_change = np.where(oi_known, now.numbers - before.numbers, 0)
    label = build_up_codes(price_change, oi_change)
    mean, mean_known, spike = baseline.spikes(rows, lines)
    delta = inputs.volume.numbers[rows] * np.sign(price_change).astype(np.int64)
    return Verdicts(
        *(price_change, oi_change, oi_known, mean, mean_known, spike, label, delta),
        spike & (label == _COVERING),
    )


def verdict_rows(inputs: Inputs, points: Points, verdicts: Verdicts, places: Ints) -> list[Verdict]:
    """Return the verdicts at some places of the clusters laid out flat."""
    chosen = verdicts.at(places)
    rows = points.rows.ravel()[places]
    interest, volume = inputs.open_interest.at(rows), inputs.volume.at(rows)
    columns = (
        inputs.symbol.array.take(rows).astype(object).tolist(),
        points.strikes.ravel()[places // len(OPTION_TYPES)].tolist(),
        _OPTION_TYPES[places % len(OPTION_TYPES)].tolist(),
        inputs.close[rows].tolist(),
        # Zero is added because a step's rounding knows no negative zero.
        (np.rint(chosen.price_change * 1e6) / 1e6 + 0.0).tolist(),
        _optional(*interest),
        _optional(chosen.oi_change, chosen.oi_known),
        _optional(*volume),
        _optional(chosen.mean_volume, chosen.mean_known),
        chosen.spike.tolist(),
        _BUILD_UPS[chosen.label].tolist(),
        chosen.delta_volume.tolist(),
        chosen.covering.tolist(),
    )
    # Written out: by far the fastest way to make dictionaries, of which there are many.
    return [
        {
            "symbol": symbol,
            "strike": strike,
            "option_type": option_type,
            "close": close,
            "price_change": price_change,
            "open_interest": open_interest,
            "oi_change": oi_change,
            "volume": traded,
            "mean_volume": mean_volume,
            "volume_spike": spike,
            "label": label,
            "delta_volume": delta_volume,
            "covering": covering,
        }
        for (
            symbol,
            strike,
            option_type,
            close,
            price_change,
            open_interest,
            oi_change,
            traded,
            mean_volume,
            spike,
            label,
            delta_volume,
            covering,
        ) in zip(*columns, strict=True)
    ]


def _optional(numbers: npt.NDArray[Any], known: Flags) -> list[Any]:
    values: list[Any] = numbers.tolist()
    for place in np.flatnonzero(~known).tolist():
        values[place] = None
    return values
