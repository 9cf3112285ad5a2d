"""`GET /openapi.json`: what all other addresses take and answer."""

from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chartserver.description.document import describe
from chartserver.frames import dumps
from chartserver.responses import COMPRESSED, json_response


@cache
def _text() -> str:
    return dumps(describe())


async def get_description(_: Request) -> Response:
    """Return the description of this version."""
    return json_response(_text())


routes = [Route("/openapi.json", get_description, middleware=COMPRESSED)]
