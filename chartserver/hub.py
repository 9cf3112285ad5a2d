"""The one reader of the change log: wakes, reads after its cursor, encodes once, fans out.

NOTIFY carries no data and is only a hint: without it the hub looks every second. Readers of the
log's page never wait for writers, and no number is skipped (see db.pages.change_log).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection

from chartserver.backlog import (
    PAGE_ENTRIES,
    behind_reason,
    read_backlog,
    read_patiently,
    reset,
)
from chartserver.backoff import Backoff
from chartserver.errors import brief
from chartserver.frames import PING, Batch, encode
from chartserver.ladders import Ladders
from chartserver.payload import Payload
from chartserver.ring import Ring
from chartserver.subscription import SEND_TIMEOUT_SECONDS, Item, Notice, Subscription
from db.pages.chain import Ladder
from db.pages.change_log import Cursor, LogState, Page, read_after
from db.server.reader import Pool, connect_reader
from strategy.clock import MarketClock

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
VAIN_SECONDS = 0.02
READ_TIMEOUT_SECONDS = 15.0
PING_SECONDS = 10.0
# Beyond this a fresh history is cheaper for everybody than the events.
BACKLOG_ENTRIES = 50_000
# Read into the ring at the start, for the clients of the server before this one.
WARM_ENTRIES = 2_000


class Hub:
    """Owns the cursor, the ring and the clients.

    Args:
        dsn: For the hub's own connection.
        pool: For the backlogs of clients that the ring does not reach.
        clock: Tells what of the ladders is known.
        listen: Whether to wake by LISTEN besides looking every second.
        backlog: Log entries a client or the hub itself may be behind before it starts over.
    """

    def __init__(
        self,
        dsn: str,
        pool: Pool,
        clock: MarketClock,
        *,
        listen: bool = True,
        backlog: int = BACKLOG_ENTRIES,
    ) -> None:
        self._dsn = dsn
        self._pool = pool
        self._listen = listen
        self._backlog = backlog
        self._ready = asyncio.Event()
        self._stopping = False
        self.clients: set[Subscription] = set()
        self.ring = Ring()
        self.ladders = Ladders(clock)
        self.cursor = Cursor("", 0)
        self.connected = False
        self.checked_at = 0.0
        self.events_sent = 0
        self.overflows = 0
        self.resets = 0

    # Clients ------------------------------------------------------------------------------------

    @contextmanager
    def register(
        self, underlying: str | None, ladders: tuple[Ladder, ...] = ()
    ) -> Iterator[Subscription]:
        """Give a client a queue that receives everything from now on."""
        subscription = Subscription(underlying, ladders)
        self.clients.add(subscription)
        if self._stopping:
            subscription.close("stopping")
        try:
            yield subscription
        finally:
            self.clients.discard(subscription)

    def broadcast(self, item: Item) -> None:
        """Queue the same bytes for every client; close those whose queue is full."""
        for client in list(self.clients):
            if isinstance(item, Batch) and not item.holds(client.underlying, client.ladders):
                continue
            if not client.offer(item):
                self.overflows += 1
                self.clients.discard(client)
                client.close("overflow")
                logger.info("closed a client that fell behind; it resumes by its last id")

    def stop(self) -> None:
        """End all streams, so that the server can stop at once."""
        self._stopping = True
        for client in list(self.clients):
            client.close("stopping")

    async def keep_alive(self) -> None:
        """Send heartbeats and close clients that take no bytes, for ever."""
        heartbeat = Notice({None: PING})
        while True:
            await asyncio.sleep(PING_SECONDS)
            self.broadcast(heartbeat)
            stuck = asyncio.get_running_loop().time() - SEND_TIMEOUT_SECONDS
            for client in list(self.clients):
                if client.sending_since is not None and client.sending_since < stuck:
                    client.close("send timeout")

    # Reading ------------------------------------------------------------------------------------

    async def ready(self) -> Cursor:
        """Wait until the log has been read once; return the cursor."""
        await self._ready.wait()
        return self.cursor

    async def run(self) -> None:
        """Follow the log for ever, through the deaths of the database."""
        backoff = Backoff()
        while True:
            try:
                async with await connect_reader(self._dsn) as connection:
                    await self._follow(connection, backoff)
            except (psycopg.Error, OSError, TimeoutError) as error:
                logger.warning("change feed interrupted: %s", brief(error))
            except Exception:  # one bad row must not silence every page
                logger.exception("change feed failed")
            self.connected = False
            self.ladders.forget()
            await backoff.wait()

    async def _follow(self, connection: AsyncConnection[Any], backoff: Backoff) -> None:
        if self._listen:
            # Before the first read, so that no wake-up is lost between the two.
            await connection.execute("listen feed")
        woken = False
        while True:
            before = self.cursor
            await self.catch_up(connection)
            backoff.reset()
            if woken and self.cursor == before:
                # Whoever may connect may notify: for nothing, we look only so often.
                await asyncio.sleep(VAIN_SECONDS)
            woken = await self._wait(connection)

    async def _wait(self, connection: AsyncConnection[Any]) -> bool:
        """Wait for the next look; tell whether somebody asked for it."""
        if not self._listen:
            await asyncio.sleep(POLL_SECONDS)
            return False
        # More than one where more have come.
        waiting = connection.notifies(timeout=POLL_SECONDS, stop_after=1)
        return bool([notify async for notify in waiting])

    async def catch_up(self, connection: AsyncConnection[Any]) -> None:
        """Read to the end of the log, once."""
        while True:
            async with asyncio.timeout(READ_TIMEOUT_SECONDS):
                page, batch = await self._read(connection)
            if reason := self._lost(page.log):
                self._restart(reason, page.log)
                continue
            if page.log.stretch != self.cursor.stretch:
                self._go_on(page.log)
            self._publish(page, batch)
            if page.is_last:
                break
        self.connected = True
        self.checked_at = asyncio.get_running_loop().time()
        self._ready.set()

    async def _read(self, connection: AsyncConnection[Any]) -> tuple[Page, Batch]:
        """Read the next page and, in the same snapshot, the ladders that it changes."""
        if not self.ladders:
            page = await self._next_page(connection)
            return page, encode(page.changes, page.cursor)
        async with connection.transaction():
            page = await self._next_page(connection)
            batch = encode(page.changes, page.cursor)
            if self._lost(page.log):
                return page, batch
            self.ladders.mark(page.touched)
            return page, batch.beside(await self.ladders.read(connection, page.cursor))

    async def _next_page(self, connection: AsyncConnection[Any]) -> Page:
        after, stretch = self.cursor.seq, self.cursor.stretch
        return await read_after(connection, after, PAGE_ENTRIES, stretch=stretch)

    def _lost(self, log: LogState) -> str | None:
        behind = log.newest - self.cursor.seq
        return behind_reason(self.cursor, log, behind > self._backlog)

    def _restart(self, reason: str, log: LogState) -> None:
        first = not self.cursor.epoch
        seq = max(log.pruned_to, log.newest - WARM_ENTRIES) if first else log.newest
        self.cursor = log.cursor._replace(seq=seq)
        self.ring.restart(seq)
        self.ladders.forget()
        if first:
            return
        logger.warning("change feed starts over: %s", reason)
        self.resets += 1
        self.broadcast(Notice({None: reset(reason, self.cursor)}, restart=self.cursor))

    def _go_on(self, log: LogState) -> None:
        """Follow the log into another stretch; who was ahead of us may have read what is lost."""
        logger.info("another stretch of the change log begins")
        here = log.cursor._replace(seq=self.cursor.seq)
        payloads: dict[str | None, Payload] = {None: reset("epoch", here)}
        self.broadcast(Notice(payloads, restart=here, kept_to=log.shared_to))

    def _publish(self, page: Page, batch: Batch) -> None:
        self.cursor = page.cursor
        if batch.frames:
            self.ring.append(batch.beside({}))  # who resumes gets its ladders whole
        if batch.frames or batch.ladders:
            self.broadcast(batch)

    async def backlog(self, since: Cursor) -> AsyncGenerator[Batch]:
        """Yield what follows a cursor: from the ring to ours, from the table to the log's end.

        Raises:
            CursorLostError: Those changes cannot be given; the client must start over.
        """
        ours = self.cursor
        same = (since.epoch, since.stretch) == (ours.epoch, ours.stretch)
        kept = self.ring.after(since.seq) if same and since.reach <= ours.seq else None
        if kept is not None:
            for batch in kept:
                yield batch
            return
        async with aclosing(read_backlog(self._pool, since, self._backlog)) as stored:
            async for batch in stored:
                yield batch

    async def whole(self, ladders: Sequence[Ladder]) -> list[dict[str, Any]]:
        """Return the ladders of a client that is registered."""
        return await read_patiently(
            self._pool, lambda connection: self.ladders.whole(connection, ladders)
        )
