"""The chart server with a count of all that leaves it, workers' requests included.

`GET /bench/requests` returns and forgets what was asked for so far. Two files of the folder
`BENCH_FOLDER` are answers: `bare.html` of `GET /bench/bare`, a page beside ours, and
`history.json.gz`, while it is there, of `GET /api/history`.
"""

import logging
import os
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chartserver.app import create_app
from chartserver.server import Server, bind
from chartserver.settings import read_settings

# What a header takes beside its name and value: ": " and the end of the line.
HEADER_BYTES = 4

logger = logging.getLogger("bench.counted")


class Counted:
    """ASGI middleware: counts requests and the bytes of their answers, and replaces some."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._bare, self._history = folder / "bare.html", folder / "history.json.gz"
        self._requests: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == "/bench/requests":
            taken, self._requests = self._requests, []
            await JSONResponse(taken)(scope, receive, send)
        elif scope["path"] == "/bench/bare":
            await Response(self._bare.read_bytes(), media_type="text/html")(scope, receive, send)
        else:
            await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry = {"path": scope["path"], "status": 0, "bytes": 0}
        self._requests.append(entry)

        async def count(message: Message) -> None:
            entry["status"] = message.get("status", entry["status"])
            for name, value in message.get("headers", ()):
                entry["bytes"] += len(name) + len(value) + HEADER_BYTES
            entry["bytes"] += len(message.get("body", b""))
            await send(message)

        app = self._app
        if scope["path"] == "/api/history" and self._history.exists():
            body, packed = self._history.read_bytes(), {"Content-Encoding": "gzip"}
            app = Response(body, headers=packed, media_type="application/json")
        await app(scope, receive, count)


def main() -> None:
    """Serve until a signal."""
    logging.basicConfig(level=logging.INFO)
    settings = read_settings()
    app = create_app(settings)
    app.add_middleware(Counted, folder=Path(os.environ["BENCH_FOLDER"]))
    with bind(settings) as sock:
        logger.info("listening on http://127.0.0.1:%s", sock.getsockname()[1])
        Server(app, settings).run(sockets=[sock])


if __name__ == "__main__":
    main()
