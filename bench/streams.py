"""The chart server with two more routes, which send the same events in the usual ways.

All three hang on the same hub, so that reading and encoding cost each of them the same.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from chartserver.app import create_app
from chartserver.frames import HELLO, Batch
from chartserver.hub import Hub
from chartserver.server import Server, bind
from chartserver.settings import read_settings

NEVER_SECONDS = 3_600

logger = logging.getLogger("bench.streams")


class Relay:
    """Puts what comes from the hub into a queue per client."""

    def __init__(self) -> None:
        self.queues: set[asyncio.Queue[bytes]] = set()
        self._task: asyncio.Task[None] | None = None

    def join(self, hub: Hub) -> asyncio.Queue[bytes]:
        """Return the queue of a new client."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(hub))
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.queues.add(queue)
        return queue

    async def _run(self, hub: Hub) -> None:
        with hub.register(None) as subscription:
            while items := await subscription.take():
                for item in items:
                    if isinstance(item, Batch):
                        payload = item.payload(None).plain
                        for queue in self.queues:
                            queue.put_nowait(payload)


relay = Relay()


async def queue_stream(request: Request[Any]) -> Response:
    """Send shared bytes from a queue through Starlette's StreamingResponse."""
    queue = relay.join(request.state.hub)

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield HELLO
            while True:
                yield await queue.get()
        finally:
            relay.queues.discard(queue)

    return StreamingResponse(chunks(), media_type="text/event-stream")


async def object_stream(request: Request[Any]) -> Response:
    """Send an object per client and event through sse-starlette."""
    queue = relay.join(request.state.hub)

    async def events() -> AsyncIterator[bytes | ServerSentEvent]:
        try:
            yield HELLO
            while True:
                yield _object(await queue.get())
        finally:
            relay.queues.discard(queue)

    return EventSourceResponse(events(), ping=NEVER_SECONDS, sep="\n")


def _object(payload: bytes) -> ServerSentEvent:
    event, data, last_id, *_ = payload.decode().split("\n")
    return ServerSentEvent(
        data.removeprefix("data: "),
        event=event.removeprefix("event: "),
        id=last_id.removeprefix("id: "),
    )


def main() -> None:
    """Serve until a signal."""
    logging.basicConfig(level=logging.INFO)
    settings = read_settings()
    app = create_app(settings)
    app.router.routes[:0] = [Route("/queue", queue_stream), Route("/objects", object_stream)]
    with bind(settings) as sock:
        logger.info("listening on http://127.0.0.1:%s", sock.getsockname()[1])
        Server(app, settings).run(sockets=[sock])


if __name__ == "__main__":
    main()
