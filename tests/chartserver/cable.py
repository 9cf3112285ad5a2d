"""A cable between browser and server that can be cut."""

import socket
import threading
from contextlib import suppress


class Cable:
    """Passes bytes both ways; while it is cut, connections break and new ones are refused.

    While it is held nothing passes, and nobody is told.
    """

    def __init__(self, port: int):
        self.target = port
        self.lock = threading.Lock()
        self.ends: set[socket.socket] = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.whole = True
        self.passes = threading.Event()
        self.passes.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                if not self.whole:
                    near.close()
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                with self.lock:
                    self.ends |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while piece := one.recv(65536):
                self.passes.wait()
                other.sendall(piece)
        self._drop({one, other})

    def _drop(self, ends: set[socket.socket]) -> None:
        with self.lock:
            self.ends -= ends
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def hold(self) -> None:
        self.passes.clear()

    def release(self) -> None:
        self.passes.set()

    def cut(self) -> None:
        self.whole = False
        with self.lock:
            ends = set(self.ends)
        self._drop(ends)

    def mend(self) -> None:
        self.whole = True

    def close(self) -> None:
        self.release()
        self.cut()
        self.listener.close()
