"""`GET /api/history`, `/api/replay` and `/api/sessions`: stored rows of a range."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chartserver import history, parameters, picture
from chartserver.errors import ParameterError
from chartserver.lifespan import State
from chartserver.responses import COMPRESSED, json_response
from db.pages.history import read_sessions
from db.server.reader import read


def _checked(request: Request[State]) -> picture.Request:
    query = request.query_params
    checked = picture.Request(
        parameters.underlying(query, request.state["settings"].underlyings[0]),
        parameters.span(query),
        parameters.interval(query),
        parameters.day(query, "expiry"),
        parameters.whole_number(query, "strike"),
        parameters.whole_number(query, "call"),
        parameters.whole_number(query, "put"),
        parameters.symbols(query),
    )
    checked.check_extent()
    return checked


async def get_history(request: Request[State]) -> Response:
    """Return a range, by default the latest stored session."""
    state, checked = request.state, _checked(request)
    status = state["status"].current(checked.underlying)
    return json_response(
        await read(
            state["pool"],
            lambda connection: history.history(connection, checked, state["settings"], status),
        )
    )


async def get_replay(request: Request[State]) -> Response:
    """Return a range as it became known."""
    state, checked = request.state, _checked(request)
    if checked.span is None:
        raise ParameterError("from", parameters.TIME_FORMS)
    return json_response(
        await read(
            state["pool"],
            lambda connection: history.replay(connection, checked, state["settings"]),
        )
    )


async def get_sessions(request: Request[State]) -> Response:
    """Return the stored sessions, newest first."""
    chosen = parameters.underlying_filter(request.query_params)
    names = [chosen] if chosen else request.state["settings"].underlyings
    sessions = await read(
        request.state["pool"], lambda connection: read_sessions(connection, names)
    )
    return json_response(
        {
            "sessions": [
                {**stored._asdict(), "session": stored.session.isoformat()} for stored in sessions
            ]
        }
    )


routes = [
    Route("/api/history", get_history, middleware=COMPRESSED),
    Route("/api/replay", get_replay, middleware=COMPRESSED),
    Route("/api/sessions", get_sessions, middleware=COMPRESSED),
]
