"""TradingView's websocket over a market: one `Connection` per client.

It says hello, sends heartbeats that must come back, answers chart and quote sessions, and while
time passes sends one message per tick with the frames of all that changed.
"""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from socket import socket
from typing import Any, NamedTuple

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from simulator.account import Account, Plan
from simulator.bad_bars import spoiled_message
from simulator.chart import ChartSession
from simulator.faults import WorldClock
from simulator.frames import HEARTBEAT, FrameError, encode, frame, parse_call, split
from simulator.market import Market
from simulator.quotes import QuoteSession

logger = logging.getLogger(__name__)

POLICY_VIOLATION = 1008
TOO_MANY_SESSIONS = "max sessions rate reached"
REFUSALS = {"refuse-403": HTTPStatus.FORBIDDEN, "refuse-429": HTTPStatus.TOO_MANY_REQUESTS}


class Pace(NamedTuple):
    """Seconds of the computer's clock: between ticks, between heartbeats, for the echo."""

    tick: float = 0.16
    heartbeat: float = 10.0
    echo: float = 30.0


class Connection:
    """One client and its sessions."""

    def __init__(
        self, channel: ServerConnection, market: Market, clock: WorldClock, plan: Plan
    ) -> None:
        self._channel = channel
        self._market = market
        self._clock = clock
        self._faults = clock.faults
        self._account = Account(plan, clock.faults)
        self._charts = 0
        self._sessions: dict[str, ChartSession | QuoteSession] = {}
        self._awaited: dict[str, float] = {}
        # What is computed for a moment leaves before anything of a later moment.
        self._sending = asyncio.Lock()

    async def run(self, pace: Pace) -> None:
        """Serve until the client leaves, breaks the protocol or stops echoing heartbeats."""
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(self._greet(pace.tick)),
                tasks.create_task(self._beat(pace)),
                tasks.create_task(self._tick(pace.tick)),
            ]
            try:
                await self._read()
            finally:
                for task in others:
                    task.cancel()

    async def _greet(self, tick: float) -> None:
        while self._faults.strike("late-hello", self._clock.now()):  # noqa: ASYNC110 - it is time
            await asyncio.sleep(tick)
        now = self._clock.now().timestamp()
        # The fields, in their order, of a greeting of December 2025.
        hello: dict[str, Any] = {
            "session_id": f"0.1.1_simulated-{secrets.token_hex(8)}",
            "timestamp": int(now),
            "timestampMs": int(now * 1000),
            "release": "release_simulated",
            "studies_metadata_hash": "0" * 40,
            "auth_scheme_vsn": 2,
            "protocol": "json",
            "via": "127.0.0.1:443",
            "javastudies": ["3.66"],
        }
        await self._send(frame(json.dumps(hello, separators=(",", ":"))))

    async def _read(self) -> None:
        try:
            async for message in self._channel:
                await self._answer(str(message))
        except FrameError as error:
            logger.info("closing a client: %s", error)
            await self._channel.send(encode("protocol_error", ["wrong data", str(error)]))
            await self._channel.close(POLICY_VIOLATION, "wrong data")

    async def _answer(self, message: str) -> None:
        for payload in split(message):
            if payload.startswith(HEARTBEAT):
                self._awaited.pop(payload, None)
                continue
            method, params = parse_call(payload)
            async with self._sending:
                if method == "chart_create_session" and not self._may_open_a_chart():
                    await self._deliver([encode("protocol_error", [TOO_MANY_SESSIONS])])
                    await self._channel.close(POLICY_VIOLATION, TOO_MANY_SESSIONS)
                    return
                await self._deliver(self._call(method, params))

    def _may_open_a_chart(self) -> bool:
        self._charts += 1
        return self._charts <= self._account.chart_sessions(self._clock.now())

    def _call(self, method: str, params: list[Any]) -> list[str]:
        name = str(params[0]) if params else ""
        if method == "chart_create_session":
            self._sessions[name] = ChartSession(self._market, name, self._faults, self._account)
        elif method == "quote_create_session":
            self._sessions[name] = QuoteSession(self._market, name, self._account)
        elif method in {"chart_delete_session", "quote_delete_session"}:
            self._sessions.pop(name, None)
        elif method == "set_auth_token":
            self._account.show(name)
        elif session := self._sessions.get(name):
            frames = session.call(method, self._clock.now(), params[1:])
            self._forget_ended()
            return frames
        elif name.startswith(("cs_", "qs_")):
            return [encode("critical_error", [name, "invalid session", method])]
        # All else (locale, time zone) makes no difference here.
        return []

    def _forget_ended(self) -> None:
        self._sessions = {name: each for name, each in self._sessions.items() if not each.ended}

    async def _tick(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            async with self._sending:
                now = self._clock.now()
                frames = [line for each in self._sessions.values() for line in each.tick(now)]
                self._forget_ended()
                if not self._account.ended(now):
                    await self._deliver(frames)

    async def _beat(self, pace: Pace) -> None:
        number = 0
        while True:
            await asyncio.sleep(pace.heartbeat)
            now = time.monotonic()
            if any(now - sent >= pace.echo for sent in self._awaited.values()):
                await self._channel.close(POLICY_VIOLATION, "no heartbeat")
                return
            number += 1
            if await self._send(frame(f"{HEARTBEAT}{number}")):
                self._awaited[f"{HEARTBEAT}{number}"] = now

    async def _deliver(self, frames: list[str]) -> None:
        """Send frames in one message, or what a fault makes of it."""
        if frames and not self._faults.strike("heartbeats-only", self._clock.now()):
            await self._send(spoiled_message(self._faults, self._clock.now(), frames))

    async def _send(self, message: str | bytes) -> bool:
        """Send a message unless a fault swallows it; tell whether it is on its way."""
        now = self._clock.now()
        if self._faults.strike("silence", now):
            return False
        if self._faults.strike("cut", now):
            raw = message.encode() if isinstance(message, str) else message
            whole = Frame(Opcode.TEXT, raw).serialize(mask=False)
            self._channel.transport.write(whole[: len(whole) // 2])
            self._channel.transport.abort()
            return False
        await self._channel.send(message, text=True)
        return True


@asynccontextmanager
async def serve_tradingview(
    listener: socket, market: Market, clock: WorldClock, pace: Pace, plan: Plan
) -> AsyncIterator[None]:
    """Serve the websocket on a bound socket while the context is open."""

    async def handle(channel: ServerConnection) -> None:
        try:
            await Connection(channel, market, clock, plan).run(pace)
        except* ConnectionClosed:
            logger.debug("a client left")

    def refuse(channel: ServerConnection, _request: Request) -> Response | None:
        for kind, status in REFUSALS.items():
            if clock.faults.strike(kind, clock.now()):
                return channel.respond(status, "not allowed (simulated)\n")
        return None

    async with serve_websocket(
        handle,
        sock=listener,
        compression=None,
        ping_interval=None,
        close_timeout=1,
        process_request=refuse,
    ):
        yield
