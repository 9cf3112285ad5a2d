"""Reading the change log: what changed after a cursor, gap-free and in order.

`db.writing.bulk.publish` writes it: every number is allocated under a lock that is held until the
commit is visible, so a snapshot that sees number n sees all committed numbers below it. It also
begins another stretch of the log wherever a copy of it may have parted (docs/architecture.md).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self

from psycopg import AsyncConnection, Connection

from db.pages.history import ShownSignal
from db.server.connection import load_sql
from db.writing.rows import BuildUp, Candle, Signal

STATE = load_sql("sql/change_log_state.sql")
READ = load_sql("sql/change_log_read.sql")
PRUNE = load_sql("sql/change_log_prune.sql")
EARLIEST = load_sql("sql/change_log_earliest.sql")

CURSOR = re.compile(
    r"(?P<epoch>[0-9a-z]{1,32})(\.(?P<stretch>[0-9a-z]{0,32})(\.(?P<seen>\d{1,18}))?)?"
    r":(?P<seq>\d{1,18})",
    re.ASCII,
)
NO_LIMIT = 2**62


class Cursor(NamedTuple):
    """A place in the change log; numbers of another epoch mean nothing here.

    Attributes:
        epoch: Of the log.
        seq: The last number that was read.
        stretch: Of the log when it was read; empty in its first one.
        seen: The newest number whose change may show in what was read: rows come in their latest
            state, and so may be ahead of their numbers. Zero where none is beyond `seq`.
    """

    epoch: str
    seq: int
    stretch: str = ""
    seen: int = 0

    def __str__(self) -> str:
        seen = f".{self.seen}" if self.seen else ""
        stretch = f".{self.stretch}{seen}" if self.stretch or seen else ""
        return f"{self.epoch}{stretch}:{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cursor that `str` wrote.

        Raises:
            ValueError: The text is not of that form.
        """
        match = CURSOR.fullmatch(text)
        if match is None:
            raise ValueError(f"not a cursor: {text!r}")
        return cls(
            match["epoch"], int(match["seq"]), match["stretch"] or "", int(match["seen"] or 0)
        )

    @property
    def reach(self) -> int:
        """The newest number that its reader may know something of."""
        return max(self.seq, self.seen)


class LogState(NamedTuple):
    """Where the log stood in a snapshot: entries up to `pruned_to` are gone.

    `shared_to` tells up to which number the stretch that was asked for is of this very log; None
    where that is not known here.
    """

    epoch: str
    stretch: str
    pruned_to: int
    newest: int
    shared_to: int | None

    @property
    def cursor(self) -> Cursor:
        """The place after the newest entry."""
        return Cursor(self.epoch, self.newest, self.stretch)

    def holds(self, cursor: Cursor) -> bool:
        """Whether all that a cursor's reader has read is of this log.

        The log must have been asked for with the cursor's stretch.
        """
        if cursor.epoch != self.epoch or self.shared_to is None:
            return False
        return cursor.reach <= self.shared_to


# Columns of the query: the log's state, a touch, and where each relation's row begins.
STATE_AT = slice(0, len(LogState._fields))
SEQ_AT = STATE_AT.stop
HEAD = SEQ_AT + 6
TOUCH_AT = slice(SEQ_AT + 1, HEAD)
CANDLE_AT = slice(HEAD, HEAD + len(Candle._fields))
BUILD_UP_AT = slice(CANDLE_AT.stop, CANDLE_AT.stop + len(BuildUp._fields))
SIGNAL_AT = slice(BUILD_UP_AT.stop, BUILD_UP_AT.stop + len(Signal._fields) + 2)  # and its greeks


class Change(NamedTuple):
    """A changed row in its latest state, under the number of its latest change of the page."""

    seq: int
    row: Candle | BuildUp | ShownSignal


class Touch(NamedTuple):
    """What an entry of the log is about, also where its row has been deleted since.

    Attributes:
        relation: candle, build_up, contract, chain_oi, greeks, signal or empty_interval.
        underlying: Whose.
        symbol: Of `chain_oi`, the call of its strike.
        moment: When the row begins; of a contract, the first session it was listed in.
        known_at: Of the row; None where it has none, or is gone.
    """

    relation: str
    underlying: str
    symbol: str
    moment: datetime
    known_at: datetime | None


