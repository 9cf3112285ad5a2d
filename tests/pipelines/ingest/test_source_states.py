"""A source that sends nothing usable is down; one that lacks an answer among good ones is not."""

from datetime import date, time
from pathlib import Path

import psycopg
import pytest

from pipelines.ingest.candles import ingest_candles
from pipelines.ingest.positions import ingest_positions
from pipelines.sources.errors import PayloadInvalid
from simulator.faults import Fault
from tests.broker import at, broker_desk

pytestmark = pytest.mark.anyio

DAY = date(2026, 1, 28)
STATES = "select source, state, error from source_status order by source"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_source_whose_answers_are_pages_is_down_and_each_page_is_logged_once(
    database: str, connection: psycopg.Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async with broker_desk(database, at(DAY, "10:05:30"), tmp_path) as desk:
        await ingest_positions(desk, DAY)
    page = Fault("upstox-html", time(10, 5), time(10, 15))
    async with broker_desk(database, at(DAY, "10:08:30"), tmp_path, faults=[page]) as desk:
        await ingest_positions(desk, DAY)
        with pytest.raises(PayloadInvalid, match="not JSON"):
            await ingest_candles(desk, DAY)
    ((source, state, error),) = connection.execute(STATES).fetchall()
    assert (source, state) == ("upstox", "down")
    assert "not JSON" in error
    assert caplog.text.count("not JSON") == 1


async def test_one_symbol_that_fails_among_good_answers_is_named_and_its_source_is_up(
    database: str, connection: psycopg.Connection, tmp_path: Path
):
    async with broker_desk(database, at(DAY, "10:05:30"), tmp_path) as desk:
        await ingest_positions(desk, DAY)
    failing = Fault("upstox-500", time(10, 0), time(10, 15), target="NIFTY1!")
    async with broker_desk(database, at(DAY, "10:08:30"), tmp_path, faults=[failing]) as desk:
        report = await ingest_candles(desk, DAY)
    assert report.rows > 500
    assert list(report.failures) == ["NIFTY1!"]
    ((_, state, error),) = connection.execute(STATES).fetchall()
    assert state == "up"
    assert error.startswith("NIFTY1!: ")
    assert "HTTP 500" in error
