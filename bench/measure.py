"""Time taken, repeatedly and in turn, so that a busy machine slows all contestants alike."""

import gc
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any


def seconds(call: Callable[[], Any]) -> float:
    """Return how long a call takes; garbage, earlier or its own result, is not its fault."""
    gc.collect()
    start = perf_counter()
    result = call()
    taken = perf_counter() - start
    del result
    return taken


def medians(rounds: int, *calls: Callable[[], Any]) -> list[float]:
    """Run the calls in turn for some rounds; return the median seconds of each."""
    taken = [[seconds(call) for call in calls] for _ in range(rounds)]
    return [median(column) for column in zip(*taken, strict=True)]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
