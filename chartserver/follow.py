"""Backlog, live and resume as one loop."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from chartserver.frames import Batch
from chartserver.hub import CursorLostError, Hub, reset
from chartserver.subscription import Notice, Subscription
from db.change_log import Cursor

Chunk = tuple[bytes, int]


async def follow(
    hub: Hub, since: Cursor | None, subscription: Subscription
) -> AsyncGenerator[Chunk]:
    """Yield bytes and their number of events, first the backlog, then live, until closed.

    Args:
        hub: Where the subscription is registered: before the backlog is read, so that nothing
            falls between the two.
        since: What the client has seen; None for live events only.
        subscription: The client's queue.
    """
    horizon = await hub.ready()
    passed = horizon.seq
    if since is not None:
        try:
            async with aclosing(hub.backlog(since, horizon.seq)) as backlog:
                async for batch in backlog:
                    yield batch.after(since.seq, subscription.underlying)
            # A history read a moment ago may be ahead of the hub.
            passed = max(passed, since.seq)
        except CursorLostError as lost:
            hub.resets += 1
            yield reset(str(lost), horizon), 1
    while items := await subscription.take():
        for item in items:
            if isinstance(item, Notice):
                passed = 0 if item.restart else passed
                yield _notice(item, subscription.underlying)
            elif item.cursor.seq > passed:
                yield _live(item, passed, subscription.underlying)


def _notice(notice: Notice, underlying: str | None) -> Chunk:
    return notice.payloads.get(underlying) or notice.payloads[None], 0


def _live(batch: Batch, passed: int, underlying: str | None) -> Chunk:
    if batch.frames[0].seq > passed:
        return batch.payload(underlying)
    return batch.after(passed, underlying)
