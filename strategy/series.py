"""The candles of one contract in one session, by slot: what trades are walked through."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from strategy.frames import (
    MICROSECONDS_PER_MINUTE,
    NO_TIME,
    CheckedFrame,
    Flags,
    Floats,
    Ints,
    instant,
    microseconds,
)
from strategy.session import session_hours

COLUMNS = (
    *("symbol", "session", "interval_minutes", "open_time"),
    *("open", "high", "low", "close", "known_at"),
)
INTERVALS = (1, 5)
Key = tuple[str, date]  # symbol and session


class Series(NamedTuple):
    """Candles by slot, one slot after the other from the session's open to its end.

    Each five minutes have either slots of a minute or, where only the candle of five is stored,
    one. `known_at` is `NO_TIME` where nothing is stored. Where only the prices are NaN it is stored
    that nothing was traded, which is no gap.
    """

    bounds: Ints  # where slots start, and where the last one ends; microseconds UTC
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    known_at: Ints  # microseconds UTC

    @property
    def size(self) -> int:
        """The number of slots."""
        return len(self.known_at)

    def slot_from(self, moment: datetime) -> int:
        """Return the first slot that starts at a moment or later; their number if none does."""
        return int(np.searchsorted(self.bounds[:-1], microseconds(moment)))

    def slots_until(self, moment: datetime) -> int:
        """Return how many slots have ended by a moment."""
        return int(np.searchsorted(self.bounds[1:], microseconds(moment), side="right"))

    def moment(self, slot: int) -> datetime:
        """Return when a slot starts; that of their number is when the last one ends."""
        return instant(int(self.bounds[slot]))

    def gap_from(self, slot: int) -> int:
        """Return the first slot from that one on of which nothing is stored; else their number."""
        return first_of(self.known_at == NO_TIME, slot)

    def known_from(self, first: int, stop: int) -> datetime:
        """Return when the last of the stored slots [first, stop) became known, at least one."""
        return instant(int(self.known_at[first:stop].max()))


def first_of(flags: Flags, start: int) -> int:
    """Return the first place from a start on that is set; the length if none is."""
    later = flags[start:]
    return start + int(later.argmax()) if later.any() else len(flags)


def series_of(candles: pd.DataFrame) -> Mapping[Key, Series]:
    """Return the finest stored candles of each symbol and session, by slot.

    What is finest is decided for each five minutes by their own rows, so that later candles of
    another width change nothing before them.

    Args:
        candles: Final ones, each symbol's ascending by time within an interval: symbol, session,
            interval_minutes (1 or 5), open_time, open, high, low, close (rupees; NaN where
            nothing was traded), known_at. Those outside the session's hours are left out.

    Raises:
        FrameContractError: A column is absent or holds what it must not.
    """
    rows = CheckedFrame(candles, "candles", COLUMNS)
    symbols, sessions = rows.texts("symbol"), rows.dates("session")
    minutes = rows.integers("interval_minutes")
    rows.refuse("interval_minutes", ~np.isin(minutes, INTERVALS), "neither 1 nor 5")
    instants, known_at = rows.instants("open_time"), rows.instants("known_at")
    prices = [rows.prices(name, optional=True) for name in ("open", "high", "low", "close")]
    keys = symbols.codes * len(sessions.distinct) + sessions.codes
    order = rows.ascending("open_time", keys * 10 + minutes, instants)
    opens = np.array([microseconds(session_hours(day)[0]) for day in sessions.distinct], np.int64)
    since_open = instants - opens[sessions.codes] if len(rows) else instants
    minute, rest = np.divmod(since_open, MICROSECONDS_PER_MINUTE)
    for width in INTERVALS:
        between = (minutes == width) & ((rest != 0) | (minute % width != 0))
        rows.refuse("open_time", between, f"not the start of a {width}-minute interval")
    found: dict[Key, Series] = {}
    for part in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        if not len(part):
            continue
        symbol, day = divmod(int(keys[part[0]]), len(sessions.distinct))
        session = sessions.distinct[day]
        places, bounds = _slots(minute[part], minutes[part], ~np.isnan(prices[3][part]), session)
        part, places = part[places >= 0], places[places >= 0]
        size = len(bounds) - 1
        placed = [_placed(column[part], places, np.full(size, np.nan)) for column in prices]
        known = _placed(known_at[part], places, np.full(size, NO_TIME, dtype=np.int64))
        found[symbols.distinct[symbol], session] = Series(
            bounds, placed[0], placed[1], placed[2], placed[3], known
        )
    return found


def _slots(minute: Ints, widths: Ints, traded: Flags, session: date) -> tuple[Ints, Ints]:
    """Return the slot of each candle of one contract's session, and where slots start and end.

    A slot is -1 outside the session, and where another width stands for those five minutes:
    minutes that were traded before a candle of five, and that before quiet minutes.

    Args:
        minute: Where each candle starts, counted from the open.
        widths: Its minutes.
        traded: Whether anything was traded in it.
        session: Whose hours.
    """
    start, end = session_hours(session)
    length = -((start - end) // timedelta(minutes=1))
    inside = (minute >= 0) & (minute < length)
    five = np.where(inside, minute // 5, -1)
    count = -(-length // 5)

    def has(chosen: Flags) -> Flags:
        flags = np.zeros(count + 1, dtype=bool)
        flags[five[chosen]] = True
        return flags[:-1]

    fine = widths == 1
    coarse = has(~fine & traded) | (has(~fine) & ~has(fine))
    if not fine.any():
        coarse[:] = True
    coarse &= ~has(fine & traded)
    starts = np.arange(length)
    starts = starts[~coarse[starts // 5] | (starts % 5 == 0)]
    slot = np.searchsorted(starts, minute)
    used = inside & (coarse[five] != fine)
    bounds = microseconds(start) + np.append(starts, length) * MICROSECONDS_PER_MINUTE
    return np.where(used, slot, -1), bounds


def _placed(values: npt.NDArray[Any], slots: Ints, empty: npt.NDArray[Any]) -> npt.NDArray[Any]:
    empty[slots] = values
    return empty
