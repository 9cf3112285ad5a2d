"""How JSON leaves the server."""

from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from chartserver.frames import dumps

# Level 5 packs columns to a fifth in 1.7 ms for 128 kB; level 4 takes 1.1 ms and 4 % more bytes,
# level 6 takes 3.2 ms and 2 % less. Only routes of whole answers are wrapped: streams share what
# they compress (see chartserver.payload).
COMPRESSED = [Middleware(GZipMiddleware, compresslevel=5)]


def json_response(body: str | dict[str, Any]) -> Response:
    """Return an object, or text that is JSON already; rows change, so nothing is cached."""
    content = body if isinstance(body, str) else dumps(body)
    return Response(content, 200, {"Cache-Control": "no-store"}, "application/json")
