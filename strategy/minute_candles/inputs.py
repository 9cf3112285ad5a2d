"""The frames of the minute strategies, checked as a whole and cut into days."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd

from strategy.axes import Axes
from strategy.contract import STRIKE_STEPS, UNDERLYINGS
from strategy.frames import Categories, CheckedFrame, Counts, Flags, Ints
from strategy.ladders import OPTION_TYPES, Ladder, Ladders
from strategy.minute_candles.candle import HIGHEST_STRIKE, MINUTE, PROBLEMS
from strategy.minute_candles.day import Candles, Day, Source
from strategy.session import spot_is_reliable

PRICES = ("open", "high", "low", "close")
INDEX_COLUMNS = ("session", "underlying", "open_time", *PRICES, "known_at")
OPTION_COLUMNS = (
    *("session", "underlying", "symbol", "expiry", "strike", "option_type", "open_time"),
    *(*PRICES, "volume", "known_at"),
)

_SPREAD = 4 * HIGHEST_STRIKE  # more than there are contracts of an expiry in a group


def days_of(
    index: pd.DataFrame, options: pd.DataFrame, contracts: pd.DataFrame, strategy: str, version: str
) -> Iterator[Day]:
    """Yield every session of every underlying, by session and underlying.

    Args:
        index: Final 1-minute candles of the indices, each one's ascending: session, underlying,
            open_time, open, high, low, close, known_at.
        options: The same of the contracts of each expiry that is the nearest at some time, with
            symbol, expiry, strike, option_type ('C', 'P') and volume (units; null if unknown). A
            minute of which it is stored that nothing was traded has volume 0, and prices of NaN.
        contracts: What is listed, as `strategy.ladders.Ladders` takes it.
        strategy: Who looks at them.
        version: In which version.

    Raises:
        FrameContractError: A frame lacks a column or holds values that are null, negative,
            naive, unsorted, duplicate, too large or of a wrong type; a candle's high is not its
            highest price or its low not the lowest; or an expiry was over.
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
    none = np.zeros(len(prices), dtype=bool)
    source = _source(prices, None, none)
    spots = Candles(prices.grid("open_time", group, slot, axes.shape)[0], source)

    group, slot = _place(axes, rows, *keys[1])
    inside = group >= 0
    expiries = rows.dates("expiry")
    _check_expiries(rows, expiries, keys[1][0], inside)
    lines, line = np.full(len(rows), -1, dtype=np.int64), _contract_numbers(rows, group, expiries)
    numbers, lines[inside] = np.unique(line[inside], return_inverse=True)
    grid, _ = rows.grid("open_time", lines, slot, (len(numbers) + 1, axes.shape[1]))
    rows.check_texts("symbol")
    silent = _silent(rows)
    source = _source(rows, rows.counts("volume"), silent)
    is_silent = np.append(silent, False)[grid]  # the entry appended is that of no row
    candles, quiet = (
        Candles(np.where(is_silent == chosen, grid, -1), source) for chosen in (False, True)
    )
    ladders = Ladders(contracts)
    codes = {day: code for code, day in enumerate(expiries.distinct)}
    for place in range(axes.shape[0]):
        session, underlying = axes.group_key(place)
        spot, parts = spots[place], ladders.of_session(underlying, session)
        strikes, wanted = _at_the_money(axes, place, spot, parts, codes)
        calls, puts = (_places(numbers, contract) for contract in wanted)
        yield Day(
            *(strategy, version, session, underlying, axes.open(place), spot, strikes, candles),
            *(quiet, calls, puts),
        )


def _place(
    axes: Axes, rows: CheckedFrame, sessions: Categories, underlyings: Categories
) -> tuple[Ints, Ints]:
    """Return group and slot of each row; group -1 outside the session's hours."""
    slot, inside = axes.place(rows, sessions)
    return np.where(inside, axes.groups(sessions, underlyings, slice(None)), -1), slot


def _silent(rows: CheckedFrame) -> Flags:
    """Return which rows tell that nothing was traded: all prices are NaN, and the volume is 0."""
    prices = rows.frame[[*PRICES]].isna().to_numpy(dtype=bool)
    if not prices.any():
        return np.zeros(len(rows), dtype=bool)
    volume = rows.counts("volume")
    silent: Flags = prices.all(axis=1) & volume.known & (volume.numbers == 0)
    for place, name in enumerate(PRICES):
        rows.refuse(name, prices[:, place] & ~silent, "NaN is not allowed")
    return silent


