"""Notice that this computer's clock was set while we rely on it."""

import time
from collections.abc import Callable

# More than a time service corrects at a time without a jump.
LARGEST_STEP_SECONDS = 2.0


def _elapsed() -> float:
    # Counts on while the computer sleeps, where the system can tell; and nobody can set it.
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class ClockJumpedError(Exception):
    """The computer's clock was set: start again, with nothing remembered."""


class ClockGuard:
    """Compares the clock with one that nobody can set."""

    def __init__(
        self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = _elapsed
    ) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._offset = wall() - elapsed()

    def require_steady(self) -> None:
        """Follow small corrections.

        Raises:
            ClockJumpedError: The clock was set forward or back since the last call.
        """
        offset = self._wall() - self._elapsed()
        step, self._offset = offset - self._offset, offset
        if abs(step) > LARGEST_STEP_SECONDS:
            raise ClockJumpedError(f"this computer's clock was set by {step:+.0f} s: starting anew")
