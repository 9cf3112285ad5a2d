"""What a fuzzer makes of an answer: by its structure and by its bytes."""

import json
import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Mutation = Callable[[Random, Any], Any]
# What a place may hold in place of what belongs there.
POISON: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    -0.0,
    0.5,
    1e-320,
    32_768,
    2**31,
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    10**400,
    1e18,
    1e308,
    -1e308,
    math.inf,
    -math.inf,
    math.nan,
    253_402_300_800,
    -62_135_596_801,
    "",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\u202e",
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-01-21T10:00:00+05:30:59.999999",
    "99:99 TO 99:99",
    "-1",
    "1e308",
    "NaN",
    "٣",
    "9" * 5000,
    "x" * 5000,
    [],
    {},
    [[]],
    [None] * 7,
    {"": {}},
)
TEXTS = (
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\u0000",
    b"\\ud800",
    b"1e999",
    b"-1e999",
    b"NaN",
    b"Infinity",
    b"9" * 5000,
    b"[" * 2000,
    b'{"a":' * 2000,
    b"null",
    b"~m~-5~m~",
    b"~m~999999999~m~",
    b"~h~",
    b"\x1f\x8b",
    b"<html>",
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each value inside a JSON value, its own first."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from places(part, (*path, number))


def replaced(value: Any, path: tuple[Any, ...], new: Callable[[Any], Any]) -> Any:
    """Return a copy with what is at a path replaced."""
    if not path:
        return new(value)
    first, *rest = path
    copy = value.copy()
    copy[first] = replaced(value[first], tuple(rest), new)
    return copy


def mutate_json(random: Random, value: Any) -> Any:
    """Return a JSON value with one to three places changed."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        value = replaced(value, random.choice(list(places(value))), _change(random))
    return value


def _change(random: Random) -> Callable[[Any], Any]:
    def change(value: Any) -> Any:
        if isinstance(value, list) and value and random.random() < 0.5:
            return random.choice(
                (value[: len(value) // 2], value + value, value[::-1], [*value, value])
            )
        if isinstance(value, dict) and value and random.random() < 0.5:
            name, other = random.choice(list(value)), random.choice(list(value))
            less = {key: part for key, part in value.items() if key != name}
            renamed = str(random.choice(POISON))[:5000]
            return random.choice(
                (less, value | {name: value[other]}, less | {renamed: value[name]})
            )
        if isinstance(value, int | float) and random.random() < 0.3 and abs(value) < 1e15:
            return random.choice((-value, value * 1000, value + 0.5, str(value), value * 1e290))
        return random.choice(POISON)

    return change


def dumped(value: Any) -> bytes:
    """Return JSON text, with what is none as Python's writes it: `NaN`, `Infinity`, 400 digits."""
    return json.dumps(value, separators=(",", ":")).encode()


def mutate_bytes(random: Random, body: bytes) -> bytes:
    """Return bytes with something cut, doubled, moved, overwritten or inserted."""
    place, other = sorted(random.randrange(len(body) + 1) for _ in range(2))
    kind = random.randrange(6)
    if kind == 0:
        return body[:place]
    if kind == 1:
        return body[:place] + body[other:]
    if kind == 2:
        return body[:other] + body[place:]
    if kind == 3:
        changed = bytearray(body)
        for _ in range(random.choice((1, 2, 8))):
            if changed:
                changed[random.randrange(len(changed))] = random.randrange(256)
        return bytes(changed)
    return body[:place] + random.choice(TEXTS) + body[place if kind == 4 else other :]
