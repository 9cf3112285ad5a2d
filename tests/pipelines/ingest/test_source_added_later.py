"""A source with open interest that is added later fills in what the first ones left unknown."""

from datetime import date
from pathlib import Path

import psycopg
import pytest

from pipelines.ingest.candles import CandleReport, ingest_candles
from pipelines.ingest.positions import ingest_positions
from tests.broker import NOBODY, at, broker_desk

pytestmark = pytest.mark.anyio

DAY, NEXT = date(2026, 1, 21), date(2026, 1, 22)
AFTER_CLOSE = at(DAY, "16:00")
FIRST = ("tradingview", "trendlyne")
ADDED = (*FIRST, "upstox")
OPTIONS = "from candle where symbol ~ '[CP][0-9]+$' and final"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def without(database: str, connection: psycopg.Connection, tmp_path: Path) -> int:
    """A session's candles without open interest; no ladder but the last. Returns how many."""
    await ingest(database, tmp_path, FIRST)
    (count,) = connection.execute(f"select count(*) {OPTIONS}").fetchone()
    assert count > 1_000
    assert lacking(connection) == count
    return count


async def ingest(
    dsn: str, folder: Path, sources: tuple[str, ...], moment=AFTER_CLOSE, **settings: object
) -> CandleReport:
    names = {"sources": sources, "others": True} | settings
    async with broker_desk(dsn, moment, folder, **names) as desk:
        if not desk.listed(DAY, "NIFTY"):
            await ingest_positions(desk, DAY)
        report = await ingest_candles(desk, DAY)
        await ingest_positions(desk, DAY)
    return report


def lacking(connection: psycopg.Connection) -> int:
    return connection.execute(f"select count(*) {OPTIONS} and open_interest is null").fetchone()[0]


async def test_a_source_added_after_the_close_fills_in_open_interest_and_build_ups(
    database: str, connection: psycopg.Connection, tmp_path: Path, without: int
):
    before = connection.execute("select count(*) from build_up").fetchone()[0]
    report = await ingest(database, tmp_path, ADDED)
    assert report.rows == without
    assert lacking(connection) == 0
    assert connection.execute(f"select distinct source {OPTIONS}").fetchall() == [
        ("tradingview+upstox",)
    ]
    assert connection.execute("select count(*) from build_up").fetchone()[0] > before + without / 10
    again = await ingest(database, tmp_path, ADDED)
    assert (again.rows, again.asked) == (0, 0)


async def test_on_a_later_day_counts_are_filled_in_and_say_that_they_came_later(
    database: str, connection: psycopg.Connection, tmp_path: Path, without: int
):
    report = await ingest(database, tmp_path, ADDED, at(NEXT, "10:00"))
    assert not report.failures
    assert lacking(connection) == 0
    assert connection.execute(f"select distinct backfilled {OPTIONS}").fetchall() == [(True,)]
    again = await ingest(database, tmp_path, ADDED, at(NEXT, "10:10"))
    assert (again.rows, again.asked) == (0, 0)


async def test_the_candles_of_others_stand_when_the_added_source_does_not_answer(
    database: str, connection: psycopg.Connection, tmp_path: Path, without: int
):
    report = await ingest(database, tmp_path, ADDED, upstox_url=NOBODY)
    assert report.rows == 0
    assert "stay unknown" in report.failures["upstox"]
    assert lacking(connection) == without
