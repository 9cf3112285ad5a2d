"""What is proved: one version of a strategy over one session."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Final

import pandas as pd

from strategy.loss_limit import limit_losses
from strategy.parameters import Parameters
from strategy.proof.compare import Line, line
from strategy.proof.frames import Frames, holds_rows
from strategy.series import series_of
from strategy.session import interval_opens
from strategy.signals import Rejection, Signal
from strategy.strategy import Rows, Strategy

# How long the intervals of each kind of frames are.
MINUTES: Final = {"build_ups": 5, "minutes": 1}


@dataclass(frozen=True)
class Subject:
    """A strategy with its numbers, and one session's data.

    Attributes:
        strategy: The rules.
        parameters: Their numbers.
        session: Trading date.
        frames: What the rules read.
        candles: By which the daily loss limit decides, as `strategy.series.series_of` takes them.
        every: Only each so manyth moment is tried.
    """

    strategy: Strategy
    parameters: Parameters
    session: date
    frames: Any
    candles: pd.DataFrame
    every: int = 1

    @property
    def data(self) -> Frames:
        """All that rows are made of."""
        return (*self.frames, self.candles)

    @cached_property
    def length(self) -> timedelta:
        """Of an interval."""
        return timedelta(minutes=MINUTES[self.strategy.reads])

    @cached_property
    def candidates(self) -> Rows:
        """What the rules give in their batch form, before the daily loss limit."""
        return self.strategy.evaluate(self.frames, self.parameters)

    @cached_property
    def rows(self) -> Rows:
        """What is to be stored."""
        return self.evaluated(self.data)

    @cached_property
    def is_empty(self) -> bool:
        """Whether nothing is stored."""
        return not holds_rows(self.frames)

    @cached_property
    def intervals(self) -> int:
        """How many the step form takes."""
        return sum(1 for _ in self.strategy.intervals(self.frames))

    @cached_property
    def ends(self) -> list[datetime]:
        """The ends of the session's intervals."""
        opens = interval_opens(self.session, MINUTES[self.strategy.reads])
        return [start + self.length for start in opens]

    @cached_property
    def became_known(self) -> list[datetime]:
        """The moments at which rows could first be given."""
        return sorted({row.known_at for row in each(self.rows) if row.known_at})

    def tried(self, moments: Sequence[datetime]) -> list[datetime]:
        """Return those of some moments that are tried; the last one always is."""
        return list(moments[::-1][:: self.every][::-1])

    def evaluated(self, data: Frames) -> Rows:
        """Return the rows of other data: of the rules' batch form, and of the loss limit."""
        *frames, candles = data
        given = self.strategy.evaluate(type(self.frames)(*frames), self.parameters)
        signals, limited = limit_losses(given[0], series_of(candles), self.parameters)
        return signals, [*given[1], *limited]


def each(rows: Rows) -> Iterator[Signal | Rejection]:
    """Yield signals, then rejections."""
    yield from rows[0]
    yield from rows[1]


def lines(rows: Rows) -> list[Line]:
    """Return signals and rejections to be compared."""
    return [line(row._asdict()) for row in each(rows)]


def ended(rows: Rows, moment: datetime) -> Rows:
    """Return the rows of intervals that had ended."""
    return _chosen(rows, lambda row: row.event_time <= moment)


def known(rows: Rows, moment: datetime) -> Rows:
    """Return the rows that were known; of missing rows nobody knows when they are missing."""
    return _chosen(rows, lambda row: row.known_at is not None and row.known_at <= moment)


def of_session(rows: Rows, session: date) -> Rows:
    """Return the rows of one session."""
    return _chosen(rows, lambda row: row.session == session)


def _chosen(rows: Rows, wanted: Any) -> Rows:
    signals: list[Signal] = [row for row in rows[0] if wanted(row)]
    rejections: list[Rejection] = [row for row in rows[1] if wanted(row)]
    return signals, rejections
