"""What the preferred source does not give is asked of the next one, and of nobody else."""

from datetime import date, time, timedelta
from pathlib import Path

import psycopg
import pytest

from pipelines.ingest.candles import ingest_candles
from pipelines.ingest.positions import ingest_positions
from pipelines.sources.errors import PlanTooSmall, SourceUnavailable
from simulator.faults import Fault
from strategy.contract import parse_symbol
from tests.broker import NOBODY, at, broker_desk

pytestmark = pytest.mark.anyio

DAY, PAST = date(2026, 1, 28), date(2026, 1, 21)
BOTH = ("trendlyne", "upstox")
STATES = "select source, state from source_status order by source"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_listings_and_ladders_come_from_the_next_source_when_the_first_is_down(
    database: str, connection: psycopg.Connection, tmp_path: Path
):
    async with broker_desk(database, at(DAY, "10:05:30"), tmp_path, sources=BOTH) as desk:
        report = await ingest_positions(desk, DAY)
    assert report.contracts > 50
    assert report.chain_rows > 25
    assert {row[0] for row in connection.execute("select distinct source from contract")} == {
        "upstox"
    }
    assert connection.execute(STATES).fetchall() == [("trendlyne", "down"), ("upstox", "up")]


async def test_when_nobody_answers_the_preferred_sources_failure_is_told(
    database: str, connection: psycopg.Connection, tmp_path: Path
):
    down = Fault("upstox-500", time(9), time(16))
    moment = at(DAY, "10:05:30")
    async with broker_desk(database, moment, tmp_path, sources=BOTH, faults=[down]) as desk:
        with pytest.raises(SourceUnavailable, match=NOBODY):
            await ingest_positions(desk, DAY)
    assert connection.execute(STATES).fetchall() == [("trendlyne", "down"), ("upstox", "down")]


async def test_a_plan_without_expired_contracts_costs_those_alone(
    database: str, connection: psycopg.Connection, tmp_path: Path
):
    """The index of the session comes, and what else there is of it."""
    async with broker_desk(database, at(DAY, "10:05:30"), tmp_path) as desk:
        await ingest_positions(desk, PAST)
        options = [listed.symbol for listed in desk.listed(PAST, "NIFTY")]
    assert options
    assert all(parse_symbol(name).expiry < DAY for name in options)
    async with broker_desk(database, at(DAY, "10:05:30"), tmp_path, plus=False) as desk:
        report = await ingest_candles(desk, PAST)
        with pytest.raises(PlanTooSmall, match="need the plan Upstox Plus"):
            await ingest_positions(desk, PAST - timedelta(days=14))
    assert len(report.failures) > 4
    assert all("need the plan Upstox Plus" in reason for reason in report.failures.values())
    stored = connection.execute("select symbol, count(*) from candle group by 1").fetchall()
    assert stored == [("NIFTY", 375)]
    assert connection.execute(STATES).fetchall() == [("upstox", "up")]
