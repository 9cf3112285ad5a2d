"""Signals from the stored tables: the same function live, in Dagster and on the command line."""

import logging
from datetime import datetime
from typing import Any

from psycopg import Connection

from db.connection import advisory_lock
from db.market import Range, read_frames
from db.rows import Signal, SignalRejection
from db.signals import Scope, Stored, store_signals
from strategy import delta_volume

logger = logging.getLogger(__name__)

SIGNALS_LOCK = 7_346_004


class SignalsBusyError(Exception):
    """Another process computes signals: try again in a moment."""


def materialise_signals(
    connection: Connection[Any],
    sessions: Range,
    underlyings: tuple[str, ...],
    now: datetime,
    *,
    wait: bool = True,
) -> Stored:
    """Compute the signals of a range of sessions and make the stored ones equal them.

    One process at a time: whoever read earlier must not take back what a later reader stored.

    Args:
        connection: In autocommit mode.
        sessions: Whole sessions.
        underlyings: Whose signals.
        now: Market time, noted on signals that no longer follow from the data.
        wait: Until another process is done.

    Raises:
        SignalsBusyError: Another process is at it, and we were not to wait.
    """
    with advisory_lock(connection, SIGNALS_LOCK, wait=wait) as held:
        if not held:
            raise SignalsBusyError("another process computes signals")
        frames = read_frames(connection, sessions, underlyings)
        signals, rejections = delta_volume.evaluate_rows(*frames)
        scope = Scope(delta_volume.STRATEGY, delta_volume.VERSION, sessions, underlyings)
        stored = store_signals(
            connection,
            scope,
            [Signal(*row, None) for row in signals],
            [SignalRejection(**row._asdict() | {"symbol": row.symbol or ""}) for row in rejections],
            now,
        )
    logger.log(
        logging.INFO if stored.written or stored.withdrawn else logging.DEBUG,
        "signals %s to %s: %d written, %d withdrawn, %d candidates rejected",
        *(sessions.first, sessions.last, stored.written, stored.withdrawn, stored.rejections),
    )
    return stored
