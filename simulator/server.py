"""Both of the simulator's servers, on loopback, in the caller's event loop."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette

from simulator.errors import PortUnavailable
from simulator.faults import Fault, Faults, WorldClock
from simulator.market import Market
from simulator.tradingview import Pace, serve_tradingview
from simulator.trendlyne import BASE_PATH, Manner, create_app
from strategy.clock import MarketClock

HOST = "127.0.0.1"
SOCKET_PATH = "/socket.io/websocket"
DEFAULT_PACE = Pace()
DEFAULT_MANNER = Manner()


class Endpoints(NamedTuple):
    """Where the simulator listens, as `TRADINGVIEW_URL` and `TRENDLYNE_URL` want it."""

    tradingview_url: str
    trendlyne_url: str


@asynccontextmanager
async def serve(
    market: Market,
    clock: MarketClock,
    *,
    tradingview_port: int = 0,
    trendlyne_port: int = 0,
    pace: Pace = DEFAULT_PACE,
    manner: Manner = DEFAULT_MANNER,
    faults: Iterable[Fault] = (),
) -> AsyncIterator[Endpoints]:
    """Serve a market at a clock's time while the context is open; both servers listen inside.

    Args:
        market: The day to play.
        clock: Market time.
        tradingview_port: Of the websocket; 0 for any free one.
        trendlyne_port: Of the HTTP server; 0 for any free one.
        pace: Seconds between the websocket's ticks and heartbeats.
        manner: How late finished intervals appear over HTTP.
        faults: What goes wrong, and when.

    Raises:
        PortUnavailable: A port is taken or not allowed.
    """
    world = WorldClock(clock, Faults(faults))
    with _listen(tradingview_port) as quotes, _listen(trendlyne_port) as pages:
        endpoints = Endpoints(
            f"ws://{HOST}:{quotes.getsockname()[1]}{SOCKET_PATH}",
            f"http://{HOST}:{pages.getsockname()[1]}{BASE_PATH}",
        )
        async with (
            serve_tradingview(quotes, market, world, pace),
            _serve_http(pages, create_app(market, world, manner)),
        ):
            yield endpoints


@contextmanager
def _listen(port: int) -> Iterator[socket.socket]:
    # The protocol is named because asyncio sends small answers at once only where it is.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(128)
        except (OSError, OverflowError) as error:
            code = error.errno if isinstance(error, OSError) else errno.EINVAL
            reason = os.strerror(code or errno.EINVAL)
            raise PortUnavailable(
                f"can't listen on {HOST}:{port}: {reason}; choose another port, or 0 for any"
            ) from None
        yield listener


class _Server(uvicorn.Server):
    """Leaves signals to the process it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _serve_http(listener: socket.socket, app: Starlette) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        date_header=False,  # the market's time is told, not this computer's
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    # The socket listens already: a request that comes before the server is up just waits.
    try:
        yield
    finally:
        server.should_exit = True
        await running
