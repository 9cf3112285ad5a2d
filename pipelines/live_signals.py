"""Signals of the running session, one interval at a time: what changed is stepped again.

Nothing is kept that the tables do not have. A new process steps through the session once; from
then on the change log says from which moment on the inputs changed, and the steps are taken again
from the interval that holds it. The rows equal those of the batch form.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from db.change_log import LogState, earliest_changes
from db.connection import advisory_lock
from db.market import Range, ladder_marks
from db.signals import Scope, Stored, store_signals
from pipelines.checks.gate import blocked_since
from pipelines.materialise import (
    READERS,
    SIGNALS_LOCK,
    Materialised,
    SignalsBusyError,
    permitted,
    report,
)
from pipelines.versions import Planned, live_plans
from strategy.session import session_hours
from strategy.signals import Rejection, Signal

Key = tuple[str, str, str]  # strategy, version, underlying


class _Track:
    """One version over one underlying: the state before each interval, and what it gave."""

    def __init__(self, plan: Planned, session: date, underlying: str) -> None:
        self._plan = plan
        self._first = plan.strategy.state(session, underlying)
        self._states: list[Any] = []  # after each interval taken
        self._opens: list[datetime] = []
        self._given: list[tuple[list[Signal], list[Rejection]]] = []

    def rewind(self, moment: datetime) -> datetime | None:
        """Forget the interval that holds a moment and all later ones; return its start.

        None if nothing was taken before: the steps begin with the session.
        """
        place = max(bisect_right(self._opens, moment) - 1, 0)
        start = self._opens[place] if place else None
        for kept in (self._states, self._opens, self._given):
            del kept[place:]
        return start

    def take(self, interval: Any) -> None:
        """Take the next interval."""
        state = self._states[-1] if self._states else self._first
        strategy, parameters = self._plan
        state, signals, rejections = strategy.step(state, interval, parameters)
        self._states.append(state)
        self._opens.append(interval.open_time)
        self._given.append((signals, rejections))

    def takes(self, open_time: datetime) -> bool:
        """Whether an interval comes after those that were taken."""
        return not self._opens or open_time > self._opens[-1]

    @property
    def signals(self) -> Iterable[Signal]:
        """Of the session so far."""
        return (signal for signals, _ in self._given for signal in signals)

    @property
    def rejections(self) -> Iterable[Rejection]:
        """Of the session so far."""
        return (rejection for _, rejections in self._given for rejection in rejections)


class LiveSignals:
    """The live versions over one session's underlyings."""

    def __init__(self, session: date, underlyings: tuple[str, ...]) -> None:
        self._session = session
        self._open = session_hours(session)[0]
        self._underlyings = underlyings
        self._log: LogState | None = None
        self._stale: dict[str, datetime] = {}  # per underlying, from which moment on
        self._tracks: dict[Key, _Track] = {}
        self._ladders: dict[str, str] = {}

    def advance(
        self, connection: Connection[Any], now: datetime, *, wait: bool = True
    ) -> Materialised:
        """Bring the stored signals up to what is stored now.

        Args:
            connection: In autocommit mode.
            now: Market time, noted on signals that no longer follow from the data.
            wait: Until another process is done.

        Raises:
            SignalsBusyError: Another process is at it, and we were not to wait.
        """
        with advisory_lock(connection, SIGNALS_LOCK, wait=wait) as held:
            if not held:
                raise SignalsBusyError("another process computes signals")
            plans = live_plans(connection, now)
            self._look(connection, plans)
            if not self._stale:
                return Materialised(0, 0, 0, {})
            since = min(self._stale.values())
            blocked = blocked_since(connection, self._session, self._underlyings, now, since)
            parts = [] if blocked else [self._renew(connection, plan, now) for plan in plans]
            if not blocked:
                self._stale.clear()
        return report(Range(self._session, self._session), parts, blocked)

    def _look(self, connection: Connection[Any], plans: Sequence[Planned]) -> None:
        """Find out from which moment on the inputs changed, and forget what that makes stale."""
        after = self._log.newest if self._log else 0
        sessions = Range(self._session, self._session).parameters(self._underlyings)
        log, changed = earliest_changes(connection, after, sessions)
        wanted = {(*_name(plan), name): plan for plan in plans for name in self._underlyings}
        ladders = ladder_marks(connection, self._session, self._underlyings)
        known = self._log is not None and log.epoch == self._log.epoch and log.pruned_to <= after
        if not known or wanted.keys() != self._tracks.keys():
            changed = dict.fromkeys(self._underlyings, self._open)
            self._tracks = {
                key: _Track(plan, self._session, key[2]) for key, plan in wanted.items()
            }
        for name in self._underlyings:
            # A strike that is listed during a session belongs to all of it.
            if ladders.get(name) != self._ladders.get(name):
                changed[name] = self._open
        self._log, self._ladders = log, ladders
        for name, moment in changed.items():
            self._stale[name] = min(moment, self._stale.get(name, moment))

    def _renew(self, connection: Connection[Any], plan: Planned, now: datetime) -> Stored:
        """Step again through what is stale of one version, and store what it gives."""
        tracks = {name: self._tracks[*_name(plan), name] for name in self._stale}
        starts = [track.rewind(self._stale[name]) for name, track in tracks.items()]
        since = None if None in starts else min(start for start in starts if start)
        sessions = Range(self._session, self._session)
        names = tuple(tracks)
        read = READERS[plan.strategy.reads]
        frames = read(connection, sessions, names, since or self._open)
        for interval in plan.strategy.intervals(frames):
            if tracks[interval.underlying].takes(interval.open_time):
                tracks[interval.underlying].take(interval)
        rows = permitted(
            connection,
            [signal for track in tracks.values() for signal in track.signals],
            [rejection for track in tracks.values() for rejection in track.rejections],
            plan.parameters,
        )
        return store_signals(connection, Scope(*_name(plan), sessions, names, since), *rows, now)


def _name(plan: Planned) -> tuple[str, str]:
    return plan.strategy.name, plan.version
