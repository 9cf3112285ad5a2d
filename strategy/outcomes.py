"""What became of signals: best and worst move, return after costs, and how the trade ended."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import numpy as np

from strategy.book import Book
from strategy.contract import parse_symbol
from strategy.costs import Charges, charges_on, costs_points
from strategy.fills import USUAL_SPREADS, Fills, filling_on
from strategy.frames import MICROSECONDS_PER_MINUTE, instant
from strategy.series import Key, Series
from strategy.signals import Signal
from strategy.trade import Entry, Order, enter, leave

SESSION_END = 0
HORIZONS = (5, 15, 30, SESSION_END)  # minutes after the entry's candle opened


class Outcome(NamedTuple):
    """One trade over one horizon; points of premium per unit.

    `mfe_points` and `mae_points` are of the whole horizon, whenever the trade was left; None where
    a gap after that hides them. Prices are those paid, with spread and slippage.
    """

    horizon_minutes: int
    mfe_points: float | None
    mae_points: float | None
    return_points: float  # gross less costs
    hit: bool  # target 1 before the stop
    exit_reason: str  # target1, stop, horizon, session_end or not_entered
    entered_at: datetime | None = None  # the open of the candle it was bought in
    entry_price: float | None = None
    exited_at: datetime | None = None  # the end of the candle it was sold in
    exit_price: float | None = None
    gross_points: float = 0.0
    costs_points: float = 0.0


class Held(NamedTuple):
    """How one trade went over one horizon by the candles' prices, before anything is paid.

    The highest and the lowest price of the horizon are None where a gap hides them.
    """

    horizon_minutes: int
    exit_reason: str
    by_stop: bool  # bought by a stop order
    entered_at: int  # microseconds UTC, as all moments here
    bought: float
    exited_at: int
    sold: float
    highest: float | None
    lowest: float | None


class Measure(NamedTuple):
    """What turns prices of one contract into points."""

    charges: Charges
    lot_size: int
    fills: Fills

    def start(self, signal: Signal) -> datetime:
        """Return when the order of a signal stands."""
        return signal.known_at + self.fills.latency

    def outcome(self, held: Held, spreads: int = USUAL_SPREADS) -> Outcome:
        """Return what a trade came to if so many spreads are paid in its round trip."""
        reason = held.exit_reason
        if reason == "not_entered":
            return Outcome(held.horizon_minutes, 0.0, 0.0, 0.0, hit=False, exit_reason=reason)
        bought = _points(
            self.fills.bought(held.bought, held.entered_at, spreads, by_stop=held.by_stop)
        )
        sold = _points(self.fills.sold(held.sold, held.exited_at, spreads, reason))
        gross = sold - bought
        costs = costs_points(self.charges, bought, sold, self.lot_size)
        return Outcome(
            held.horizon_minutes,
            None if held.highest is None else max(_points(held.highest - bought), 0.0),
            None if held.lowest is None else max(_points(bought - held.lowest), 0.0),
            _points(gross - costs),
            reason == "target1",
            reason,
            instant(held.entered_at),
            bought,
            instant(held.exited_at),
            sold,
            _points(gross),
            _points(costs),
        )


class Followed(NamedTuple):
    """One signal's trade over one horizon, and what measures it."""

    signal: Signal
    held: Held
    measure: Measure


class SignalOutcomes(NamedTuple):
    """Outcomes by signal, and how many of signals and horizons cannot be told."""

    resolved: list[tuple[Signal, Outcome]]
    unresolved: int


def outcomes_of(
    signals: Iterable[Signal],
    series: Mapping[Key, Series],
    lot_sizes: Mapping[str, int],
    books: Mapping[str, Book] | None = None,
    spreads: int = USUAL_SPREADS,
) -> SignalOutcomes:
    """Return the outcomes of all signals that the stored candles tell.

    Args:
        signals: Of any sessions and contracts.
        series: `series_of` the candles of their contracts.
        lot_sizes: Units by symbol; a contract whose lot is not known has no outcome.
        books: Bid and ask by symbol, where they are stored.
        spreads: How many are paid in a round trip: 0, 1 or 2.
    """
    known = list(signals)
    resolved = [
        (signal, measure.outcome(held, spreads))
        for signal, held, measure in followed(known, series, lot_sizes, books or {})
    ]
    return SignalOutcomes(resolved, len(HORIZONS) * len(known) - len(resolved))


def followed(
    signals: Iterable[Signal],
    series: Mapping[Key, Series],
    lot_sizes: Mapping[str, int],
    books: Mapping[str, Book],
) -> Iterator[Followed]:
    """Yield how the signals' trades went over the horizons that the stored candles tell."""
    for signal in signals:
        candles = series.get((signal.symbol, signal.session))
        measure = measure_of(signal.symbol, signal, lot_sizes, books)
        if candles is None or measure is None:
            continue
        order = Order.of(signal)
        entry = enter(candles, order, candles.slot_from(measure.start(signal)))
        for held in follow(candles, order, entry):
            yield Followed(signal, held, measure)


def measure_of(
    symbol: str, signal: Signal, lot_sizes: Mapping[str, int], books: Mapping[str, Book]
) -> Measure | None:
    """Return what measures a contract that lies as far from the money as a signal's.

    None where a number is not known.
    """
    contract, bought = parse_symbol(symbol), parse_symbol(signal.symbol)
    charges, filling = charges_on(signal.session), filling_on(signal.session)
    lot_size = lot_sizes.get(symbol)
    if not (contract and bought and charges and filling and lot_size):
        return None
    spread = filling.spread(bought, signal.atm_strike)
    if spread is None:
        return None
    fills = Fills(spread, filling.slippage, filling.latency, books.get(symbol))
    return Measure(charges, lot_size, fills)


def follow(series: Series, order: Order, entry: Entry | None) -> Iterator[Held]:
    """Yield how one order went over the horizons whose end is certain.

    What ended before a gap did end there; a gap before that hides how.
    """
    if entry is None:
        return
    if entry.price is None:
        for minutes in HORIZONS:
            yield Held(minutes, "not_entered", False, 0, 0.0, 0, 0.0, None, None)
        return
    slot, price = entry.slot, entry.price
    left, gap = leave(series, order, slot, price), series.gap_from(slot)
    for minutes in HORIZONS:
        limit = int(series.bounds[slot]) + minutes * MICROSECONDS_PER_MINUTE
        stop = int(np.searchsorted(series.bounds[:-1], limit)) if minutes else series.size
        if left is not None and left.slot < min(stop, gap):
            end, sold, reason = left.slot + 1, left.price, str(left.reason)
        elif gap < stop:
            continue
        else:
            closes = series.close[slot:stop]
            end, sold = stop, float(closes[~np.isnan(closes)][-1])
            beyond = minutes == SESSION_END or limit > int(series.bounds[-1])
            reason = "session_end" if beyond else "horizon"
        seen = gap >= stop
        yield Held(
            minutes,
            reason,
            order.kind == "stop",
            int(series.bounds[slot]),
            price,
            int(series.bounds[end]),
            sold,
            float(np.nanmax(series.high[slot:stop])) if seen else None,
            float(np.nanmin(series.low[slot:stop])) if seen else None,
        )


def _points(value: float) -> float:
    # Prices are multiples of the tick: what lies below a millionth is binary dust.
    return round(value, 6) + 0.0
