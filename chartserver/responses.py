"""How JSON leaves the server."""

from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from chartserver.frames import dumps

# Level 4 packs columns to a quarter in a tenth of the default level's time. Only routes of whole
# answers are wrapped: on streams it would cost every client.
COMPRESSED = [Middleware(GZipMiddleware, compresslevel=4)]


def json_response(body: str | dict[str, Any]) -> Response:
    """Return an object, or text that is JSON already; rows change, so nothing is cached."""
    content = body if isinstance(body, str) else dumps(body)
    return Response(content, 200, {"Cache-Control": "no-store"}, "application/json")
