"""Trendlyne's smart-options HTTP over a market: Starlette routes and their parameters."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.bad_answers import (
    poisoned_response,
    spoiled_build_ups,
    spoiled_chain,
    spoiled_option_chain,
    spoiled_response,
)
from simulator.build_ups import build_up_rows
from simulator.chain import chain_body
from simulator.faults import WorldClock
from simulator.firewall import Firewall
from simulator.market import Market
from simulator.option_chain import Question, option_chain_body, option_chain_rows
from simulator.poison import words
from strategy.contract import Contract, OptionType
from strategy.session import IST, session_hours

BASE_PATH = "/phoenix/api"
# The first match of a search may be another stock: match the code exactly.
STOCKS = {"FINNIFTY": 1890, "BANKNIFTY": 1898, "NIFTY": 1887, "NIFTYNXT50": 1904}
POSITIONS = ("near", "next", "far")
OPTION_TYPES: dict[str, OptionType] = {"call": "C", "put": "P"}


# About so many market seconds after its end an interval was seen to appear.
LAG = 180.0


class Manner(NamedTuple):
    """How the source behaves.

    `lag` is how late a finished interval appears, in market seconds; `forming` whether forming ones
    do. `in_lots` tells whether the whole chain counts contracts instead of units. `allowance` is
    how many requests a client has before it is refused for ten minutes, None for any number.
    `any_minute` lets ladders be asked for by their minute after the close as well, which the
    service does not: for trying what happens after a session without playing it.
    """

    lag: float = LAG
    forming: bool = True
    in_lots: bool = False
    allowance: int | None = None
    any_minute: bool = False


class Refusal(Exception):
    """A question the source answers with HTTP 200 and an error head."""


def create_app(market: Market, clock: WorldClock, manner: Manner) -> Starlette:
    """Return the application that answers as seen at the clock's market time."""
    trendlyne = Trendlyne(market, clock, manner)
    answers: dict[str, Callable[[Request], dict[str, Any]]] = {
        "/search-contract-stock/": trendlyne.search,
        "/fno/get-expiry-dates/": trendlyne.expiry_dates,
        "/live-oi-data/": trendlyne.live_oi,
        "/fno/buildup-5/{expiry}/{underlying}/": trendlyne.build_ups,
        "/fno/option/chain/": trendlyne.option_chain,
    }
    return Starlette(
        routes=[
            Route(BASE_PATH + path, _endpoint(trendlyne, answer))
            for path, answer in answers.items()
        ],
        exception_handlers={HTTPException: _not_found},
    )


def _endpoint(
    trendlyne: "Trendlyne", answer: Callable[[Request], dict[str, Any]]
) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            if (page := trendlyne.firewall(request)) is not None:
                return page
            if (spoiled := await trendlyne.fault(request)) is not None:
                return spoiled
            body, status, text = answer(request), "0", "Success"
        except Refusal as refusal:
            body, status, text = {}, "1", str(refusal)
        head = {"status": status, "statusDescription": text, "responseCode": None}
        response: Response = JSONResponse({"head": head, "body": body})
        if (turn := trendlyne.poison(request)) is not None:
            too_long = {"head": head | {"status": "1", "statusDescription": words()}, "body": {}}
            response = poisoned_response(turn, bytes(response.body), too_long)
        response.set_cookie("csrftoken", "simulated")
        response.headers["Date"] = format_datetime(trendlyne.now(), usegmt=True)
        return response

    return endpoint


async def _not_found(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return Response("<html><title>Not found</title></html>", status, media_type="text/html")


class Trendlyne:
    """The five questions; each method returns the answer's body."""

    def __init__(self, market: Market, clock: WorldClock, manner: Manner) -> None:
        self._market = market
        self._clock = clock
        self._faults = clock.faults
        self._manner = manner
        self._firewall = Firewall(manner.allowance)

    def now(self) -> datetime:
        """Return the market time that answers tell in their head."""
        return self._clock.now().astimezone(UTC)

    def firewall(self, request: Request) -> Response | None:
        """Return the firewall's page where it refuses a request, by allowance or by a fault."""
        now = self._clock.now()
        client = request.client.host if request.client else ""
        refused = self._firewall.refuses(client, now)
        if refused or self._faults.strike("waf", now, self._target(request)):
            return self._firewall.page()
        return None

    def poison(self, request: Request) -> int | None:
        """Return which kind of poison a fault gives in place of an answer; None for none."""
        return self._faults.turn("http-poison", self._clock.now(), self._target(request))

    async def fault(self, request: Request) -> Response | None:
        """Let a fault delay an answer; return what it gives instead, None for the answer.

        Their target is the underlying asked about.

        Raises:
            Refusal: The fault is an error head.
        """
        target = self._target(request)
        if slow := self._faults.find("slow", self._clock.now(), target):
            await asyncio.sleep((slow.amount or 0) / self._clock.speed)
        now = self._clock.now()
        if self._faults.strike("error-head", now, target):
            raise Refusal("Something went wrong")
        return spoiled_response(self._faults, now, target)

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
        """The chain's open interest up to `maxTime`; after the close, of the whole day."""
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
        now = self._clock.now()
        seen = self._seen(underlying)
        whole_day = not self._manner.any_minute
        body = chain_body(
            self._market, underlying, expiry, seen, (first, last), whole_day=whole_day
        )
        return spoiled_chain(self._faults, now, Contract(underlying, expiry, 0, "C"), body)

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
        contract, now = Contract(underlying, expiry, strike, kind), self._clock.now()
        lag, forming, *_ = self._manner
        rows = build_up_rows(self._market, contract.symbol, now, lag, forming)
        return spoiled_build_ups(self._faults, now, contract, self._market, rows)

    def option_chain(self, request: Request) -> dict[str, Any]:
        """All strikes of an expiry with prices; an unlisted one has an almost empty answer."""
        underlying = request.query_params.get("stockCode", "")
        if underlying not in self._market.underlyings:
            raise Refusal("Stock not found")
        try:
            expiry = date.fromisoformat(request.query_params["expDate"])
        except (KeyError, ValueError):
            raise Refusal("Invalid request parameters") from None
        now = self._clock.now()
        mark = self._market.snapshot_end(underlying, expiry, self._seen(underlying).timestamp())
        in_lots = self._manner.in_lots or self._faults.strike("lots", now, underlying)
        question = Question(underlying, expiry, mark, in_lots)
        listed = expiry in self._expiries(underlying)
        rows = option_chain_rows(self._market, question) if listed else []
        rows = spoiled_option_chain(self._faults, now, underlying, rows)
        return option_chain_body(self._market, question, rows)

    def _seen(self, underlying: str) -> datetime:
        """Return the market time up to which the source has its data."""
        now = self._clock.now()
        if self._faults.strike("wrong-date", now, underlying):
            return session_hours(self._market.day)[0]
        return now - timedelta(seconds=self._manner.lag)

    def _target(self, request: Request) -> str:
        query = request.query_params
        number = query.get("stockId") or query.get("stock_id")
        named = next((code for code, each in STOCKS.items() if str(each) == number), "")
        told = query.get("stockCode") or query.get("query", "").upper()
        return named or request.path_params.get("underlying") or told

    def _underlying(self, stock_id: str) -> str:
        for underlying in self._market.underlyings:
            if str(STOCKS.get(underlying)) == stock_id:
                return underlying
        raise Refusal("Stock not found")

    def _expiries(self, underlying: str) -> tuple[date, ...]:
        expiries = self._market.expiries[underlying]
        rolled = self._faults.strike("roll", self._clock.now(), underlying)
        return expiries[1:] if rolled else expiries
