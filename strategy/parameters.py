"""The numbers of a strategy: read from text, hashed into every signal, named by a version."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from strategy.errors import ParameterError

LARGEST = 1e9
_LIMITS = "limits"


def number(
    default: float, *, least: float | None = None, above: float | None = None, most: float = LARGEST
) -> Any:
    """Declare a number that makes sense within limits only, such as one that is divided by.

    Args:
        default: Its value where none is given.
        least: The smallest that makes sense.
        above: What it must be greater than.
        most: The largest that makes sense.
    """
    return dataclasses.field(default=default, metadata={_LIMITS: (least, above, most)})


@dataclass(frozen=True)
class Parameters:
    """Base of every strategy's parameters: a frozen dataclass of numbers, texts and choices.

    Fields are `int`, `float`, `bool`, `str`, a `Literal` of texts or `Mapping[str, float]`, and
    each has a default. What makes no sense is refused by `number`'s limits, or by a subclass in
    `__post_init__`, after this one has.

    After so many `losing_trades` a session has no new entries.
    """

    losing_trades: int = 2

    def __post_init__(self) -> None:
        values = self.values()  # refuses what cannot be computed with
        if self.losing_trades < 1:
            raise ParameterError(f"losing_trades must be at least 1: {self}")
        for one in fields(self):
            if _LIMITS in one.metadata:
                _require_within(one.name, values[one.name], *one.metadata[_LIMITS])

    def values(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        # 20 and 20.0 are the same number, so floats are written as such.
        kinds = self._kinds()
        return {
            name: _as_declared(name, kinds[name], value) for name, value in asdict(self).items()
        }

    def _kinds(self) -> Mapping[str, Any]:
        own: Any = type(self)  # to mypy a class of these is no key
        return _kinds(own)

    def params_hash(self) -> str:
        """Return 16 hex digits that change whenever a parameter does."""
        return self._hash

    @cached_property
    def _hash(self) -> str:
        text = json.dumps(self.values(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def version(self, code_version: str) -> str:
        """Return the version of signals made with these: other parameters, another version."""
        own: Any = type(self)
        if self.params_hash() == _usual_hash(own):
            return code_version
        return f"{code_version}+{self.params_hash()[:8]}"

    def _paths(self) -> str:
        return ", ".join(
            f"{name}.{inner}" if inner else name
            for name, value in self.values().items()
            for inner in _names(value) or [""]
        )

    def with_values(self, changes: Mapping[str, Any]) -> Self:
        """Return these parameters with some changed; `stop_points.NIFTY` names one of several.

        Raises:
            ParameterError: A name is unknown, a value is of a wrong type, or they make no sense.
        """
        values = self.values()
        kinds = self._kinds()
        for path, value in changes.items():
            name, _, inner = path.partition(".")
            if name not in kinds or (inner and inner not in _names(values[name])):
                raise ParameterError(f"no parameter {path}; there are {self._paths()}")
            changed = {**values[name], inner: value} if inner else value
            values[name] = _as_declared(path, kinds[name], changed)
        return type(self)(**values)


@cache
def _usual_hash(kind: Any) -> str:
    """Return the hash of a class's defaults: it is asked for in every step."""
    found: str = kind().params_hash()
    return found


@cache
def _kinds(kind: Any) -> Mapping[str, Any]:
    """Return the declared types, also where a module writes its annotations as texts."""
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def _names(value: Any) -> list[str]:
    """Return the names of numbers by name; none of a single value."""
    return list(value) if isinstance(value, dict) else []


def _as_declared(name: str, kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin is Literal:
        if value not in get_args(kind):
            raise ParameterError(f"{name}: not one of {', '.join(get_args(kind))}: {value!r}")
        return value
    if origin in {Mapping, dict}:
        if not isinstance(value, Mapping):
            raise ParameterError(f"{name}: not numbers by name: {value!r}")
        return {key: _as_number(name, float, one) for key, one in value.items()}
    if kind in {bool, str}:
        if not isinstance(value, kind):
            wanted = "true or false" if kind is bool else "a text"
            raise ParameterError(f"{name}: not {wanted}: {value!r}")
        return value
    return _as_number(name, kind, value)


def _as_number(name: str, kind: Any, value: Any) -> Any:
    if kind not in {int, float}:
        raise ParameterError(f"{name}: a parameter cannot be of type {kind}")
    allowed, wanted = ((int,), "a whole number") if kind is int else ((int, float), "a number")
    if isinstance(value, bool) or not isinstance(value, allowed):
        raise ParameterError(f"{name}: not {wanted}: {value!r}")
    if not abs(value) <= LARGEST:  # neither is NaN
        raise ParameterError(f"{name}: not a number to compute with: {value!r}")
    return kind(value)


def _require_within(
    name: str, value: float, least: float | None, above: float | None, most: float
) -> None:
    if least is not None and value < least:
        raise ParameterError(f"{name} must be at least {least:g}: {value!r}")
    if above is not None and value <= above:
        raise ParameterError(f"{name} must be above {above:g}: {value!r}")
    if value > most:
        raise ParameterError(f"{name} must be at most {most:g}: {value!r}")
