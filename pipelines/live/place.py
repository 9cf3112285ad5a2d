"""What is computed in the process beside the feed, and what is kept there between two times."""

import logging
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from datetime import date, datetime
from multiprocessing import parent_process
from multiprocessing.connection import Connection as Pipe
from os import _exit
from typing import Any

from psycopg import Connection

from db.market.calendar import read_overrides
from db.market.frames import Range
from db.server.connection import connect
from db.server.timeouts import BESIDE
from pipelines.catalogue.fault import StrategyFault
from pipelines.catalogue.limit import Watched, watch
from pipelines.checks.check import Look
from pipelines.checks.every import look_with_all
from pipelines.live.signals import LiveSignals
from pipelines.signals.greeks import RecentGreeks, materialise_greeks
from pipelines.signals.materialise import Materialised, SignalsBusyError, materialise_signals
from pipelines.signals.outcomes import materialise_outcomes
from pipelines.signals.switched_off import note_loading, switch_off
from strategy.session import use_overrides

Underlyings = tuple[str, ...]


class Place:
    """A connection, and what is known of the running session."""

    def __init__(self, dsn: str, failed: Sequence[tuple[str, str]]) -> None:
        self._dsn = dsn
        self._failed = failed
        self._begun = False
        self._connection: Connection[Any] | None = None
        self._live: tuple[date, LiveSignals] | None = None
        self._recent: tuple[date, RecentGreeks] | None = None

    @property
    def connection(self) -> Connection[Any]:
        """The process's own, in autocommit mode."""
        if self._connection is None:
            self._connection = connect(self._dsn, BESIDE, application_name="optionscalp signals")
            use_overrides(read_overrides(self._connection))
        return self._connection

    def signals(self, session: date, underlyings: Underlyings) -> LiveSignals:
        """Return the signals of the running session."""
        if self._live is None or self._live[0] != session:
            self._live = session, LiveSignals(session, underlyings)
        return self._live[1]

    def greeks(self, session: date, underlyings: Underlyings) -> RecentGreeks:
        """Return the greeks of the running session."""
        if self._recent is None or self._recent[0] != session:
            self._recent = session, RecentGreeks(session, underlyings)
        return self._recent[1]

    def begin(self, now: datetime) -> None:
        """Note, once, which modules cannot be loaded, and what cost an earlier process."""
        if not self._begun:
            note_loading(self.connection, now)
            for failed in self._failed:
                switch_off(self.connection, StrategyFault(*failed), now)
            self._begun = True


def advance_signals(
    session: date, underlyings: Underlyings, now: datetime, place: Place
) -> Materialised:
    """Bring the running session's signals up to what is stored now."""
    place.begin(now)
    signals = place.signals(session, underlyings)
    return signals.advance(place.connection, now, settle=False)


def advance_greeks(session: date, underlyings: Underlyings, place: Place) -> int:
    """Compute the greeks of intervals whose candles became final or were corrected."""
    return place.greeks(session, underlyings).advance(place.connection)


def compute_session(
    session: date, underlyings: Underlyings, now: datetime, speed: float, place: Place
) -> bool:
    """Compute all that follows from a session's rows; tell whether nothing is held back.

    Then look with all checks: where no Dagster runs, nobody else does.
    """
    place.begin(now)
    sessions = Range(session, session)
    materialise_greeks(place.connection, sessions, underlyings)
    blocked = materialise_signals(place.connection, sessions, underlyings, now).blocked
    materialise_outcomes(place.connection, sessions, underlyings)
    look_with_all(Look(place.connection, session, underlyings, now, speed))
    return not blocked


def serve(dsn: str, pipe: Pipe, watched: Watched, failed: Sequence[tuple[str, str]]) -> None:
    """Do what is asked for, until nobody asks any more."""
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # these are for the feed, which then asks no more
        signal.signal(number, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    threading.Thread(target=_end_with_the_feed, daemon=True).start()
    watch(watched)
    place = Place(dsn, failed)
    while True:
        try:
            work = pipe.recv()
        except EOFError:
            return
        pipe.send(_done(work, place))


def _done(work: Callable[[Place], Any], place: Place) -> tuple[Any, Exception | None]:
    try:
        return work(place), None
    except SignalsBusyError as error:
        return None, error
    except Exception as error:  # noqa: BLE001 - whoever asked decides
        error.add_note(traceback.format_exc())
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        except Exception:  # noqa: BLE001 - some errors cannot be sent
            return None, RuntimeError(traceback.format_exc())
        return None, error


def _end_with_the_feed() -> None:
    feed = parent_process()
    if feed is not None:
        feed.join()
        _exit(1)  # killed: nobody waits for what is being done
