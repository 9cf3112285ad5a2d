"""What a chart of an underlying shows over a range: the answer of history and replay."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from chartserver.errors import UnknownError
from chartserver.frames import dumps, seconds, signal_object
from chartserver.parameters import INTERVALS, ist_day
from chartserver.settings import SIMULATOR, Settings
from chartserver.status import clock_object
from db.chain import Spot, read_expiries, read_known, read_spot, read_strikes
from db.change_log import read_cursor
from db.history import (
    EVER,
    BuildUpColumns,
    CandleColumns,
    ShownSignal,
    Span,
    read_build_ups,
    read_candles,
    read_extent,
    read_signals,
)
from strategy.contract import Contract, OptionType, atm_strike, future_symbol, strikes_around
from strategy.session import session_of

OPTION_TYPES: tuple[OptionType, OptionType] = ("C", "P")
# Strikes on each side of the chosen one whose contracts a replay brings along.
REPLAY_WINGS = 2


class Request(NamedTuple):
    """A checked request; None means the usual choice."""

    underlying: str
    span: Span | None
    interval: str
    expiry: date | None
    strike: int | None
    symbols: list[str] | None


class Picture(NamedTuple):
    """Which times and instruments the answer is about."""

    span: Span
    session: date
    expiries: list[date]
    expiry: date | None
    strikes: list[int]
    spot: Spot | None
    atm: int | None
    strike: int | None

    def options(self, underlying: str, strikes: Iterable[int]) -> list[str]:
        """Return the calls' and puts' symbols of some strikes."""
        if self.expiry is None:
            return []
        return [
            Contract(underlying, self.expiry, strike, kind).symbol
            for strike in strikes
            for kind in OPTION_TYPES
        ]

    def roles(self, underlying: str) -> dict[str, str | None]:
        """Return the symbol of each chart."""
        chosen = self.options(underlying, [self.strike] if self.strike else [])
        call, put = chosen or (None, None)
        return {
            "index": underlying,
            "future": future_symbol(underlying),
            "call": call,
            "put": put,
        }


async def history(
    connection: AsyncConnection[Any], request: Request, settings: Settings, status: dict[str, Any]
) -> str:
    """Return the rows of a range and the place in the log they stand at, as JSON.

    The connection's transaction is one snapshot, so that rows and cursor agree.
    """
    as_of = await read_cursor(connection)
    picture = await _picture(connection, request, settings, opening=False)
    signals = await read_signals(connection, request.underlying, picture.span)
    shown = await _named(connection, request) or _present(picture.roles(request.underlying))
    head = {**_head(request, settings, picture), "as_of": str(as_of), "status": status}
    return await _answer(connection, request, picture, shown, head, signals)


async def replay(connection: AsyncConnection[Any], request: Request, settings: Settings) -> str:
    """Return everything of a range as JSON: final rows only, ATM as at its first price."""
    as_of = await read_cursor(connection)
    picture = await _picture(connection, request, settings, opening=True)
    signals = await read_signals(connection, request.underlying, picture.span)
    shown = await _named(connection, request)
    if shown is None:
        shown = _present(picture.roles(request.underlying))
        if picture.strike is not None:
            near = strikes_around(picture.strike, picture.strikes, REPLAY_WINGS)
            shown += picture.options(request.underlying, near)
        shown += [signal.symbol for signal in signals]
    head = {**_head(request, settings, picture), "as_of": str(as_of)}
    return await _answer(
        connection, request, picture, dict.fromkeys(shown), head, signals, only_final=True
    )


async def _picture(
    connection: AsyncConnection[Any], request: Request, settings: Settings, *, opening: bool
) -> Picture:
    """Choose by the first session of the range when it opened, or by its last session as it is."""
    underlying = request.underlying
    span = request.span
    extent = await read_extent(connection, underlying, span or EVER)
    if span is None:
        span = ist_day(extent[1] if extent else settings.clock.now())
    ends = extent or (span.start, span.stop - timedelta(microseconds=1))
    moment = ends[0] if opening else ends[1]
    session = session_of(moment)
    index = (underlying, future_symbol(underlying))
    spot = await read_spot(connection, index, span, first=opening)
    expiries = await read_expiries(connection, underlying, session, ist_day(moment))
    expiry = request.expiry or (expiries[0] if expiries else None)
    strikes = await read_strikes(connection, underlying, expiry) if expiry else []
    if request.expiry and not strikes:
        raise UnknownError(f"no {underlying} contracts that expire on {expiry} are stored")
    if request.strike and request.strike not in strikes:
        raise UnknownError(f"{underlying} has no strike {request.strike} for expiry {expiry}")
    atm = atm_strike(spot.price, strikes) if spot and strikes else None
    return Picture(span, session, expiries, expiry, strikes, spot, atm, request.strike or atm)


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


def _head(request: Request, settings: Settings, picture: Picture) -> dict[str, Any]:
    spot = picture.spot
    return {
        "underlying": request.underlying,
        "session": picture.session.isoformat(),
        "expiry": picture.expiry.isoformat() if picture.expiry else None,
        "expiries": [expiry.isoformat() for expiry in picture.expiries],
        "strikes": picture.strikes,
        "atm_strike": picture.atm,
        "spot": spot.price if spot else None,
        "simulated": settings.simulated or (spot is not None and spot.source == SIMULATOR),
        "now": seconds(settings.clock.now()),
        "clock": clock_object(settings),
    }


async def _answer(
    connection: AsyncConnection[Any],
    request: Request,
    picture: Picture,
    shown: Iterable[str],
    head: dict[str, Any],
    signals: Sequence[ShownSignal],
    *,
    only_final: bool = False,
) -> str:
    symbols = list(shown)
    candles = await read_candles(
        connection, symbols, picture.span, INTERVALS[request.interval], only_final=only_final
    )
    build_ups = await read_build_ups(connection, symbols, picture.span)
    roles = picture.roles(request.underlying)
    if roles["future"] not in {found.symbol for found in candles}:
        roles["future"] = None
    asked = INTERVALS[request.interval]
    only_coarse = bool(candles) and min(found.minutes for found in candles) > asked
    head |= {
        "interval": "5m" if only_coarse else request.interval,
        "symbols": roles,
        "signals": [signal_object(signal) for signal in signals],
    }
    # The columns are JSON already.
    return f'{dumps(head)[:-1]},"candles":{_object(candles)},"build_ups":{_object(build_ups)}}}'


def _object(columns: Iterable[CandleColumns | BuildUpColumns]) -> str:
    return "{" + ",".join(f"{dumps(found.symbol)}:{found.columns}" for found in columns) + "}"
