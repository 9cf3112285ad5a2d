"""One trade through the candles of one contract: how it is entered, and how it is left.

Within a candle nobody knows what came first, so the worse is taken: a candle that touches stop and
target counts as stop, one that fills an order and touches its stop as filled and stopped.
"""

from typing import Literal, NamedTuple

import numpy as np

from strategy.series import Series, first_of
from strategy.signals import Signal


class Order(NamedTuple):
    """What to buy at and where to leave, in rupees of premium."""

    kind: str  # 'market', or 'stop': bought when the price rises to `entry`
    entry: float
    stop: float
    target1: float

    @classmethod
    def of(cls, signal: Signal) -> "Order":
        """Return what a signal says."""
        return cls(signal.entry_order, signal.entry, signal.stop, signal.target1)


class Entry(NamedTuple):
    """The slot that decided whether there is a trade, and its price; None: there is none."""

    slot: int
    price: float | None


class Exit(NamedTuple):
    """The slot in which stop or target 1 was touched, and the price got there."""

    slot: int
    price: float
    reason: Literal["target1", "stop"]


def enter(series: Series, order: Order, start: int) -> Entry | None:
    """Return how an order fares that stands from a slot on; None where a gap hides it.

    A stop order is filled by the first candle that reaches its price, at the open if that is
    higher, and cancelled by one that touches the stop before. What stands at the session's end is
    no trade.
    """
    if order.kind == "market":
        return enter_at_market(series, start)
    filled = series.high >= order.entry
    slot = first_of(filled | (series.low <= order.stop), start)
    if series.gap_from(start) < slot:
        return None
    if slot >= series.size or not filled[slot]:
        return Entry(slot, None)
    return Entry(slot, max(float(series.open[slot]), order.entry))


def enter_at_market(series: Series, start: int) -> Entry | None:
    """Return the purchase at the open of the first candle from a slot on; None for a gap first."""
    slot = first_of(~np.isnan(series.open), start)
    if series.gap_from(start) < slot:
        return None
    return Entry(slot, float(series.open[slot]) if slot < series.size else None)


def leave(series: Series, order: Order, slot: int, price: float) -> Exit | None:
    """Return the first touch of stop or target 1 from the entry's candle on, if there is one.

    An open below the stop is what one gets. Target 1 is what one gets at most, unless it was bought
    above that: then it is sold for as much. Gaps are the caller's to look for.

    Args:
        series: The candles.
        order: Its stop and target.
        slot: Of the entry.
        price: Of the entry.
    """
    stopped = series.low <= order.stop
    touched = first_of(stopped | (series.high >= order.target1), slot)
    if touched == series.size:
        return None
    if not stopped[touched]:
        return Exit(touched, max(order.target1, price), "target1")
    # The open of a candle that filled a stop order came before the entry.
    bought_inside = touched == slot and order.kind == "stop"
    opened = order.stop if bought_inside else float(series.open[touched])
    return Exit(touched, min(opened, order.stop), "stop")
