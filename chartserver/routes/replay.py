"""`GET /replay/stream`: a stored range as events, paced by when each value became known."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from itertools import groupby, islice
from typing import Any

from psycopg import AsyncConnection
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chartserver import parameters
from chartserver.errors import ParameterError
from chartserver.frames import END, HELLO, row_event
from chartserver.lifespan import State
from chartserver.subscription import SEND_TIMEOUT_SECONDS
from db.pages.history import Span
from db.pages.replay import KnownRow, read_known_rows, read_session_dates
from db.server.reader import Pool, read

PING_SECONDS = 10
# What becomes known within this many wall seconds leaves in one piece.
STEP_SECONDS = 0.02
CHUNK_ROWS = 200


async def stream(request: Request[State]) -> Response:
    """Check the request, then send the range session by session and `end`."""
    query, state = request.query_params, request.state
    underlying = parameters.underlying(query, state["settings"].underlyings[0])
    span = parameters.span(query)
    if span is None:
        raise ParameterError("from", parameters.TIME_FORMS)
    symbols, speed = parameters.symbols(query), parameters.speed(query)

    async def find(connection: AsyncConnection[Any]) -> list[Span]:
        sessions = await read_session_dates(connection, underlying, span)
        days = [parameters.day_span(session) for session in sessions]
        return [Span(max(day.start, span.start), min(day.stop, span.stop)) for day in days]

    # Read before the answer starts: afterwards no error status could be sent.
    days = await read(state["pool"], find)
    return EventSourceResponse(
        _events(
            state["pool"],
            underlying,
            days,
            symbols,
            speed,
            state["settings"].replay_rows_per_second,
        ),
        ping=PING_SECONDS,
        sep="\n",
        send_timeout=SEND_TIMEOUT_SECONDS,
    )


async def _events(
    pool: Pool,
    underlying: str,
    days: list[Span],
    symbols: list[str] | None,
    speed: float,
    rows_per_second: int,
) -> AsyncIterator[bytes]:
    yield HELLO
    clock = asyncio.get_running_loop().time
    free = clock()  # from when on more may be sent, whatever is due
    for day in days:
        # Nights are not waited for: each session starts with its first row.
        rows = await _rows(pool, underlying, day, symbols)
        start = clock()
        for due, count, payload in _paced(rows, speed):
            await asyncio.sleep(max(0.0, start + due - clock(), free - clock()))
            free = max(free, clock()) + count / rows_per_second
            yield payload
    yield END


async def _rows(
    pool: Pool, underlying: str, day: Span, symbols: list[str] | None
) -> list[KnownRow]:
    return await read(
        pool, lambda connection: read_known_rows(connection, underlying, day, symbols)
    )


def _paced(rows: list[KnownRow], speed: float) -> Iterator[tuple[float, int, bytes]]:
    """Yield seconds, and what is due after them, as it was known: number of rows and bytes."""
    if not rows:
        return
    first = rows[0].known_at

    def step(row: KnownRow) -> int:
        return math.ceil((row.known_at - first).total_seconds() / speed / STEP_SECONDS)

    for number, group in groupby(rows, step):
        while chunk := list(islice(group, CHUNK_ROWS)):
            yield number * STEP_SECONDS, len(chunk), b"".join(map(row_event, chunk))


routes = [Route("/replay/stream", stream)]
