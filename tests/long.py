"""Tests that take long and say more of what shorter ones hold: `make test-long` runs them."""

import os

import pytest

in_full = pytest.mark.skipif(
    not os.environ.get("OPTIONSCALP_LONG"), reason="runs in the long form: make test-long"
)


def runs_in_full() -> bool:
    """Whether it is the long form that runs."""
    return bool(os.environ.get("OPTIONSCALP_LONG"))


def examples(full: int) -> int:
    """Return how many examples a slow property takes: so many in the long form, else a third."""
    return full if runs_in_full() else max(2, full // 3)
