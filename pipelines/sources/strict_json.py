"""JSON of a source taken strictly: what is no JSON or no number is told, never guessed. Pure."""

import json
import math
from typing import Any, NoReturn

from pipelines.sources.errors import PayloadInvalid

SHOWN = 60  # characters of a value that is told of


def load(text: str | bytes) -> Any:
    """Return what JSON holds; `NaN` and infinities are none.

    Raises:
        PayloadInvalid: It is not JSON; the start of it is told.
    """
    try:
        return json.loads(text, parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise not_json(text, error) from error


def not_json(text: str | bytes, error: Exception) -> PayloadInvalid:
    """Return the error of what is not JSON, for a reason, with its start."""
    start = text[:SHOWN]
    start = start.decode(errors="replace") if isinstance(start, bytes) else start
    reason = str(error)[: 2 * SHOWN]
    return PayloadInvalid(f"not JSON ({reason}): starts with {start.strip()!r}")


def shown(value: Any) -> str:
    """Return a value for a person; of a long text its start, of a list or an object its size."""
    if isinstance(value, str):
        return repr(value) if len(value) <= SHOWN else f"{value[:SHOWN]!r}…"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return f"an object of {len(value)}" if isinstance(value, dict) else repr(value)


def number(value: Any, where: str) -> float:
    """Return a finite number.

    Raises:
        PayloadInvalid: It is none; `where` names its place.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PayloadInvalid(f"{where}: {shown(value)} is no number")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise PayloadInvalid(f"{where}: not a finite number")
    return result


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
