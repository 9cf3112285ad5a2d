"""The numbers of the Delta Volume strategy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strategy.errors import ParameterError
from strategy.parameters import Parameters as AnyParameters
from strategy.risk import STOP_POINTS


@dataclass(frozen=True)
class Parameters(AnyParameters):
    """Every number the rules use; points are option premium points.

    `wings` strikes on each side of ATM form the cluster. Volume spikes above `spike_factor`
    times the mean of up to `spike_window` earlier intervals, of which at least
    `spike_minimum` must be stored.
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
        if self.wings < 0 or not 1 <= self.spike_minimum <= self.spike_window:
            raise ParameterError(f"wings, spike_minimum or spike_window make no sense: {self}")
        if min(self.spike_factor, self.tick_size, *self.stop_points.values()) <= 0:
            raise ParameterError(f"factors, ticks and stops must be above zero: {self}")


DEFAULTS = Parameters()
