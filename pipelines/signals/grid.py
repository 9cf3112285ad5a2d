"""The combinations of a sweep: every value of every number with every other."""

import json
from collections.abc import Mapping, Sequence
from itertools import product

from pipelines.signals.versions import Planned
from strategy.errors import ParameterError

Grid = Mapping[str, Sequence[float]]


def parse_grid(texts: Sequence[str]) -> Grid:
    """Return the values of each number, from texts such as `spike_factor=1.5,2,2.5`.

    Raises:
        ParameterError: A text has another form, or a number is named twice.
    """
    grid: dict[str, list[float]] = {}
    for text in texts:
        name, _, values = text.partition("=")
        try:
            numbers = json.loads(f"[{values}]", parse_constant=_refuse)
        except ValueError:
            numbers = []
        if not name or not numbers:
            raise ParameterError(f"{text}: write NAME=NUMBER,NUMBER,...")
        if name in grid:
            raise ParameterError(f"{name}: named twice; give all its values in one list")
        grid[name] = numbers
    return grid


def combinations(strategy: str, grid: Grid) -> list[Planned]:
    """Return a version per combination, in the grid's order; equal ones count once.

    Raises:
        ParameterError: The strategy has no such number, or a combination makes no sense.
    """
    plans = [
        Planned.of(strategy, dict(zip(grid, values, strict=True)))
        for values in product(*grid.values())
    ]
    return list({plan.parameters.params_hash(): plan for plan in plans}.values())


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is no number to compute with")
