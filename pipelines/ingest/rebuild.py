"""Derived tables again from the raw archive: to prove them, to repair them, to fill gaps."""

import logging
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection

from db.archive.raw_payloads import Receipt, count_receipts, mark, receipts
from db.archive.rebuild import Difference, compare, remove_unexplained, scratch_tables, take_over
from db.market.frames import Range
from pipelines.ingest.build_ups import make_build_ups
from pipelines.ingest.derive import Deriver
from pipelines.sources.errors import SourceError
from strategy.contract import UNDERLYINGS

logger = logging.getLogger(__name__)


class ArchiveEmptyError(Exception):
    """Nothing is archived for the session: it can only be ingested or imported."""


class Rebuilt(NamedTuple):
    """What a rebuild found: receipts read, those that cannot be used, differences by table."""

    receipts: int
    unusable: int
    tables: dict[str, Difference]

    @property
    def changes(self) -> int:
        """How many stored rows differ from what the archive says."""
        return sum(table.new + table.changed for table in self.tables.values())

    @property
    def unexplained(self) -> int:
        """How many stored rows the archive knows nothing of."""
        return sum(table.unexplained for table in self.tables.values())

    def as_dict(self) -> dict[str, Any]:
        """Return everything for a program to read."""
        tables = {name: table._asdict() for name, table in self.tables.items()}
        return {**self._asdict(), "tables": tables, "changes": self.changes}


def rebuild(
    connection: Connection[Any],
    session: date,
    *,
    write: bool = True,
    remove: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Rebuilt:
    """Derive a session's tables from the archive and make the stored ones equal them.

    Args:
        connection: In autocommit mode; nobody else may use it meanwhile.
        session: Which.
        write: Take over what differs; else only say so.
        remove: Delete stored rows that the archive does not explain.
        progress: Called with the number of receipts done so far.

    Raises:
        ArchiveEmptyError: There is nothing to derive from.
    """
    with scratch_tables(connection):
        read = _derive(connection, session, progress)
        range_ = Range(session, session)
        tables = compare(connection, range_, read.seen_to)
        if write:
            take_over(connection, range_, read.seen_to)
            for payload_id, fault in read.faults.items():
                mark(connection, payload_id, fault)
        if remove:
            remove_unexplained(connection, range_, read.seen_to)
    return Rebuilt(read.receipts, sum(1 for fault in read.faults.values() if fault), tables)


def fill_from_archive(connection: Connection[Any], session: date) -> int:
    """Write rows that the archive has and the tables lack; return how many.

    Unlike asking the source again this keeps the moment each value became known, and it works for
    what a source serves on its day only.
    """
    if not count_receipts(connection, session):
        return 0
    with scratch_tables(connection):
        seen_to = _derive(connection, session, lambda _: None).seen_to
        range_ = Range(session, session)
        new = sum(table.new for table in compare(connection, range_, seen_to).values())
        if new:
            take_over(connection, range_, seen_to, only_missing=True)
            logger.info("session %s: %d rows filled from the archive", session, new)
    return new


class Read(NamedTuple):
    """What of the archive was read: receipts, the newest's time, faults by payload."""

    receipts: int
    seen_to: datetime
    faults: dict[int, str | None]


def _derive(connection: Connection[Any], session: date, progress: Callable[[int], None]) -> Read:
    """Derive a session into the scratch tables."""
    deriver = Deriver(connection, session, alone=True)
    own_rows = False
    faults: dict[int, str | None] = {}
    number = 0
    seen_to: datetime | None = None
    for receipt in receipts(connection, session):
        # A stream is written by the minute: each part on its own would take a day's first hour.
        same_minute = seen_to is not None and seen_to.minute == receipt.received_at.minute
        if receipt.about.get("kind") != "stream" or not same_minute:
            deriver.write_stream()
        seen_to = receipt.received_at
        own_rows = own_rows or receipt.about.get("kind") == "build_ups"
        fault = _take(deriver, receipt)
        if receipt.payload_id is not None and receipt.about:
            earlier = faults.get(receipt.payload_id)
            faults[receipt.payload_id] = "; ".join(filter(None, (earlier, fault))) or None
        number += 1
        progress(number)
    deriver.write_stream()
    if not own_rows:  # a day that was asked for contract by contract stays as it was
        make_build_ups(connection, session, UNDERLYINGS)
    if seen_to is None:
        raise ArchiveEmptyError(
            f"nothing is archived for {session}: use `optionscalp ingest` or `optionscalp import`"
        )
    return Read(number, seen_to, faults)


def _take(deriver: Deriver, receipt: Receipt) -> str | None:
    """Derive one receipt's rows; return why it cannot be used, or not in full."""
    try:
        return "; ".join(deriver.take(receipt).refused) or None
    except SourceError as error:
        return str(error)
