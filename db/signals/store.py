"""Signals: written as a whole per range of sessions; what no longer follows is withdrawn."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

from db.market.frames import Range
from db.signals.strategies import StrategyVersion
from db.writing.bulk import CREATE_CHANGED, merge, publish, require_idle
from db.writing.relations import SIGNAL, SIGNAL_REJECTION
from db.writing.rows import Signal, SignalRejection

WITHDRAW = """
with withdrawn as (
    update signal set withdrawn_at = %(now)s
     where strategy = %(strategy)s and version = %(version)s and underlying = any(%(underlyings)s)
       and session between %(first)s and %(last)s and withdrawn_at is null
       and event_time > %(since)s and signal_id <> all(%(kept)s)
    returning underlying, symbol, event_time, signal_id
)
insert into changed (relation, underlying, symbol, interval_minutes, moment, signal_id)
select 'signal', underlying, symbol, null, event_time, signal_id from withdrawn
"""
FORGET_REJECTIONS = """
delete from signal_rejection r
 where strategy = %(strategy)s and version = %(version)s and underlying = any(%(underlyings)s)
   and session between %(first)s and %(last)s and event_time > %(since)s
   and not exists (
       select from unnest(%(times)s::timestamptz[], %(reasons)s::text[], %(symbols)s::text[],
                          %(names)s::text[]) kept (event_time, reason, symbol, underlying)
        where kept.event_time = r.event_time and kept.reason = r.reason
          and kept.symbol = r.symbol and kept.underlying = r.underlying)
"""
COUNT = """
select count(*) from signal
 where session between %(first)s and %(last)s and withdrawn_at is null
   and (%(strategy)s::text is null or strategy = %(strategy)s and version = %(version)s)
"""


class Stored(NamedTuple):
    """What storing a range's signals changed."""

    written: int
    withdrawn: int
    rejections: int


class Scope(NamedTuple):
    """Which signals a computation answers for: of whole sessions, or later ones than `since`."""

    strategy: str
    version: str
    sessions: Range
    underlyings: Sequence[str]
    since: datetime | None = None

    def holds(self, event_time: datetime) -> bool:
        """Whether an interval that ended then is late enough."""
        return self.since is None or event_time > self.since

    def parameters(self) -> dict[str, Any]:
        """Return query parameters."""
        return {
            "strategy": self.strategy,
            "version": self.version,
            "first": self.sessions.first,
            "last": self.sessions.last,
            "underlyings": list(self.underlyings),
            "since": self.since or "-infinity",
        }


def store_signals(
    connection: Connection[Any],
    scope: Scope,
    signals: Sequence[Signal],
    rejections: Sequence[SignalRejection],
    now: datetime,
) -> Stored:
    """Make the stored signals of a scope equal the given ones; those before it are left out.

    A stored signal that is not among them stays readable with `withdrawn_at` set to `now`.
    """
    signals = [row for row in signals if scope.holds(row.event_time)]
    rejections = [row for row in rejections if scope.holds(row.event_time)]
    parameters = scope.parameters() | {
        "now": now,
        "kept": [signal.signal_id for signal in signals],
        "times": [row.event_time for row in rejections],
        "reasons": [row.reason for row in rejections],
        "symbols": [row.symbol for row in rejections],
        "names": [row.underlying for row in rejections],
    }
    require_idle(connection)
    # In one transaction: nobody sees a signal beside the one that it replaces.
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(FORGET_REJECTIONS, parameters)
        rejected = merge(cursor, SIGNAL_REJECTION, rejections)
        cursor.execute(CREATE_CHANGED)
        cursor.execute(WITHDRAW, parameters)
        withdrawn = cursor.rowcount
        written = merge(cursor, SIGNAL, signals)
        if withdrawn or written:
            publish(cursor)
    return Stored(written, withdrawn, rejected)


def count_signals(
    connection: Connection[Any], sessions: Range, version: StrategyVersion | None = None
) -> int:
    """Return how many signals of a range of sessions stand, of one version or of all."""
    parameters = {
        "first": sessions.first,
        "last": sessions.last,
        "strategy": version and version.strategy,
        "version": version and version.version,
    }
    row = connection.execute(COUNT, parameters).fetchone()
    return int(row[0]) if row else 0
