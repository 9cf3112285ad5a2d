"""`GET /api/chain`: the strike ladder as it was known at a time."""

from datetime import date, datetime
from typing import Any

from psycopg import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chartserver import parameters
from chartserver.errors import UnknownError
from chartserver.ladders import read_picture
from chartserver.lifespan import State
from chartserver.responses import COMPRESSED, json_response
from chartserver.rungs import head_object, row_objects
from db.pages.chain import Ladder, read_expiries, read_ladder
from db.server.reader import read
from strategy.session import session_of


async def get_chain(request: Request[State]) -> Response:
    """Return the ladder of the nearest or the named expiry, by default as known now."""
    query, settings = request.query_params, request.state["settings"]
    underlying = parameters.underlying(query, settings.underlyings[0])
    expiry = parameters.day(query, "expiry")
    at = parameters.moment(query, "at") or settings.clock.now()

    async def find(connection: AsyncConnection[Any]) -> dict[str, Any]:
        return await _chain(connection, underlying, expiry, at)

    return json_response(await read(request.state["pool"], find))


async def _chain(
    connection: AsyncConnection[Any], underlying: str, expiry: date | None, at: datetime
) -> dict[str, Any]:
    picture = await read_picture(connection, underlying, at)
    expiries = await read_expiries(
        connection, underlying, session_of(picture.day.start), picture.day
    )
    chosen = expiry or (expiries[0] if expiries else None)
    ladder = Ladder(underlying, chosen) if chosen else None
    rungs = await read_ladder(connection, ladder, picture.day, at) if ladder else []
    if expiry and not rungs:
        raise UnknownError(f"no {underlying} contracts that expire on {expiry} are stored")
    head = head_object(underlying, chosen, picture, at, rungs)
    return {**head, "rows": row_objects(rungs)}


routes = [Route("/api/chain", get_chain, middleware=COMPRESSED)]
