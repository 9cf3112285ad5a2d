"""What the contracts of all clusters did: the vectorised twin of `rules.judge`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from strategy.build_up import BUILD_UPS, build_up_codes
from strategy.delta_volume.axes import Key
from strategy.delta_volume.clusters import Points
from strategy.delta_volume.inputs import Inputs
from strategy.delta_volume.parameters import Parameters
from strategy.delta_volume.rules import VERDICT_FIELDS, Cluster, Verdict
from strategy.frames import NO_TIME, Flags, Floats, Ints

_COVERING = BUILD_UPS.index("short_covering")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Baseline:
    """Earlier volumes of each row's contract: its previous stored rows of the session."""

    def __init__(self, inputs: Inputs, window: int) -> None:
        stored = inputs.grid >= 0
        self.order = inputs.grid[stored]  # row numbers by contract and time
        self.rank = np.zeros(len(inputs.frame), dtype=np.int64)  # of a row in that order
        self.rank[self.order] = np.arange(len(self.order))
        places = np.cumsum(stored, axis=1)[stored] - 1  # among the contract's rows
        self.size = np.minimum(places, window)
        self._sums = _running_sum(inputs.volume.numbers[self.order])
        self._known = _running_sum(inputs.volume.known[self.order])

    def sums(self, rows: Ints) -> tuple[Ints, Ints]:
        """Return sum and number of the known volumes in the window before each row."""
        end = self.rank[rows]
        start = end - self.size[end]
        return self._sums[end] - self._sums[start], self._known[end] - self._known[start]

    def latest(self, rows: Ints, instants: Ints) -> Ints:
        """Return the latest instant among each row and its window."""
        end = self.rank[rows]
        size = self.size[end]
        latest = instants[rows]
        for back in range(1, int(size.max(initial=0)) + 1):
            earlier = instants[self.order[end - np.minimum(back, size)]]
            latest = np.maximum(latest, earlier)
        return latest


def _running_sum(values: npt.NDArray[Any]) -> Ints:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(values, dtype=np.int64)])


class _Verdicts(NamedTuple):
    """Arrays by cluster and contract."""

    price_change: Floats
    oi_change: Ints
    oi_known: Flags  # now and before
    mean_volume: Floats
    mean_known: Flags
    spike: Flags
    label: Ints
    covering: Flags

    def of(self, chosen: Flags) -> "_Verdicts":
        return _Verdicts._make(column[chosen] for column in self)


def covering_clusters(
    inputs: Inputs, points: Points, parameters: Parameters
) -> Iterator[tuple[Key, Cluster]]:
    """Yield, of complete clusters, those in which any contract is covering."""
    baseline = _Baseline(inputs, parameters.spike_window)
    verdicts = _judge(inputs, points, baseline, parameters)
    chosen: Flags = np.any(verdicts.covering, axis=1)
    points = points.of(chosen)
    contracts = _rows(inputs, points, verdicts.of(chosen))
    known_at = np.maximum(
        baseline.latest(points.rows, inputs.known_at).max(axis=1, initial=NO_TIME),
        inputs.reference.known_at[points.group, points.slot],
    )
    keys = zip(points.group.tolist(), points.slot.tolist(), strict=True)
    columns = (points.strikes.tolist(), points.atm.tolist(), known_at.tolist())
    size = points.rows.shape[1]
    for place, (key, strikes, atm, latest) in enumerate(zip(keys, *columns, strict=True)):
        yield (
            key,
            Cluster(
                moment=inputs.axes.moment(key),
                atm_strike=atm,
                price=float(inputs.reference.price[key]),
                reference=inputs.reference.used(key),
                strikes=strikes,
                verdicts=contracts[place * size : (place + 1) * size],
                known_at=_EPOCH + timedelta(microseconds=latest),
            ),
        )


def _judge(
    inputs: Inputs, points: Points, baseline: _Baseline, parameters: Parameters
) -> _Verdicts:
    now, before = points.rows, points.rows_before
    price_change = inputs.close[now] - inputs.close[before]
    interest, known = inputs.open_interest
    oi_known = known[now] & known[before]
    oi_change = np.where(oi_known, interest[now] - interest[before], 0)
    label = build_up_codes(price_change, oi_change)
    sums, counts = baseline.sums(now)
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
    columns: dict[str, list[Any]] = {
        "symbol": inputs.frame["symbol"].iloc[rows].tolist(),
        "strike": np.repeat(points.strikes, 2, axis=1).ravel().tolist(),
        "option_type": ["C", "P"] * (len(rows) // 2),
        "close": inputs.close[rows].tolist(),
        # Zero is added because a step's rounding knows no negative zero.
        "price_change": (np.rint(verdicts.price_change.ravel() * 1e6) / 1e6 + 0.0).tolist(),
        "open_interest": _optional(interest.numbers[rows], interest.known[rows]),
        "oi_change": _optional(verdicts.oi_change, verdicts.oi_known),
        "volume": _optional(volume.numbers[rows], volume.known[rows]),
        "mean_volume": _optional(verdicts.mean_volume, verdicts.mean_known),
        "volume_spike": verdicts.spike.ravel().tolist(),
        "label": [BUILD_UPS[code] for code in verdicts.label.ravel().tolist()],
        "delta_volume": _optional(delta, volume.known[rows]),
        "covering": verdicts.covering.ravel().tolist(),
    }
    ordered = [columns[name] for name in VERDICT_FIELDS]
    rows_of_values = zip(*ordered, strict=True)
    dicts = [dict(zip(VERDICT_FIELDS, values, strict=True)) for values in rows_of_values]
    return cast("list[Verdict]", dicts)


def _optional(numbers: npt.NDArray[Any], known: Flags) -> list[Any]:
    values = numbers.ravel().astype(object)
    values[~known.ravel()] = None
    return values.tolist()
