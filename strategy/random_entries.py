"""Random entries matched to a session's signals, so that nobody takes luck for skill.

Each stands beside one signal that was entered: of its session, side and distance from the money,
bought within the ten minutes after it. Not before it: what made the rules give a signal had moved
the price, and an entry drawn before that would hold through the move, which no rule has foreseen.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from strategy.book import Book
from strategy.contract import atm_strike, parse_symbol
from strategy.fills import TICK
from strategy.outcomes import Held, Measure, follow, measure_of
from strategy.series import Key, Series
from strategy.session import spot_is_reliable
from strategy.signals import Signal
from strategy.trade import Entry, Order, enter

DRAWS = 5  # per signal, of the ten minutes that it can have
WITHIN = timedelta(minutes=10)


class Ladder(NamedTuple):
    """The strikes of the nearest expiry that are listed in a session."""

    expiry: date
    strikes: list[int]


class Place(NamedTuple):
    """Where a draw may be: a contract, and the slot of its index at whose start it is bought."""

    slot: int
    symbol: str


class Draw(NamedTuple):
    """One random entry, beside the signal whose side and distances it has."""

    number: int
    beside: Signal
    symbol: str
    entry: Entry
    order: Order


class Drawn(NamedTuple):
    """How one draw went over one horizon, and what measures it."""

    draw: Draw
    held: Held
    measure: Measure


def random_entries(
    signals: Sequence[Signal],
    ladder: Ladder,
    series: Mapping[Key, Series],
    lot_sizes: Mapping[str, int],
    books: Mapping[str, Book],
) -> Iterator[Drawn]:
    """Yield how random entries beside signals went, as `followed` does of the signals.

    Args:
        signals: Of one strategy, version, underlying and session.
        ladder: Its strikes.
        series: Candles of the index, of what was bought and of the contracts of all `places`.
        lot_sizes: Units by symbol.
        books: Bid and ask by symbol, where they are stored.
    """
    ordered = sorted(signals, key=attrgetter("event_time", "symbol"))
    for ordinal, signal in enumerate(ordered):
        found = 0
        for place in places(signal, ladder, series, lot_sizes):
            draw = _draw(ordinal * DRAWS + found, signal, place, series)
            measure = draw and measure_of(draw.symbol, signal, lot_sizes, books)
            if draw is None or measure is None:
                continue
            for held in follow(series[draw.symbol, signal.session], draw.order, draw.entry):
                yield Drawn(draw, held, measure)
            found += 1
            if found == DRAWS:
                break


def places(
    signal: Signal, ladder: Ladder, series: Mapping[Key, Series], lot_sizes: Mapping[str, int]
) -> list[Place]:
    """Return where draws beside a signal may be, in the order in which they are taken.

    The order is a hash of the signal and the minute: the same in every database, whatever becomes
    of other signals. Without an entry of the signal there are none.
    """
    index = series.get((signal.underlying, signal.session))
    contract = parse_symbol(signal.symbol)
    after = _entered_at(signal, series, lot_sizes)
    if index is None or contract is None or after is None or not ladder.strikes:
        return []
    starts = index.bounds[:-1]
    first = max(int(np.searchsorted(starts, after, side="right")), 1)
    until = after + WITHIN // timedelta(microseconds=1)
    found: list[tuple[bytes, Place]] = []
    for slot in range(first, int(np.searchsorted(starts, until, side="right"))):
        moment, close = index.moment(slot), float(index.close[slot - 1])
        if np.isnan(close) or not spot_is_reliable(moment):
            continue
        strike = atm_strike(close, ladder.strikes) + contract.strike - signal.atm_strike
        hashed = sha256(f"{signal.signal_id}|{moment.isoformat()}".encode()).digest()
        found.append((hashed, Place(slot, contract._replace(strike=strike).symbol)))
    return [place for _, place in sorted(found)]


def _entered_at(
    signal: Signal, series: Mapping[Key, Series], lot_sizes: Mapping[str, int]
) -> int | None:
    """Return when the signal itself was bought, microseconds UTC; None if it was not."""
    candles = series.get((signal.symbol, signal.session))
    measure = measure_of(signal.symbol, signal, lot_sizes, {})
    if candles is None or measure is None:
        return None
    entry = enter(candles, Order.of(signal), candles.slot_from(measure.start(signal)))
    return None if entry is None or entry.price is None else int(candles.bounds[entry.slot])


def _draw(number: int, signal: Signal, place: Place, series: Mapping[Key, Series]) -> Draw | None:
    """Return the draw of a place; None where nothing could be bought there at that moment."""
    candles = series.get((place.symbol, signal.session))
    if candles is None:
        return None
    moment = int(series[signal.underlying, signal.session].bounds[place.slot])
    slot = int(np.searchsorted(candles.bounds, moment))
    if candles.bounds[slot] != moment or np.isnan(candles.open[slot]):
        return None
    entry = Entry(slot, float(candles.open[slot]))
    return Draw(number, signal, place.symbol, entry, _beside(signal, float(candles.open[slot])))


def _beside(signal: Signal, price: float) -> Order:
    stop = max(price - (signal.entry - signal.stop), TICK)
    return Order("market", price, round(stop, 6), round(price + signal.target1 - signal.entry, 6))
