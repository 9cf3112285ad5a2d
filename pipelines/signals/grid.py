"""The combinations of a sweep: every value of every parameter with every other."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from pipelines.signals.versions import Planned
from strategy.errors import ParameterError

Grid = Mapping[str, Sequence[Any]]


def parse_value(text: str) -> Any:
    """Return what a person wrote for a parameter: JSON (2.5, true, "1"), else the text itself.

    Raises:
        ValueError: Nothing was written, or a number that rules cannot use.
    """
    if not text:
        raise ValueError("nothing is written")
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError:
        return text


def parse_grid(texts: Sequence[str]) -> Grid:
    """Return the values of each parameter, from texts such as `spike_factor=1.5,2,2.5`.

    Raises:
        ParameterError: A text has another form, or a parameter is named twice.
    """
    grid: dict[str, list[Any]] = {}
    for text in texts:
        name, _, values = text.partition("=")
        try:
            found = [parse_value(value.strip()) for value in values.split(",")]
        except ValueError:
            found = []
        if not name or not found:
            raise ParameterError(f"{text}: write NAME=VALUE,VALUE,...")
        if name in grid:
            raise ParameterError(f"{name}: named twice; give all its values in one list")
        grid[name] = found
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
