"""What a replay must know beside the rows: contracts and signals as they were known then."""

from datetime import date
from typing import Any

from psycopg import AsyncConnection

from chartserver.frames import known, signal_object
from chartserver.picture import Request
from db.pages.history import Span
from db.pages.replay import read_listed, read_revised, read_session_dates


async def past_fields(
    connection: AsyncConnection[Any], request: Request, span: Span
) -> dict[str, Any]:
    """Return the fields `listed` and `revised` of a replay's answer."""
    sessions = await read_session_dates(connection, request.underlying, span)
    listed = await read_listed(connection, request.underlying, sessions)
    revised = await read_revised(connection, request.underlying, span)
    return {
        "listed": [
            _listed(session.isoformat(), listed.get(session, {}), request) for session in sessions
        ],
        "revised": [
            {**signal_object(signal), "revised_at": known(revised_at)}
            for signal, revised_at in revised
        ],
    }


def _listed(session: str, strikes: dict[date, list[int]], request: Request) -> dict[str, Any]:
    """Return one session's contracts: the expiry asked for if it was listed, else the nearest."""
    expiries = sorted(strikes)
    nearest = expiries[0] if expiries else None
    chosen = nearest if request.expiry is None else request.expiry
    if chosen not in strikes:
        chosen = None
    return {
        "session": session,
        "expiries": [expiry.isoformat() for expiry in expiries],
        "expiry": chosen.isoformat() if chosen else None,
        "strikes": strikes[chosen] if chosen else [],
    }
