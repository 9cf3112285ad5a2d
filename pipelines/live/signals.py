"""Signals of the running session, one interval at a time: what changed is stepped again.

Nothing is kept that the tables do not have. A new process steps through the session once; from
then on the change log says from which moment on the inputs changed, and the steps are taken again
from the interval that holds it. The rows equal those of the batch form.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from db.market.frames import Range, ladder_marks
from db.pages.change_log import Changed, Cursor, LogState, earliest_changes
from db.server.connection import advisory_lock
from db.signals.store import Scope, Stored, store_signals
from pipelines.catalogue.fault import StrategyFault
from pipelines.checks.gate import blocked_since
from pipelines.signals.materialise import (
    READERS,
    SIGNALS_LOCK,
    Materialised,
    SignalsBusyError,
    permitted,
    report,
)
from pipelines.signals.switched_off import has_failed, switch_off
from pipelines.signals.versions import Planned, live_plans
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
        self._tracks: dict[Key, _Track] = {}
        self._ladders: dict[str, str] = {}
        # Per what strategies read and underlying: from which moment on. Candles of options alone
        # are not due at once where build-ups are read: they matter there to the loss limit only.
        self._stale: dict[str, dict[str, datetime]] = {reads: {} for reads in READERS}
        self._due: set[str] = set()

    def advance(
        self, connection: Connection[Any], now: datetime, *, settle: bool = True
    ) -> Materialised:
        """Bring the stored signals up to what is stored now.

        Args:
            connection: In autocommit mode.
            now: Market time, noted on signals that no longer follow from the data.
            settle: Wait until another process is done, and leave nothing for the next time.

        Raises:
            SignalsBusyError: Another process is at it, and we were not to settle.
        """
        with advisory_lock(connection, SIGNALS_LOCK, wait=settle) as held:
            if not held:
                raise SignalsBusyError("another process computes signals")
            plans = live_plans(connection, now)
            self._look(connection, plans)
            due = {
                reads
                for reads, stale in self._stale.items()
                if stale and (settle or reads in self._due)
            }
            if not due:
                return Materialised(0, 0, 0, {})
            since = min(min(self._stale[reads].values()) for reads in due)
            blocked = blocked_since(connection, self._session, self._underlyings, now, since)
            parts = [
                stored
                for plan in plans
                if plan.strategy.reads in due and not blocked and not has_failed(plan.strategy)
                for stored in self._renewed(connection, plan, now)
            ]
            if not blocked:
                for reads in due:
                    self._stale[reads].clear()
                self._due -= due
        return report(Range(self._session, self._session), parts, blocked)

    def _look(self, connection: Connection[Any], plans: Sequence[Planned]) -> None:
        """Find out from which moment on the inputs changed, and what is due because of that."""
        after = self._log.cursor if self._log else Cursor("", 0)
        sessions = Range(self._session, self._session).parameters(self._underlyings)
        log, changed = earliest_changes(connection, after, sessions)
        wanted = {(*_name(plan), name): plan for plan in plans for name in self._underlyings}
        ladders = ladder_marks(connection, self._session, self._underlyings)
        known = log.holds(after) and log.pruned_to <= after.seq
        anew = Changed(self._open, placing=True)
        for gone in self._tracks.keys() - wanted.keys():
            del self._tracks[gone]
        if not known or wanted.keys() != self._tracks.keys():
            changed = dict.fromkeys(self._underlyings, anew)
            self._tracks = {
                key: _Track(plan, self._session, key[2]) for key, plan in wanted.items()
            }
        for name in self._underlyings:
            # Seldom, and from which moment on they count may itself have been corrected.
            if ladders.get(name) != self._ladders.get(name):
                changed[name] = anew
        self._log, self._ladders = log, ladders
        for name, (moment, placing) in changed.items():
            for reads, stale in self._stale.items():
                stale[name] = min(moment, stale.get(name, moment))
                if placing or reads == "minutes":
                    self._due.add(reads)

    def _renewed(
        self, connection: Connection[Any], plan: Planned, now: datetime
    ) -> Iterator[Stored]:
        """Yield what storing a version changed; one that fails is switched off."""
        try:
            yield self._renew(connection, plan, now)
        except StrategyFault as error:
            switch_off(connection, error, now)

    def _renew(self, connection: Connection[Any], plan: Planned, now: datetime) -> Stored:
        """Step again through what is stale of one version, and store what it gives."""
        stale = self._stale[plan.strategy.reads]
        tracks = {name: self._tracks[*_name(plan), name] for name in stale}
        starts = [track.rewind(stale[name]) for name, track in tracks.items()]
        since = None if None in starts else min(start for start in starts if start)
        scope = Scope(*_name(plan), Range(self._session, self._session), tuple(tracks), since)
        read = READERS[plan.strategy.reads]
        frames = read(connection, scope.sessions, scope.underlyings, since or self._open)
        for interval in plan.strategy.intervals(frames):
            if tracks[interval.underlying].takes(interval.open_time):
                tracks[interval.underlying].take(interval)
        signals = [signal for track in tracks.values() for signal in track.signals]
        # The loss limit looks at all signals of the session, if there is one to decide about.
        if not any(scope.holds(signal.event_time) for signal in signals):
            signals = []
        rejections = [row for track in tracks.values() for row in track.rejections]
        rows = permitted(connection, signals, rejections, plan.parameters)
        return store_signals(connection, scope, *rows, now)


def _name(plan: Planned) -> tuple[str, str]:
    return plan.strategy.name, plan.version
