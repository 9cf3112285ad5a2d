"""Many SSE clients on plain sockets, read by one thread that notes when each event came."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

EVENT = b"event: candle"
HELLO = b"retry: "
DEADLINE = 30


class Clients:
    """Connected clients; `expect` before causing events, then `wait` for them."""

    def __init__(self, port: int, path: str, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._arrivals: list[float] = []
        self._expected = 0
        self._complete = threading.Event()
        self._stopping = False
        self._sockets = [_connect(port, path) for _ in range(count)]
        for sock in self._sockets:
            self._selector.register(sock, selectors.EVENT_READ)
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
                self._arrivals += [now] * data.count(EVENT)
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


def _connect(port: int, path: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    # The greeting comes after the client is registered, so that it misses nothing.
    received = b""
    while HELLO not in received:
        data = sock.recv(4096)
        if not data:
            raise ConnectionError(f"no stream at {path}: {received!r}")
        received += data
    sock.setblocking(False)
    return sock


@contextmanager
def connected(port: int, path: str, count: int) -> Iterator[Clients]:
    """Connect clients, and disconnect them."""
    clients = Clients(port, path, count)
    try:
        yield clients
    finally:
        clients.close()
