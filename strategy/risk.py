"""Stops and targets of a bought option, on the tick grid."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

STOP_POINTS = {"NIFTY": 20.0, "BANKNIFTY": 30.0}


class RiskParameters(Protocol):
    """The numbers that levels are made of; points are option premium points."""

    @property
    def stop_points(self) -> Mapping[str, float]:
        """By underlying, below entry."""

    @property
    def first_target_points(self) -> float:
        """Above entry."""

    @property
    def second_target_points(self) -> float:
        """Above entry."""

    @property
    def tick_size(self) -> float:
        """The smallest price step, rupees."""


class Levels(NamedTuple):
    """What a trade is entered and left at, in rupees of premium."""

    entry: float
    stop: float
    target1: float
    target2: float


def to_tick(price: float, tick_size: float) -> float:
    """Return the multiple of the tick nearest to a price, free of binary dust (101.05)."""
    return round(round(price / tick_size) * tick_size, 10)


def levels(close: float, underlying: str, parameters: RiskParameters) -> Levels:
    """Return the levels of buying an option at its close; the stop is never below one tick.

    Raises:
        KeyError: The parameters have no stop for that underlying.
    """
    tick = parameters.tick_size
    entry = to_tick(close, tick)
    return Levels(
        entry=entry,
        stop=max(to_tick(entry - parameters.stop_points[underlying], tick), tick),
        target1=to_tick(entry + parameters.first_target_points, tick),
        target2=to_tick(entry + parameters.second_target_points, tick),
    )
