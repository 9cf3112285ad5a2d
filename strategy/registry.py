"""The strategies there are; docs/strategies.md shows how to add one."""

from collections.abc import Mapping
from types import MappingProxyType

from strategy import delta_volume
from strategy.pullback import PULLBACK
from strategy.strategy import Strategy
from strategy.vwap_trap import VWAP_TRAP

STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        one.name: one
        for one in (
            Strategy(
                name=delta_volume.STRATEGY,
                version=delta_volume.VERSION,
                defaults=delta_volume.DEFAULTS,
                reads="build_ups",
                evaluate=lambda frames, numbers: delta_volume.evaluate_rows(
                    frames.build_ups, frames.reference, frames.contracts, numbers
                ),
                intervals=lambda frames: delta_volume.intervals_of(*frames),
                state=delta_volume.State,
                step=delta_volume.step,
            ),
            PULLBACK,
            VWAP_TRAP,
        )
    }
)
