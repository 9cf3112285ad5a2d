"""Upstox over HTTPS: requests to payloads, with the user's token.

Paths, limits and error codes as in the vendor's documentation (upstox.com/developer/
api-documentation, read in 2026: instruments, error-codes, v3/get-intra-day-candle-data,
v3/get-historical-candle-data, get-expiries, get-expired-option-contracts,
get-expired-historical-candle-data, get-pc-option-chain) and the official Python SDK; that HTTP 200
may carry an error, from other clients. None of it was tried against the live service.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx

from pipelines.sources.endpoint import (
    LONGEST_SKEW,
    Answer,
    http_failure,
    is_loopback,
    send,
    server_time,
)
from pipelines.sources.errors import (
    PlanTooSmall,
    ResolutionUnavailable,
    SourceError,
    SourceRefused,
    SymbolUnknown,
)
from pipelines.sources.politeness import Budget, Unlimited
from pipelines.sources.roles import Payload
from pipelines.sources.upstox.fields import Complaint, complaint
from pipelines.sources.upstox.token import TokenFile
from strategy.clock import MarketClock

DEFAULT_URL = "https://api.upstox.com"
# The daily file lies on a host of its own, open to everybody; elsewhere it is looked for in the
# same place of the host that was named.
DEFAULT_FILES = "https://assets.upstox.com"
INSTRUMENTS = "/market-quote/instruments/exchange/NSE.json.gz"
HEADERS = {"Accept": "application/json", "User-Agent": "OptionScalp"}
# The answer does not say which of its windows is full: the middle one is a minute.
TOO_OFTEN = timedelta(minutes=1)
TOKEN_CODES = {"UDAPI100050", "UDAPI100016", "UDAPI100067"}
RATE_CODES = {"UDAPI10005"}
PLAN_CODES = {"UDAPI1149"}
SYMBOL_CODES = {"UDAPI100011", "UDAPI1021"}
INTERVAL_CODES = {"UDAPI1147", "UDAPI1020"}


class Client:
    """Asks one host; without a budget nothing limits it."""

    def __init__(
        self,
        base_url: str,
        token: TokenFile,
        clock: MarketClock,
        budget: Budget | None = None,
        timeout: float = 15.0,
        source: str = "upstox",
    ) -> None:
        self.clock = clock
        self.source = source
        self._token = token
        self._budget = budget or Unlimited()
        self._timeout = timeout
        self.files = DEFAULT_FILES if base_url.rstrip("/") == DEFAULT_URL else base_url
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers=HEADERS,
            timeout=timeout,
            trust_env=not is_loopback(base_url),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def instruments(self, about: Mapping[str, Any]) -> Payload:
        """Ask for the daily file of all instruments; it needs no token.

        Raises:
            SourceUnavailable: No answer in time, or an error of the server.
            SourceRefused: The server forbids it, or did so often that we pause.
        """
        url = self.files.rstrip("/") + INSTRUMENTS
        return await self._ask(about, self._client.build_request("GET", url))

    async def get(
        self, about: Mapping[str, Any], path: str, query: Mapping[str, str] | None = None
    ) -> Payload:
        """Ask with the token.

        Raises:
            SourceUnavailable: No answer in time, or an error of the server.
            SourceRefused: No token or an ended one, asked too often, not in the plan, or a pause.
            SymbolUnknown: The source does not know the instrument.
            ResolutionUnavailable: It has no candles of that interval.
        """
        token = self._token.read(self.clock.now())
        headers = {"Authorization": f"Bearer {token}"}
        # As the vendor writes it: a blank as %20, which httpx itself would make a plus.
        url = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
        request = self._client.build_request("GET", url, headers=headers)
        return await self._ask(about, request)

    async def _ask(self, about: Mapping[str, Any], request: httpx.Request) -> Payload:
        async with self._budget.request():
            asked_at = self.clock.now()
            answer = await send(self._client, request, self._timeout)
            received_at = self.clock.now()
            name = f"{request.method} {request.url.raw_path.decode()}"
            if error := self._failure(name, answer):
                raise error
            return Payload(
                self.source,
                name,
                about,
                min(asked_at, _made_at(answer, received_at) or asked_at),
                received_at,
                answer.body,
            )

    def _failure(self, name: str, answer: Answer) -> SourceError | None:
        """Return the error that an answer stands for; None where it may hold data."""
        told = complaint(answer.body)
        if told is None:
            if answer.status == httpx.codes.OK:
                return None
            return self._refusal(name, answer, Complaint("", answer.reason))
        text = f"{name} answers {told.code}: {told.message}"
        if told.code in PLAN_CODES:
            return PlanTooSmall(f"{text}; expired contracts need the plan Upstox Plus")
        if told.code in SYMBOL_CODES:
            return SymbolUnknown(text)
        if told.code in INTERVAL_CODES:
            return ResolutionUnavailable(text)
        return self._refusal(name, answer, told)

    def _refusal(self, name: str, answer: Answer, told: Complaint) -> SourceError:
        status = answer.status
        if told.code in TOKEN_CODES:
            status = 401
        if told.code in RATE_CODES:
            status = 429
        failure = http_failure(name, status, answer.headers)
        text = f"{failure}: {' '.join(filter(None, told))}".rstrip(": ")
        if status == httpx.codes.UNAUTHORIZED:
            text += f"; tokens end at 03:30 IST: {self._token.renewal}"
        error = type(failure)(text)
        if isinstance(error, SourceRefused) and isinstance(failure, SourceRefused):
            error.status, error.retry_after = status, failure.retry_after
            if status == httpx.codes.TOO_MANY_REQUESTS:
                error.retry_after = failure.retry_after or TOO_OFTEN
        return error


def _made_at(answer: Answer, received_at: datetime) -> datetime | None:
    """Return when an answer was made, by the server's clock; None where it does not say."""
    age = answer.headers.get("Age", "")
    if age.isdecimal() and len(age) < 6:
        return received_at - min(timedelta(seconds=int(age)), LONGEST_SKEW)
    return server_time(answer.headers, received_at)
