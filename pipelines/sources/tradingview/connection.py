"""One websocket to TradingView: the greeting, heartbeats, and who gets which message."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from pipelines.sources.errors import PayloadInvalid, SourceError, SourceUnavailable
from pipelines.sources.tradingview.delay import Delay
from pipelines.sources.tradingview.greeting import require_true_clock
from pipelines.sources.tradingview.inbox import Inbox, again
from pipelines.sources.tradingview.socket import farewell, socket_failure, socket_options
from pipelines.sources.tradingview.wire import (
    DATA_METHODS,
    Heartbeat,
    Hello,
    Message,
    Piece,
    encode,
    encode_heartbeat,
    pieces,
)
from strategy.clock import MarketClock

log = logging.getLogger(__name__)


class Delivery(NamedTuple):
    """A message with the bytes of its own frame and when it came."""

    message: Message
    raw: bytes
    received_at_wall: float


Route = Callable[[Delivery], None]


class Connection:
    """Sends calls and hands each answer to the route of its chart or quote session.

    The first failure of any kind breaks the connection for everybody who waits on it. A message
    of a session without a route is late news of a deleted one and is dropped. An error that names
    a session is that session's news, and breaks nothing else. `heard_at_wall` is the epoch second
    of the newest message, heartbeats included, `data_at_wall` of the newest with bars or quotes.
    """

    def __init__(
        self,
        url: str,
        socket: ClientConnection,
        timeout: float,
        queue_limit: int,
        clock: MarketClock | None,
    ) -> None:
        self._url = url
        self.timeout = timeout
        self.failure: SourceError | None = None
        self.heard_at_wall = time.time()
        self.data_at_wall = self.heard_at_wall
        self.delay = Delay(clock.speed if clock else 1.0)
        self._socket = socket
        self._queue_limit = queue_limit
        self._clock = clock
        self._routes: dict[str, Route] = {}
        self._inboxes: set[Inbox[Any]] = set()
        self._counts: Counter[Hashable] = Counter()
        self._greetings: Inbox[Hello] = self.inbox()

    def inbox(self, *, bounded: bool = True) -> Inbox[Any]:
        """Return a new inbox that ends when the connection does."""
        inbox = Inbox[Any](self._queue_limit if bounded else None)
        self._inboxes.add(inbox)
        if self.failure is not None:
            inbox.fail(self.failure)
        return inbox

    def forget(self, inbox: Inbox[Any]) -> None:
        """Stop telling an inbox about the connection's end."""
        self._inboxes.discard(inbox)

    def route(self, session: str, route: Route) -> None:
        """Hand all coming messages of a session to a function that must not wait."""
        self._routes[session] = route

    def unroute(self, session: str) -> None:
        """Drop all coming messages of a session."""
        self._routes.pop(session, None)

    def count(self, key: Hashable) -> int:
        """Return how often this was called with the same key before."""
        self._counts[key] += 1
        return self._counts[key] - 1

    async def send(self, method: str, *params: Any) -> None:
        """Send one call.

        Raises:
            SourceError: The connection broke, now or before.
        """
        if self.failure is not None:
            raise again(self.failure)
        try:
            await self._socket.send(encode(method, list(params)))
        except ConnectionClosed as error:
            raise socket_failure(self._url, error) from error

    async def greet(self, token: str | None) -> None:
        """Wait for the server's first frame, then say who we are."""
        await self._greetings.get()
        await self.send("set_auth_token", token or "unauthorized_user_token")
        await self.send("set_locale", "en", "US")

    async def read(self) -> None:
        """Read until the connection breaks; the one reader of the socket."""
        raw = b""
        try:
            while True:
                raw = await self._socket.recv(decode=False)
                received = self.heard_at_wall = time.time()
                for piece in pieces(raw):
                    await self._take(piece, received)
        except ConnectionClosed as error:
            self.fail(socket_failure(self._url, error))
        except SourceError as error:
            if isinstance(error, PayloadInvalid):
                error.body = raw
            log.warning("the connection is given up: %s: %s", type(error).__name__, error)
            self.fail(error)
        finally:
            self.fail(SourceUnavailable("the connection was left"))

    def received_at(self, wall: float) -> datetime:
        """Return the market time of an epoch second of this computer."""
        return (self._clock or MarketClock.parse(None)).at(wall)

    def fail(self, error: SourceError) -> None:
        """Break the connection for everybody who waits; only the first failure counts."""
        if self.failure is None:
            self.failure = error
            for inbox in self._inboxes:
                inbox.fail(error)

    async def _take(self, piece: Piece, received: float) -> None:
        match piece.frame:
            case Heartbeat() as beat:
                await self._socket.send(encode_heartbeat(beat))
            case Hello() as hello:
                require_true_clock(self._clock, hello.server_time, received)
                self._greetings.put(hello)
            case Message() as message:
                if message.method in DATA_METHODS:
                    self.data_at_wall = received
                error = farewell(message)
                if error is not None:
                    raise error
                route = self._routes.get(message.session or "")
                if route is not None:
                    route(Delivery(message, piece.text.encode(), received))


@asynccontextmanager
async def open_connection(
    url: str,
    token: str | None,
    timeout: float,
    queue_limit: int,
    clock: MarketClock | None = None,
) -> AsyncIterator[Connection]:
    """Connect, greet, read in one task; leave neither task nor socket behind.

    Raises:
        SourceUnavailable: No connection or no greeting in time.
        SourceRefused: The address is wrong, or the server forbids the connection.
        ClockWrong: This computer's clock is not right.
    """
    socket = await _open_socket(url, timeout)
    connection = Connection(url, socket, timeout, queue_limit, clock)
    reader = asyncio.create_task(connection.read(), name="tradingview reader")
    try:
        async with deadline(timeout, "no greeting"):
            await connection.greet(token)
        yield connection
    finally:
        reader.cancel()
        try:
            await asyncio.wait([reader])
        finally:
            await socket.close()
        if not reader.cancelled():
            reader.result()  # an error of ours must not pass in silence


@asynccontextmanager
async def deadline(seconds: float, what: str) -> AsyncIterator[None]:
    """Turn a wait that takes too long into `SourceUnavailable`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise SourceUnavailable(f"{what} within {seconds:g} s") from error


async def _open_socket(url: str, timeout: float) -> ClientConnection:
    try:
        return await connect(url, **socket_options(url, timeout))
    except (OSError, WebSocketException) as error:
        raise socket_failure(url, error) from error
