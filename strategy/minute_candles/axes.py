"""Where rows lie: groups (one underlying in one session) and slots (minutes from the open)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import numpy as np

from strategy.frames import MICROSECONDS_PER_MINUTE, Categories, CheckedFrame, Ints
from strategy.minute_candles.candle import MINUTE, microseconds
from strategy.session import IST, session_hours

_DAY = 24 * 60 * MICROSECONDS_PER_MINUTE


@dataclass(frozen=True)
class Axes:
    """The groups, in order of session and underlying, and the slots of each session."""

    sessions: list[date]
    underlyings: list[str]
    opens: list[datetime]  # of each session, UTC
    sizes: list[int]  # how many minutes each session has

    @classmethod
    def of(cls, sessions: set[date], underlyings: set[str]) -> "Axes":
        """Return the axes that hold those sessions and underlyings."""
        days = sorted(sessions)
        hours = [session_hours(day) for day in days]
        sizes = [(end - start) // MINUTE for start, end in hours]
        return cls(days, sorted(underlyings), [start for start, _ in hours], sizes)

    @property
    def shape(self) -> tuple[int, int]:
        """The number of groups and of slots."""
        return len(self.sessions) * len(self.underlyings), max(self.sizes, default=0)

    def groups(self) -> Iterator[tuple[date, str, datetime]]:
        """Yield session, underlying and open of each group."""
        for session, opens in zip(self.sessions, self.opens, strict=True):
            for underlying in self.underlyings:
                yield session, underlying, opens

    def place(
        self, rows: CheckedFrame, sessions: Categories, underlyings: Categories
    ) -> tuple[Ints, Ints]:
        """Return group and slot of each row; group -1 outside the session's hours."""
        session = _recoded(sessions, self.sessions)
        instants = rows.instants("open_time")
        starts = np.array([microseconds(start) for start in self.opens], dtype=np.int64)
        midnights = np.array(
            [microseconds(datetime.combine(day, time(), IST)) for day in self.sessions],
            dtype=np.int64,
        )
        sizes = np.array(self.sizes, dtype=np.int64)
        day = (instants - midnights[session]) // _DAY
        rows.refuse("open_time", day != 0, "not on the row's session")
        slot, rest = np.divmod(instants - starts[session], MICROSECONDS_PER_MINUTE)
        rows.refuse("open_time", rest != 0, "not the start of a minute")
        group = session * len(self.underlyings) + _recoded(underlyings, self.underlyings)
        outside = (slot < 0) | (slot >= sizes[session])
        return np.where(outside, -1, group), np.where(outside, 0, slot)


def _recoded(column: Categories, axis: Sequence[Any]) -> Ints:
    places = {value: place for place, value in enumerate(axis)}
    return np.array([places[value] for value in column.distinct], dtype=np.int64)[column.codes]
