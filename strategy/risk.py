"""Stops and targets of a bought option, on the tick grid.

In points they are the same for a premium of 16 and of 600. In proportion they are a share of the
premium, or multiples of the range in which the contract's own price moved lately.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from strategy.errors import ParameterError
from strategy.frames import Floats
from strategy.parameters import Parameters, number

STOP_POINTS = {"NIFTY": 20.0, "BANKNIFTY": 30.0}

LevelUnit = Literal["points", "premium", "range"]


@dataclass(frozen=True)
class TargetParameters(Parameters):
    """How far above its entry a trade's targets lie, in the `level_unit`."""

    level_unit: LevelUnit = "points"
    first_target_points: float = number(30.0, above=0)
    second_target_points: float = number(60.0, above=0)
    first_target_share: float = number(0.3, above=0)
    second_target_share: float = number(0.6, above=0)
    first_target_ranges: float = number(1.5, above=0)
    second_target_ranges: float = number(3.0, above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for unit in ("points", "share", "ranges"):
            first, second = (f"{place}_target_{unit}" for place in ("first", "second"))
            if getattr(self, first) > getattr(self, second):
                raise ParameterError(f"{second} is below {first}: targets must ascend: {self}")

    def target_distances(self, entry: Any, traded_range: Any) -> tuple[Any, Any]:
        """Return how far the targets lie above an entry, or above many at once.

        Args:
            entry: The premium that is paid.
            traded_range: Of the contract lately, in the same unit.
        """
        if self.level_unit == "premium":
            return self.first_target_share * entry, self.second_target_share * entry
        if self.level_unit == "range":
            ranges = self.first_target_ranges, self.second_target_ranges
            return ranges[0] * traded_range, ranges[1] * traded_range
        return self.first_target_points, self.second_target_points


class LevelParameters(Protocol):
    """The numbers that levels are made of; points are option premium points."""

    @property
    def tick_size(self) -> float:
        """The smallest price step, rupees."""

    def stop_distances(self, underlyings: Iterable[str], entries: Floats, ranges: Floats) -> Floats:
        """Return how far below their entries trades are left."""

    def target_distances(self, entry: Any, traded_range: Any) -> tuple[Any, Any]:
        """Return how far above an entry the targets lie."""


class Levels(NamedTuple):
    """What a trade is entered and left at, in rupees of premium."""

    entry: float
    stop: float
    target1: float
    target2: float


def to_tick(prices: Floats, tick_size: float) -> Floats:
    """Return the multiples of the tick nearest to prices, free of binary dust (101.05)."""
    ticks: Floats = np.round(np.rint(prices / tick_size) * tick_size, 10)
    return ticks


def levels(
    close: float, underlying: str, parameters: LevelParameters, traded_range: float
) -> Levels:
    """Return the levels of buying an option at its close; the stop is never below one tick.

    Raises:
        KeyError: The parameters have no stop for that underlying.
    """
    columns = level_columns(np.array([close]), [underlying], parameters, np.array([traded_range]))
    return Levels(*(column[0] for column in columns))


def level_columns(
    closes: Floats, underlyings: Iterable[str], parameters: LevelParameters, ranges: Floats
) -> list[list[float]]:
    """Return `levels` of many options, field by field.

    Args:
        closes: What is paid.
        underlyings: As many as closes.
        parameters: How far levels lie from it.
        ranges: As many: the range in which each contract traded lately, in rupees.
    """
    tick = parameters.tick_size
    entries = to_tick(closes, tick)
    stops = parameters.stop_distances(underlyings, entries, ranges)
    first, second = parameters.target_distances(entries, ranges)
    # A stop or target that is rounded to the entry itself would be no stop or target.
    columns = (
        entries,
        np.maximum(to_tick(entries - np.maximum(stops, tick), tick), tick),
        to_tick(entries + np.maximum(first, tick), tick),
        to_tick(entries + np.maximum(second, tick), tick),
    )
    return [column.tolist() for column in columns]
