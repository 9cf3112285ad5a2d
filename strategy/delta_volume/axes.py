"""Where rows lie: groups (one underlying in one session) and slots (its 5-minute intervals)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from strategy.build_up import INTERVAL_MINUTES
from strategy.delta_volume.rows import STRATEGY
from strategy.frames import MICROSECONDS_PER_MINUTE, Categories, CheckedFrame, Flags, Ints, runs
from strategy.session import session_hours
from strategy.signals import Moment

INTERVAL = timedelta(minutes=INTERVAL_MINUTES)
Key = tuple[int, int]  # group and slot

_SLOT = INTERVAL_MINUTES * MICROSECONDS_PER_MINUTE
_DAY = 24 * 60 * MICROSECONDS_PER_MINUTE
_IST_OFFSET = 330 * MICROSECONDS_PER_MINUTE  # India has no summer time


@dataclass(frozen=True)
class Axes:
    """The groups, in order of session and underlying, and the slots of each session."""

    sessions: list[date]
    underlyings: list[str]
    opens: list[datetime]  # of each session, UTC
    sizes: list[int]  # how many intervals each session has
    version: str  # of the strategy whose moments they are

    @classmethod
    def of(cls, sessions: set[date], underlyings: set[str], version: str) -> "Axes":
        """Return the axes that hold those sessions and underlyings."""
        days = sorted(sessions)
        hours = [session_hours(day) for day in days]
        sizes = [-((start - end) // INTERVAL) for start, end in hours]
        return cls(days, sorted(underlyings), [start for start, _ in hours], sizes, version)

    @cached_property
    def _starts(self) -> Ints:
        return _array(map(_micros, self.opens))

    @property
    def shape(self) -> tuple[int, int]:
        """The number of groups and of slots."""
        return len(self.sessions) * len(self.underlyings), max(self.sizes, default=0)

    def moment(self, group: int, slot: int) -> Moment:
        """Return the interval at a group and slot."""
        day, name = divmod(group, len(self.underlyings))
        end = self.opens[day] + (slot + 1) * INTERVAL
        return Moment(STRATEGY, self.version, self.underlyings[name], self.sessions[day], end)

    def group_key(self, group: int) -> tuple[date, str]:
        """Return session and underlying of a group."""
        session, underlying = divmod(group, len(self.underlyings))
        return self.sessions[session], self.underlyings[underlying]

    def place(self, rows: CheckedFrame, sessions: Categories) -> tuple[Ints, Flags]:
        """Return the slot of each row, and whether it lies within the session's hours."""
        instants = rows.instants("open_time")
        starts, lengths = runs(sessions.small)
        session = recoded(sessions, self.sessions, starts)  # of each run
        # Written over: memory that was never used before costs more than the arithmetic.
        since_open = np.repeat(self._starts[session], lengths)
        np.subtract(instants, since_open, out=since_open)
        slot = since_open // _SLOT
        inside = (slot >= 0) & (slot < np.repeat(_array(self.sizes)[session], lengths))
        # Only rows outside the hours can be of another day than their session's open.
        outside = np.flatnonzero(~inside)
        opens = instants[outside] - since_open[outside]
        strange = np.zeros(len(rows), dtype=bool)
        strange[outside] = _ist_day(instants[outside]) != _ist_day(opens)
        rows.refuse("open_time", strange, "not on the row's session")
        rows.refuse(
            "open_time",
            slot * _SLOT != since_open,
            f"not the start of a {INTERVAL_MINUTES}-minute interval",
        )
        return slot, inside

    def groups(self, sessions: Categories, underlyings: Categories, at: Ints | slice) -> Ints:
        """Return the group of the rows at those places."""
        session = recoded(sessions, self.sessions, at)
        return session * len(self.underlyings) + recoded(underlyings, self.underlyings, at)


def _array(numbers: Iterable[int]) -> Ints:
    return np.fromiter(numbers, dtype=np.int64)


def _ist_day(instants: Ints) -> Ints:
    return (instants + _IST_OFFSET) // _DAY


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def recoded(column: Categories, axis: Sequence[Any], at: Ints | slice) -> Ints:
    """Return the place of the rows' values on an axis that holds all of the column's values."""
    places = {value: place for place, value in enumerate(axis)}
    by_code = _array(places[value] for value in column.distinct)
    rows: Ints = by_code[column.small[at]]
    return rows
