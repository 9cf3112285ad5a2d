"""`GET /api/signals` and below: signals of a range, what became of them, what gave none."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chartserver import parameters
from chartserver.errors import UnknownError
from chartserver.frames import seconds, signal_object
from chartserver.lifespan import State
from chartserver.responses import COMPRESSED, json_response
from chartserver.settings import SIMULATOR
from db.pages.chain import read_spot
from db.pages.history import (
    EVER,
    Outcome,
    read_extent,
    read_outcomes,
    read_revisions,
    read_signals,
)
from db.pages.proof_status import ProofStatus, read_proof_status
from db.pages.signal_stats import (
    Bin,
    Choice,
    read_equity,
    read_rejections,
    read_return_bins,
    read_sealed_sessions,
    read_splits,
    read_stats,
    read_versions,
)
from db.server.reader import read
from db.writing.rows import SignalRejection
from strategy.contract import future_symbol

# More rows than anybody reads; `total` says how many there are.
REJECTIONS_AT_MOST = 1000
OUTCOME_TIMES = ("entered_at", "exited_at")


async def get_signals(request: Request[State]) -> Response:
    """Return signals, by default of the latest stored session; withdrawn ones are marked."""
    asked, settings = _asked(request), request.state["settings"]

    async def find(connection: AsyncConnection[Any]) -> dict[str, Any]:
        choice = await _choice(connection, *asked)
        names = (choice.underlying, future_symbol(choice.underlying))
        spot = await read_spot(connection, names, choice.span, first=False)
        found = await _signals(connection, choice)
        simulated = settings.simulated or (spot is not None and spot.source == SIMULATOR)
        return {"underlying": choice.underlying, "simulated": simulated, "signals": found}

    return json_response(await read(request.state["pool"], find))


async def get_revisions(request: Request[State]) -> Response:
    """Return one signal as it was before corrected inputs changed it, oldest first."""
    asked = parameters.signal_id(request.query_params)
    found = await read(request.state["pool"], lambda connection: read_revisions(connection, asked))
    if found is None:
        raise UnknownError(f"no signal {asked} is stored")
    revisions = [{**signal_object(row), "revised_at": seconds(when)} for row, when in found]
    return json_response({"signal_id": str(asked), "revisions": revisions})


async def get_stats(request: Request[State]) -> Response:
    """Return how signals did by strategy, version and horizon, and which versions there are."""
    asked = _asked(request)
    # All horizons are in the answer; a wrong one is refused as everywhere.
    parameters.horizon(request.query_params)

    async def find(connection: AsyncConnection[Any]) -> dict[str, Any]:
        choice = await _choice(connection, *asked)
        versions, proved = (
            await read_versions(connection, choice),
            await read_proof_status(connection),
        )
        return {
            "underlying": choice.underlying,
            "history": choice.history,
            "fills": choice.fills,
            "versions": [
                {**row._asdict(), "proof": proof_object(proved.get((row.strategy, row.version)))}
                for row in versions
            ],
            "stats": [row._asdict() for row in await read_stats(connection, choice)],
            "sealed_sessions": [
                day.isoformat() for day in await read_sealed_sessions(connection, choice)
            ],
        }

    return json_response(await read(request.state["pool"], find))


def proof_object(status: ProofStatus | None) -> dict[str, Any]:
    """Return what was proved of a version; nothing of one that nobody registered."""
    if status is None:
        status = ProofStatus("", "", "unproved", 0, 0, 0, None, None, None)
    _, _, *values = status
    found = dict(zip(ProofStatus._fields[2:], values, strict=True))
    return {
        **found,
        "first_session": status.first_session and status.first_session.isoformat(),
        "last_session": status.last_session and status.last_session.isoformat(),
        "proved_at": status.proved_at and seconds(status.proved_at),
    }


async def get_splits(request: Request[State]) -> Response:
    """Return how signals did at a horizon by time of day, days to expiry or volatility."""
    asked, query = _asked(request), request.query_params
    split, horizon = parameters.split(query), parameters.horizon(query)

    async def find(connection: AsyncConnection[Any]) -> dict[str, Any]:
        choice = await _choice(connection, *asked)
        rows = await read_splits(connection, choice, split, horizon)
        return {**_case(choice, horizon), "by": split, "splits": [row._asdict() for row in rows]}

    return json_response(await read(request.state["pool"], find))


async def get_equity(request: Request[State]) -> Response:
    """Return what signals came to at a horizon, by the end of each session."""
    asked, horizon = _asked(request), parameters.horizon(request.query_params)

    async def find(connection: AsyncConnection[Any]) -> dict[str, Any]:
        choice = await _choice(connection, *asked)
        rows = await read_equity(connection, choice, horizon)
        sessions = [{**row._asdict(), "session": row.session.isoformat()} for row in rows]
        return {**_case(choice, horizon), "equity": sessions}

    return json_response(await read(request.state["pool"], find))


async def get_distribution(request: Request[State]) -> Response:
    """Return how the returns at a horizon are distributed."""
    asked, horizon = _asked(request), parameters.horizon(request.query_params)

    async def find(connection: AsyncConnection[Any]) -> dict[str, Any]:
        choice = await _choice(connection, *asked)
        return {
            **_case(choice, horizon),
            "distributions": _distributions(await read_return_bins(connection, choice, horizon)),
        }

    return json_response(await read(request.state["pool"], find))


async def get_rejections(request: Request[State]) -> Response:
    """Return the newest candidates that gave no signal, with the reason."""
    asked = _asked(request)

    async def find(connection: AsyncConnection[Any]) -> dict[str, Any]:
        choice = await _choice(connection, *asked)
        found = await read_rejections(connection, choice, REJECTIONS_AT_MOST)
        return {
            "underlying": choice.underlying,
            "total": found.total,
            "rejections": [_rejection_object(row) for row in found.rows],
        }

    return json_response(await read(request.state["pool"], find))


Asked = tuple[Choice, bool]


def _asked(request: Request[State]) -> Asked:
    """Return the checked choice, and whether its range is only a placeholder."""
    query = request.query_params
    span = parameters.span(query, parameters.SIGNAL_RANGE_DAYS)
    choice = Choice(
        parameters.underlying(query, request.state["settings"].underlyings[0]),
        span or EVER,
        parameters.name(query, "strategy"),
        parameters.name(query, "version"),
        parameters.direction(query),
        parameters.history(query),
        parameters.fills(query),
    )
    return choice, span is None


async def _choice(connection: AsyncConnection[Any], choice: Choice, newest: bool) -> Choice:
    """Return a choice whose range, when none was asked for, is the newest stored session's."""
    extent = await read_extent(connection, choice.underlying, EVER) if newest else None
    return choice._replace(span=parameters.ist_day(extent[1])) if extent else choice


