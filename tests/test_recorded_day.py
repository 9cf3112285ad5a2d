"""A recorded day played live through the simulator ends with the batch command's signals."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from db.connection import connect
from db.market import Range
from pipelines.importer import import_rows
from pipelines.materialise import materialise_signals
from pipelines.recorded_files import read_file
from strategy.contract import UNDERLYINGS
from tests.live import run_session, simulated_market

FILE = "nifty_banknifty_5m_2026-01-22_2026-02-02.parquet"
EQUAL_COLUMNS = """
signal_id, strategy, version, underlying, session, event_time, symbol, direction, kind, atm_strike,
spot, net_delta_volume, strikes, entry, stop, target1, target2, reasons::text, params_hash,
input_watermark
"""
STANDING = (
    "select " + EQUAL_COLUMNS + " from signal where session = %s and withdrawn_at is null"
    " order by signal_id"
)


@pytest.fixture(scope="module")
def batch(server_dsn: str, shared_data: Path, fresh_database) -> str:
    """A database with the recorded sessions and their signals."""
    with fresh_database() as dsn:
        with connect(dsn) as connection:
            parsed = read_file(shared_data / FILE)
            assert parsed.rejected == []
            report = import_rows(connection, parsed)
            assert (report.rows, report.candles) == (133_567, 133_567)
            assert import_rows(connection, parsed)[1:4] == (0, 0, 0)
            sessions = Range(date(2026, 1, 22), date(2026, 2, 2))
            materialise_signals(connection, sessions, UNDERLYINGS, datetime.now(UTC))
        yield dsn


def test_every_recorded_session_has_build_ups_and_signals(batch: str):
    with connect(batch) as connection:
        build_ups = connection.execute(
            "select count(distinct (open_time at time zone 'Asia/Kolkata')::date) from build_up"
        ).fetchone()
        signals = connection.execute(
            "select count(distinct session), count(*) from signal"
        ).fetchone()
    assert build_ups == (7,)
    assert signals[0] >= 6
    assert signals[1] > 40


def test_computing_again_changes_nothing(batch: str):
    with connect(batch) as connection:
        sessions = Range(date(2026, 1, 22), date(2026, 2, 2))
        stored = materialise_signals(connection, sessions, UNDERLYINGS, datetime.now(UTC))
    assert (stored.written, stored.withdrawn, stored.rejections) == (0, 0, 0)


def test_the_live_run_ends_with_the_same_signals(batch: str, database: str, shared_data: Path):
    day = date(2026, 1, 30)
    with simulated_market(database, day, 1_200, "--data", str(shared_data / FILE)) as market:
        run_session(market)
    with connect(batch) as connection:
        expected = connection.execute(STANDING, (day,)).fetchall()
    with connect(database) as connection:
        live = connection.execute(STANDING, (day,)).fetchall()
        sources = connection.execute("select distinct source from candle").fetchall()
        late = connection.execute("select count(*) from signal where known_at < event_time")
        assert late.fetchone() == (0,)
    assert len(expected) > 5
    assert live == expected
    assert sources == [("simulator",)]
