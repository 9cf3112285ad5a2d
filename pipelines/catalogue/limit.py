"""A limit of time for code that is not ours."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STEP_SECONDS = 2.0  # one interval of one underlying; ours take a thousandth of it
BATCH_SECONDS = 30.0  # the sessions that are read at once, or a module's import


class Watched:
    """Which strategy is at work until when, for another process to see."""

    def __init__(self, name: Any, until: Any) -> None:
        self._name, self._until = name, until  # of shared memory

    def enter(self, name: str, seconds: float) -> None:
        """Note that a strategy begins."""
        self._until.value = time.monotonic() + seconds
        self._name.value = name.encode()

    def leave(self) -> None:
        """Note that it is done."""
        self._name.value = b""

    def now(self) -> tuple[str, float]:
        """Return who is at work, or an empty name, and until when at most (`time.monotonic`)."""
        return self._name.value.decode(), self._until.value


_watched: list[Watched] = []  # one in a process that is watched


def watch(watched: Watched) -> None:
    """Have every strategy of this process noted from now on."""
    _watched[:] = [watched]


class TooLong(BaseException):
    """Time is up; no `except Exception` of the code that takes so long may keep it."""


@contextmanager
def within(seconds: float, name: str = "") -> Iterator[None]:
    """Interrupt what is done in here after so many seconds of this computer.

    Only the main thread can be interrupted; in others there is no limit.

    Args:
        seconds: The limit.
        name: Of the strategy.

    Raises:
        TooLong: It took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooLong(f"took longer than {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    started = time.monotonic()
    for watched in _watched:
        watched.enter(name, seconds)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        for watched in _watched:
            watched.leave()
        if left:  # somebody else's limit goes on
            rest = max(left - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, rest)
