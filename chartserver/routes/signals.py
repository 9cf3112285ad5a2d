"""`GET /api/signals`: signals of a range with what became of them."""

from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chartserver import parameters
from chartserver.frames import signal_object
from chartserver.lifespan import State
from chartserver.responses import COMPRESSED, json_response
from db.history import EVER, Outcome, Span, read_extent, read_outcomes, read_signals
from db.reader import read


async def get_signals(request: Request[State]) -> Response:
    """Return signals, by default of the latest stored session; withdrawn ones are marked."""
    query, settings = request.query_params, request.state["settings"]
    underlying = parameters.underlying(query, settings.underlyings[0])
    span = parameters.span(query, parameters.SIGNAL_RANGE_DAYS)
    strategy = query.get("strategy") or None

    async def find(connection: AsyncConnection[Any]) -> list[dict[str, Any]]:
        return await _signals(connection, underlying, span, strategy)

    return json_response(
        {"underlying": underlying, "signals": await read(request.state["pool"], find)}
    )


async def _signals(
    connection: AsyncConnection[Any], underlying: str, span: Span | None, strategy: str | None
) -> list[dict[str, Any]]:
    if span is None:
        extent = await read_extent(connection, underlying, EVER)
        if extent is None:
            return []
        span = parameters.ist_day(extent[1])
    signals = await read_signals(connection, underlying, span, strategy)
    outcomes = await read_outcomes(connection, [signal.signal_id for signal in signals])
    return [
        {**signal_object(signal), "outcomes": _objects(outcomes, signal.signal_id)}
        for signal in signals
    ]


def _objects(outcomes: dict[UUID, list[Outcome]], signal_id: UUID) -> list[dict[str, Any]]:
    found = [outcome._asdict() for outcome in outcomes.get(signal_id, ())]
    for outcome in found:
        del outcome["signal_id"]
    return found


routes = [Route("/api/signals", get_signals, middleware=COMPRESSED)]
