"""The session before the demo's day, so that there is a previous close, high and low."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
from psycopg import Connection

from pipelines.recorded.files import FileInvalidError, Parsed, check_columns, check_rows
from pipelines.recorded.importer import ImportReport, import_rows
from simulator.errors import DayUnavailable
from simulator.generate import generate, generate_before
from simulator.market import Market
from strategy.contract import atm_strike, future_symbol, parse_symbol, strikes_around
from strategy.errors import CalendarUnknownError
from strategy.session import previous_session, session_hours

logger = logging.getLogger(__name__)

SOURCE = "simulator"
# Strikes on each side of the last price's: what is around ATM on the day, and some more.
WINGS = 8
COLUMNS = ("ts", "interval_minutes", "symbol", "underlying", "expiry", "strike", "option_type")
VALUES = ("open", "high", "low", "close", "volume", "oi")


def day_before(data: Path | None, day: date, underlyings: Sequence[str]) -> Parsed | None:
    """Return the rows of the session before the demo's day: of what the day trades around ATM.

    None where the calendar begins with the day, or the files do not hold that session.

    Args:
        data: Recorded days, a Parquet file or a folder; None generates the session.
        day: Of the demo.
        underlyings: Whose rows.
    """
    if data is None:
        try:
            before = generate_before(generate(day, underlyings=underlyings))
        except DayUnavailable as error:
            logger.info("%s", error)
            return None
        return check_rows(_near(_frame(before), day))
    try:
        start, end = session_hours(previous_session(day))
    except CalendarUnknownError as error:
        logger.info("no session before %s: %s", day, error)
        return None
    parts = [_recorded(file, start, end) for file in _files(data)]
    parts = [part[part["underlying"].isin(underlyings)] for part in parts if len(part)]
    if not any(map(len, parts)):
        return None
    rows = pd.concat(parts, ignore_index=True)
    return check_rows(_near(rows, day))


def store(connection: Connection[Any], parsed: Parsed) -> ImportReport:
    """Write the rows as an import does, each known at its interval's end, as simulated ones."""
    return import_rows(connection, parsed, source=SOURCE)


def _files(data: Path) -> list[Path]:
    return sorted(data.glob("*.parquet")) if data.is_dir() else [data]


def _recorded(file: Path, start: datetime, end: datetime) -> pd.DataFrame:
    """Return a file's rows of a session; none of one that holds something else."""
    try:
        frame: pd.DataFrame = pd.read_parquet(file, filters=[("ts", ">=", start), ("ts", "<", end)])
        check_columns(frame, file)
    except (OSError, ValueError, TypeError, pyarrow.ArrowException, FileInvalidError) as error:
        # The simulator, which plays the day from it, says what is wrong with a file.
        logger.info("nothing of the session before the day: %s", str(error).splitlines()[0])
        return pd.DataFrame()
    if "interval_minutes" not in frame:
        frame["interval_minutes"] = 1
    return frame


def _frame(market: Market) -> pd.DataFrame:
    """Return a market's candles in the columns of recorded days."""
    rows = []
    for symbol, series in market.series.items():
        contract = parse_symbol(symbol)
        underlying = contract.underlying if contract else symbol.removesuffix("1!")
        terms = contract[1:] if contract else (None, None, None)
        fixed = (series.interval_minutes, symbol, underlying, *terms)
        rows += [(candle.open_time, *fixed, *candle[2:8]) for candle in series.candles]
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *VALUES])
    return frame.assign(ts=pd.to_datetime(frame["ts"], unit="s", utc=True))


def _near(rows: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return index, future, and the options around the last price that the day trades first."""
    kept = [_near_of(str(name), part, day) for name, part in rows.groupby("underlying")]
    return pd.concat(kept, ignore_index=True) if kept else rows


def _near_of(underlying: str, rows: pd.DataFrame, day: date) -> pd.DataFrame:
    prices: pd.DataFrame = rows[rows["symbol"].isin([underlying, future_symbol(underlying)])]
    # The index, or the future where only that was recorded.
    spot = prices[prices["symbol"] == prices["symbol"].min()].sort_values("ts")["close"].dropna()
    expiry = pd.to_datetime(rows["expiry"], errors="coerce")
    listed = rows["option_type"].notna() & rows["strike"].notna() & (expiry >= pd.Timestamp(day))
    if spot.empty or not listed.any():
        return prices
    options = rows[listed & (expiry == expiry[listed].min())]
    strikes = sorted({int(strike) for strike in options["strike"]})
    around = strikes_around(atm_strike(float(spot.iloc[-1]), strikes), strikes, WINGS)
    return pd.concat([prices, options[options["strike"].isin(around)]])