def _source(rows: CheckedFrame, volume: Counts | None, silent: Flags) -> Source:
    """Check the candles of a frame and return them; without volume they are an index's."""
    none = Counts(np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=bool))
    units, known = volume or none
    prices = {name: rows.prices(name, optional=bool(silent.any())) for name in PRICES}
    if silent.any():
        prices = {name: np.where(silent, 0.0, price) for name, price in prices.items()}
    for column, problem, broken in PROBLEMS:
        rows.refuse(column, broken(SimpleNamespace(**prices, volume=units)), problem)
    name = "underlying" if volume is None else "symbol"
    symbols = rows.frame[name].to_numpy(dtype=object)
    columns = (
        *(np.rint(price * 100).astype(np.int64) for price in prices.values()),
        *(units, known, rows.instants("known_at")),
    )
    return Source._make(np.append(column, column.dtype.type(0)) for column in (symbols, *columns))


def _contract_numbers(rows: CheckedFrame, group: Ints, expiries: Categories) -> Ints:
    """Return a number for each row's contract and session, the call's before the put's."""
    kinds = rows.texts("option_type", OPTION_TYPES)
    is_put = np.array([kind == "P" for kind in kinds.distinct], dtype=np.int64)[kinds.codes]
    series = group * len(expiries.distinct) + expiries.codes
    return series * _SPREAD + 2 * _strikes(rows) + is_put


def _strikes(rows: CheckedFrame) -> Ints:
    strikes = rows.integers("strike")
    rows.refuse("strike", strikes <= 0, "not above zero")
    rows.refuse("strike", strikes > HIGHEST_STRIKE, "too high")
    return strikes


def _places(numbers: Ints, wanted: Ints) -> Ints:
    """Return where the wanted contracts are among the ascending numbers; -1 for none."""
    place = np.searchsorted(numbers, wanted)
    return np.where(np.append(numbers, -1)[place] == wanted, place, -1)


def _check_expiries(
    rows: CheckedFrame, expiries: Categories, sessions: Categories, inside: Flags
) -> None:
    """Check that no expiry of a row within the hours was over in its session."""
    expiry, session = (
        np.array([day.toordinal() for day in column.distinct], dtype=np.int64)[column.small]
        for column in (expiries, sessions)
    )
    rows.refuse("expiry", inside & (expiry < session), "before the session")


def _at_the_money(
    axes: Axes, place: int, spots: Candles, ladders: list[Ladder], codes: Mapping[date, int]
) -> tuple[Ints, Ints]:
    """Return by minute the strike at the money, and its contracts' numbers, the call's first.

    -1 where there is none, and for a contract that is not known yet.

    Args:
        axes: Of all groups.
        place: The group.
        spots: Its index.
        ladders: Its ladders, one after the other.
        codes: The number of each expiry that has rows.
    """
    opens, size = axes.open(place), axes.shape[1]
    strikes = np.full(size, -1, dtype=np.int64)
    wanted = np.full((len(OPTION_TYPES), size), -1, dtype=np.int64)
    usable = spots.stored & (np.arange(size) < _reliable_minutes(opens, size))
    ends = axes.ends(np.full(size, place), np.arange(size))
    since = np.array([ladder.since for ladder in ladders], dtype=np.int64)
    bounds = [*np.searchsorted(ends, since).tolist(), size]
    closes, step = spots.close, STRIKE_STEPS[axes.group_key(place)[1]]
    for ladder, (first, last) in zip(ladders, pairwise(bounds), strict=True):
        slots = first + np.flatnonzero(usable[first:last])
        nearest = _nearest(ladder, closes[slots], step)
        slots, nearest = slots[nearest >= 0], nearest[nearest >= 0]
        strikes[slots] = ladder.strikes[nearest]
        if ladder.expiry in codes:
            series = (place * len(codes) + codes[ladder.expiry]) * _SPREAD
            for side in range(len(OPTION_TYPES)):
                number = series + 2 * strikes[slots] + side
                wanted[side, slots] = np.where(ladder.known[nearest, side], number, -1)
    return strikes, wanted


def _nearest(ladder: Ladder, closes: Ints, step: int) -> Ints:
    """Return the place of the strike nearest to each close in paise, the lower of two.

    As `cluster_strikes` does without wings: -1 where none is at the money.
    """
    strikes = 100 * ladder.strikes
    above = np.minimum(np.searchsorted(strikes, closes), len(strikes) - 1)
    below = np.maximum(above - 1, 0)
    nearer_above = np.abs(strikes[above] - closes) < np.abs(strikes[below] - closes)
    place = np.where(nearer_above, above, below)
    inside = (strikes[0] <= closes) & (closes <= strikes[-1])
    twice = 2 * (closes - strikes[place])
    near = (-100 * step < twice) & (twice <= 100 * step)
    return np.where(inside & near, place, -1)


def _reliable_minutes(opens: datetime, size: int) -> int:
    """Return how many minutes of a session come before the index turns unreliable for good."""
    ends = range(1, size + 1)
    return bisect_left(ends, True, key=lambda end: not spot_is_reliable(opens + end * MINUTE))
