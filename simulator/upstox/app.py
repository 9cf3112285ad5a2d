"""Upstox's HTTP over a market: Starlette routes, and what each answers at the market's time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import cached_property
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.bad_answers import PAGE, poisoned_response
from simulator.faults import WorldClock
from simulator.market import Market
from simulator.past import NoPast, Past
from simulator.upstox.account import WINDOWS, Claims, Pace, Window, read_token
from simulator.upstox.answers import Refusal, failure, success, too_long
from simulator.upstox.candles import (
    EXPIRED_INTERVALS,
    Row,
    candle_rows,
    date_range,
    minute_interval,
)
from simulator.upstox.chain import chain_rows
from simulator.upstox.instruments import (
    expired_key,
    expired_rows,
    future_row,
    index_key,
    instruments_file,
    keys,
    option_row,
)
from simulator.upstox.sessions import EarlierSessions
from strategy.contract import monthly_expiry
from strategy.session import IST

INSTRUMENTS_PATH = "/market-quote/instruments/exchange/NSE.json.gz"
STATUSES = {"upstox-401": "UDAPI100050", "upstox-429": "UDAPI10005", "upstox-500": "UDAPI100500"}
Endpoint = Callable[[Request], Awaitable[Response]]


class UpstoxManner(NamedTuple):
    """How the service behaves.

    `lag` is how many market seconds old an answer with today's candles is (a cache on its way),
    `windows` how often it may be asked, `past` what earlier sessions were like.
    """

    lag: float = 10.0
    windows: tuple[Window, ...] = WINDOWS
    past: Past = NoPast()


def create_app(market: Market, clock: WorldClock, manner: UpstoxManner) -> Starlette:
    """Return the application that answers as seen at the clock's market time."""
    upstox = Upstox(market, clock, manner)
    expired = "/v2/expired-instruments"
    history = "/v3/historical-candle"
    span = "{to}/{since}"
    answers: dict[str, Endpoint] = {
        f"{history}/intraday/{{key}}/{{unit}}/{{interval}}": upstox.today,
        f"{history}/{{key}}/{{unit}}/{{interval}}/{span}": upstox.earlier,
        f"{expired}/expiries": upstox.expiries,
        f"{expired}/option/contract": upstox.expired_options,
        f"{expired}/future/contract": upstox.expired_futures,
        f"{expired}/historical-candle/{{key}}/{{interval}}/{span}": upstox.expired_candles,
        "/v2/option/chain": upstox.chain,
    }
    routes = [Route(path, upstox.guarded(answer)) for path, answer in answers.items()]
    # The daily file is public: no token, and another host in the real world.
    routes.append(Route(INSTRUMENTS_PATH, upstox.instruments))
    return Starlette(routes=routes, exception_handlers={404: _not_found})


async def _not_found(_request: Request, _error: Exception) -> Response:
    return failure("UDAPI100060")


