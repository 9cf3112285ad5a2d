"""What each client has open: its share of the server. A client is a login, else an address."""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from chartserver.errors import TooManyError, refusal
from chartserver.limits import Limits

CLIENT = "chart.client"
LIVE, REPLAY = "/stream", "/replay/stream"
STREAMS = frozenset({LIVE, REPLAY})
# An owner of one address of the sixth version has a whole network of them.
NETWORK_BITS = 64


def address_of(scope: Scope) -> str:
    """Return the client that a request's address stands for."""
    host = scope["client"][0] if scope.get("client") else ""
    return address_name(host)


def address_name(host: str) -> str:
    """Return an address as a client's name; one of the sixth version stands for its network."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return f"address {host}"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return f"address {address.ipv4_mapped}"
        network = ipaddress.ip_network((int(address), NETWORK_BITS), strict=False)
        return f"address {network}"
    return f"address {address}"


class Shares:
    """Who has what open."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._most_streams = {
            LIVE: (limits.streams_per_client, "live streams", "CHART_STREAMS_PER_CLIENT"),
            REPLAY: (limits.replays_per_client, "replay streams", "CHART_REPLAYS_PER_CLIENT"),
        }
        self._streams: Counter[tuple[str, str]] = Counter()
        self._requests: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Semaphore] = {}

    @contextmanager
    def stream(self, client: str, path: str) -> Iterator[None]:
        """Hold one of a client's streams.

        Raises:
            TooManyError: It has all that it may.
        """
        most, what, variable = self._most_streams[path]
        key = (client, path)
        if self._streams[key] >= most:
            raise TooManyError(
                f"this client has {most} {what} open: close one, or raise {variable}", limit=most
            )
        self._streams[key] += 1
        try:
            yield
        finally:
            self._streams[key] -= 1
            if not self._streams[key]:
                del self._streams[key]

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait until one of a client's requests may be answered; no client keeps others waiting.

        Raises:
            TooManyError: Too many of its requests wait already.
        """
        running = self._limits.requests_per_client
        most = running + self._limits.waiting_per_client
        if self._requests[client] >= most:
            raise TooManyError(
                f"{most} requests of this client are not answered yet: ask for less at a time",
                limit=most,
            )
        self._requests[client] += 1
        turns = self._turns.setdefault(client, asyncio.Semaphore(running))
        try:
            async with turns:
                yield
        finally:
            self._requests[client] -= 1
            if not self._requests[client]:
                del self._requests[client], self._turns[client]


class FairShares:
    """ASGI middleware: gives each client no more than its share."""

    def __init__(self, app: ASGIApp, shares: Shares) -> None:
        self._app = app
        self._shares = shares

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in its turn, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get(CLIENT) or address_of(scope)
        try:
            if scope["path"] in STREAMS:
                with self._shares.stream(client, scope["path"]):
                    await self._app(scope, receive, send)
            else:
                async with self._shares.turn(client):
                    await self._app(scope, receive, send)
        except TooManyError as error:
            await refusal(error)(scope, receive, send)
