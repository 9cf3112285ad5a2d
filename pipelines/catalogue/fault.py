"""What makes a strategy useless: told in one line, it alone is switched off."""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from strategy.parameters import Parameters


class StrategyFault(Exception):
    """A strategy failed, took too long, gave what it may not, or looked into the future."""

    def __init__(self, strategy: str, problem: str) -> None:
        super().__init__(strategy, problem)
        self.strategy = strategy
        self.problem = problem

    def __str__(self) -> str:
        return f"strategy {self.strategy}: {self.problem}"


class Origin(NamedTuple):
    """Where a strategy comes from.

    Attributes:
        module: A file of the folder, an entry point, or `optionscalp` for ours.
        digest: Other code has another one; empty for ours.
    """

    module: str
    digest: str


class LoadFault(NamedTuple):
    """A module that gives no strategy, or one of its strategies that cannot be used."""

    origin: Origin
    problem: str

    @property
    def line(self) -> str:
        """One line for a person."""
        return f"{self.origin.module}: {self.problem}"


def problem_of(error: BaseException, file: str = "", parameters: Parameters | None = None) -> str:
    """Return what failed in one line: the error, where in the module, and what was divided by."""
    said = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename == file]
    if frames:
        text += f" ({Path(file).name}, line {frames[-1].lineno})"
    if isinstance(error, ZeroDivisionError) and parameters is not None:
        zeros = ", ".join(_zeros(parameters.values()))
        text += f"; 0 is {zeros}" if zeros else ""
    return text


def _zeros(values: Mapping[str, Any], before: str = "") -> list[str]:
    found: list[str] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _zeros(value, f"{before}{name}.")
        elif value == 0 and not isinstance(value, bool):
            found.append(f"{before}{name}")
    return found
