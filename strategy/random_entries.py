"""Random entries beside a session's signals, so that nobody takes luck for skill.

Each draw is a hash of its own name: the same in every database, and whatever becomes of others.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from strategy.contract import Contract, atm_strike, parse_symbol
from strategy.outcomes import Outcome, follow, measure_of
from strategy.series import Key, Series
from strategy.session import spot_is_reliable
from strategy.signals import Signal
from strategy.trade import Entry, Order, enter_at_market

DRAWS = 20  # per signal
ATTEMPTS = 20  # of a draw, until its contract can be bought
TICK = 0.05


class Ladder(NamedTuple):
    """The strikes of the nearest expiry that are listed in a session."""

    expiry: date
    strikes: list[int]


class Draw(NamedTuple):
    """One random entry, beside the signal whose side and distances it has."""

    number: int
    beside: Signal
    symbol: str
    entry: Entry
    order: Order


def random_outcomes(
    signals: Sequence[Signal],
    ladder: Ladder,
    series: Mapping[Key, Series],
    lot_sizes: Mapping[str, int],
) -> Iterator[tuple[Draw, Outcome]]:
    """Yield the outcomes of random entries, as `outcomes_of` gives those of signals.

    Args:
        signals: Of one strategy, version, underlying and session.
        ladder: Its strikes.
        series: Candles of the index and of the contracts that are ATM at any time.
        lot_sizes: Units by symbol.
    """
    ordered = sorted(signals, key=attrgetter("event_time", "symbol"))
    for place, signal in enumerate(ordered):
        for number in range(place * DRAWS, (place + 1) * DRAWS):
            draw = _draw(number, signal, ladder, series)
            measure = draw and measure_of(draw.symbol, signal, lot_sizes)
            if draw and measure:
                candles = series[draw.symbol, signal.session]
                for outcome in follow(candles, draw.order, draw.entry, measure):
                    yield draw, outcome


def atm_symbols(index: Series, underlying: str, ladder: Ladder) -> set[str]:
    """Return the contracts that are ATM at any time of a session."""
    closes = {float(close) for close in index.close[~np.isnan(index.close)]}
    strikes = {atm_strike(close, ladder.strikes) for close in closes} if ladder.strikes else set()
    return {
        Contract(underlying, ladder.expiry, strike, kind).symbol
        for strike in strikes
        for kind in ("C", "P")
    }


def _draw(number: int, signal: Signal, ladder: Ladder, series: Mapping[Key, Series]) -> Draw | None:
    """Return a draw; None where it found no contract to buy, however often it was repeated."""
    index = series.get((signal.underlying, signal.session))
    contract = parse_symbol(signal.symbol)
    if index is None or contract is None or not ladder.strikes:
        return None
    for attempt in range(ATTEMPTS):
        # The first interval has no close before it that could place ATM.
        slot = 1 + _hashed(signal, number, attempt) % (index.size - 1)
        moment, close = index.moment(slot), float(index.close[slot - 1])
        if np.isnan(close) or not spot_is_reliable(moment):
            continue
        strike = atm_strike(close, ladder.strikes)
        symbol = contract._replace(expiry=ladder.expiry, strike=strike).symbol
        candles = series.get((symbol, signal.session))
        if candles is None:
            continue
        entry = enter_at_market(candles, candles.slot_from(moment))
        if entry is not None and entry.price is not None:
            return Draw(number, signal, symbol, entry, _beside(signal, entry.price))
    return None


def _beside(signal: Signal, price: float) -> Order:
    stop = max(price - (signal.entry - signal.stop), TICK)
    return Order("market", price, round(stop, 6), round(price + signal.target1 - signal.entry, 6))


def _hashed(signal: Signal, number: int, attempt: int) -> int:
    key = (signal.strategy, signal.version, signal.underlying, signal.session, number, attempt)
    return int.from_bytes(sha256("|".join(map(str, key)).encode()).digest()[:8])
