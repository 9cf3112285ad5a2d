"""What every strategy gives: signals and rejections, one by one and as frames."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from hashlib import sha1
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd

from strategy.frames import Ints

NAMESPACE = UUID("5b0c7d3e-6a0f-5e0a-9c56-3f1a7f0f6d11")
_VERSION_5 = UUID(int=0, version=5).int
_NOT_VERSIONED = ~(0xF000 << 64 | 0xC000 << 48)
_NAMESPACE_HASH = sha1(NAMESPACE.bytes, usedforsecurity=False)
_TEXTS = frozenset(
    (
        *("strategy", "version", "underlying", "symbol"),
        *("direction", "kind", "entry_order", "params_hash", "reason"),
    )
)


class Moment(NamedTuple):
    """One interval of one underlying, as one strategy judged it."""

    strategy: str
    version: str
    underlying: str
    session: date
    event_time: datetime  # the END of the interval, UTC


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
    net_delta_volume: int | None  # None where the rules have none
    strikes: list[int]
    entry: float
    stop: float
    target1: float
    target2: float | None  # None where the rules have one target
    entry_order: str  # 'market', or 'stop': bought when the price rises to `entry`
    reasons: dict[str, Any]
    params_hash: str
    input_watermark: datetime
    known_at: datetime


class Rejection(NamedTuple):
    """An interval or a candidate that gave no signal, and why.

    A rejection without a symbol is about the whole interval. `known_at` is None where rows are
    missing: nobody knows when a row that never came is missing.
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


def signal_id(moment: Moment, symbol: str) -> UUID:
    """Return the id of a signal: the same natural key has the same one in every database."""
    return _named(moment, moment.event_time.isoformat(), symbol)


def signal_ids(moments: Sequence[Moment], events: Ints, symbols: Iterable[str]) -> Iterator[UUID]:
    """Yield `signal_id` of many, whose events are given as microseconds as well: texts at once."""
    seconds = events.view("datetime64[us]").astype("datetime64[s]")
    texts = np.char.add(np.datetime_as_string(seconds), "+00:00").tolist()
    return map(_named, moments, texts, symbols)


def _named(moment: Moment, event_time: str, symbol: str) -> UUID:
    key = (moment.strategy, moment.version, moment.underlying, event_time, symbol)
    # What `uuid5` does in half the time: a year has thousands, and the namespace is hashed once.
    named = _NAMESPACE_HASH.copy()
    named.update("|".join(key).encode())
    return UUID(int=int.from_bytes(named.digest()[:16]) & _NOT_VERSIONED | _VERSION_5)


def signal_frame(rows: Sequence[Signal]) -> pd.DataFrame:
    """Return signals as a frame, with the same column types when there are none."""
    frame = _frame(rows, Signal._fields, ("event_time", "input_watermark", "known_at"))
    floats = dict.fromkeys(("spot", "entry", "stop", "target1", "target2"), "float64")
    return frame.astype({"atm_strike": "int64", "net_delta_volume": "Int64", **floats})


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