class Page(NamedTuple):
    """Changes in ascending order; everything up to `upto` has been read.

    `touched` also names what the stream has no events of.
    """

    changes: list[Change]
    touched: list[Touch]
    upto: int
    log: LogState

    @property
    def cursor(self) -> Cursor:
        """The place after this page."""
        seen = 0 if self.is_last else self.log.newest
        return Cursor(self.log.epoch, self.upto, self.log.stretch, seen)

    @property
    def is_last(self) -> bool:
        """Whether nothing lay beyond this page in its snapshot."""
        return self.upto >= self.log.newest


async def read_cursor(connection: AsyncConnection[Any]) -> Cursor:
    """Return the place after the newest change of the connection's snapshot."""
    cursor = await connection.execute(STATE, {"stretch": ""})
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("feed_meta is empty: run `optionscalp migrate`")
    return LogState(*row).cursor


async def read_after(
    connection: AsyncConnection[Any],
    after: int,
    limit: int,
    upto: int = NO_LIMIT,
    stretch: str = "",
) -> Page:
    """Return up to `limit` log entries after a number, each changed row once.

    A row that changed several times within the page comes once, at its last number; rows deleted
    since do not come at all. Reads one snapshot.

    Args:
        connection: Any mode; inside a transaction its snapshot counts.
        after: The number the reader has already seen.
        limit: Log entries to read at most.
        upto: The last number to read.
        stretch: The reader's: the page's log tells whether it is still the reader's log.
    """
    cursor = connection.cursor(binary=True)
    parameters = {"after": after, "upto": upto, "limit": limit, "stretch": stretch}
    await cursor.execute(READ, parameters)
    rows = await cursor.fetchall()
    if not rows:
        raise LookupError("feed_meta is empty: run `optionscalp migrate`")
    log = LogState(*rows[0][STATE_AT])
    changes = [change for row in rows if (change := _change(row)) is not None]
    touched = [Touch._make(row[TOUCH_AT]) for row in rows if row[SEQ_AT] is not None]
    # The page's last entry always survives as some row's latest, so it tells how far was read.
    return Page(changes, touched, rows[-1][SEQ_AT] or after, log)


def _change(row: tuple[Any, ...]) -> Change | None:
    if row[CANDLE_AT.start] is not None:
        return Change(row[SEQ_AT], Candle._make(row[CANDLE_AT]))
    if row[BUILD_UP_AT.start] is not None:
        return Change(row[SEQ_AT], BuildUp._make(row[BUILD_UP_AT]))
    if row[SIGNAL_AT.start] is not None:
        return Change(row[SEQ_AT], ShownSignal.of(*row[SIGNAL_AT]))
    return None


class Changed(NamedTuple):
    """From which moment on an underlying's inputs changed.

    `placing` tells whether a build-up or a price that places ATM is among them, or only candles.
    """

    moment: datetime
    placing: bool


def earliest_changes(
    connection: Connection[Any], after: Cursor, parameters: Mapping[str, Any]
) -> tuple[LogState, dict[str, Changed]]:
    """Return the log's state, and what changed by underlying.

    Args:
        connection: In autocommit mode: rows read afterwards are at least as new.
        after: The place up to which the reader knows it.
        parameters: As `db.market.frames.Range.parameters` gives them.
    """
    rows = connection.execute(
        EARLIEST, {**parameters, "after": after.seq, "stretch": after.stretch}
    ).fetchall()
    if not rows:
        raise LookupError("feed_meta is empty: run `optionscalp migrate`")
    name = STATE_AT.stop
    changed = {row[name]: Changed(*row[name + 1 :]) for row in rows if row[name] is not None}
    return LogState(*rows[0][STATE_AT]), changed


def prune(connection: Connection[Any], keep: int) -> int:
    """Keep the newest `keep` entries of the log; return how many were removed."""
    row = connection.execute(PRUNE, {"keep": keep}).fetchone()
    return int(row[0]) if row else 0
