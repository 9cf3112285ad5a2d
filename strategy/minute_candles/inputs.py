"""The frames of the minute strategies, checked as a whole and cut into days."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd

from strategy.axes import Axes
from strategy.contract import UNDERLYINGS
from strategy.frames import Categories, CheckedFrame, Counts, Ints
from strategy.ladders import Ladders
from strategy.minute_candles.candle import HIGHEST_STRIKE, MINUTE, PROBLEMS
from strategy.minute_candles.day import Candles, Day, Source
from strategy.session import spot_is_reliable

PRICES = ("open", "high", "low", "close")
INDEX_COLUMNS = ("session", "underlying", "open_time", *PRICES, "known_at")
OPTION_COLUMNS = (
    *("session", "underlying", "symbol", "expiry", "strike", "option_type", "open_time"),
    *(*PRICES, "volume", "known_at"),
)
OPTION_TYPES = ("C", "P")

_SPREAD = 4 * HIGHEST_STRIKE  # more than there are contracts in a group
_NONE: Ints = np.zeros(0, dtype=np.int64)


def days_of(
    index: pd.DataFrame, options: pd.DataFrame, contracts: pd.DataFrame, strategy: str, version: str
) -> Iterator[Day]:
    """Yield every session of every underlying, by session and underlying.

    Args:
        index: Final 1-minute candles of the indices, each one's ascending: session, underlying,
            open_time, open, high, low, close, known_at.
        options: The same of the nearest expiry's contracts, with symbol, expiry, strike,
            option_type ('C', 'P') and volume (units; null if unknown).
        contracts: The listed strikes: underlying, expiry, strike, first_seen (session).
        strategy: Who looks at them.
        version: In which version.

    Raises:
        FrameContractError: A frame lacks a column or holds values that are null, negative,
            naive, unsorted, duplicate, too large or of a wrong type; a candle's high is not its
            highest price or its low not the lowest; or a session has two expiries.
    """
    prices = CheckedFrame(index, "index", INDEX_COLUMNS)
    rows = CheckedFrame(options, "options", OPTION_COLUMNS)
    keys = [(one.dates("session"), one.texts("underlying", UNDERLYINGS)) for one in (prices, rows)]
    axes = Axes.of(
        {day for days, _ in keys for day in days.distinct},
        {name for _, names in keys for name in names.distinct},
        minutes=1,
    )
    group, slot = _place(axes, prices, *keys[0])
    spots = Candles(prices.grid("open_time", group, slot, axes.shape)[0], _source(prices, None))

    group, slot = _place(axes, rows, *keys[1])
    inside = group >= 0
    lines, line = np.full(len(rows), -1, dtype=np.int64), _contract_numbers(rows, group)
    numbers, lines[inside] = np.unique(line[inside], return_inverse=True)
    grid, _ = rows.grid("open_time", lines, slot, (len(numbers) + 1, axes.shape[1]))
    expiries = _expiries(rows, group, axes)
    rows.check_texts("symbol")
    candles = Candles(grid, _source(rows, rows.counts("volume")))
    ladders = Ladders(contracts)
    for place in range(axes.shape[0]):
        session, underlying = axes.group_key(place)
        opens = axes.open(place)
        ladder = ladders.at(underlying, expiries[place], session)
        strikes = _at_the_money(ladder, spots[place], opens)
        calls = np.where(strikes < 0, -1, place * _SPREAD + 2 * strikes)
        yield Day(
            *(strategy, version, session, underlying, opens, spots[place], strikes, candles),
            *(_places(numbers, calls + side) for side in range(2)),
        )


def _place(
    axes: Axes, rows: CheckedFrame, sessions: Categories, underlyings: Categories
) -> tuple[Ints, Ints]:
    """Return group and slot of each row; group -1 outside the session's hours."""
    slot, inside = axes.place(rows, sessions)
    return np.where(inside, axes.groups(sessions, underlyings, slice(None)), -1), slot


def _source(rows: CheckedFrame, volume: Counts | None) -> Source:
    """Check the candles of a frame and return them; without volume they are an index's."""
    none = Counts(np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=bool))
    units, known = volume or none
    prices = {name: rows.prices(name) for name in PRICES}
    for column, problem, broken in PROBLEMS:
        rows.refuse(column, broken(SimpleNamespace(**prices, volume=units)), problem)
    name = "underlying" if volume is None else "symbol"
    symbols = rows.frame[name].to_numpy(dtype=object)
    columns = (
        *(np.rint(price * 100).astype(np.int64) for price in prices.values()),
        *(units, known, rows.instants("known_at")),
    )
    return Source._make(np.append(column, column.dtype.type(0)) for column in (symbols, *columns))


def _contract_numbers(rows: CheckedFrame, group: Ints) -> Ints:
    """Return a number for each row's contract and session, the call's before the put's."""
    kinds = rows.texts("option_type", OPTION_TYPES)
    is_put = np.array([kind == "P" for kind in kinds.distinct], dtype=np.int64)[kinds.codes]
    return group * _SPREAD + 2 * _strikes(rows) + is_put


def _strikes(rows: CheckedFrame) -> Ints:
    strikes = rows.integers("strike")
    rows.refuse("strike", strikes <= 0, "not above zero")
    rows.refuse("strike", strikes > HIGHEST_STRIKE, "too high")
    return strikes


def _places(numbers: Ints, wanted: Ints) -> Ints:
    """Return where the wanted contracts are among the ascending numbers; -1 for none."""
    place = np.searchsorted(numbers, wanted)
    return np.where(np.append(numbers, -1)[place] == wanted, place, -1)


def _expiries(rows: CheckedFrame, group: Ints, axes: Axes) -> list[date | None]:
    """Return each group's expiry after checking that it has only one, not yet over."""
    expiries = rows.dates("expiry")
    found = np.full(axes.shape[0] + 1, -1, dtype=np.int64)  # the last for rows left out
    found[group[::-1]] = expiries.codes[::-1]  # the first row of each wins
    rows.refuse(
        "expiry", (group >= 0) & (found[group] != expiries.codes), "a second one in the session"
    )
    nearest: list[date | None] = []
    for place in range(axes.shape[0]):
        expiry = expiries.distinct[found[place]] if found[place] >= 0 else None
        if expiry is not None and expiry < axes.group_key(place)[0]:
            rows.fail("expiry", "before the session", int((group == place).argmax()))
        nearest.append(expiry)
    return nearest


def _at_the_money(ladder: Ints, spots: Candles, opens: datetime) -> Ints:
    """Return the strike nearest to each minute's close, the lower of two; -1 for none."""
    size = len(spots.rows)
    usable = spots.stored & (np.arange(size) < _reliable_minutes(opens, size))
    if not len(ladder):
        return np.full(size, -1, dtype=np.int64)
    close = spots.close
    above = np.searchsorted(100 * ladder, close)
    below = ladder[np.maximum(above - 1, 0)]
    above = ladder[np.minimum(above, len(ladder) - 1)]
    nearer_above = np.abs(100 * above - close) < np.abs(100 * below - close)
    return np.where(usable, np.where(nearer_above, above, below), -1)


def _reliable_minutes(opens: datetime, size: int) -> int:
    """Return how many minutes of a session come before the index turns unreliable for good."""
    ends = range(1, size + 1)
    return bisect_left(ends, True, key=lambda end: not spot_is_reliable(opens + end * MINUTE))
