"""Trendlyne's smart-options HTTP over a market: Starlette routes and their parameters."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.build_ups import build_up_rows
from simulator.chain import chain_body
from simulator.market import Market
from strategy.clock import MarketClock
from strategy.contract import Contract, OptionType
from strategy.session import IST

BASE_PATH = "/phoenix/api"
# The first match of a search may be another stock: match the code exactly.
STOCKS = {"FINNIFTY": 1890, "BANKNIFTY": 1898, "NIFTY": 1887, "NIFTYNXT50": 1904}
POSITIONS = ("near", "next", "far")
OPTION_TYPES: dict[str, OptionType] = {"call": "C", "put": "P"}


class Manner(NamedTuple):
    """How late a finished interval appears, in market seconds, and whether forming ones do."""

    lag: float = 20.0
    forming: bool = True


class Refusal(Exception):
    """A question the source answers with HTTP 200 and an error head."""


def create_app(market: Market, clock: MarketClock, manner: Manner) -> Starlette:
    """Return the application that answers as seen at the clock's market time."""
    trendlyne = Trendlyne(market, clock, manner)
    answers: dict[str, Callable[[Request], dict[str, Any]]] = {
        "/search-contract-stock/": trendlyne.search,
        "/fno/get-expiry-dates/": trendlyne.expiry_dates,
        "/live-oi-data/": trendlyne.live_oi,
        "/fno/buildup-5/{expiry}/{underlying}/": trendlyne.build_ups,
    }
    return Starlette(
        routes=[Route(BASE_PATH + path, _endpoint(answer)) for path, answer in answers.items()],
        exception_handlers={HTTPException: _not_found},
    )


def _endpoint(answer: Callable[[Request], dict[str, Any]]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            body, status, text = answer(request), "0", "Success"
        except Refusal as refusal:
            body, status, text = {}, "1", str(refusal)
        head = {"status": status, "statusDescription": text, "responseCode": None}
        response = JSONResponse({"head": head, "body": body})
        response.set_cookie("csrftoken", "simulated")
        return response

    return endpoint


async def _not_found(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return Response("<html><title>Not found</title></html>", status, media_type="text/html")


class Trendlyne:
    """The four questions; each method returns the answer's body."""

    def __init__(self, market: Market, clock: MarketClock, manner: Manner) -> None:
        self._market = market
        self._clock = clock
        self._manner = manner

    def search(self, request: Request) -> dict[str, Any]:
        """Stocks whose code contains the query, in no useful order."""
        query = request.query_params.get("query", "").upper()
        found = [
            {"stock_id": number, "stock_code": code, "stock_name": code}
            for code, number in STOCKS.items()
            if query in code
        ]
        return {"data": found}

    def expiry_dates(self, request: Request) -> dict[str, Any]:
        """The listed expiries of an underlying, nearest first."""
        underlying = self._underlying(request.query_params.get("stock_id", ""))
        return {"expiryDates": [expiry.isoformat() for expiry in self._expiries(underlying)]}

    def live_oi(self, request: Request) -> dict[str, Any]:
        """The chain's open interest at the last snapshot up to `maxTime`."""
        query = request.query_params
        underlying = self._underlying(query.get("stockId", ""))
        try:
            expiry = date.fromisoformat(query["expDateList"])
            first, last = (
                datetime.combine(self._market.day, time.fromisoformat(text), IST)
                for text in (query.get("minTime", "09:15"), query.get("maxTime", "23:59"))
            )
        except (KeyError, ValueError):
            raise Refusal("Invalid request parameters") from None
        seen = self._clock.now() - timedelta(seconds=self._manner.lag)
        return chain_body(self._market, underlying, expiry, seen, (first, last))

    def build_ups(self, request: Request) -> dict[str, Any]:
        """The day's 5-minute rows of one contract, newest first."""
        day, _, position = request.path_params["expiry"].rpartition("-")
        underlying = request.path_params["underlying"]
        if underlying not in self._market.underlyings:
            raise Refusal("Stock not found")
        try:
            expiry = self._expiries(underlying)[POSITIONS.index(position)]
            strike = int(request.query_params["strikePrice"])
            kind = OPTION_TYPES[request.query_params["option_type"]]
        except (KeyError, ValueError, IndexError):
            raise Refusal("Invalid request parameters") from None
        if day != f"{expiry:%d-%b-%Y}".lower():
            raise Refusal("Expiry not found")
        symbol = Contract(underlying, expiry, strike, kind).symbol
        return {"data_v2": build_up_rows(self._market, symbol, self._clock.now(), *self._manner)}

    def _underlying(self, stock_id: str) -> str:
        for underlying in self._market.underlyings:
            if str(STOCKS.get(underlying)) == stock_id:
                return underlying
        raise Refusal("Stock not found")

    def _expiries(self, underlying: str) -> tuple[date, ...]:
        return self._market.expiries[underlying]
