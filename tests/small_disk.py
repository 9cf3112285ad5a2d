"""A disk so small that it can be filled."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

SIZE = "400m"
PIECE = bytes(2**20)


class NoDiskError(Exception):
    """None can be mounted, which needs root."""


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Give a folder a disk of its own.

    Raises:
        NoDiskError: Not here.
    """
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    told = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if told.returncode:
        raise NoDiskError(f"no disk can be mounted here, which needs root: {told.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Fill:
    """Keeps a disk full until it is emptied: what the server gives back is taken as well."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ballast"
        self._emptied = Event()
        self._thread = Thread(target=self._fill)
        self._thread.start()

    def _fill(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            while not self._emptied.wait(0.001):
                with suppress(OSError):
                    file.write(PIECE)

    def empty(self) -> None:
        self._emptied.set()
        self._thread.join()
        self._path.unlink()
