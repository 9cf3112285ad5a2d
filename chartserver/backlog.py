"""What a client missed, from the table; and how it is told that this cannot be given."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection

from chartserver.backoff import Backoff
from chartserver.frames import Batch, encode, event
from chartserver.payload import Payload
from db.pages.change_log import Cursor, LogState, read_after
from db.server.reader import Pool, read

PAGE_ENTRIES = 1_000

Result = TypeVar("Result")


class CursorLostError(Exception):
    """The changes after a cursor are not available: read the history again."""


def behind_reason(cursor: Cursor, log: LogState, too_long: bool) -> str | None:
    """Return why a reader cannot go on from a cursor; None when it can.

    The log must have been asked for with the cursor's stretch.
    """
    if not log.holds(cursor):
        ahead = cursor.epoch == log.epoch and cursor.stretch == log.stretch
        return "future" if ahead else "epoch"
    if cursor.seq < log.pruned_to:
        return "pruned"
    return "backlog" if too_long else None


def reset(reason: str, cursor: Cursor) -> Payload:
    """Return the event that makes a client read the history again; its id goes on from here."""
    return Payload(event("reset", {"reason": reason}, cursor), 1)


async def read_patiently(
    pool: Pool, query: Callable[[AsyncConnection[Any]], Awaitable[Result]]
) -> Result:
    """Run reads in one snapshot, as soon as the database answers.

    An error status would close the browser's stream for good; the database returns.
    """
    backoff = Backoff()
    while True:
        try:
            return await read(pool, query)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            await backoff.wait()


async def read_backlog(pool: Pool, since: Cursor, limit: int) -> AsyncGenerator[Batch]:
    """Yield what follows a cursor, to the end of the log: no row is ahead of its last number.

    Args:
        pool: Where to read.
        since: What the client has seen.
        limit: Log entries it may be behind.

    Raises:
        CursorLostError: Those changes cannot be given; the client must start over.
    """
    cursor = since
    while True:
        page = await read_patiently(
            pool,
            partial(read_after, after=cursor.seq, limit=PAGE_ENTRIES, stretch=cursor.stretch),
        )
        if lost := behind_reason(cursor, page.log, page.log.newest - cursor.seq > limit):
            raise CursorLostError(lost)
        yield encode(page.changes, page.cursor)
        if page.is_last:
            return
        cursor = page.cursor
