"""A clock that is set while we rely on it."""

import re

import pytest

from pipelines.live.clock_guard import ClockGuard, ClockJumpedError


class Clocks:
    """Two clocks that a test moves."""

    def __init__(self) -> None:
        self.wall, self.elapsed = 1_790_000_000.0, 50.0

    def guard(self) -> ClockGuard:
        return ClockGuard(lambda: self.wall, lambda: self.elapsed)

    def pass_time(self, seconds: float, set_by: float = 0.0) -> None:
        self.elapsed += seconds
        self.wall += seconds + set_by


@pytest.mark.parametrize("step", [90.0, -90.0])
def test_a_clock_that_was_set_is_told_with_its_step(step: float):
    clocks = Clocks()
    guard = clocks.guard()
    clocks.pass_time(3_600)
    guard.require_steady()
    clocks.pass_time(1, set_by=step)
    with pytest.raises(ClockJumpedError, match=re.escape(f"set by {step:+.0f} s: starting anew")):
        guard.require_steady()


def test_small_corrections_of_a_time_service_are_followed():
    clocks = Clocks()
    guard = clocks.guard()
    for _ in range(100):
        clocks.pass_time(10, set_by=0.5)
        guard.require_steady()


def test_the_computers_own_clocks_are_steady():
    ClockGuard().require_steady()
