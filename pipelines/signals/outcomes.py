"""Outcomes from the stored tables: of a session's signals, and of random entries beside them."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, Self

from psycopg import Connection

from db.market.frames import Range
from db.market.quotes import read_quotes
from db.market.trades import Wanted, read_trade_candles
from db.server.connection import advisory_lock
from db.signals.holdout import sealed_sessions
from db.signals.outcomes import (
    nearest_ladders,
    sessions_with_signals,
    signals_as_first_given,
    standing_signals,
    store_outcomes,
    stored_lot_sizes,
)
from pipelines.signals.judging import CORRECTED, Day, judge_histories
from strategy.book import Book
from strategy.contract import lot_size, parse_symbol
from strategy.outcomes import HORIZONS
from strategy.random_entries import Ladder, places
from strategy.series import Key, Series, series_of
from strategy.signals import Signal

logger = logging.getLogger(__name__)

OUTCOMES_LOCK = 7_346_006


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
    """Compute the outcomes of all signals, and make the stored ones equal them.

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
    standing, first_given = (
        [Signal._make(row[: len(Signal._fields)]) for row in read(connection, session, underlyings)]
        for read in (standing_signals, signals_as_first_given)
    )
    day = _day(connection, session, underlyings, [*standing, *first_given])
    histories = judge_histories(standing, first_given, day)
    corrected = histories[CORRECTED]
    outcomes, random = corrected.outcomes(), corrected.random_outcomes()
    cases = [case for name, judged in histories.items() for case in judged.cases(name)]
    stored = store_outcomes(connection, session, underlyings, outcomes, random, cases)
    unresolved = len(HORIZONS) * len(standing) - len(outcomes)
    return Computed(len(standing), len(outcomes), unresolved, len(random), *stored)


def _day(
    connection: Connection[Any],
    session: date,
    underlyings: tuple[str, ...],
    signals: Sequence[Signal],
) -> Day:
    """Return what is stored of the indices, of the bought contracts and of what may be drawn."""
    ladders = {
        name: Ladder(*ladder)
        for name, ladder in nearest_ladders(connection, session, underlyings).items()
    }
    bought = {signal.symbol for signal in signals}
    series = _series(connection, session, bought | {signal.underlying for signal in signals})
    lots = lot_sizes(connection, bought)
    drawn = {
        place.symbol
        for signal in signals
        if signal.underlying in ladders
        for place in places(signal, ladders[signal.underlying], series, lots)
    }
    symbols = drawn | bought
    quotes = read_quotes(connection, session, symbols)
    return Day(
        ladders,
        {**series, **_series(connection, session, drawn - bought)},
        lot_sizes(connection, symbols),
        {symbol: Book(*one) for symbol, one in quotes.items()},
    )


def _series(
    connection: Connection[Any], session: date, symbols: Collection[str]
) -> Mapping[Key, Series]:
    wanted = [Wanted(symbol, session) for symbol in sorted(symbols)]
    return series_of(read_trade_candles(connection, wanted))


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
