"""The daily loss limit: no new entries after so many losing trades in a session.

Losing is a signal whose stop was touched before target 1, as if it had been bought at the first
candle after its interval: by the market alone, whenever its rows were received. It counts for the
candidates whose interval ended when the candle that touched the stop had.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple

from strategy.parameters import Parameters
from strategy.series import Key, Series
from strategy.signals import Moment, Rejection, Signal
from strategy.strategy import Rows
from strategy.trade import Order, enter, leave

_session = attrgetter("strategy", "version", "underlying", "session")


class _Trade(NamedTuple):
    """A trade with the slots it was followed through, and the one in which it lost, if it did."""

    signal: Signal
    series: Series
    first: int
    last: int  # the slot that decided it, or the last before a gap or the session's end
    lost: bool

    def known(self, moment: datetime) -> tuple[bool, datetime] | None:
        """Return whether it had lost by a moment, and since when all of that was known.

        None if it could not have: no candle that it may be in had ended.
        """
        stop = min(self.series.slots_until(moment), self.last + 1)
        if stop <= self.first:
            return None
        lost = self.lost and stop > self.last
        return lost, max(self.signal.known_at, self.series.known_from(self.first, stop))


def limit_losses(
    signals: Sequence[Signal], series: Mapping[Key, Series], parameters: Parameters
) -> Rows:
    """Return the signals that may be entered, and rejections of the others.

    A signal is known when its inputs are and the candles by which too few trades had lost. A trade
    that runs into a missing candle has no verdict, so that it does not count.

    Args:
        signals: Of any strategies, versions, underlyings and sessions.
        series: `series_of` the candles of their contracts, up to the last signal at least.
        parameters: How many `losing_trades` end a session.
    """
    kept: list[Signal] = []
    rejections: list[Rejection] = []
    for _, group in groupby(sorted(signals, key=_session), key=_session):
        trades: list[_Trade] = []
        for signal in sorted(group, key=attrgetter("event_time", "symbol")):
            decided = _decide(signal, trades, parameters.losing_trades)
            if isinstance(decided, Rejection):
                rejections.append(decided)
                continue
            kept.append(decided)
            trades.extend(_traded(decided, series))
    order = attrgetter("session", "underlying", "event_time", "symbol")
    return sorted(kept, key=order), sorted(rejections, key=order)


def _traded(signal: Signal, series: Mapping[Key, Series]) -> Iterator[_Trade]:
    candles = series.get((signal.symbol, signal.session))
    if candles is None:
        return
    order = Order.of(signal)
    first = candles.slot_from(signal.event_time)
    gap = candles.gap_from(first)
    entry = enter(candles, order, first)
    last, lost = gap - 1, False
    if entry is not None and entry.price is None:
        last = min(entry.slot, last)
    elif entry is not None and entry.price is not None:
        left = leave(candles, order, entry.slot, entry.price)
        if left is not None and left.slot < gap:
            last, lost = left.slot, left.reason == "stop"
    yield _Trade(signal, candles, first, last, lost)


def _decide(signal: Signal, trades: Sequence[_Trade], limit: int) -> Signal | Rejection:
    """Return the signal or its rejection, known as early as the stored rows allow."""
    lost: list[tuple[datetime, _Trade]] = []
    others: list[datetime] = []
    for trade in trades:
        known = trade.known(signal.event_time)
        if known is not None and known[0]:
            lost.append((known[1], trade))
        elif known is not None:
            others.append(known[1])
    if len(lost) >= limit:
        return _rejection(signal, sorted(lost, key=itemgetter(0))[:limit])
    # That so many of the others had not lost is enough to know that the limit was not reached.
    needed = max(len(lost) + len(others) - limit + 1, 0)
    return signal._replace(known_at=max([signal.known_at, *sorted(others)[:needed]]))


def _rejection(signal: Signal, lost: Sequence[tuple[datetime, _Trade]]) -> Rejection:
    details = {
        **{name: getattr(signal, name) for name in ("direction", "entry", "stop", "target1")},
        "losing_signals": [
            {
                "signal_id": str(trade.signal.signal_id),
                "symbol": trade.signal.symbol,
                "event_time": trade.signal.event_time.isoformat(),
                "stopped_by": trade.series.moment(trade.last + 1).isoformat(),
            }
            for _, trade in lost
        ],
    }
    known_at = max([signal.known_at, *(at for at, _ in lost)])
    moment = Moment(*(getattr(signal, name) for name in Moment._fields))
    return Rejection(*moment, "daily_loss_limit", signal.symbol, details, known_at)
