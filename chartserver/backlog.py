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
    """Return why a reader cannot go on from a cursor; None when it can."""
    if cursor.epoch != log.epoch:
        return "epoch"
    if cursor.seq < log.pruned_to:
        return "pruned"
    if cursor.seq > log.newest:
        return "future"
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


async def read_backlog(pool: Pool, since: Cursor, upto: int, limit: int) -> AsyncGenerator[Batch]:
    """Yield what lies in (since, upto].

    Args:
        pool: Where to read.
        since: What the client has seen.
        upto: The last number it is to get.
        limit: Log entries it may be behind.

    Raises:
        CursorLostError: Those changes cannot be given; the client must start over.
    """
    seq = since.seq
    while True:
        page = await read_patiently(
            pool, partial(read_after, after=seq, limit=PAGE_ENTRIES, upto=upto)
        )
        too_long = min(upto, page.log.newest) - seq > limit
        if lost := behind_reason(Cursor(since.epoch, seq), page.log, too_long):
            raise CursorLostError(lost)
        if page.changes:
            yield encode(page.changes, page.cursor)
        if page.upto >= upto or page.upto == seq:
            return
        seq = page.upto
