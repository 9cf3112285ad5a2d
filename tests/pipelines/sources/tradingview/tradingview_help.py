"""Small TradingView servers that play one script to each connection."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from pipelines.sources.tradingview.wire import Message, decode, encode, frame

FIRST = 1768967100  # 21 January 2026, 09:15 IST


def hello(ahead: float = 0.0) -> str:
    """A greeting by a clock that goes so many seconds ahead of ours."""
    return frame(f'{{"session_id":"<0.1.2>_sim","timestamp":{int(time.time() + ahead)}}}')


class Peer:
    """The server's end of one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self._frames: list[Any] = []

    async def next(self) -> Any:
        while not self._frames:
            self._frames = decode(await self.socket.recv())
        return self._frames.pop(0)

    async def call(self, method: str) -> list[Any]:
        """Wait for a call of that method, passing over others; return its parameters."""
        while True:
            item = await self.next()
            if isinstance(item, Message) and item.method == method:
                return item.params

    async def send(self, *frames: str) -> None:
        await self.socket.send("".join(frames))

    async def chart(self) -> tuple[str, str]:
        """Wait for a complete request; return its chart session and symbol."""
        chart, _, wanted = await self.call("resolve_symbol")
        await self.call("switch_timezone")
        return chart, json.loads(wanted.removeprefix("="))["symbol"]

    async def cut(self) -> None:
        self.socket.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def serving(script: Script, ahead: float = 0.0, **options: Any) -> AsyncIterator[str]:
    """Serve a script to each connection; what it asserts counts for the test."""
    errors: list[Exception] = []

    async def handle(socket: ServerConnection) -> None:
        try:
            await socket.send(hello(ahead))
            await script(Peer(socket))
            async for _ in socket:
                pass
        except ConnectionClosed:
            pass
        except Exception as error:
            errors.append(error)
            raise

    async with serve(handle, "127.0.0.1", 0, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/socket.io/websocket"
    if errors:
        raise errors[0]


def bars(chart: str, *values: list[float], method: str = "du") -> str:
    points = [{"i": n, "v": value} for n, value in enumerate(values)]
    return encode(method, [chart, {"s1": {"s": points, "ns": {"d": ""}, "t": "s1"}}])


def history_bars(chart: str, *values: list[float]) -> str:
    return bars(chart, *values, method="timescale_update")


def completed(chart: str) -> str:
    return encode("series_completed", [chart, "s1", "streaming", "s1"])


def bar(minute: int, close: float, volume: float = 65.0) -> list[float]:
    return [FIRST + 60 * minute, close, close, close, close, volume]


async def answer_one(peer: Peer, *values: list[float]) -> str:
    chart, _ = await peer.chart()
    await peer.send(history_bars(chart, *values), completed(chart))
    return chart


async def silence(peer: Peer) -> None:
    """Answer nothing, but listen."""
