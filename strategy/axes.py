"""Where rows lie: groups (one underlying in one session) and slots (its intervals)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from strategy.frames import (
    MICROSECONDS_PER_MINUTE,
    Categories,
    CheckedFrame,
    Flags,
    Ints,
    microseconds,
    runs,
)
from strategy.session import session_hours

Key = tuple[int, int]  # group and slot

_DAY = 24 * 60 * MICROSECONDS_PER_MINUTE
_IST_OFFSET = 330 * MICROSECONDS_PER_MINUTE  # India has no summer time


@dataclass(frozen=True)
class Axes:
    """The groups, in order of session and underlying, and the slots of each session."""

    sessions: list[date]
    underlyings: list[str]
    opens: list[datetime]  # of each session, UTC
    sizes: list[int]  # how many intervals each session has
    minutes: int  # of an interval

    @classmethod
    def of(cls, sessions: set[date], underlyings: set[str], minutes: int) -> "Axes":
        """Return the axes that hold those sessions and underlyings."""
        days = sorted(sessions)
        hours = [session_hours(day) for day in days]
        sizes = [-((start - end) // timedelta(minutes=minutes)) for start, end in hours]
        return cls(days, sorted(underlyings), [start for start, _ in hours], sizes, minutes)

    @cached_property
    def _interval(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    @cached_property
    def _starts(self) -> Ints:
        return _array(map(microseconds, self.opens))

    @property
    def shape(self) -> tuple[int, int]:
        """The number of groups and of slots."""
        return len(self.sessions) * len(self.underlyings), max(self.sizes, default=0)

    def open(self, group: int) -> datetime:
        """Return when a group's session opens, UTC."""
        return self.opens[group // len(self.underlyings)]

    def end(self, group: int, slot: int) -> datetime:
        """Return when an interval ends, UTC."""
        return self.open(group) + (slot + 1) * self._interval

    def ends(self, groups: Ints, slots: Ints) -> Ints:
        """Return `end` of many, in microseconds."""
        opens = self._starts[groups // len(self.underlyings)]
        return opens + (slots + 1) * (self.minutes * MICROSECONDS_PER_MINUTE)

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
        width = self.minutes * MICROSECONDS_PER_MINUTE
        slot = since_open // width
        inside = (slot >= 0) & (slot < np.repeat(_array(self.sizes)[session], lengths))
        # Only rows outside the hours can be of another day than their session's open.
        outside = np.flatnonzero(~inside)
        opens = instants[outside] - since_open[outside]
        strange = np.zeros(len(rows), dtype=bool)
        strange[outside] = _ist_day(instants[outside]) != _ist_day(opens)
        rows.refuse("open_time", strange, "not on the row's session")
        rows.refuse(
            "open_time",
            slot * width != since_open,
            f"not the start of a {self.minutes}-minute interval",
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


def recoded(column: Categories, axis: Sequence[Any], at: Ints | slice) -> Ints:
    """Return the place of the rows' values on an axis that holds all of the column's values."""
    places = {value: place for place, value in enumerate(axis)}
    by_code = _array(places[value] for value in column.distinct)
    rows: Ints = by_code[column.small[at]]
    return rows
