"""JSON of a source taken strictly: what is no JSON or no number is told, never guessed. Pure."""

import json
import math
from typing import Any, NoReturn

from pipelines.sources.errors import PayloadInvalid


def load(text: bytes) -> Any:
    """Return what JSON holds; `NaN` and infinities are none.

    Raises:
        PayloadInvalid: It is not JSON; the start of it is told.
    """
    try:
        return json.loads(text, parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise not_json(text, error) from error


def not_json(text: bytes, error: Exception) -> PayloadInvalid:
    """Return the error of bytes that are not JSON, for a reason, with their start."""
    start = text[:60].decode(errors="replace").strip()
    return PayloadInvalid(f"not JSON ({error}): starts with {start!r}")


def number(value: Any, where: str) -> float:
    """Return a finite number.

    Raises:
        PayloadInvalid: It is none; `where` names its place.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PayloadInvalid(f"{where}: {value!r} is no number")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise PayloadInvalid(f"{where}: not a finite number")
    return result


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
