"""Answers that are made to break whoever reads them, one kind after the other. Pure.

Each is made of the answer that a faultless source would give: its numbers or texts replaced, its
bytes cut, packed or multiplied. None of them holds anything that could pass for data.
"""

import gzip
import json
from collections.abc import Callable
from functools import cache
from typing import Any

MEGABYTES_OF_WORDS = 10
UNPACKED_MEGABYTES = 64
DEPTH = 100_000
# Marks a token that Python's JSON would not write so.
_RAW = "@@"
# What says whose answer it is stays, so that what lies deeper is read too.
_KEPT = {"m", "head", "status"}
_NAMES = ("cs_", "qs_")

Leaf = Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not value.startswith(_NAMES)


def _leaves(value: Any, chosen: Leaf, new: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: part if key in _KEPT else _leaves(part, chosen, new) for key, part in value.items()
        }
    if isinstance(value, list):
        return [_leaves(part, chosen, new) for part in value]
    return new if chosen(value) else value


def _dumped(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":"))
    return text.replace(f'"{_RAW}', "").replace(f'{_RAW}"', "").encode()


def _numbers(new: Any) -> Callable[[Any], bytes]:
    return lambda content: _dumped(_leaves(content, _is_number, new))


def _texts(new: str) -> Callable[[Any], bytes]:
    return lambda content: _dumped(_leaves(content, _is_text, new))


def _raw(token: str) -> str:
    return f"{_RAW}{token}{_RAW}"


def _longest(value: Any) -> Any:
    """Return the list or object with the most parts."""
    if not isinstance(value, list | dict):
        return []
    parts = value.values() if isinstance(value, dict) else value
    return max([value, *map(_longest, parts)], key=len)


def _one_row(content: Any) -> bytes:
    """Spoil the last row alone."""
    copy = json.loads(json.dumps(content))
    rows = _longest(copy)
    if rows:
        rows[list(rows)[-1] if isinstance(rows, dict) else -1] = {"\x00": ["\ud800", 10**400]}
    return _dumped(copy)


# By name; each makes the bytes of an answer from what it holds.
POISON: dict[str, Callable[[Any], bytes]] = {
    "nul": _texts("\x00"),
    "surrogate": _texts("\ud800"),
    "year-1": _texts("0001-01-01T00:00:00+05:30"),
    "year-9999": _texts("9999-12-31T23:59:59-12:00"),
    "time-of-year-9999": _numbers(253_402_300_799),
    "infinity": _numbers(_raw("1e999")),
    "nan": _numbers(_raw("NaN")),
    "largest-double": _numbers(1.7e308),
    "beyond-bigint": _numbers(2**64),
    "ten-thousand-digits": _numbers(_raw("9" * 10_000)),
    "text-for-number": _numbers("\x00"),
    "list-for-number": _numbers([[]]),
    "truth-for-number": _numbers(True),
    "null-for-text": lambda content: _dumped(_leaves(content, _is_text, None)),
    "one-row": _one_row,
    "list": lambda content: _dumped([content]),
    "null": lambda _: b"null",
    "text": lambda _: b'"\\u0000"',
    "empty": lambda _: b"",
    "cut": lambda content: _dumped(content)[: len(_dumped(content)) // 2],
    "not-utf-8": lambda content: _dumped(content).replace(b'"', b'"\xff\xfe', 8),
    "deep": lambda _: b"[" * DEPTH,
    "deep-objects": lambda _: b'{"body":' * DEPTH,
    "long": lambda _: b'"' + b"\\u0000" * (MEGABYTES_OF_WORDS * 10**6 // 6) + b'"',
}
KINDS = tuple(POISON)


def poisoned(turn: int, answer: bytes) -> bytes:
    """Return what comes in place of an answer of JSON; each turn another kind.

    Args:
        turn: Counted on by one with each answer.
        answer: What a faultless source gives, packed or not.
    """
    text = gzip.decompress(answer) if answer.startswith(b"\x1f\x8b") else answer
    return POISON[KINDS[turn % len(KINDS)]](json.loads(text))


@cache
def bomb() -> bytes:
    """Return some kilobytes of gzip that hold many megabytes."""
    return gzip.compress(bytes(UNPACKED_MEGABYTES * 10**6), 9, mtime=0)


def words() -> str:
    """Return the text of an error that is far too long, with what no database stores."""
    return "\x00\ud800" * (MEGABYTES_OF_WORDS * 10**6 // 12)
