"""One client's bounded queue between the hub and its socket."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from chartserver.frames import Batch
from chartserver.payload import Payload
from db.pages.chain import Ladder
from db.pages.change_log import Cursor

QUEUE_BATCHES = 64
SEND_TIMEOUT_SECONDS = 20.0


class Notice(NamedTuple):
    """Events outside the log: a heartbeat, a status, a reset.

    Attributes:
        payloads: Per underlying; None for clients without a filter.
        restart: Set by a reset: earlier numbers mean nothing any more.
        kept_to: Of a reset that does not concern who knows nothing of what follows this number.
    """

    payloads: dict[str | None, Payload]
    restart: Cursor | None = None
    kept_to: int | None = None


Item = Batch | Notice


class Subscription:
    """What one client has still to be sent.

    The hub offers, the client's own task takes. A client that falls too far behind is closed; it
    comes back by itself and resumes by its last id.
    """

    __slots__ = (
        *("_items", "_limit", "_wake", "abort", "closed", "ladders", "sending_since"),
        "underlying",
    )

    def __init__(
        self,
        underlying: str | None,
        ladders: tuple[Ladder, ...] = (),
        *,
        limit: int = QUEUE_BATCHES,
    ) -> None:
        self.underlying = underlying
        self.ladders = ladders
        self.closed: str | None = None
        self.sending_since: float | None = None
        self.abort: Callable[[], object] | None = None
        self._limit = limit
        self._items: list[Item] = []
        self._wake: asyncio.Future[None] | None = None

    def offer(self, item: Item) -> bool:
        """Queue an item; False when the queue is full."""
        if len(self._items) >= self._limit:
            return False
        self._items.append(item)
        self._rouse()
        return True

    async def take(self) -> list[Item]:
        """Wait for items and return all of them; an empty list means closed."""
        while not self._items and self.closed is None:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        if self.closed is not None:
            return []
        items, self._items = self._items, []
        return items

    def close(self, reason: str) -> None:
        """End the stream, also when its task is stuck in a send or reads a backlog."""
        if self.closed is not None:
            return
        self.closed = reason
        self._items.clear()
        if self._wake is not None:
            self._rouse()
        elif self.abort is not None:
            self.abort()

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        self._wake = None
