"""The numbers of a strategy: read from text, hashed into every signal, named by a version."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Self, get_origin

from strategy.errors import ParameterError

LARGEST = 1e9


@dataclass(frozen=True)
class Parameters:
    """Base of every strategy's numbers: a frozen dataclass of numbers and of numbers by name.

    Fields are `int`, `float` or `Mapping[str, float]`, and each has a default. A subclass
    refuses in `__post_init__` what makes no sense, after this one has.

    After so many `losing_trades` a session has no new entries.
    """

    losing_trades: int = 2

    def __post_init__(self) -> None:
        self.values()  # refuses what is no number to compute with
        if self.losing_trades < 1:
            raise ParameterError(f"losing_trades must be at least 1: {self}")

    def values(self) -> dict[str, Any]:
        """Return the numbers as plain JSON values."""
        # 20 and 20.0 are the same number, so floats are written as such.
        return {
            one.name: _as_declared(one.name, one.type, value)
            for one, value in zip(fields(self), asdict(self).values(), strict=True)
        }

    def params_hash(self) -> str:
        """Return 16 hex digits that change whenever a number does."""
        return self._hash

    @cached_property
    def _hash(self) -> str:
        text = json.dumps(self.values(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def version(self, code_version: str) -> str:
        """Return the version of signals made with these numbers: other numbers, another version."""
        if self.params_hash() == type(self)().params_hash():
            return code_version
        return f"{code_version}+{self.params_hash()[:8]}"

    def _paths(self) -> str:
        return ", ".join(
            f"{name}.{inner}" if inner else name
            for name, value in self.values().items()
            for inner in _names(value) or [""]
        )

    def with_values(self, changes: Mapping[str, Any]) -> Self:
        """Return these numbers with some changed; `stop_points.NIFTY` names one of several.

        Raises:
            ParameterError: A name is unknown, a value is of a wrong type, or they make no sense.
        """
        numbers = self.values()
        types = {one.name: one.type for one in fields(self)}
        for path, value in changes.items():
            name, _, inner = path.partition(".")
            if name not in types or (inner and inner not in _names(numbers[name])):
                raise ParameterError(f"no parameter {path}; there are {self._paths()}")
            changed = {**numbers[name], inner: value} if inner else value
            numbers[name] = _as_declared(path, types[name], changed)
        return type(self)(**numbers)


def _names(value: Any) -> list[str]:
    """Return the names of numbers by name; none of a single number."""
    return list(value) if isinstance(value, dict) else []


def _as_declared(name: str, kind: Any, value: Any) -> Any:
    if get_origin(kind) is not None:
        if not isinstance(value, Mapping):
            raise ParameterError(f"{name}: not numbers by name: {value!r}")
        return {key: _as_declared(name, float, number) for key, number in value.items()}
    allowed, wanted = ((int,), "a whole number") if kind is int else ((int, float), "a number")
    if isinstance(value, bool) or not isinstance(value, allowed):
        raise ParameterError(f"{name}: not {wanted}: {value!r}")
    if not abs(value) <= LARGEST:  # neither is NaN
        raise ParameterError(f"{name}: not a number to compute with: {value!r}")
    return kind(value)
