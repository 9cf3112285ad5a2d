"""Backlog, live and resume as one loop."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from chartserver.backlog import CursorLostError, reset
from chartserver.frames import Batch, event
from chartserver.hub import Hub
from chartserver.payload import Payload
from chartserver.subscription import Notice, Subscription
from db.pages.change_log import Cursor


async def follow(
    hub: Hub, since: Cursor | None, subscription: Subscription
) -> AsyncGenerator[Payload]:
    """Yield what a client is to be sent: the backlog, the ladders, then live, until closed.

    Args:
        hub: Where the subscription is registered: before the backlog is read, so that nothing
            falls between the two.
        since: What the client has seen; None for live events only.
        subscription: The client's queue.
    """
    place = await hub.ready()
    if since is not None:
        try:
            async with aclosing(hub.backlog(since)) as backlog:
                async for batch in backlog:
                    yield batch.after(since.seq, subscription.underlying)
                    # What is stored, or a history read a moment ago, may be ahead of the hub.
                    place = max(place, batch.cursor, key=_seq)
        except CursorLostError as lost:
            hub.resets += 1
            place = hub.cursor
            yield reset(str(lost), place)
    with hub.ladders.watched(subscription.ladders):
        if subscription.ladders:
            yield _whole(await hub.whole(subscription.ladders), place)
        async with aclosing(_taken(subscription, place)) as live:
            async for payload in live:
                yield payload


async def _taken(subscription: Subscription, place: Cursor) -> AsyncGenerator[Payload]:
    """Yield what the hub queues for a client that stands at a place."""
    passed, reached = place.seq, place.reach
    while items := await subscription.take():
        for item in items:
            if isinstance(item, Batch):
                reached = max(reached, item.cursor.reach)
                yield _live(item, passed, subscription)
            elif item.kept_to is None or reached > item.kept_to:
                if item.restart:
                    passed = reached = 0
                yield _notice(item, subscription.underlying)


def _seq(cursor: Cursor) -> int:
    return cursor.seq


def _whole(ladders: list[dict[str, Any]], passed: Cursor) -> Payload:
    # They may be ahead of the rows that were sent; their id is not, so that no row is passed over.
    events = [event("ladder", ladder, passed) for ladder in ladders]
    return Payload(b"".join(events), len(events))


def _notice(notice: Notice, underlying: str | None) -> Payload:
    return notice.payloads.get(underlying) or notice.payloads[None]


def _live(batch: Batch, passed: int, subscription: Subscription) -> Payload:
    ladders = subscription.ladders if batch.cursor.seq >= passed else ()
    if batch.frames and batch.frames[0].seq <= passed:
        return batch.after(passed, subscription.underlying, ladders)
    return batch.payload(subscription.underlying, ladders)
