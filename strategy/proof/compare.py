"""Rows side by side, as text: the first column that differs is named with both its values."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from strategy.signals import Rejection, Signal

Line = Mapping[str, str]  # a row: text by column
_NO_ROW = "no such row"
# What tells rows apart, in the order in which differences are told; a rejection has a reason.
_KEY = ("event_time", "underlying", "reason", "symbol")
_Key = tuple[str, ...]


class Difference(NamedTuple):
    """The first place where rows part: a column, or the whole row where only one side has it.

    Attributes:
        event_time: Of the row.
        underlying: Of the row.
        symbol: Of the row; empty where the row is about a whole interval.
        row: `signal`, or `rejection` with its reason.
        column: Which differs; `row` where the other side has no such row.
        expected: Its value, as JSON text where it is a column's.
        found: The other value.
    """

    event_time: datetime
    underlying: str
    symbol: str
    row: str
    column: str
    expected: str
    found: str

    @classmethod
    def of(cls, row: Signal | Rejection, column: str, expected: str, found: str) -> Self:
        """Return the difference in a column of a row."""
        kind = f"rejection {row.reason}" if isinstance(row, Rejection) else "signal"
        return cls(
            *(row.event_time, row.underlying, row.symbol or "", kind), column, expected, found
        )


def line(row: Mapping[str, Any]) -> Line:
    """Return a row's columns as canonical JSON text: equal texts are equal bytes when stored."""
    return {
        name: json.dumps(value, sort_keys=True, default=_plain, separators=(",", ":"))
        for name, value in row.items()
    }


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | UUID):
        return str(value)
    raise TypeError(f"no column holds a {type(value).__name__}: {value!r}")


def differing(
    expected: Iterable[Line], found: Iterable[Line], *, more_allowed: bool = False
) -> Difference | None:
    """Return the first difference between two sets of rows; None where they are equal.

    Args:
        expected: Rows in any order.
        found: The same.
        more_allowed: Whether rows that nobody expected are no difference.
    """
    wanted, there = _by_key(expected), _by_key(found)
    for key in sorted(wanted if more_allowed else wanted.keys() | there.keys()):
        one, other = wanted.get(key), there.get(key)
        if one == other:
            continue
        if one is None or other is None:
            texts = ["such a row" if row else _NO_ROW for row in (one, other)]
            return _difference(one or other or {}, "row", *texts)
        for name in [*one, *(name for name in other if name not in one)]:
            texts = [row.get(name, "no such column") for row in (one, other)]
            if texts[0] != texts[1]:
                return _difference(one, name, *texts)
    return None


def _by_key(lines: Iterable[Line]) -> dict[_Key, Line]:
    """Return lines by what they are about; one that is there twice has two keys."""
    seen: Counter[_Key] = Counter()
    found: dict[_Key, Line] = {}
    for one in lines:
        key = tuple(one.get(name, "") for name in _KEY)
        seen[key] += 1
        found[*key, str(seen[key])] = one
    return found


def _difference(row: Line, column: str, expected: str, found: str) -> Difference:
    values = {name: json.loads(row[name]) for name in _KEY if name in row}
    reason = values.get("reason")
    return Difference(
        datetime.fromisoformat(values["event_time"]),
        values["underlying"],
        values["symbol"] or "",
        f"rejection {reason}" if reason else "signal",
        column,
        expected,
        found,
    )
