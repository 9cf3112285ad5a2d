"""Whether rows are what a strategy may give."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isfinite
from typing import Any

from strategy.contract import UNDERLYINGS, parse_symbol
from strategy.parameters import Parameters
from strategy.proof.subject import MINUTES
from strategy.session import is_session, session_hours
from strategy.signals import Moment, Rejection, Signal, signal_id
from strategy.strategy import Strategy


def fault_in(strategy: Strategy, parameters: Parameters, rows: Any) -> str | None:
    """Return what is wrong with the rows a strategy gave, in one line; None if nothing is."""
    signals, rejections = rows
    if strange := [type(row).__name__ for row in signals if not isinstance(row, Signal)]:
        return f"gives {strange[0]} as a signal"
    if strange := [type(row).__name__ for row in rejections if not isinstance(row, Rejection)]:
        return f"gives {strange[0]} as a rejection"
    for row in signals:
        if problem := _misplaced(strategy, parameters, row) or _unsound(parameters, row):
            return f"{_where(row)}: {problem}"
    for rejection in rejections:
        if problem := _misplaced(strategy, parameters, rejection) or _vague(rejection):
            return f"{_where(rejection)}: {problem}"
    return _twice(signals)


def _where(row: Any) -> str:
    kind = "signal" if isinstance(row, Signal) else "rejection"
    return f"{kind} {row.symbol or row.underlying} of {row.event_time}"


def _misplaced(strategy: Strategy, parameters: Parameters, row: Any) -> str | None:
    version = parameters.version(strategy.version)
    if (row.strategy, row.version) != (strategy.name, version):
        return f"is of {row.strategy} {row.version} instead of {strategy.name} {version}"
    if row.underlying not in UNDERLYINGS or not is_session(row.session):
        return f"no session of {row.underlying}: {row.session}"
    if not _is_dated(row.event_time):
        return "its event_time has no time zone"
    start, close = session_hours(row.session)
    length = timedelta(minutes=MINUTES[strategy.reads])
    last = start - (start - close) // length * length  # the end of the last, perhaps cut, interval
    if not start < row.event_time <= last or (row.event_time - start) % length:
        return "its event_time is not the end of an interval"
    if row.known_at is None:
        return None if isinstance(row, Rejection) else "nobody knows when it is known"
    if not _is_dated(row.known_at) or row.known_at < row.event_time:
        return f"is known before its interval's end: {row.known_at}"
    return None


def _is_dated(moment: Any) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None


def _unsound(parameters: Parameters, row: Any) -> str | None:
    targets = (row.target1,) if row.target2 is None else (row.target1, row.target2)
    levels = (0, row.stop, row.entry, *targets)
    if not all(map(isfinite, (*levels, row.spot))) or any(
        lower >= upper for lower, upper in pairwise(levels)
    ):
        return f"levels must ascend from above zero: stop, entry, targets are {levels[1:]}"
    if row.direction not in {"BULLISH", "BEARISH"} or row.entry_order not in {"market", "stop"}:
        return f"no direction or order: {row.direction}, {row.entry_order}"
    contract = parse_symbol(row.symbol)
    if contract is None or contract.underlying != row.underlying:
        return f"no option of {row.underlying}"
    moment = Moment._make((*row[1:5], row.event_time.astimezone(UTC)))
    if row.signal_id != signal_id(moment, row.symbol):
        return "its signal_id is not made of its key: use strategy.signals.signal_id"
    if row.params_hash != parameters.params_hash():
        return f"its params_hash is not that of its parameters: {row.params_hash}"
    return _unwritable("reasons", row.reasons)


def _vague(row: Any) -> str | None:
    if not isinstance(row.reason, str) or not row.reason:
        return f"its reason is no word: {row.reason!r}"
    return _unwritable("details", row.details)


def _unwritable(name: str, values: Any) -> str | None:
    try:
        json.dumps(values, allow_nan=False)
    except (TypeError, ValueError) as error:
        return f"its {name} cannot be written as JSON: {error}"
    return None if isinstance(values, dict) else f"its {name} have no names: {values!r}"


def _twice(signals: Iterable[Signal]) -> str | None:
    seen: set[Any] = set()
    for row in signals:
        if row.signal_id in seen:
            return f"{_where(row)}: is given twice"
        seen.add(row.signal_id)
    return None