def _case(choice: Choice, horizon: int) -> dict[str, Any]:
    return {
        "underlying": choice.underlying,
        "horizon_minutes": horizon,
        "history": choice.history,
        "fills": choice.fills,
    }


async def _signals(connection: AsyncConnection[Any], choice: Choice) -> list[dict[str, Any]]:
    signals = await read_signals(
        connection, choice.underlying, choice.span, choice.strategy, choice.version
    )
    outcomes = await read_outcomes(connection, [signal.signal_id for signal in signals])
    return [
        {**signal_object(signal), "outcomes": _outcome_objects(outcomes, signal.signal_id)}
        for signal in signals
        if choice.direction in {None, signal.direction}
    ]


def _outcome_objects(outcomes: dict[UUID, list[Outcome]], signal_id: UUID) -> list[dict[str, Any]]:
    found = [outcome._asdict() for outcome in outcomes.get(signal_id, ())]
    for outcome in found:
        del outcome["signal_id"]
        outcome |= {name: outcome[name] and seconds(outcome[name]) for name in OUTCOME_TIMES}
    return found


def _distributions(bins: Iterable[Bin]) -> list[dict[str, Any]]:
    return [
        {
            "strategy": strategy,
            "version": version,
            "width": width,
            "bins": [
                {"from": round(row.bin * width, 2), "signals": row.signals, "random": row.random}
                for row in rows
            ],
        }
        for (strategy, version, width), rows in groupby(bins, lambda row: row[:3])
    ]


def _rejection_object(row: SignalRejection) -> dict[str, Any]:
    return {
        **row._asdict(),
        "session": row.session.isoformat(),
        "event_time": seconds(row.event_time),
        "known_at": seconds(row.known_at) if row.known_at else None,
    }


routes = [
    Route("/api/signals", get_signals, middleware=COMPRESSED),
    Route("/api/signals/revisions", get_revisions, middleware=COMPRESSED),
    Route("/api/signals/stats", get_stats, middleware=COMPRESSED),
    Route("/api/signals/splits", get_splits, middleware=COMPRESSED),
    Route("/api/signals/equity", get_equity, middleware=COMPRESSED),
    Route("/api/signals/distribution", get_distribution, middleware=COMPRESSED),
    Route("/api/signals/rejections", get_rejections, middleware=COMPRESSED),
]
