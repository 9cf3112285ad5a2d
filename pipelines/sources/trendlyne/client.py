"""Trendlyne's smart options over HTTPS: requests to payloads.

Nothing is parsed here, so that the bytes can be archived first. Be a polite guest: every request
has its place in the budget; the site's own cookies are kept and its `csrftoken`, if it set one, is
sent back.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from types import TracebackType
from typing import NamedTuple, Self

import httpx

from pipelines.sources.endpoint import http_failure, is_loopback, server_time
from pipelines.sources.errors import SourceUnavailable
from pipelines.sources.politeness import Budget, Unlimited
from strategy.clock import MarketClock
from strategy.contract import OptionType
from strategy.resolver import Position
from strategy.session import OPEN

DEFAULT_URL = "https://smartoptions.trendlyne.com/phoenix/api"
HEADERS = {"Accept": "application/json", "User-Agent": "Mozilla/5.0 (compatible; OptionScalp)"}
# Not strftime, whose month names follow the locale.
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Payload(NamedTuple):
    """An answer as it came: `request` is method, path and query; the times are market time.

    `asked_at` is just before the question was sent, or the server's time of the answer where that
    is earlier: what ended later may have been unfinished.
    """

    source: str
    request: str
    received_at: datetime
    asked_at: datetime
    body: bytes


class Trendlyne:
    """A client of one host; without a budget nothing limits it.

    All methods raise as `search` does.
    """

    def __init__(
        self,
        base_url: str,
        clock: MarketClock,
        budget: Budget | None = None,
        timeout: float = 15.0,
        source: str = "trendlyne",
    ) -> None:
        self._clock = clock
        self._budget = budget or Unlimited()
        self._timeout = timeout
        self._source = source
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

    async def search(self, code: str) -> Payload:
        """Ask which stocks match a code, for their numbers.

        Raises:
            SourceUnavailable: No answer in time, or an error of the server.
            SourceRefused: The server forbids it, or did so often that we pause.
        """
        return await self._get("/search-contract-stock/", {"query": code.lower()})

    async def expiries(self, stock_id: int) -> Payload:
        """Ask for the listed option expiries of an underlying."""
        return await self._get(
            "/fno/get-expiry-dates/", {"mtype": "options", "stock_id": str(stock_id)}
        )

    async def chain(self, stock_id: int, expiry: date, until: str) -> Payload:
        """Ask for the open interest by strike up to an IST minute `HH:MM` of the session."""
        return await self._get(
            "/live-oi-data/",
            {
                "stockId": str(stock_id),
                "expDateList": expiry.isoformat(),
                "minTime": f"{OPEN:%H:%M}",
                "maxTime": until,
            },
        )

    async def build_ups(
        self,
        underlying: str,
        expiry: date,
        position: Position,
        strike: int,
        option_type: OptionType,
    ) -> Payload:
        """Ask for the session's 5-minute rows of one contract.

        `position` is the expiry's place among the listed ones; it changes as expiries roll.
        """
        day = f"{expiry.day:02d}-{MONTHS[expiry.month - 1]}-{expiry.year}"
        return await self._get(
            f"/fno/buildup-5/{day}-{position}/{underlying}/",
            {
                "fno_mtype": "options",
                "strikePrice": str(strike),
                "option_type": "call" if option_type == "C" else "put",
            },
        )

    async def _get(self, path: str, query: Mapping[str, str]) -> Payload:
        async with self._budget.request():
            request = self._client.build_request("GET", path, params=query, headers=self._csrf())
            asked_at = self._clock.now()
            response = await self._send(request)
            received_at = self._clock.now()
            name = f"{request.method} {request.url.raw_path.decode()}"
            if response.status_code != httpx.codes.OK:
                raise http_failure(name, response.status_code, response.headers)
            # By whichever clock is behind: what still formed by either is not taken for final.
            asked_at = min(asked_at, server_time(response.headers) or asked_at)
            return Payload(self._source, name, received_at, asked_at, response.content)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._client.send(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise SourceUnavailable(f"{request.url}: no answer in {self._timeout:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceUnavailable(f"{request.url}: {type(error).__name__} {error}") from error

    def _csrf(self) -> dict[str, str]:
        tokens = [cookie.value for cookie in self._client.cookies.jar if cookie.name == "csrftoken"]
        return {"X-CSRFToken": tokens[-1]} if tokens and tokens[-1] else {}
