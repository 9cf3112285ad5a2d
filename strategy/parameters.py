"""The numbers of the Delta Volume strategy, and the hash that goes with every signal."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property

_STOP_POINTS = {"NIFTY": 20.0, "BANKNIFTY": 30.0}


@dataclass(frozen=True)
class Parameters:
    """Every number the rules use; points are option premium points.

    `wings` strikes on each side of ATM form the cluster. Volume spikes above `spike_factor`
    times the mean of up to `spike_window` earlier intervals, of which at least
    `spike_minimum` must be stored.
    """

    wings: int = 1
    spike_factor: float = 2.0
    spike_window: int = 9
    spike_minimum: int = 3
    stop_points: Mapping[str, float] = field(default_factory=_STOP_POINTS.copy)
    first_target_points: float = 30.0
    second_target_points: float = 60.0
    tick_size: float = 0.05

    def __post_init__(self) -> None:
        if self.wings < 0 or not 1 <= self.spike_minimum <= self.spike_window:
            raise ValueError(f"wings, spike_minimum or spike_window make no sense: {self}")
        if min(self.spike_factor, self.tick_size, *self.stop_points.values()) <= 0:
            raise ValueError(f"factors, ticks and stops must be above zero: {self}")

    def params_hash(self) -> str:
        """Return 16 hex digits that change whenever a number does."""
        return self._hash

    @cached_property
    def _hash(self) -> str:
        # 20 and 20.0 are the same number, so floats are written as such.
        numbers = asdict(self) | {
            "spike_factor": float(self.spike_factor),
            "stop_points": {name: float(points) for name, points in self.stop_points.items()},
            "first_target_points": float(self.first_target_points),
            "second_target_points": float(self.second_target_points),
            "tick_size": float(self.tick_size),
        }
        text = json.dumps(numbers, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


DEFAULTS = Parameters()
