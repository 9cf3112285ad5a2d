"""Signals from the stored tables: the same function live, in Dagster and on the command line."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection

from db.market.frames import Range, read_frames
from db.market.minutes import read_minutes
from db.server.connection import advisory_lock
from db.signals.store import Scope, Stored, store_signals
from db.writing.rows import Signal, SignalRejection
from pipelines.catalogue.fault import StrategyFault
from pipelines.checks.gate import blocked_sessions
from pipelines.signals.loss_limit import within_limit
from pipelines.signals.switched_off import has_failed, note_loading, switch_off
from pipelines.signals.versions import Planned, live_plans, stored_plans
from strategy import signals as given
from strategy.parameters import Parameters

logger = logging.getLogger(__name__)

SIGNALS_LOCK = 7_346_004
READERS: Mapping[str, Callable[..., Any]] = {
    "build_ups": read_frames,
    "minutes": read_minutes,
}


class SignalsBusyError(Exception):
    """Another process computes signals: try again in a moment."""


class Materialised(NamedTuple):
    """What a computation changed, and the sessions it left as they are with what failed there."""

    written: int
    withdrawn: int
    rejections: int
    blocked: dict[date, list[str]]


def materialise_signals(
    connection: Connection[Any],
    sessions: Range,
    underlyings: tuple[str, ...],
    now: datetime,
    *,
    plans: Sequence[Planned] | None = None,
    wait: bool = True,
) -> Materialised:
    """Compute the signals of a range of sessions and make the stored ones equal them.

    Sessions with wrong or unreadable rows keep what is stored until these are corrected. So do
    strategies that fail: they are switched off, unless they were asked for. One process at a time:
    whoever read earlier must not take back what a later reader stored.

    Args:
        connection: In autocommit mode.
        sessions: Whole sessions.
        underlyings: Whose signals.
        now: Market time, noted on signals that no longer follow from the data.
        plans: Which versions of which strategies. If None, the live ones, and in each session
            those that have rows of it: what was computed once follows corrections.
        wait: Until another process is done.

    Raises:
        SignalsBusyError: Another process is at it, and we were not to wait.
        StrategyFault: One of the plans failed that were asked for.
    """
    with advisory_lock(connection, SIGNALS_LOCK, wait=wait) as held:
        if not held:
            raise SignalsBusyError("another process computes signals")
        if plans is None:
            note_loading(connection, now)
        blocked = blocked_sessions(connection, *sessions, underlyings, now)
        chosen = live_plans(connection, now) if plans is None else plans
        work = [(part, chosen) for part in without(sessions, blocked)]
        if plans is None:
            work += [
                (Range(session, session), others)
                for session, others in stored_plans(connection, sessions, underlyings).items()
                if session not in blocked
            ]
        parts = [
            stored
            for part, each in work
            for stored in _store(
                connection, part, underlyings, each, now, asked_for=plans is not None
            )
        ]
    return report(sessions, parts, blocked)


def report(
    sessions: Range, parts: Iterable[Stored], blocked: dict[date, list[str]]
) -> Materialised:
    """Return what a computation changed, and log it."""
    stored = Stored(*map(sum, zip(Stored(0, 0, 0), *parts, strict=True)))
    for session, names in blocked.items():
        logger.warning("no new signals of %s: %s failed", session, ", ".join(names))
    logger.log(
        logging.INFO if stored.written or stored.withdrawn else logging.DEBUG,
        "signals %s to %s: %d written, %d withdrawn, %d candidates rejected",
        *(sessions.first, sessions.last, stored.written, stored.withdrawn, stored.rejections),
    )
    return Materialised(*stored, blocked)


def without(sessions: Range, blocked: Collection[date]) -> Iterator[Range]:
    """Yield what is left of a range without some of its sessions."""
    first = sessions.first
    for session in sorted(blocked):
        if first < session:
            yield Range(first, session - timedelta(days=1))
        first = session + timedelta(days=1)
    if first <= sessions.last:
        yield Range(first, sessions.last)


def compute(
    connection: Connection[Any], frames: Any, plan: Planned
) -> tuple[list[Signal], list[SignalRejection]]:
    """Return one version's rows as they are to be stored; nothing is written.

    Args:
        connection: To read the candles with that decide the daily loss limit.
        frames: What its strategy reads, of whole sessions.
        plan: Which version.
    """
    rows = plan.strategy.evaluate(frames, plan.parameters)
    return permitted(connection, *rows, plan.parameters)


def permitted(
    connection: Connection[Any],
    signals: Sequence[given.Signal],
    rejections: Sequence[given.Rejection],
    parameters: Parameters,
) -> tuple[list[Signal], list[SignalRejection]]:
    """Return what a strategy gave as it is stored, after the daily loss limit."""
    signals, rejections = within_limit(connection, signals, rejections, parameters)
    return (
        [Signal(*row, None) for row in signals],
        [SignalRejection(**row._asdict() | {"symbol": row.symbol or ""}) for row in rejections],
    )


def _store(
    connection: Connection[Any],
    sessions: Range,
    underlyings: tuple[str, ...],
    plans: Sequence[Planned],
    now: datetime,
    *,
    asked_for: bool,
) -> Iterator[Stored]:
    frames: dict[str, Any] = {}
    for plan in plans:
        if not asked_for and has_failed(plan.strategy):
            continue
        reads = plan.strategy.reads
        if reads not in frames:
            frames[reads] = READERS[reads](connection, sessions, underlyings)
        scope = Scope(plan.strategy.name, plan.version, sessions, underlyings)
        try:
            rows = compute(connection, frames[reads], plan)
        except StrategyFault as error:
            if asked_for:
                raise
            switch_off(connection, error, now)
            continue
        yield store_signals(connection, scope, *rows, now)
