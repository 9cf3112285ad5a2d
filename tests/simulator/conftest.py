"""Raw clients of both protocols, and clocks that stand still or run."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from simulator.generate import generate
from simulator.market import Market
from simulator.server import Endpoints, serve
from strategy.clock import MarketClock
from strategy.session import IST

DAY = date(2026, 1, 21)


@pytest.fixture(scope="session")
def market() -> Market:
    return generate(DAY, 7)


@pytest.fixture(scope="session")
def clock_at() -> Callable[..., MarketClock]:
    """Make a clock that shows an IST time of a day now; it stands still unless told a speed."""

    def make(text: str, speed: float = 1e-9, day: date = DAY) -> MarketClock:
        moment = datetime.combine(day, time.fromisoformat(text), IST)
        return MarketClock(moment.astimezone(UTC), datetime.now(UTC).timestamp(), speed)

    return make


class RawClient:
    """Speaks frames, and knows nothing else of the protocol."""

    def __init__(self, channel: ClientConnection) -> None:
        self.channel = channel
        self.messages: list[list[str]] = []

    async def send(self, *calls: tuple[str, list[Any]]) -> None:
        """Send calls in one message."""
        texts = [json.dumps({"m": method, "p": params}) for method, params in calls]
        await self.channel.send("".join(f"~m~{len(text)}~m~{text}" for text in texts))

    async def receive(self) -> list[str]:
        """Return the payloads of the next message."""
        message = str(await self.channel.recv())
        payloads = []
        while message:
            match = re.match(r"~m~(\d+)~m~", message)
            assert match, message
            end = match.end() + int(match[1])
            payloads.append(message[match.end() : end])
            message = message[end:]
        self.messages.append(payloads)
        return payloads

    async def calls(self) -> AsyncIterator[tuple[str, list[Any]]]:
        """Yield the server's calls, for ever; heartbeats are echoed."""
        while True:
            for payload in await self.receive():
                if payload.startswith("~h~"):
                    await self.channel.send(f"~m~{len(payload)}~m~{payload}")
                elif "m" in (call := json.loads(payload)):
                    yield call["m"], call["p"]

    async def until(self, last: str) -> list[tuple[str, list[Any]]]:
        """Return the server's calls up to the first of a method."""
        seen = []
        async with asyncio.timeout(10):
            async for call in self.calls():
                seen.append(call)
                if call[0] == last:
                    return seen
        raise AssertionError(f"no {last}: {seen}")

    async def history(self, symbol: str, resolution: str, count: int, session: str = "cs_a") -> Any:
        """Return the series of a new chart session."""
        named = json.dumps({"symbol": f"NSE:{symbol}", "adjustment": "splits"})
        await self.send(
            ("chart_create_session", [session, ""]),
            ("resolve_symbol", [session, "symbol_1", f"={named}"]),
            ("create_series", [session, "s1", "s1", "symbol_1", resolution, count]),
        )
        seen = await self.until("series_completed")
        return next(params for method, params in seen if method == "timescale_update")[1]["s1"]


@pytest.fixture(scope="session")
def playing() -> Callable[..., Any]:
    """Serve a market; yield a raw websocket client, an HTTP client and the endpoints."""

    @asynccontextmanager
    async def play(
        market: Market, clock: MarketClock, **settings: Any
    ) -> AsyncIterator[tuple[RawClient, httpx.AsyncClient, Endpoints]]:
        async with (
            serve(market, clock, **settings) as endpoints,
            connect(endpoints.tradingview_url) as channel,
            httpx.AsyncClient(base_url=endpoints.trendlyne_url, trust_env=False) as http,
        ):
            client = RawClient(channel)
            assert "session_id" in json.loads((await client.receive())[0])
            yield client, http, endpoints

    return play
