"""The numbers of the Delta Volume strategy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from strategy.errors import ParameterError
from strategy.frames import Floats
from strategy.parameters import number
from strategy.risk import STOP_POINTS, TargetParameters

WINGS_AT_MOST = 10
INTERVALS_AT_MOST = 100  # more than a session has
PAISA = 0.01


@dataclass(frozen=True)
class Parameters(TargetParameters):
    """Every number the rules use; points are option premium points.

    `wings` strikes on each side of ATM form the cluster; ten at most, since contracts far from the
    index are not read. Volume spikes above `spike_factor` times the mean of up to `spike_window`
    earlier intervals, of which at least `spike_minimum` must be stored.

    Stops and targets are in the `level_unit`: points, a share of the premium, or multiples of the
    range between the highest and the lowest close of the interval and of the `spike_window` before.
    """

    wings: int = 1
    spike_factor: float = 2.0
    spike_window: int = 9
    spike_minimum: int = 3
    stop_points: Mapping[str, float] = field(default_factory=STOP_POINTS.copy)
    stop_share: float = number(0.2, above=0, most=1)
    stop_ranges: float = number(1.0, above=0)
    tick_size: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        window = 1 <= self.spike_minimum <= self.spike_window <= INTERVALS_AT_MOST
        if not 0 <= self.wings <= WINGS_AT_MOST or not window:
            raise ParameterError(f"wings, spike_minimum or spike_window make no sense: {self}")
        least = min(self.first_target_points, *self.stop_points.values())
        if self.spike_factor <= 0 or not PAISA <= self.tick_size <= least:
            raise ParameterError(
                "the factor must be above zero, stops and targets no less than a tick, and that a"
                f" paisa or more: {self}"
            )

    def stop_distances(self, underlyings: Iterable[str], entries: Floats, ranges: Floats) -> Floats:
        """Return how far below their entries trades are left.

        Raises:
            KeyError: There is no stop for an underlying.
        """
        points = np.array([self.stop_points[underlying] for underlying in underlyings])
        if self.level_unit == "premium":
            return self.stop_share * entries
        return self.stop_ranges * ranges if self.level_unit == "range" else points


DEFAULTS = Parameters()
