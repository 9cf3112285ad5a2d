"""What combinations beside each of a sweep came to: a peak alone is luck."""

from collections.abc import Mapping, Sequence
from typing import Any

from db.signals.sweeps import SweepResult
from pipelines.signals.grid import Grid


def value_at(params: Mapping[str, Any], path: str) -> Any:
    """Return a number by its name, such as `stop_points.NIFTY`."""
    name, _, inner = path.partition(".")
    return params[name][inner] if inner else params[name]


def with_neighbours(grid: Grid, results: Sequence[SweepResult]) -> list[SweepResult]:
    """Return results with the mean of those that are one step of one number away.

    Numbers are a step apart where none of the grid lies between; other values in the grid's order.
    Combinations that were never entered are nobody's neighbours.
    """
    places = {name: _places(values) for name, values in grid.items()}
    cells = {
        tuple(places[name][value_at(one.params, name)] for name in grid): one for one in results
    }
    return [_beside(cell, one, cells) for cell, one in cells.items()]


def _places(values: Sequence[Any]) -> dict[Any, int]:
    unique = list(dict.fromkeys(values))
    if all(isinstance(value, int | float) for value in unique):
        unique.sort()
    return {value: place for place, value in enumerate(unique)}


def _beside(
    cell: tuple[int, ...], one: SweepResult, cells: Mapping[tuple[int, ...], SweepResult]
) -> SweepResult:
    around = [
        cells.get((*cell[:axis], cell[axis] + step, *cell[axis + 1 :]))
        for axis in range(len(cell))
        for step in (-1, 1)
    ]
    means = [
        other.mean_return_points
        for other in around
        if other is not None and other.mean_return_points is not None
    ]
    mean = sum(means) / len(means) if means else None
    return one._replace(neighbours=len(means), neighbour_mean_points=mean)
