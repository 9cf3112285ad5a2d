"""What the contracts of all clusters did: the vectorised twin of `rules.judge`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from strategy.build_up import BUILD_UPS, build_up_codes
from strategy.delta_volume.axes import Key
from strategy.delta_volume.clusters import Points
from strategy.delta_volume.inputs import OPTION_TYPES, Inputs
from strategy.delta_volume.parameters import Parameters
from strategy.delta_volume.rules import Cluster, Verdict
from strategy.frames import NO_TIME, Flags, Floats, Ints

_COVERING = BUILD_UPS.index("short_covering")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Baseline:
    """Earlier volumes of a cell's contract: its previous stored rows of the session."""

    def __init__(self, inputs: Inputs, window: int) -> None:
        stored = inputs.grid.ravel() >= 0
        self.order = inputs.grid.ravel()[stored]  # row numbers by contract and time
        self.slots = inputs.grid.shape[1]
        self.window = window
        self._before = _running_sum(stored)  # stored rows before each cell
        self._sums = _running_sum(inputs.volume.numbers[self.order])
        self._known = _running_sum(inputs.volume.known[self.order])

    def bounds(self, cells: Ints) -> tuple[Ints, Ints]:
        """Return, as places in `order`, where each cell's window starts and where it ends."""
        end = self._before[cells]
        first = self._before[cells - cells % self.slots]  # of the contract
        return np.maximum(end - self.window, first), end

    def sums(self, cells: Ints) -> tuple[Ints, Ints]:
        """Return sum and number of the known volumes in the window before each cell."""
        start, end = self.bounds(cells)
        return self._sums[end] - self._sums[start], self._known[end] - self._known[start]

    def latest(self, cells: Ints, instants: Ints) -> Ints:
        """Return the latest instant among each cell's row and its window."""
        start, end = self.bounds(cells)
        latest = instants[self.order[end]]
        for back in range(1, self.window + 1):
            earlier = instants[self.order[np.maximum(end - back, start)]]
            latest = np.maximum(latest, earlier)
        return latest


def _running_sum(values: npt.NDArray[Any]) -> Ints:
    sums = np.zeros(len(values) + 1, dtype=np.int64)
    sums[1:] = values
    return np.cumsum(sums, out=sums)


class _Verdicts(NamedTuple):
    """What each of some contracts did in an interval, as arrays."""

    price_change: Floats
    oi_change: Ints
    oi_known: Flags  # now and before
    mean_volume: Floats
    mean_known: Flags
    spike: Flags
    label: Ints
    covering: Flags


def covering_clusters(
    inputs: Inputs, points: Points, parameters: Parameters
) -> Iterator[tuple[Key, Cluster]]:
    """Yield, of complete clusters, those in which any contract is covering."""
    baseline = _Baseline(inputs, parameters.spike_window)
    points = points.of(_any_covering(inputs, points, baseline, parameters))
    size = points.rows.shape[1]
    contracts = _rows(inputs, points, _judge(inputs, points.cells, baseline, parameters))
    known_at = np.maximum(
        baseline.latest(points.cells, inputs.known_at).max(axis=1, initial=NO_TIME),
        inputs.reference.known_at[points.group, points.slot],
    )
    at = points.group, points.slot
    columns = (
        *(points.group.tolist(), points.slot.tolist(), points.atm.tolist()),
        *(points.strikes.tolist(), inputs.reference.price[at].tolist(), known_at.tolist()),
    )
    for place, (group, slot, atm, strikes, price, latest) in enumerate(zip(*columns, strict=True)):
        key = group, slot
        yield (
            key,
            Cluster(
                moment=inputs.axes.moment(key),
                atm_strike=atm,
                price=price,
                reference=inputs.reference.used(key),
                strikes=strikes,
                verdicts=contracts[place * size : (place + 1) * size],
                known_at=_EPOCH + timedelta(microseconds=latest),
            ),
        )


def _any_covering(
    inputs: Inputs, points: Points, baseline: _Baseline, parameters: Parameters
) -> Flags:
    """Return which clusters have a covering contract; most contracts are ruled out by signs."""
    close, interest = inputs.close, inputs.open_interest.numbers
    now, before = points.rows.ravel(), points.rows_before.ravel()
    up = np.flatnonzero(close[now] > close[before])
    # Unknown interest counts as none here, so that it rules out nothing that is covering.
    likely = up[interest[now[up]] < interest[before[up]]]
    verdicts = _judge(inputs, points.cells.ravel()[likely], baseline, parameters)
    found = np.zeros(points.rows.shape, dtype=bool)
    found.ravel()[likely] = verdicts.covering
    chosen: Flags = np.any(found, axis=1)
    return chosen


def _judge(inputs: Inputs, cells: Ints, baseline: _Baseline, parameters: Parameters) -> _Verdicts:
    now, before = inputs.grid.ravel()[cells], inputs.grid.ravel()[cells - 1]
    price_change = inputs.close[now] - inputs.close[before]
    interest, known = inputs.open_interest
    oi_known = known[now] & known[before]
    oi_change = np.where(oi_known, interest[now] - interest[before], 0)
    label = build_up_codes(price_change, oi_change)
    sums, counts = baseline.sums(cells)
    mean = sums / np.maximum(counts, 1)
    mean_known = counts >= parameters.spike_minimum
    spike = mean_known & inputs.volume.known[now]
    spike &= inputs.volume.numbers[now] > parameters.spike_factor * mean
    covering = spike & (label == _COVERING)
    return _Verdicts(price_change, oi_change, oi_known, mean, mean_known, spike, label, covering)


def _rows(inputs: Inputs, points: Points, verdicts: _Verdicts) -> list[Verdict]:
    """Return the verdicts of all clusters, one cluster after the other."""
    rows = points.rows.ravel()
    interest, volume = inputs.open_interest, inputs.volume
    delta = volume.numbers[rows] * np.sign(verdicts.price_change.ravel()).astype(np.int64)
    columns = (
        inputs.frame["symbol"].iloc[rows].tolist(),
        np.repeat(points.strikes, 2, axis=1).ravel().tolist(),
        OPTION_TYPES * (len(rows) // 2),
        inputs.close[rows].tolist(),
        # Zero is added because a step's rounding knows no negative zero.
        (np.rint(verdicts.price_change.ravel() * 1e6) / 1e6 + 0.0).tolist(),
        _optional(interest.numbers[rows], interest.known[rows]),
        _optional(verdicts.oi_change, verdicts.oi_known),
        _optional(volume.numbers[rows], volume.known[rows]),
        _optional(verdicts.mean_volume, verdicts.mean_known),
        verdicts.spike.ravel().tolist(),
        [BUILD_UPS[code] for code in verdicts.label.ravel().tolist()],
        _optional(delta, volume.known[rows]),
        verdicts.covering.ravel().tolist(),
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
    values = numbers.ravel().astype(object)
    values[~known.ravel()] = None
    return values.tolist()
