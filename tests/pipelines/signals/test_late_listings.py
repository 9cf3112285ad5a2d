"""A recorded day on which contracts of a nearer expiry have their first row at one o'clock."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from typer.testing import CliRunner

from db.market.frames import Range
from optionscalp.cli import app
from pipelines.recorded.files import read_file
from pipelines.recorded.importer import import_rows
from pipelines.signals.materialise import materialise_signals
from strategy.contract import Contract
from strategy.session import IST, interval_opens, session_hours

DAY = date(2025, 11, 3)
SOONER, EXPIRY = date(2025, 11, 4), date(2025, 11, 11)
NOON = datetime.combine(DAY, time(12), IST).astimezone(UTC)
ONE = NOON + timedelta(hours=1)
EVENT = datetime.combine(DAY, time(10, 5), IST).astimezone(UTC)
STRIKES = (25_500, 25_550, 25_600, 25_650, 25_700)
FIVE_MINUTES = timedelta(minutes=5)
COLUMNS = (
    *("ts", "interval_minutes", "symbol", "underlying", "expiry", "strike", "option_type"),
    *("open", "high", "low", "close", "volume", "oi"),
)


def whole_day() -> pd.DataFrame:
    """Quiet candles of five minutes; one call of the later expiry covers at ten."""
    rows = []
    for place, opened in enumerate(interval_opens(DAY, 5)):
        rows.append((opened, 5, "NIFTY", "NIFTY", None, None, None, *[25_601.0] * 4, None, None))
        for expiry in (SOONER, EXPIRY)[opened < ONE :]:
            for strike in STRIKES:
                for kind in ("C", "P"):
                    contract = Contract("NIFTY", expiry, strike, kind)
                    close, volume, interest = 100.0 + place % 2 / 2, 7_500, 750_000 + 75 * place
                    if (expiry, strike, kind) == (EXPIRY, 25_600, "C") and opened >= EVENT - (
                        FIVE_MINUTES
                    ):
                        close, interest = close + 5, interest - 9_000
                        volume = 45_000 if opened == EVENT - FIVE_MINUTES else volume
                    about = contract.symbol, "NIFTY", expiry, strike, kind
                    rows.append((opened, 5, *about, *[close] * 4, volume, interest))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write_file(folder: Path, rows: pd.DataFrame) -> Path:
    path = folder / "rows.parquet"
    rows.to_parquet(path)
    return path


def rows_until(connection: psycopg.Connection, moment: datetime) -> list[tuple[object, ...]]:
    return [
        row
        for table in ("signal", "signal_rejection")
        for row in connection.execute(
            f"select to_jsonb(t) from {table} t where event_time <= %s order by event_time, symbol",
            (moment,),
        )
    ]


def compute(connection: psycopg.Connection, folder: Path, rows: pd.DataFrame) -> None:
    parsed = read_file(write_file(folder, rows))
    assert parsed.rejected == []
    import_rows(connection, parsed)
    materialise_signals(connection, Range(DAY, DAY), ("NIFTY",), session_hours(DAY)[1])


def test_what_is_listed_in_the_afternoon_leaves_the_morning_as_it_was(
    connection: psycopg.Connection, tmp_path: Path
):
    whole = whole_day()
    compute(connection, tmp_path, whole[whole["ts"] + FIVE_MINUTES <= NOON])
    morning = rows_until(connection, NOON)
    events = connection.execute("select event_time, symbol from signal").fetchall()
    assert events == [(EVENT, Contract("NIFTY", EXPIRY, 25_600, "C").symbol)]
    compute(connection, tmp_path, whole)
    assert rows_until(connection, NOON) == morning
    # The nearer one lacks the interval before its first.
    later = connection.execute(
        "select event_time, details ->> 'missing_before' from signal_rejection"
        " where event_time > %s order by 1",
        (NOON,),
    ).fetchall()
    assert [moment for moment, _ in later] == [ONE + FIVE_MINUTES]
    assert len(json.loads(later[0][1])) == 6


def test_lookahead_and_parity_find_nothing_on_such_a_day(
    database: str,
    connection: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    compute(connection, tmp_path, whole_day())
    monkeypatch.setenv("DATABASE_URL", database)
    days = ("--from", f"{DAY}", "--to", f"{DAY}", "--strategy", "delta_volume")
    for command in ("lookahead", "parity"):
        result = CliRunner().invoke(app, [command, *days])
        assert (result.exit_code, "different" in result.output) == (0, False), result.output
