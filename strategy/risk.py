"""Stops and targets of a bought option, on the tick grid."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import numpy as np

from strategy.frames import Floats

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


def to_tick(prices: Floats, tick_size: float) -> Floats:
    """Return the multiples of the tick nearest to prices, free of binary dust (101.05)."""
    ticks: Floats = np.round(np.rint(prices / tick_size) * tick_size, 10)
    return ticks


def levels(close: float, underlying: str, parameters: RiskParameters) -> Levels:
    """Return the levels of buying an option at its close; the stop is never below one tick.

    Raises:
        KeyError: The parameters have no stop for that underlying.
    """
    columns = level_columns(np.array([close]), [underlying], parameters)
    return Levels(*(column[0] for column in columns))


def level_columns(
    closes: Floats, underlyings: Iterable[str], parameters: RiskParameters
) -> list[list[float]]:
    """Return `levels` of many options, field by field; the underlyings are as many as closes."""
    tick = parameters.tick_size
    points = np.array([parameters.stop_points[underlying] for underlying in underlyings])
    entries = to_tick(closes, tick)
    columns = (
        entries,
        np.maximum(to_tick(entries - points, tick), tick),
        to_tick(entries + parameters.first_target_points, tick),
        to_tick(entries + parameters.second_target_points, tick),
    )
    return [column.tolist() for column in columns]
