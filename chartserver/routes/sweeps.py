"""`GET /api/sweeps` and below: what was swept, walked forward, and judged on sealed sessions."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from psycopg import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chartserver import parameters
from chartserver.errors import UnknownError
from chartserver.frames import seconds
from chartserver.lifespan import State
from chartserver.responses import COMPRESSED, json_response
from db.pages.sweeps import Row, Stored, read_sealed, read_sweep, read_sweeps
from db.server.reader import read


async def get_sweeps(request: Request[State]) -> Response:
    """Return the newest sweeps, and what is sealed from them."""
    strategy = parameters.name(request.query_params, "strategy")

    async def find(connection: AsyncConnection[Any]) -> dict[str, Any]:
        sealed = await read_sealed(connection)
        listed = await read_sweeps(connection, strategy)
        return {
            "sweeps": [_plain(one._asdict()) for one in listed],
            "holdout": _plain(sealed._asdict() | {"verdicts": _plain_all(sealed.verdicts)}),
        }

    return json_response(await read(request.state["pool"], find))


async def get_sweep(request: Request[State]) -> Response:
    """Return one sweep with its combinations and its walk-forward, by default the newest."""
    asked = parameters.whole_number(request.query_params, "sweep_id")
    found = await read(request.state["pool"], lambda connection: read_sweep(connection, asked))
    if found is None:
        named = "no sweep is stored" if asked is None else f"no sweep {asked} is stored"
        raise UnknownError(named)
    return json_response(_sweep_object(found))


def _sweep_object(found: Stored) -> dict[str, Any]:
    names = list(found.sweep["grid"])
    results = []
    for row in _plain_all(found.results):
        params = row.pop("params")
        results.append({**row, "values": {name: _value_at(params, name) for name in names}})
    walk = found.walk and {
        **found.walk,
        "windows": _plain_all(found.windows),
        "judged": _plain_all(found.judged),
    }
    return {"sweep": _plain(found.sweep), "results": results, "walk_forward": walk}


def _value_at(params: Row, path: str) -> Any:
    """Return a number by its name, such as `stop_points.NIFTY`."""
    name, _, inner = path.partition(".")
    return params[name][inner] if inner else params[name]


def _plain_all(rows: Iterable[Row]) -> list[Row]:
    return [_plain(row) for row in rows]


def _plain(row: Row) -> Row:
    """Return a row as JSON has it: moments in UTC seconds, sessions as dates."""
    return {name: _told(value) for name, value in row.items()}


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return seconds(value)
    return value.isoformat() if isinstance(value, date) else value


routes = [
    Route("/api/sweeps", get_sweeps, middleware=COMPRESSED),
    Route("/api/sweeps/result", get_sweep, middleware=COMPRESSED),
]
