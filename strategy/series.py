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
    """Candles by slot: the session's intervals, counted from its open.

    `known_at` is `NO_TIME` where nothing is stored. Where only the prices are NaN it is stored that
    nothing was traded, which is no gap.
    """

    start: datetime  # the session's open, UTC
    width: timedelta
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
        """Return the first slot that starts at a moment or later; it may lie beyond the last."""
        return max(-((self.start - moment) // self.width), 0)

    def slots_until(self, moment: datetime) -> int:
        """Return how many slots have ended by a moment."""
        return min(max((moment - self.start) // self.width, 0), self.size)

    def moment(self, slot: int) -> datetime:
        """Return when a slot starts."""
        return self.start + slot * self.width

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
    found: dict[Key, Series] = {}
    for part in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        traded = minutes[part][~np.isnan(prices[3][part])]
        if not len(traded):
            continue
        width = int(traded.min())
        part = part[minutes[part] == width]
        symbol, day = divmod(int(keys[part[0]]), len(sessions.distinct))
        session = sessions.distinct[day]
        start, end = session_hours(session)
        step = timedelta(minutes=width)
        since_open = instants[part] - microseconds(start)
        slots, rest = np.divmod(since_open, width * MICROSECONDS_PER_MINUTE)
        if rest.any():
            row = int(part[rest != 0].min())
            rows.fail("open_time", f"not the start of a {width}-minute interval", row)
        size = -((start - end) // step)
        inside = (slots >= 0) & (slots < size)
        part, slots = part[inside], slots[inside]
        placed = [_placed(column[part], slots, np.full(size, np.nan)) for column in prices]
        known = _placed(known_at[part], slots, np.full(size, NO_TIME, dtype=np.int64))
        found[symbols.distinct[symbol], session] = Series(
            start, step, placed[0], placed[1], placed[2], placed[3], known
        )
    return found


def _placed(values: npt.NDArray[Any], slots: Ints, empty: npt.NDArray[Any]) -> npt.NDArray[Any]:
    empty[slots] = values
    return empty
