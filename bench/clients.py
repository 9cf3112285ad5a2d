"""Many SSE clients on plain sockets, read by one thread that notes when each event came."""

import selectors
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

EVENT = b"event: candle"
HELLO = b"retry: "
DEADLINE = 30


class Body:
    """A chunked answer that is read as it comes, unpacked where it is gzipped."""

    def __init__(self, sock: socket.socket, path: str, accept: str) -> None:
        asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: {accept}\r\n\r\n"
        sock.sendall(asked.encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += _some(sock, path)
        head, _, self._rest = received.partition(b"\r\n\r\n")
        packed = b"content-encoding: gzip" in head.lower()
        if packed != (accept == "gzip"):
            raise ConnectionError(f"{path} is not answered as asked: {head!r}")
        self._unpacker = zlib.decompressobj(wbits=31) if packed else None

    def read(self, data: bytes = b"") -> bytes:
        """Return the text of further bytes from the socket."""
        self._rest += data
        pieces = []
        while (end := self._rest.find(b"\r\n")) > 0:
            start, stop = end + 2, end + 2 + int(self._rest[:end], 16)
            if len(self._rest) < stop + 2:
                break
            pieces.append(self._rest[start:stop])
            self._rest = self._rest[stop + 2 :]
        text = b"".join(pieces)
        return self._unpacker.decompress(text) if self._unpacker else text


class Clients:
    """Connected clients; `expect` before causing events, then `wait` for them."""

    def __init__(self, port: int, path: str, count: int, accept: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._arrivals: list[float] = []
        self._expected = 0
        self._complete = threading.Event()
        self._stopping = False
        self._sockets = []
        for _ in range(count):
            sock, body = open_stream(port, path, accept)
            self._sockets.append(sock)
            self._selector.register(sock, selectors.EVENT_READ, body)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(0.2):
                assert isinstance(key.fileobj, socket.socket)
                data = key.fileobj.recv(65_536)
                now = perf_counter()
                if not data:
                    self._selector.unregister(key.fileobj)
                self._arrivals += [now] * key.data.read(data).count(EVENT)
            if len(self._arrivals) >= self._expected > 0:
                self._complete.set()

    def expect(self, each: int = 1) -> None:
        """Forget what came; so many events are to come to each client."""
        self._arrivals = []
        self._expected = each * len(self._sockets)
        self._complete.clear()

    def wait(self) -> list[float]:
        """Return when the expected events came, on the clock of `perf_counter`.

        Raises:
            TimeoutError: They did not come.
        """
        if not self._complete.wait(DEADLINE):
            raise TimeoutError(f"{len(self._arrivals)} of {self._expected} events came")
        self._expected = 0
        return self._arrivals

    def close(self) -> None:
        """Leave, all at once."""
        self._stopping = True
        self._thread.join()
        self._selector.close()
        for sock in self._sockets:
            sock.close()


def open_stream(port: int, path: str, accept: str) -> tuple[socket.socket, Body]:
    """Return a connected socket, once its stream has greeted, and the reader of its answer."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
    body = Body(sock, path, accept)
    # The greeting comes after the client is registered, so that it misses nothing.
    received = body.read()
    while HELLO not in received:
        received += body.read(_some(sock, path))
    sock.setblocking(False)
    return sock, body


def _some(sock: socket.socket, path: str) -> bytes:
    data = sock.recv(4096)
    if not data:
        raise ConnectionError(f"the stream at {path} ended")
    return data


@contextmanager
def connected(port: int, path: str, count: int, accept: str = "identity") -> Iterator[Clients]:
    """Connect clients, and disconnect them.

    Args:
        port: Of a server on loopback.
        path: Of a stream.
        count: How many clients.
        accept: `identity` or `gzip`.
    """
    clients = Clients(port, path, count, accept)
    try:
        yield clients
    finally:
        clients.close()
