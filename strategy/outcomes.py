"""What became of signals: best and worst move, return after costs, and how the trade ended."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import numpy as np

from strategy.costs import Charges, charges_on, costs_points
from strategy.frames import MICROSECONDS_PER_MINUTE
from strategy.series import Key, Series
from strategy.signals import Signal
from strategy.trade import Entry, Exit, Order, enter, leave

SESSION_END = 0
HORIZONS = (5, 15, 30, SESSION_END)  # minutes after the entry's candle opened


class Outcome(NamedTuple):
    """One trade over one horizon; points of premium per unit.

    `mfe_points` and `mae_points` are of the whole horizon, whenever the trade was left.
    """

    horizon_minutes: int
    mfe_points: float
    mae_points: float
    return_points: float  # gross less costs
    hit: bool  # target 1 before the stop
    exit_reason: str  # target1, stop, horizon, session_end or not_entered
    entered_at: datetime | None = None  # the open of the candle it was bought in
    entry_price: float | None = None
    exited_at: datetime | None = None  # the end of the candle it was sold in
    exit_price: float | None = None
    gross_points: float = 0.0
    costs_points: float = 0.0


class Measure(NamedTuple):
    """What turns prices of one contract into points."""

    charges: Charges
    lot_size: int

    def outcome(
        self, series: Series, entry: tuple[int, float], left: Exit | None, minutes: int
    ) -> Outcome | None:
        """Return one horizon's outcome; None while a candle of it is missing."""
        slot, bought = entry
        limit = int(series.bounds[slot]) + minutes * MICROSECONDS_PER_MINUTE
        asked = int(np.searchsorted(series.bounds[:-1], limit))
        stop = asked if minutes else series.size
        if series.gap_from(slot) < stop:
            return None
        if left is not None and left.slot < stop:
            end, sold, reason = left.slot + 1, left.price, str(left.reason)
        else:
            closes = series.close[slot:stop]
            end, sold = stop, float(closes[~np.isnan(closes)][-1])
            beyond = minutes == SESSION_END or limit > int(series.bounds[-1])
            reason = "session_end" if beyond else "horizon"
        gross = sold - bought
        costs = costs_points(self.charges, bought, sold, self.lot_size)
        return Outcome(
            minutes,
            _points(float(np.nanmax(series.high[slot:stop])) - bought),
            _points(bought - float(np.nanmin(series.low[slot:stop]))),
            _points(gross - costs),
            reason == "target1",
            reason,
            series.moment(slot),
            bought,
            series.moment(end),
            sold,
            _points(gross),
            _points(costs),
        )


class SignalOutcomes(NamedTuple):
    """Outcomes by signal, and how many of signals and horizons cannot be told."""

    resolved: list[tuple[Signal, Outcome]]
    unresolved: int


def outcomes_of(
    signals: Iterable[Signal], series: Mapping[Key, Series], lot_sizes: Mapping[str, int]
) -> SignalOutcomes:
    """Return the outcomes of all signals whose horizons' candles are stored.

    Args:
        signals: Of any sessions and contracts.
        series: `series_of` the candles of their contracts.
        lot_sizes: Units by symbol; a contract whose lot is not known has no outcome.
    """
    resolved: list[tuple[Signal, Outcome]] = []
    wanted = 0
    for signal in signals:
        wanted += len(HORIZONS)
        candles = series.get((signal.symbol, signal.session))
        measure = measure_of(signal.symbol, signal, lot_sizes)
        if candles is None or measure is None:
            continue
        order = Order.of(signal)
        entry = enter(candles, order, candles.slot_from(signal.known_at))
        resolved += ((signal, outcome) for outcome in follow(candles, order, entry, measure))
    return SignalOutcomes(resolved, wanted - len(resolved))


def measure_of(symbol: str, signal: Signal, lot_sizes: Mapping[str, int]) -> Measure | None:
    """Return what measures a contract in a signal's session; None where a number is not known."""
    charges, lot_size = charges_on(signal.session), lot_sizes.get(symbol)
    return None if charges is None or lot_size is None else Measure(charges, lot_size)


def follow(
    series: Series, order: Order, entry: Entry | None, measure: Measure
) -> Iterator[Outcome]:
    """Yield the outcomes of one order over the horizons that are stored."""
    if entry is None:
        return
    if entry.price is None:
        for minutes in HORIZONS:
            yield Outcome(minutes, 0.0, 0.0, 0.0, hit=False, exit_reason="not_entered")
        return
    left = leave(series, order, entry.slot, entry.price)
    for minutes in HORIZONS:
        outcome = measure.outcome(series, (entry.slot, entry.price), left, minutes)
        if outcome is not None:
            yield outcome


def _points(value: float) -> float:
    # Prices are multiples of the tick: what lies below a millionth is binary dust.
    return round(value, 6) + 0.0
