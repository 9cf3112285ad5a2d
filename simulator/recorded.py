"""A recorded day from Parquet: a file, or a directory of them, with the documented columns."""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet

from simulator.errors import (
    DataFileMissing,
    DataFileUnreadable,
    DayUnavailable,
    UnderlyingUnavailable,
)
from simulator.forming import Candle
from simulator.market import Market, Series, sorted_contracts, units_per_lot
from strategy.contract import Contract, parse_symbol
from strategy.errors import CalendarUnknownError
from strategy.session import IST, previous_session, session_hours

logger = logging.getLogger(__name__)

PRICES = ["open", "high", "low", "close"]
REQUIRED = ["ts", "symbol", "underlying", *PRICES, "volume", "oi"]


def load(path: Path, day: date, underlyings: Sequence[str]) -> Market:
    """Return a recorded day; of those underlyings, the ones that were recorded.

    The last recorded values of the session before, where the files have them, are the day's
    previous close and open interest; without them changes are told from the day's first values.

    Raises:
        DataFileMissing: There is no such file or directory, or no Parquet file in it.
        DataFileUnreadable: A file is not in the documented form.
        DayUnavailable: The day was not recorded.
        UnderlyingUnavailable: None of the underlyings was recorded that day.
    """
    frame = _read(path)
    days = frame["ts"].dt.tz_convert(IST).dt.date
    available = sorted(set(days))
    if day not in available:
        listed = ", ".join(str(each) for each in available) or "none"
        raise DayUnavailable(f"{path} has no data of {day}; available days: {listed}")
    today = _in_session(frame[days == day], day)
    recorded = sorted(set(today["underlying"]))
    chosen = tuple(underlying for underlying in underlyings if underlying in recorded)
    if not chosen:
        listed = ", ".join(recorded) or "none"
        asked = ", ".join(underlyings)
        raise UnderlyingUnavailable(f"{path} has no {asked} on {day}; available: {listed}")
    before = _last_values(frame, days, day, available)
    series = {
        str(symbol): _series(str(symbol), rows, before)
        for symbol, rows in today[today["underlying"].isin(chosen)].groupby("symbol", sort=True)
    }
    contracts = sorted_contracts(filter(None, map(parse_symbol, series)))
    return Market(day, chosen, series, contracts, _expiries(chosen, contracts))


def recorded_days(path: Path) -> frozenset[date]:
    """Return the days that a file or a directory has rows of, without reading the rows.

    Files that are not in the documented form are left out: whoever plays a day from them is told.
    """
    days: set[date] = set()
    for file in sorted(path.glob("*.parquet")) if path.is_dir() else [path]:
        with suppress(OSError, ValueError, TypeError, KeyError, pyarrow.ArrowException):
            times = pd.to_datetime(pd.read_parquet(file, columns=["ts"])["ts"], utc=True)
            days |= set(times.dt.tz_convert(IST).dt.normalize().drop_duplicates().dt.date)
    return frozenset(days)


def _read(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise DataFileMissing(f"no such data file or directory: {path}")
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise DataFileMissing(f"no Parquet file in {path}")
    frames = []
    for file in files:
        try:
            frames.append(_read_file(file))
        except DataFileUnreadable as error:
            # A folder may hold other tables too; one named file must be right.
            if len(files) == 1:
                raise
            logger.warning("left out: %s", error)
    if not frames:
        raise DataFileUnreadable(f"none of the {len(files)} Parquet files in {path} can be read")
    return pd.concat(frames, ignore_index=True)


def _read_file(file: Path) -> pd.DataFrame:
    try:
        schema = pyarrow.parquet.read_schema(file)
        if missing := [name for name in REQUIRED if name not in schema.names]:
            raise DataFileUnreadable(f"{file} lacks the columns {', '.join(missing)}")
        if not pyarrow.types.is_timestamp(schema.field("ts").type):
            raise DataFileUnreadable(f"{file}: column ts holds no timestamps")
        optional = [name for name in ("interval_minutes",) if name in schema.names]
        frame: pd.DataFrame = pyarrow.parquet.read_table(
            file, columns=REQUIRED + optional
        ).to_pandas()
        numbers = ["volume", "oi", *PRICES]
        frame[numbers] = frame[numbers].astype("float64")
    except (OSError, ValueError, TypeError, pyarrow.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise DataFileUnreadable(f"{file} can't be read as Parquet: {reason}") from None
    frame["ts"] = pd.to_datetime(frame["ts"], utc=True)
    if not optional:
        frame["interval_minutes"] = 1
    frame["interval_minutes"] = frame["interval_minutes"].fillna(1).astype("int64")
    return _sound(frame, file)


def _sound(frame: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Leave out rows that are no candles."""
    body = frame[["open", "close"]]
    sound = (
        frame[["ts", "symbol", "underlying", *PRICES]].notna().all(axis=1)
        & (frame["high"] >= body.max(axis=1))
        & (frame["low"] <= body.min(axis=1))
        & ~(frame["volume"] < 0)
        & ~(frame["oi"] < 0)
        & frame["interval_minutes"].isin([1, 5])
    )
    if dropped := int((~sound).sum()):
        logger.warning("%s: left out %d rows that are no candles", file, dropped)
    return frame[sound]


def _in_session(frame: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return one row per symbol and interval of the session, at each symbol's finest interval."""
    start, end = session_hours(day)
    frame = frame[(frame["ts"] >= start) & (frame["ts"] < end)]
    finest = frame.groupby("symbol")["interval_minutes"].transform("min")
    frame = frame[frame["interval_minutes"] == finest].sort_values(["symbol", "ts"], kind="stable")
    return frame.drop_duplicates(["symbol", "ts"], keep="last")


def _last_values(
    frame: pd.DataFrame, days: "pd.Series[Any]", day: date, available: Iterable[date]
) -> dict[str, tuple[float, int | None]]:
    """Return each symbol's last close and open interest of the session before, if recorded."""
    before = _session_before(day)
    if before not in available:
        return {}
    last = _in_session(frame[days == before], before).groupby("symbol").last()
    pairs = zip(last["close"].tolist(), _whole(last["oi"]), strict=True)
    return dict(zip(map(str, last.index), pairs, strict=True))


def _session_before(day: date) -> date:
    try:
        return previous_session(day)
    except CalendarUnknownError as error:
        raise DayUnavailable(f"{day} can't be played: {error}") from None


def _series(symbol: str, rows: pd.DataFrame, before: dict[str, tuple[float, int | None]]) -> Series:
    minutes = int(rows["interval_minutes"].iloc[0])
    epoch = (rows["ts"] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)
    opens = [int(second) for second in epoch]
    closes = [second + 60 * minutes for second in opens]
    prices = (rows[name].tolist() for name in PRICES)
    candles = list(map(Candle, opens, closes, *prices, _whole(rows["volume"]), _whole(rows["oi"])))
    contract = parse_symbol(symbol)
    close, oi = before.get(symbol, (candles[0].open, None))
    return Series(symbol, minutes, candles, close, oi, units_per_lot(contract) if contract else 1)


def _whole(column: "pd.Series[Any]") -> list[int | None]:
    return [None if value != value else int(value) for value in column.tolist()]


def _expiries(
    underlyings: Iterable[str], contracts: Iterable[Contract]
) -> dict[str, tuple[date, ...]]:
    listed = list(contracts)
    return {
        underlying: tuple(sorted({c.expiry for c in listed if c.underlying == underlying}))
        for underlying in underlyings
    }