class Upstox:
    """The questions; each method returns the whole answer."""

    def __init__(self, market: Market, clock: WorldClock, manner: UpstoxManner) -> None:
        self._market = market
        self._clock = clock
        self._manner = manner
        self._pace = Pace(manner.windows)
        self._keys = keys(market)
        self._sessions = EarlierSessions(market, manner.past)

    def guarded(self, answer: Endpoint) -> Endpoint:
        """Return an endpoint that checks pace and token first, and turns refusals into answers."""

        async def endpoint(request: Request) -> Response:
            now = self._clock.now()
            try:
                response = self._fault(request, now)
                if response is None:
                    self._admit(request, now)
                    response = self._poisoned(request, now, await answer(request))
            except Refusal as refusal:
                response = failure(refusal.code)
            response.headers["Date"] = format_datetime(now.astimezone(UTC), usegmt=True)
            return response

        return endpoint

    async def instruments(self, request: Request) -> Response:
        """The gzipped file of all instruments."""
        now = self._clock.now()
        spoiled = self._fault(request, now)
        file = Response(self._file, media_type="application/gzip")
        response = spoiled or self._poisoned(request, now, file)
        response.headers["Date"] = format_datetime(now.astimezone(UTC), usegmt=True)
        return response

    async def today(self, request: Request) -> Response:
        """Candles of the day that is played."""
        minutes = minute_interval(request.path_params["unit"], request.path_params["interval"])
        symbol = self._symbol(request.path_params["key"])
        now = self._clock.now()
        seen = now - timedelta(seconds=self._manner.lag)
        if stale := self._clock.faults.find("upstox-stale", now, symbol):
            seen = min(seen, datetime.combine(self._market.day, stale.start, IST))
        return _candles(candle_rows(self._market, symbol, minutes, seen))

    async def earlier(self, request: Request) -> Response:
        """Candles of the sessions before today."""
        asked = request.path_params
        minutes = minute_interval(asked["unit"], asked["interval"])
        first, last = date_range(asked["to"], asked["since"], minutes)
        self._symbol(asked["key"])
        return await self._past_candles(asked["key"], minutes, first, last)

    async def expired_candles(self, request: Request) -> Response:
        """Candles of a contract that has expired."""
        self._require_plus(request)
        asked = request.path_params
        minutes = EXPIRED_INTERVALS.get(asked["interval"])
        if minutes is None:
            raise Refusal("UDAPI1020")
        first, last = date_range(asked["to"], asked["since"], minutes)
        key, _, day = asked["key"].rpartition("|")
        try:
            expiry = datetime.strptime(day, "%d-%m-%Y").replace(tzinfo=IST).date()
        except ValueError:
            raise Refusal("UDAPI1021") from None
        if key.count("|") != 1 or asked["key"] != expired_key(key, expiry.isoformat()):
            raise Refusal("UDAPI1021")
        if expiry >= self._market.day:
            raise Refusal("UDAPI100011")
        return await self._past_candles(key, minutes, first, min(last, expiry))

    async def expiries(self, request: Request) -> Response:
        """The expiries of the last six months, ascending."""
        self._require_plus(request)
        underlying = self._underlying(request)
        return success([expiry.isoformat() for expiry in self._sessions.expired(underlying)])

    async def expired_options(self, request: Request) -> Response:
        """The options of an expiry that is over."""
        self._require_plus(request)
        underlying, expiry = self._underlying(request), _expiry(request)
        if expiry >= self._market.day:
            return success([])
        found = await asyncio.to_thread(self._sessions.traded, underlying, expiry)
        return success(expired_rows(map(option_row, found)))

    async def expired_futures(self, request: Request) -> Response:
        """The future of an expiry that is over; none of a weekly one."""
        self._require_plus(request)
        underlying, expiry = self._underlying(request), _expiry(request)
        over = expiry < self._market.day and monthly_expiry(underlying, expiry) == expiry
        return success(expired_rows([future_row(underlying, expiry)] if over else []))

    async def chain(self, request: Request) -> Response:
        """All strikes of an expiry now; none where it is not listed."""
        underlying, expiry = self._underlying(request), _expiry(request)
        return success(chain_rows(self._market, underlying, expiry, self._clock.now()))

    async def _past_candles(self, key: str, minutes: int, first: date, last: date) -> Response:
        # In a thread: a session may have to be made first, and the streams must not wait.
        rows = await asyncio.to_thread(self._sessions.candles, key, minutes, first, last)
        return _candles(rows)

    @cached_property
    def _file(self) -> bytes:
        return instruments_file(self._market)

    def _fault(self, request: Request, now: datetime) -> Response | None:
        target = self._target(request)
        for kind, code in STATUSES.items():
            if self._clock.faults.strike(kind, now, target):
                return failure(code)
        if self._clock.faults.strike("upstox-error", now, target):
            return failure("UDAPI100500", 200)
        if self._clock.faults.strike("upstox-html", now, target):
            return Response(PAGE, 200, media_type="text/html")
        return None

    def _poisoned(self, request: Request, now: datetime, answer: Response) -> Response:
        """Return what comes in place of an answer; itself where no such fault is active."""
        turn = self._clock.faults.turn("upstox-poison", now, self._target(request))
        if turn is None:
            return answer
        return poisoned_response(turn, bytes(answer.body), too_long())

    def _target(self, request: Request) -> str:
        """Return the symbol that a question names; of an expired contract only its key is known."""
        key = request.path_params.get("key") or request.query_params.get("instrument_key", "")
        return self._keys.get(key, key)

    def _admit(self, request: Request, now: datetime) -> None:
        if not self._pace.allows(self._clock.elapsed()):
            raise Refusal("UDAPI10005")
        claims = _claims(request)
        if claims is None or now >= claims.ends_at:
            raise Refusal("UDAPI100050")

    def _require_plus(self, request: Request) -> None:
        claims = _claims(request)
        if claims is None or not claims.plus:
            raise Refusal("UDAPI1149")

    def _symbol(self, key: str) -> str:
        if key.count("|") != 1:
            raise Refusal("UDAPI1021")
        if key not in self._keys:
            raise Refusal("UDAPI100011")
        return self._keys[key]

    def _underlying(self, request: Request) -> str:
        key = request.query_params.get("instrument_key", "")
        for underlying in self._market.underlyings:
            if key == index_key(underlying):
                return underlying
        raise Refusal("UDAPI100011")


def _claims(request: Request) -> Claims | None:
    return read_token(request.headers.get("Authorization", ""))


def _candles(rows: list[Row]) -> Response:
    return success({"candles": rows})


def _expiry(request: Request) -> date:
    try:
        return date.fromisoformat(request.query_params.get("expiry_date", ""))
    except ValueError:
        raise Refusal("UDAPI100036") from None
