"""`GET /api/chain`: the strike ladder as it was known at a time."""

from collections.abc import Iterable
from datetime import date, datetime
from operator import itemgetter
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
from db.chain import Rung, read_expiries, read_ladder, read_spot
from db.history import EVER, Span, read_extent
from db.reader import read
from strategy.contract import atm_strike, future_symbol
from strategy.session import session_of

SIDES = {"C": "call", "P": "put"}
GREEKS = ("delta", "gamma", "theta", "vega")
ABSENT = dict.fromkeys(("symbol", "price", "oi", "oi_change", "label", "iv", *GREEKS, "greeks_at"))


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
    # The last session that had begun by then: before an open, the ladder stands as it closed.
    extent = await read_extent(connection, underlying, Span(EVER.start, at))
    day = parameters.ist_day(extent[1] if extent else at)
    expiries = await read_expiries(connection, underlying, session_of(day.start), day)
    chosen = expiry or (expiries[0] if expiries else None)
    spot = await read_spot(connection, (underlying, future_symbol(underlying)), day, at=at)
    rungs = await read_ladder(connection, underlying, chosen, day, at) if chosen else []
    if expiry and not rungs:
        raise UnknownError(f"no {underlying} contracts that expire on {expiry} are stored")
    strikes = sorted({rung.strike for rung in rungs})
    return {
        "underlying": underlying,
        "at": seconds(at),
        "session": session_of(day.start).isoformat(),
        "expiry": chosen.isoformat() if chosen else None,
        "spot": spot.price if spot else None,
        "atm_strike": atm_strike(spot.price, strikes) if spot and strikes else None,
        "pcr": _put_call_ratio(rungs),
        **_forward(rungs),
        "rows": _rows(rungs),
    }


def _rows(rungs: Iterable[Rung]) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for rung in rungs:
        row = rows.setdefault(rung.strike, {"strike": rung.strike, "call": None, "put": None})
        row[SIDES[rung.option_type]] = {
            "symbol": rung.symbol,
            "price": rung.price,
            "oi": rung.open_interest,
            "oi_change": rung.oi_change,
            "label": rung.label,
            "iv": rung.implied_volatility,
            **{name: getattr(rung, name) for name in GREEKS},
            "greeks_at": seconds(rung.greeks_at) if rung.greeks_at else None,
        }
    return [
        {**row, "call": row["call"] or ABSENT, "put": row["put"] or ABSENT} for row in rows.values()
    ]


def _forward(rungs: Iterable[Rung]) -> dict[str, Any]:
    """Return the newest forward of the expiry; it comes with the greeks made from it."""
    times = [(rung.greeks_at, rung) for rung in rungs if rung.greeks_at]
    newest = max(times, key=itemgetter(0))[1] if times else None
    return {
        "forward": newest.forward if newest else None,
        "forward_source": newest.forward_source if newest else None,
    }


def _put_call_ratio(rungs: Iterable[Rung]) -> float | None:
    total = {"C": 0, "P": 0}
    for rung in rungs:
        total[rung.option_type] += rung.open_interest or 0
    return round(total["P"] / total["C"], 4) if total["C"] else None


routes = [Route("/api/chain", get_chain, middleware=COMPRESSED)]
