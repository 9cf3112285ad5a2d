"""All of the simulator's servers, on loopback, in the caller's event loop."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette

from simulator.account import Plan
from simulator.errors import PortUnavailable
from simulator.faults import Fault, Faults, WorldClock
from simulator.market import Market
from simulator.tradingview import Pace, serve_tradingview
from simulator.trendlyne import BASE_PATH, Manner, create_app
from simulator.upstox.app import UpstoxManner
from simulator.upstox.app import create_app as create_upstox
from strategy.clock import MarketClock

HOST = "127.0.0.1"
SOCKET_PATH = "/socket.io/websocket"
DEFAULT_PACE = Pace()
DEFAULT_MANNER = Manner()
DEFAULT_UPSTOX = UpstoxManner()
DEFAULT_PLAN = Plan()


class Endpoints(NamedTuple):
    """Where the simulator listens, as the variables of the same names want it."""

    tradingview_url: str
    trendlyne_url: str
    upstox_url: str


@asynccontextmanager
async def serve(
    market: Market,
    clock: MarketClock,
    *,
    tradingview_port: int = 0,
    trendlyne_port: int = 0,
    upstox_port: int = 0,
    pace: Pace = DEFAULT_PACE,
    manner: Manner = DEFAULT_MANNER,
    upstox: UpstoxManner = DEFAULT_UPSTOX,
    plan: Plan = DEFAULT_PLAN,
    faults: Iterable[Fault] = (),
) -> AsyncIterator[Endpoints]:
    """Serve a market at a clock's time while the context is open; all servers listen inside.

    Args:
        market: The day to play.
        clock: Market time.
        tradingview_port: Of the websocket; 0 for any free one.
        trendlyne_port: Of Trendlyne's HTTP server; 0 for any free one.
        upstox_port: Of Upstox's HTTP server; 0 for any free one.
        pace: Seconds between the websocket's ticks and heartbeats.
        manner: How late finished intervals appear on Trendlyne.
        upstox: How Upstox behaves, and what it knows of earlier sessions.
        plan: What accounts without real-time data get over the websocket.
        faults: What goes wrong, and when.

    Raises:
        PortUnavailable: A port is taken or not allowed.
    """
    world = WorldClock(clock, Faults(faults))
    with (
        _listen(tradingview_port) as quotes,
        _listen(trendlyne_port) as pages,
        _listen(upstox_port) as broker,
    ):
        endpoints = Endpoints(
            f"ws://{HOST}:{quotes.getsockname()[1]}{SOCKET_PATH}",
            f"http://{HOST}:{pages.getsockname()[1]}{BASE_PATH}",
            f"http://{HOST}:{broker.getsockname()[1]}",
        )
        async with (
            serve_tradingview(quotes, market, world, pace, plan),
            _serve_http(pages, create_app(market, world, manner)),
            _serve_http(broker, create_upstox(market, world, upstox)),
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
