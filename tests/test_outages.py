"""A day whose index lacks an interval gives one history, however it is run."""

import signal
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from db.market.frames import Range
from db.server.connection import connect
from pipelines.recorded.files import check_rows
from pipelines.recorded.importer import import_rows
from pipelines.signals.materialise import materialise_signals
from tests.live import FAST, feed, grows, run_session, simulated_market
from tests.outage_day import DAY, FIRST, OPENS, OUTAGE, SECOND, THIRD, recording

NAMES = ("NIFTY",)
SPEED = 120
KILLS = 4
SIGNALS = """
select signal_id, event_time, symbol, direction, net_delta_volume, strikes, entry, stop, target1,
       target2, reasons::text, params_hash, input_watermark
  from signal where withdrawn_at is null order by event_time
"""
REJECTIONS = """
select strategy, version, event_time, reason, symbol, details::text
  from signal_rejection order by event_time, reason, symbol
"""


@pytest.fixture(scope="module")
def batch(fresh_database) -> str:
    """The day imported, and its signals computed."""
    with fresh_database() as dsn:
        with connect(dsn) as connection:
            assert import_rows(connection, check_rows(recording())).rejected == []
            materialise(connection)
        yield dsn


def materialise(connection: psycopg.Connection) -> None:
    materialise_signals(connection, Range(DAY, DAY), NAMES, datetime.now(UTC))


def told(dsn: str) -> tuple[list, list]:
    with connect(dsn) as connection:
        return connection.execute(SIGNALS).fetchall(), connection.execute(REJECTIONS).fetchall()


def test_a_trade_that_runs_into_an_outage_has_no_verdict(batch: str):
    signals, rejections = told(batch)
    assert [row[2] for row in signals] == [FIRST, SECOND, THIRD]
    assert {row[3] for row in rejections} == {"missing_rows"}


def test_whoever_took_it_for_a_quiet_market_would_see_another_day(database: str):
    """So that the tests here can fail: a note as there was one before."""
    with connect(database) as connection:
        import_rows(connection, check_rows(recording()))
        connection.execute(
            "insert into empty_interval values ('candle', %s, 5, %s, 'import', %s, null)",
            (SECOND, OPENS[OUTAGE], OPENS[OUTAGE]),
        )
        materialise(connection)
    signals, rejections = told(database)
    assert THIRD not in [row[2] for row in signals]
    assert "daily_loss_limit" in {row[3] for row in rejections}


def test_a_feed_killed_four_times_ends_with_the_batchs_day(
    batch: str, database: str, tmp_path: Path
):
    file = tmp_path / "hour.parquet"
    recording().to_parquet(file)
    data = (*FAST, "--data", str(file))
    with simulated_market(database, DAY, SPEED, *data, underlyings=NAMES) as market:
        for kill in range(KILLS):
            with feed(market) as process:
                # What nobody had begun when the session ended, nobody would close.
                grows(database, 100, 2 if kill else 60)
                process.send_signal(signal.SIGKILL)
        run_session(market)
    assert told(database) == told(batch)
    with connect(database) as connection:
        noted = connection.execute("select count(*) from empty_interval").fetchone()
        assert noted == (0,)
