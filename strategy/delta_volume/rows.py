"""The rows Delta Volume gives: signals and rejections, one by one and as frames."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import pandas as pd

STRATEGY = "delta_volume"
VERSION = "1"
_TEXTS = frozenset(
    (
        *("strategy", "version", "underlying", "symbol"),
        *("direction", "kind", "params_hash", "reason"),
    )
)


class Signal(NamedTuple):
    """One row of the `signal` relation; times are UTC, prices on the tick grid."""

    signal_id: UUID
    strategy: str
    version: str
    underlying: str
    session: date
    event_time: datetime  # the END of the evaluated interval
    symbol: str
    direction: str
    kind: str
    atm_strike: int
    spot: float  # the price that placed ATM
    net_delta_volume: int
    strikes: list[int]
    entry: float
    stop: float
    target1: float
    target2: float
    reasons: dict[str, Any]
    params_hash: str
    input_watermark: datetime
    known_at: datetime


class Rejection(NamedTuple):
    """An interval or a covering contract that gave no signal, and why.

    `reason` is `against_net_delta`, `missing_rows` or `no_reference`. Only the first names a
    symbol and has a `known_at`: nobody knows when a row that never came is missing.
    """

    strategy: str
    version: str
    underlying: str
    session: date
    event_time: datetime
    reason: str
    symbol: str | None
    details: dict[str, Any]
    known_at: datetime | None


class Evaluation(NamedTuple):
    """Frames of `Signal` and `Rejection` rows by session, underlying and event time."""

    signals: pd.DataFrame
    rejections: pd.DataFrame


class Moment(NamedTuple):
    """One interval of one underlying."""

    underlying: str
    session: date
    event_time: datetime


def no_reference(moment: Moment, reference: str) -> Rejection:
    """Return the rejection of an interval without the price that would have placed ATM."""
    return rejection(moment, "no_reference", {"reference": reference})


def missing_rows(
    moment: Moment,
    *,
    recorded: bool,
    strikes: list[int | None],
    contracts: Sequence[tuple[bool, bool]],
) -> Rejection:
    """Return the rejection of an interval whose cluster is not complete.

    Args:
        moment: The interval.
        recorded: Whether any row of the underlying was stored for the interval.
        strikes: The cluster's strikes; None where the ladder ends.
        contracts: Per strike its call and its put: whether it has a row now, and before.
    """
    if not recorded:
        return rejection(moment, "missing_rows", {"recorded": False})
    listed = [
        (f"{strike}{option_type}", contracts[2 * place + side])
        for place, strike in enumerate(strikes)
        if strike is not None
        for side, option_type in enumerate("CP")
    ]
    details = {
        "recorded": True,
        "strikes": strikes,
        "missing": [name for name, (now, _) in listed if not now],
        "missing_before": [name for name, (_, before) in listed if not before],
    }
    return rejection(moment, "missing_rows", details)


def rejection(
    moment: Moment,
    reason: str,
    details: dict[str, Any],
    symbol: str | None = None,
    known_at: datetime | None = None,
) -> Rejection:
    """Return the rejection of an interval or, with a symbol, of one contract in it."""
    return Rejection(STRATEGY, VERSION, *moment, reason, symbol, details, known_at)


def signal_frame(rows: Sequence[Signal]) -> pd.DataFrame:
    """Return signals as a frame, with the same column types when there are none."""
    frame = _frame(rows, Signal._fields, ("event_time", "input_watermark", "known_at"))
    floats = dict.fromkeys(("spot", "entry", "stop", "target1", "target2"), "float64")
    return frame.astype({"atm_strike": "int64", "net_delta_volume": "int64", **floats})


def rejection_frame(rows: Sequence[Rejection]) -> pd.DataFrame:
    """Return rejections as a frame; `symbol` and `known_at` may be null."""
    return _frame(rows, Rejection._fields, ("event_time", "known_at"))


def _frame(
    rows: Sequence[tuple[Any, ...]], columns: Sequence[str], times: Sequence[str]
) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns), dtype=object)
    for column in times:
        frame[column] = pd.to_datetime(frame[column], utc=True).dt.as_unit("us")
    return frame.astype(dict.fromkeys([name for name in columns if name in _TEXTS], "str"))
