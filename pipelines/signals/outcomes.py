"""Outcomes from the stored tables: of a session's signals, and of random entries beside them."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, Self

from psycopg import Connection

from db.market.frames import Range
from db.market.trades import Wanted, read_trade_candles
from db.server.connection import advisory_lock
from db.signals.holdout import sealed_sessions
from db.signals.outcomes import (
    RandomOutcome,
    SignalOutcome,
    nearest_ladders,
    sessions_with_signals,
    standing_signals,
    store_outcomes,
    stored_lot_sizes,
)
from strategy.contract import lot_size, parse_symbol
from strategy.outcomes import Outcome, outcomes_of
from strategy.random_entries import Draw, Ladder, atm_symbols, random_outcomes
from strategy.series import Key, Series, series_of
from strategy.signals import Signal

logger = logging.getLogger(__name__)

OUTCOMES_LOCK = 7_346_006
_version = attrgetter("strategy", "version", "underlying")


class Computed(NamedTuple):
    """How many outcomes follow from the stored rows, how many cannot be told, and what changed."""

    signals: int
    outcomes: int  # of signals, by horizon
    unresolved: int  # of signals, by horizon: a candle, the lot or the charges are not known
    random: int
    written: int
    removed: int

    @classmethod
    def total(cls, parts: Iterable[Self]) -> Self:
        """Return the sums of several."""
        return cls(*map(sum, zip(cls(0, 0, 0, 0, 0, 0), *parts, strict=True)))


def materialise_outcomes(
    connection: Connection[Any], sessions: Range, underlyings: tuple[str, ...]
) -> Computed:
    """Compute the outcomes of all signals that stand, and make the stored ones equal them.

    Of a session that is still on there are those of the horizons that are over.

    Args:
        connection: In autocommit mode.
        sessions: Whole sessions.
        underlyings: Whose signals.
    """
    with advisory_lock(connection, OUTCOMES_LOCK, wait=True):
        days = sessions_with_signals(connection, sessions, underlyings)
        parts = [_of_session(connection, day, underlyings) for day in days]
        sealed = sealed_sessions(connection, sessions)
    total = Computed.total(parts)
    if sealed:
        logger.info("%d sealed sessions: outcomes of versions they were opened for", len(sealed))
    logger.info(
        "outcomes %s to %s: %d of %d signals, %d cannot be told; %d rows written, %d removed",
        *(sessions.first, sessions.last, total.outcomes, total.signals, total.unresolved),
        *(total.written, total.removed),
    )
    return total


def _of_session(
    connection: Connection[Any], session: date, underlyings: tuple[str, ...]
) -> Computed:
    rows = standing_signals(connection, session, underlyings)
    signals = [Signal._make(row[: len(Signal._fields)]) for row in rows]
    ladders = {
        name: Ladder(*ladder)
        for name, ladder in nearest_ladders(connection, session, underlyings).items()
    }
    series = _series(connection, session, signals, ladders)
    lots = lot_sizes(connection, {symbol for symbol, _ in series})
    resolved, unresolved = outcomes_of(signals, series, lots)
    outcomes = [SignalOutcome(signal.signal_id, *outcome) for signal, outcome in resolved]
    random = [
        _random_row(key, draw, outcome)
        for key, group in groupby(signals, key=_version)
        if key[2] in ladders
        for draw, outcome in random_outcomes(list(group), ladders[key[2]], series, lots)
    ]
    stored = store_outcomes(connection, session, underlyings, outcomes, random)
    return Computed(len(signals), len(outcomes), unresolved, len(random), *stored)


def _random_row(key: tuple[str, str, str], draw: Draw, outcome: Outcome) -> RandomOutcome:
    beside = draw.beside
    minutes, *values = outcome
    place = beside.session, draw.number, minutes
    return RandomOutcome._make((*key, *place, beside.signal_id, draw.symbol, *values))


def _series(
    connection: Connection[Any],
    session: date,
    signals: Sequence[Signal],
    ladders: Mapping[str, Ladder],
) -> Mapping[Key, Series]:
    """Return the candles of the bought contracts, of the indices and of what was ATM."""
    names = {signal.underlying for signal in signals}
    indices = series_of(read_trade_candles(connection, [Wanted(name, session) for name in names]))
    symbols = {signal.symbol for signal in signals}
    for (name, _), index in indices.items():
        if name in ladders:
            symbols |= atm_symbols(index, name, ladders[name])
    wanted = [Wanted(symbol, session) for symbol in sorted(symbols)]
    return {**indices, **series_of(read_trade_candles(connection, wanted))}


def lot_sizes(connection: Connection[Any], symbols: Collection[str]) -> dict[str, int]:
    """Return the units per lot: as the source named them, else as the calendar has them."""
    stored = stored_lot_sizes(connection, symbols)
    sizes: dict[str, int] = {}
    for symbol in symbols:
        contract = parse_symbol(symbol)
        known = contract and lot_size(contract.underlying, contract.expiry)
        if units := stored.get(symbol) or known:
            sizes[symbol] = units
    return sizes
