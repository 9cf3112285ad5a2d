"""Recorded days from Parquet or CSV files: read and checked, row by row.

Columns (docs/recorded-days.md): `ts` (UTC, start of the interval), `interval_minutes` (1 or 5;
absent means 1), `symbol`, `underlying`, `expiry`, `strike`, `option_type`, `open`, `high`,
`low`, `close`, `volume`, `oi`. Volume and open interest are units.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from strategy.contract import UNDERLYINGS, parse_symbol

REQUIRED = ("ts", "symbol", "underlying", "expiry", "strike", "option_type")
PRICES = ("open", "high", "low", "close")
COUNTS = ("volume", "oi")


class FileInvalidError(Exception):
    """A file cannot be read as recorded days: the message says what it lacks."""


class RejectedRow(NamedTuple):
    """A row that breaks a rule, by its line (CSV) or row number (Parquet), from 1."""

    line: int
    reason: str


class Parsed(NamedTuple):
    """A file's good rows, in the documented columns, and its rejected ones."""

    rows: pd.DataFrame
    rejected: list[RejectedRow]


def read_file(path: Path) -> Parsed:
    """Read and check a file of recorded days.

    Raises:
        FileInvalidError: It is missing, unreadable, or lacks columns.
    """
    first_line = 1
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        elif path.suffix == ".csv":
            frame = pd.read_csv(path)
            first_line = 2  # below the header
        else:
            raise FileInvalidError(f"{path}: neither .parquet nor .csv")
    except (OSError, ValueError, UnicodeDecodeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise FileInvalidError(f"{path}: cannot be read: {reason.splitlines()[0]}") from error
    check_columns(frame, path)
    return check_rows(frame, first_line)


def check_columns(frame: pd.DataFrame, path: Path) -> None:
    """Check that a file's rows have what `check_rows` reads.

    Raises:
        FileInvalidError: They lack columns.
    """
    missing = [name for name in (*REQUIRED, *PRICES, *COUNTS) if name not in frame]
    if missing:
        raise FileInvalidError(f"{path}: lacks the columns {', '.join(missing)}")


def check_rows(frame: pd.DataFrame, first_line: int = 1) -> Parsed:
    """Split rows into those that keep the documented rules and those that do not."""
    rows = frame.reset_index(drop=True)
    if "interval_minutes" not in rows:
        rows["interval_minutes"] = 1
    typed = _typed(rows)
    reasons = pd.Series("", index=rows.index, dtype="str")
    for reason, broken in _faults(rows, typed):
        reasons = reasons.mask(broken & (reasons == ""), reason)
    good = typed[reasons == ""]
    # The same row twice is harmless; two different rows of one key are not both true.
    good = good.drop_duplicates()
    twice = good.duplicated(["symbol", "interval_minutes", "ts"], keep=False)
    reasons.loc[good.index[twice]] = "duplicate key with other values"
    bad = reasons.to_numpy(dtype=object)
    rejected = [
        RejectedRow(place + first_line, reason) for place, reason in enumerate(bad) if reason
    ]
    return Parsed(good[~twice], rejected)


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns in their types; what does not convert becomes null."""
    typed = pd.DataFrame(index=rows.index)
    stamps = rows["ts"]
    if not isinstance(stamps.dtype, pd.DatetimeTZDtype):
        # The column is UTC by contract; text with another offset is converted.
        stamps = pd.to_datetime(stamps, utc=True, errors="coerce", format="ISO8601")
    typed["ts"] = stamps.dt.tz_convert("UTC").dt.as_unit("us")
    for name in ("symbol", "underlying", "option_type"):
        typed[name] = rows[name].astype("str").where(rows[name].notna(), None)
    typed["expiry"] = pd.to_datetime(rows["expiry"], errors="coerce").dt.date
    for name in ("interval_minutes", "strike", *PRICES, *COUNTS):
        typed[name] = pd.to_numeric(rows[name], errors="coerce").astype("Float64")
    return typed


def _faults(rows: pd.DataFrame, typed: pd.DataFrame) -> Iterator[tuple[str, "pd.Series[bool]"]]:
    """Yield each rule with the rows that break it; the first reason counts."""
    minutes = typed["interval_minutes"]
    yield "ts is not a UTC time", typed["ts"].isna()
    yield "interval_minutes is neither 1 nor 5", ~minutes.isin([1, 5]).fillna(False)
    off_grid = (typed["ts"].dt.minute % minutes.fillna(1)).ne(0) | typed["ts"].dt.second.ne(0)
    yield "ts is not the start of an interval", off_grid.fillna(True)
    yield "unknown underlying", ~typed["underlying"].isin(UNDERLYINGS)
    for name in PRICES:
        yield f"{name} is not a price", ~typed[name].between(0, sys.float_info.max).fillna(False)
    of_index = typed["option_type"].isna()
    for name in PRICES:
        yield f"{name} is 0, which no index is", of_index & (typed[name] == 0).fillna(False)
    for name in COUNTS:
        yield f"{name} is not a number", rows[name].notna() & typed[name].isna()
        yield f"{name} is negative", (typed[name] < 0).fillna(False)
        yield f"{name} is not whole units", (typed[name] % 1 != 0).fillna(False)
    body_high, body_low = typed[["open", "close"]].max(axis=1), typed[["open", "close"]].min(axis=1)
    yield "high is below low", (typed["high"] < typed["low"]).fillna(False)
    yield "high is below open or close", (typed["high"] < body_high).fillna(False)
    yield "low is above open or close", (typed["low"] > body_low).fillna(False)
    yield "symbol does not say the same contract", ~_names_agree(typed)


def _names_agree(typed: pd.DataFrame) -> "pd.Series[bool]":
    columns = ["symbol", "underlying", "expiry", "strike", "option_type"]
    named = typed[columns].drop_duplicates()
    agree = [_agrees(*row) for row in named.itertuples(index=False, name=None)]
    verdict = dict(zip(map(str, named.itertuples(index=False, name=None)), agree, strict=True))
    keys = map(str, typed[columns].itertuples(index=False, name=None))
    return pd.Series([verdict[key] for key in keys], index=typed.index)


def _agrees(symbol: Any, underlying: Any, expiry: Any, strike: Any, kind: Any) -> bool:
    contract = parse_symbol(symbol) if isinstance(symbol, str) else None
    if contract is None:  # an index or its front future
        return symbol in {underlying, f"{underlying}1!"} and pd.isna(kind)
    return tuple(contract) == (underlying, expiry, strike, kind)
