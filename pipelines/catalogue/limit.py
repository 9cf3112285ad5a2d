"""A limit of time for code that is not ours."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STEP_SECONDS = 2.0  # one interval of one underlying; ours take a thousandth of it
BATCH_SECONDS = 30.0  # the sessions that are read at once, or a module's import


class TooLong(BaseException):
    """Time is up; no `except Exception` of the code that takes so long may keep it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Interrupt what is done in here after so many seconds of this computer.

    Only the main thread can be interrupted; in others there is no limit.

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
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # somebody else's limit goes on
            rest = max(left - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, rest)
