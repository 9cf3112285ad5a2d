"""What a chart of an underlying shows over a range: the answer of history and replay."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from psycopg import AsyncConnection

from chartserver.errors import UnknownError
from chartserver.forming import forming_fields
from chartserver.frames import dumps, hours_object, number, seconds, signal_object
from chartserver.parameters import INTERVALS, day_span
from chartserver.past import past_fields
from chartserver.picture import Picture, Request, choose
from chartserver.settings import SIMULATOR, Settings
from chartserver.status import clock_object, loss_limit_object, trades
from db.market.calendar import read_hours
from db.pages.chain import read_known
from db.pages.change_log import read_cursor
from db.pages.history import (
    EVER,
    BuildUpColumns,
    CandleColumns,
    Span,
    read_build_ups,
    read_candles,
    read_previous,
    read_signals,
)
from db.pages.loss_limit import read_reached
from db.pages.replay import read_session_dates
from strategy.session import session_of

# Strikes on each side of the chosen one whose contracts a replay brings along.
REPLAY_WINGS = 2


async def history(
    connection: AsyncConnection[Any], request: Request, settings: Settings, status: dict[str, Any]
) -> str:
    """Return the rows of a range and the place in the log they stand at, as JSON.

    The connection's transaction is one snapshot, so that rows and cursor agree.
    """
    as_of = await read_cursor(connection)
    picture = await choose(connection, request, settings, opening=False)
    signals = await read_signals(connection, request.underlying, picture.span)
    shown = await _named(connection, request) or _present(picture.roles)
    head = {
        **await _head(connection, request, settings, picture),
        "as_of": str(as_of),
        "status": status,
        "signals": [signal_object(signal) for signal in signals],
    }
    return await _answer(connection, request, picture, shown, head)


async def replay(connection: AsyncConnection[Any], request: Request, settings: Settings) -> str:
    """Return everything of a range as JSON: final rows, ATM as at its first price.

    How candles formed comes beside them, where it was kept.
    """
    as_of = await read_cursor(connection)
    picture = await choose(connection, request, settings, opening=True)
    signals = await read_signals(connection, request.underlying, picture.span)
    shown = await _named(connection, request)
    past: dict[str, Any] = {}
    if shown is None:
        shown = _present(picture.roles)
        shown += picture.around(REPLAY_WINGS)
        shown += [signal.symbol for signal in signals]
        past = await past_fields(connection, request, picture.span)
    shown = list(dict.fromkeys(shown))
    reached = await read_reached(connection, [request.underlying], picture.span, EVER.stop)
    head = {
        **await _head(connection, request, settings, picture),
        "as_of": str(as_of),
        "signals": [signal_object(signal) for signal in signals],
        **past,
        "loss_limit": [
            {**loss_limit_object(found), "known_at": seconds(found.known_at)} for found in reached
        ],
    }
    answer = await _answer(connection, request, picture, shown, head, only_final=True)
    forming = await forming_fields(connection, shown, _present(picture.roles), picture.span)
    return f"{answer[:-1]},{forming}}}"


async def _named(connection: AsyncConnection[Any], request: Request) -> list[str] | None:
    if request.symbols is None:
        return None
    known = await read_known(connection, request.underlying, request.symbols)
    unknown = [name for name in request.symbols if name not in known]
    if unknown:
        raise UnknownError(
            f"unknown symbols of {request.underlying}: {', '.join(unknown)}", symbols=unknown
        )
    return request.symbols


def _present(roles: dict[str, str | None]) -> list[str]:
    return [symbol for symbol in roles.values() if symbol]


async def _head(
    connection: AsyncConnection[Any], request: Request, settings: Settings, picture: Picture
) -> dict[str, Any]:
    spot = picture.spot
    return {
        "underlying": request.underlying,
        "session": picture.session.isoformat(),
        "sessions": await _sessions(connection, request, settings, picture.span),
        "expiry": picture.expiry.isoformat() if picture.expiry else None,
        "expiries": [expiry.isoformat() for expiry in picture.expiries],
        "strikes": picture.strikes,
        "atm_strike": picture.atm,
        "spot": spot.price if spot else None,
        "missing": [missing._asdict() for missing in picture.missing],
        "simulated": settings.simulated or (spot is not None and spot.source == SIMULATOR),
        "now": seconds(settings.clock.now()),
        "clock": clock_object(settings),
    }


async def _sessions(
    connection: AsyncConnection[Any], request: Request, settings: Settings, span: Span
) -> list[dict[str, Any]]:
    """Return the hours of a range's stored sessions, and of today where its rows may yet come."""
    days = await read_session_dates(connection, request.underlying, span)
    today = session_of(settings.clock.now())
    awaited = request.span is None or _overlap(span, day_span(today))
    if awaited and today not in days and trades(today):
        days = sorted([*days, today])
    return [hours_object(*hours) for hours in await read_hours(connection, days)]


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.stop and other.start < one.stop


async def _previous(
    connection: AsyncConnection[Any], symbols: list[str], session: date, *, only_final: bool
) -> dict[str, dict[str, Any]]:
    """Return what each symbol did in its last stored session before one; absent without any."""
    before = day_span(session).start
    return {
        row.symbol: {
            "session": row.session.isoformat(),
            **{name: number(getattr(row, name)) for name in ("open", "high", "low", "close")},
        }
        for row in await read_previous(connection, symbols, before, only_final=only_final)
    }


async def _answer(
    connection: AsyncConnection[Any],
    request: Request,
    picture: Picture,
    symbols: list[str],
    head: dict[str, Any],
    *,
    only_final: bool = False,
) -> str:
    asked = INTERVALS[request.interval]
    candles = await read_candles(connection, symbols, picture.span, asked, only_final=only_final)
    build_ups = await read_build_ups(connection, symbols, picture.span)
    roles = picture.roles
    if roles["future"] not in {found.symbol for found in candles}:
        roles["future"] = None
    only_coarse = bool(candles) and min(found.minutes for found in candles) > asked
    head |= {
        "interval": "5m" if only_coarse else request.interval,
        "symbols": roles,
        "previous": await _previous(connection, symbols, picture.session, only_final=only_final),
    }
    # The columns are JSON already.
    return f'{dumps(head)[:-1]},"candles":{_object(candles)},"build_ups":{_object(build_ups)}}}'


def _object(columns: Iterable[CandleColumns | BuildUpColumns]) -> str:
    return "{" + ",".join(f"{dumps(found.symbol)}:{found.columns}" for found in columns) + "}"
