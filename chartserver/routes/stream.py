"""`GET /stream`: the live events, as shared bytes sent by a bare ASGI response."""

import asyncio
from collections.abc import MutableMapping
from contextlib import aclosing
from typing import Any

from starlette.requests import HTTPConnection
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from chartserver import parameters
from chartserver.asset import chosen
from chartserver.errors import ParameterError
from chartserver.follow import follow
from chartserver.frames import HELLO
from chartserver.hub import Hub
from chartserver.lifespan import State
from chartserver.payload import CODINGS, Coding, Payload
from chartserver.subscription import Subscription
from db.pages.change_log import Cursor

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"vary", b"accept-encoding"),
]


class Stream:
    """An ASGI application; an object per event or a queue per task would double the cost."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request, then send until the client leaves."""
        connection: HTTPConnection[State] = HTTPConnection(scope)
        query = connection.query_params
        underlying = parameters.underlying_filter(query)
        ladders = parameters.ladders(query.getlist("ladder"))
        since = _since(connection)
        hub = connection.state["hub"]
        coding = CODINGS[chosen(connection.headers.get("accept-encoding", ""), CODINGS)]()
        hello = coding.encode(Payload(HELLO + connection.state["status"].event(underlying)))
        headers = [*HEADERS, *coding.headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":
            await send(_body(b"", more=False))
            return
        with hub.register(underlying, ladders) as subscription:
            await _serve(hub, subscription, coding, hello, since, receive, send)


def _since(connection: HTTPConnection[State]) -> Cursor | None:
    """Return where the client stands; what it received last beats what it first asked for."""
    resumed = connection.headers.get("last-event-id")
    name = "Last-Event-ID" if resumed else "since"
    text = resumed or connection.query_params.get("since")
    if not text:
        return None
    try:
        return Cursor.parse(text)
    except ValueError:
        raise ParameterError(name, "a cursor such as 1a2b3c4d:15, as in as_of") from None


async def _serve(
    hub: Hub,
    subscription: Subscription,
    coding: Coding,
    hello: bytes,
    since: Cursor | None,
    receive: Receive,
    send: Send,
) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine of a server runs in a task
    subscription.abort = task.cancel
    watcher = asyncio.create_task(_close_when_left(receive, subscription))
    clock = asyncio.get_running_loop().time
    try:
        await send(_body(hello))
        async with aclosing(follow(hub, since, subscription)) as chunks:
            async for payload in chunks:
                if not payload.plain:
                    continue
                subscription.sending_since = clock()
                await send(_body(coding.encode(payload)))
                subscription.sending_since = None
                hub.events_sent += payload.events
        await send(_body(coding.end(), more=False))
    except asyncio.CancelledError:
        if subscription.closed is None:
            raise
        # Ours: the stream is over, the server closes the connection.
        task.uncancel()
    finally:
        watcher.cancel()


async def _close_when_left(receive: Receive, subscription: Subscription) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    subscription.close("left")


def _body(payload: bytes, *, more: bool = True) -> MutableMapping[str, Any]:
    return {"type": "http.response.body", "body": payload, "more_body": more}


routes = [Route("/stream", Stream(), methods=["GET"])]
