"""Dagster's web server, guarded against pages of other sites in a browser that can reach it.

Dagster asks nobody for a login, answers to any name, and changes things by `GET`. Whoever opens
its pages may run code, so a page of another site must neither ask it nor show it.
"""

from collections.abc import Sequence
from typing import Any

import dagster_webserver.app
from dagster_webserver.cli import main
from dagster_webserver.webserver import DagsterWebserver
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OwnPagesOnly:
    """ASGI middleware: lets its own pages, and programs that are no browser, ask.

    Of other sites nothing passes but a link that is followed, and nothing may be shown in a frame
    of theirs. GraphQL is not asked by `GET` at all: its mutations would pass as pictures do.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Frame-Options"] = "SAMEORIGIN"
            await send(message)

        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif not _is_of_own_pages(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close"})
                return
            text = "Dagster answers its own pages alone, none of another site"
            await PlainTextResponse(text, 403)(scope, receive, add)
        elif _asks_graphql_by_get(scope):
            text = "GraphQL is asked by POST alone"
            await PlainTextResponse(text, 405, {"Allow": "POST"})(scope, receive, add)
        else:
            await self._app(scope, receive, add)


def _is_of_own_pages(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    host = headers.get("host", "").lower()
    # Sent with every POST and websocket of a browser. With its port: another one is another site.
    own = {f"{scheme}://{host}" for scheme in ("http", "https")}
    if any(origin.lower() not in own for origin in headers.getlist("origin")):
        return False
    if headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
        return True
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _asks_graphql_by_get(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] == "POST":
        return False
    # As Dagster tells them apart: who accepts HTML is shown a page to type queries into.
    wants_page = "text/html" in Headers(scope=scope).get("accept", "")
    return str(scope["path"]).endswith("/graphql") and not wants_page


def run(guards: Sequence[Middleware]) -> None:
    """Run `dagster-webserver`, with its options on the command line, behind the guards.

    Args:
        guards: Middleware that stands before ours, outermost first.
    """

    class Guarded(DagsterWebserver[Any, Any]):
        def build_middleware(self) -> list[Middleware]:
            return [*guards, Middleware(OwnPagesOnly), *super().build_middleware()]

    # The command line has no option for middleware; this is where it makes the server.
    dagster_webserver.app.DagsterWebserver = Guarded  # type: ignore[attr-defined]
    main()  # type: ignore[no-untyped-call]
