"""What the market says an underlying costs at an expiry, per interval: future or parity."""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from strategy.contract import monthly_expiry
from strategy.errors import CalendarUnknownError
from strategy.frames import NO_TIME, CheckedFrame, Flags, Floats, Ints

# Where call and put cost nearly the same they are traded most, and an error in the forward is the
# error of two prices and no more. Often one of them is older than the others by as much as the
# index moved since: the median of three pairs outvotes one such pair, that of five two. More pairs
# would only reach into strikes that trade less.
PARITY_PAIRS: Final = 5
LEAST_PAIRS: Final = 3

FUTURE_COLUMNS = ("underlying", "close_time", "close", "volume", "known_at")


class Group(NamedTuple):
    """One interval of one expiry: all of it has one forward."""

    underlying: str
    expiry: date
    session: date
    minutes: int
    close_time: int  # microseconds UTC


class Quotes(NamedTuple):
    """Closes of options that were traded in their interval, one element each."""

    group: Ints  # ascending positions in a list of groups
    strike: Ints
    is_call: Flags
    price: Floats
    known: Ints  # microseconds UTC
    growth: Floats  # of a rupee until expiry


class Forwards(NamedTuple):
    """One forward per group: NaN and `NO_TIME` where there is none."""

    price: Floats
    known: Ints  # when the last of what it was computed from was known, microseconds UTC


def parity_forwards(quotes: Quotes, groups: int) -> Forwards:
    """Return the median of K + growth x (C - P) over the pairs nearest to the money."""
    order = np.lexsort((~quotes.is_call, quotes.strike, quotes.group))
    group, strike, is_call = quotes.group[order], quotes.strike[order], quotes.is_call[order]
    paired = (group[1:] == group[:-1]) & (strike[1:] == strike[:-1]) & is_call[:-1] & ~is_call[1:]
    calls, puts = order[:-1][paired], order[1:][paired]
    spread = quotes.price[calls] - quotes.price[puts]
    nearest = np.lexsort((quotes.strike[calls], np.abs(spread), quotes.group[calls]))
    nearest = nearest[_places(quotes.group[calls][nearest]) < PARITY_PAIRS]
    counts = np.bincount(quotes.group[calls][nearest], minlength=groups)
    nearest = nearest[counts[quotes.group[calls][nearest]] >= LEAST_PAIRS]
    calls, puts = calls[nearest], puts[nearest]
    known = np.full(groups, NO_TIME, dtype=np.int64)
    np.maximum.at(known, quotes.group[calls], np.maximum(quotes.known[calls], quotes.known[puts]))
    price = quotes.strike[calls] + quotes.growth[calls] * spread[nearest]
    return Forwards(_medians(quotes.group[calls], price, groups), known)


def future_forwards(futures: pd.DataFrame, groups: Sequence[Group]) -> Forwards:
    """Return the front future's close at each group's end, where it expires with the options.

    Args:
        futures: As `strategy.greeks.evaluate_greeks` documents it.
        groups: Which intervals.
    """
    rows = CheckedFrame(futures, "futures", FUTURE_COLUMNS)
    names, times = rows.texts("underlying"), rows.instants("close_time")
    prices, volumes = rows.prices("close"), rows.counts("volume")
    known = rows.instants("known_at")
    rows.ascending("close_time", names.codes, times)
    traded = np.flatnonzero(volumes.known & (volumes.numbers > 0) & (prices > 0))
    places = {(names.distinct[names.codes[row]], times[row]): row for row in traded}
    found = Forwards(np.full(len(groups), np.nan), np.full(len(groups), NO_TIME, dtype=np.int64))
    for position, group in enumerate(groups):
        row = places.get((group.underlying, group.close_time))
        if row is not None and _front_expiry(group.underlying, group.session) == group.expiry:
            found.price[position], found.known[position] = prices[row], known[row]
    return found


def _front_expiry(underlying: str, session: date) -> date | None:
    try:
        return monthly_expiry(underlying, session)
    except CalendarUnknownError:  # the calendar ends before that expiry: parity can still tell
        return None


def _places(groups: Ints) -> Ints:
    """Return each element's place within its group, counted from 0; groups are together."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    sizes = np.diff(np.append(starts, len(groups)))
    return np.arange(len(groups)) - np.repeat(starts, sizes)


def _medians(group: Ints, values: Floats, groups: int) -> Floats:
    order = np.lexsort((values, group))
    found, starts, sizes = np.unique(group[order], return_index=True, return_counts=True)
    ranked = values[order]
    medians = np.full(groups, np.nan)
    medians[found] = (ranked[starts + (sizes - 1) // 2] + ranked[starts + sizes // 2]) / 2
    return medians
