"""HTTP on one connection, with an end to how much a peer may send and how long it may take.

uvicorn's protocol keeps whatever comes until a head is complete, for as long as that takes.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Collection
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from chartserver.clients import address_name
from chartserver.headers import WITH_POLICY
from chartserver.limits import Limits

# What is parsed between two looks at how much there is of a request.
PIECE_BYTES = 2_048
# Time in which a refused peer may read why; closing at once would throw the reason away.
LINGER_SECONDS = 1.0
# A peer that takes no byte of an answer for so long is gone.
STALL_SECONDS = 60.0


class Door:
    """Counts the connections that are open, by address.

    Args:
        limits: How many there may be.
        most: How many in all.
        proxies: Whose connections are many clients'.
    """

    def __init__(
        self, limits: Limits, most: int, proxies: Collection[IPv4Network | IPv6Network] = ()
    ) -> None:
        self.limits = limits
        self._most = most
        self._proxies = proxies
        self._open: Counter[str] = Counter()
        self._all = 0

    def enter(self, host: str) -> tuple[HTTPStatus, str] | None:
        """Count a connection, or return why there may be none more."""
        name = address_name(host)
        if self._all >= self._most:
            return HTTPStatus.SERVICE_UNAVAILABLE, "this server has all the connections it may have"
        if self._open[name] >= self.limits.connections_per_address and not self._is_proxy(host):
            return (
                HTTPStatus.TOO_MANY_REQUESTS,
                f"this address has {self._open[name]} connections open: close one",
            )
        self._open[name] += 1
        self._all += 1
        return None

    def leave(self, host: str) -> None:
        """Count a connection no more."""
        name = address_name(host)
        self._all -= 1
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, door: Door, **options: Any) -> None:
        super().__init__(**options)
        self._door = door
        self._host: str | None = None
        # Bytes since the last request was complete, and whether another has begun.
        self._bytes = 0
        self._has_begun = False
        self._deaf = False
        # The request whose answer is being made; `cycle` is the last that was read.
        self._running: RequestResponseCycle | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    # The connection -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it, and wait for a request."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        if full := self._door.enter(host):
            # Nothing counts it, so it must not linger.
            self._deaf = True
            transport.write(_answer(*full))
            transport.close()
            return
        self._host = host
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        if self._host is not None:
            self._door.leave(self._host)
        for timer in (self._deadline, self._stall):
            if timer:
                timer.cancel()
        # uvicorn tells the last request only, and a stream before it would never end.
        self._disconnect()
        super().connection_lost(exc)

    # Reading ------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse a request that grows too large."""
        for start in range(0, len(data), PIECE_BYTES):
            if self._deaf or self.transport.is_closing():
                return
            piece = data[start : start + PIECE_BYTES]
            self._bytes += len(piece)
            super().data_received(piece)
            if self._bytes > self._door.limits.request_bytes and not self._deaf:
                self._refuse(
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                    f"a request may have {self._door.limits.request_bytes} bytes",
                )
        waits = self._has_begun or not self._is_answering
        if self._deadline is None and waits and not self._deaf:
            self._set_deadline()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        super().on_message_begin()
        self._has_begun = True

    def on_message_complete(self) -> None:
        """Note that a request is here as a whole."""
        super().on_message_complete()
        self._has_begun = False
        self._bytes = 0
        self._drop_deadline()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    @property
    def _is_answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(self._door.limits.request_seconds, self._too_slow)

    def _drop_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._has_begun or self._bytes:
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT,
                f"a request may take {self._door.limits.request_seconds:g} s to arrive",
            )
        else:
            # Opened in advance, as browsers do, and never used: an answer to nothing confuses them.
            self.transport.close()

    # Writing ------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """Begin to watch whether the peer takes what is there."""
        super().pause_writing()
        self._watch_stall()

    def resume_writing(self) -> None:
        """Stop watching."""
        if self._stall:
            self._stall.cancel()
            self._stall = None
        super().resume_writing()

    def _watch_stall(self, before: int | None = None) -> None:
        left = self.transport.get_write_buffer_size()
        if before is not None and left >= before:
            self.transport.abort()
        else:
            self._stall = self.loop.call_later(STALL_SECONDS, self._watch_stall, left)

    # Refusing -----------------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: whoever asks for another protocol could fill the log."""

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        """Answer with an error where no answer has begun, and hear no more of this peer."""
        self._deaf = True
        self._drop_deadline()
        self.pipeline.clear()
        if self._disconnect():
            self.transport.abort()
            return
        self.transport.write(_answer(status, reason))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _disconnect(self) -> bool:
        """Let the application's words go nowhere; tell whether it had begun to speak."""
        running = self._running
        if running is None or running.response_complete:
            return False
        running.disconnected = True
        running.message_event.set()
        return bool(running.response_started)


def _answer(status: HTTPStatus, reason: str) -> bytes:
    body = json.dumps({"error": reason, "status": status}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *WITH_POLICY,
    ]
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"", body])
