"""The numbers of the Delta Volume strategy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strategy.errors import ParameterError
from strategy.parameters import Parameters as AnyParameters
from strategy.risk import STOP_POINTS

WINGS_AT_MOST = 10
INTERVALS_AT_MOST = 100  # more than a session has
PAISA = 0.01


@dataclass(frozen=True)
class Parameters(AnyParameters):
    """Every number the rules use; points are option premium points.

    `wings` strikes on each side of ATM form the cluster; ten at most, since contracts far from the
    index are not read. Volume spikes above `spike_factor` times the mean of up to `spike_window`
    earlier intervals, of which at least `spike_minimum` must be stored.
    """

    wings: int = 1
    spike_factor: float = 2.0
    spike_window: int = 9
    spike_minimum: int = 3
    stop_points: Mapping[str, float] = field(default_factory=STOP_POINTS.copy)
    first_target_points: float = 30.0
    second_target_points: float = 60.0
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
        if self.first_target_points > self.second_target_points:
            raise ParameterError(f"targets must ascend: {self}")


DEFAULTS = Parameters()
