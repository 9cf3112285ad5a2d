"""Errors: rows that cannot be true and answers that nobody could read, over sessions at once."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from psycopg import Connection

from db.checks.faults import (
    BUILD_UP_LOTS,
    BUILD_UP_PRICES,
    CANDLE_LOTS,
    CANDLE_PRICES,
    CHAIN_LOTS,
    UNREADABLE,
    Fault,
    Query,
    count_faults,
)
from db.checks.findings import Finding
from pipelines.checks.check import Check, Look, Verdict

# A file of recorded days may hold an odd row that nobody can correct. Of the 266,000 recorded rows
# at hand none is odd, so that more than this share is no accident.
IMPORTED_SHARE = 0.01


class FaultKind(NamedTuple):
    """One kind of wrong rows, the query that counts them, and which share of a file may be."""

    asset: str
    name: str
    query: Query
    description: str
    imported_share: float = 0.0


KINDS = (
    FaultKind(
        "candle",
        "prices_are_sane",
        CANDLE_PRICES,
        "High and low enclose open and close, and every price is a number from zero up.",
    ),
    FaultKind(
        "candle",
        "whole_lots",
        CANDLE_LOTS,
        "Volume and open interest of final option candles are each multiples of the lot.",
        IMPORTED_SHARE,
    ),
    FaultKind(
        "build_up",
        "prices_are_sane",
        BUILD_UP_PRICES,
        "Every price is a number from zero up.",
    ),
    FaultKind(
        "build_up",
        "whole_lots",
        BUILD_UP_LOTS,
        "Volume and open interest are each multiples of the lot.",
        IMPORTED_SHARE,
    ),
    FaultKind(
        "chain_oi",
        "whole_lots",
        CHAIN_LOTS,
        "Open interest of every strike, and the previous session's, is a multiple of the lot.",
        IMPORTED_SHARE,
    ),
    FaultKind(
        "raw_payload",
        "all_parsed",
        UNREADABLE,
        "Every answer could be parsed in full, or its question was answered well later.",
    ),
)


def judge_fault(kind: FaultKind, fault: Fault) -> Verdict:
    """Of live rows not one may be wrong, of imported ones a small share of each column."""
    details: dict[str, Any] = {"rows": fault.rows, "wrong": fault.wrong}
    if fault.imported:
        details |= {
            "imported": fault.imported,
            "wrong_imported": fault.wrong_imported,
            "allowed_imported_share": kind.imported_share,
        }
    passed = fault.wrong == 0 and _is_allowed(kind, fault)
    if fault.in_lots:
        details |= {"in_lots": len(fault.in_lots), "first_in_lots": fault.in_lots[:5]}
    return Verdict(passed, details | {"examples": fault.examples})


def _is_allowed(kind: FaultKind, fault: Fault) -> bool:
    """Tell whether a file's odd rows may be accidents: few in each column, and nowhere the rule."""
    shares = fault.columns.values() or [[fault.wrong_imported, fault.imported]]
    return not fault.in_lots and all(odd <= kind.imported_share * of for odd, of in shares)


def _judge(kind: FaultKind, look: Look) -> Verdict:
    found = count_faults(look.connection, kind.query, look.session, look.session, look.underlyings)
    return judge_fault(kind, found.get(look.session, Fault(look.session, 0, 0, 0, 0, [], {}, [])))


CHECKS = [
    Check(kind.asset, kind.name, "error", kind.description, partial(_judge, kind)) for kind in KINDS
]


def find_faults(
    connection: Connection[Any],
    first: date,
    last: date,
    underlyings: tuple[str, ...],
    now: datetime,
    since: datetime | None = None,
) -> Iterator[Finding]:
    """Yield what every error check finds: of one session, or of those of a range with faults.

    With `since`, of rows from that moment on.
    """
    for kind in KINDS:
        found = count_faults(connection, kind.query, first, last, underlyings, since)
        for session, fault in found.items():
            yield Finding(session, kind.asset, kind.name, "error", *judge_fault(kind, fault), now)
