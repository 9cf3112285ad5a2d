"""The example of docs/sources.md: a folder and a line make a source, and nothing else changes."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from db.market.frames import Range
from pipelines.ingest.candles import ingest_candles
from pipelines.ingest.desk import open_desk
from pipelines.ingest.positions import ingest_positions
from pipelines.ingest.rebuild import rebuild
from pipelines.known_sources import KNOWN
from pipelines.probing.run import probe
from pipelines.settings import Settings
from pipelines.signals.materialise import materialise_signals
from simulator.generate import generate
from strategy.clock import MarketClock

DAY = date(2026, 1, 21)
DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "sources.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict]:
    """The example's source, with a generated day in its file."""
    market = generate(DAY, 7, ("NIFTY",))
    expiry = min(contract.expiry for contract in market.contracts)
    spot = market.series["NIFTY"].candles[0].open
    near = [
        contract
        for contract in market.contracts
        if contract.expiry == expiry and abs(contract.strike - spot) <= 400
    ]
    symbols = ["NIFTY", "NIFTY1!", *(contract.symbol for contract in near)]
    answer = {
        "expiry": expiry.isoformat(),
        "contracts": [[contract.strike, contract.option_type] for contract in near],
        "candles": {
            name: [[candle.open_time, *candle[2:8]] for candle in market.series[name].candles]
            for name in symbols
        },
    }
    file = tmp_path / "paper.json"
    file.write_text(json.dumps(answer))
    monkeypatch.setenv("PAPER_FILE", str(file))
    made: dict = {}
    exec(EXAMPLE.search(DOCUMENT.read_text())[1], made)
    monkeypatch.setitem(KNOWN, "paper", made["SOURCE"])
    return answer


def test_a_session_of_a_third_source_is_ingested_labelled_and_rebuilt(
    database: str, connection: psycopg.Connection, paper: dict
):
    settings = Settings(database_url=database, sources="paper", underlyings="NIFTY")

    async def ingest() -> None:
        async with open_desk(settings) as desk:
            await ingest_positions(desk, DAY)  # its contracts
            await ingest_candles(desk, DAY)
            await ingest_positions(desk, DAY)

    asyncio.run(ingest())
    signals = materialise_signals(connection, Range(DAY, DAY), ["NIFTY"], datetime.now(UTC))
    assert signals.written > 0
    stored = connection.execute(
        "select source, made_from, backfilled, known_at = close_time, count(*)"
        " from build_up group by 1, 2, 3, 4"
    ).fetchall()
    assert [row[:4] for row in stored] == [("paper", "candles", True, True)]
    count = connection.execute("select count(*) from candle where symbol = 'NIFTY'").fetchone()
    assert count == (len(paper["candles"]["NIFTY"]),)
    rebuilt = rebuild(connection, DAY, write=False)
    assert (rebuilt.changes, rebuilt.unexplained, rebuilt.unusable) == (0, 0, 0)


def test_a_third_source_is_probed_by_its_roles(paper: dict):
    noon = datetime(2026, 1, 21, 6, 30, tzinfo=UTC)
    clock = MarketClock(noon, time.time(), 1.0)
    settings = Settings(database_url="postgresql://", optionscalp_clock=str(clock))
    outcomes = asyncio.run(probe(("paper",), settings, None))
    assert outcomes.verdict == (True, [], [])
    found = {finding.topic: finding for finding in outcomes.each[0].findings}
    assert found["option symbols"].facts["options"] == len(paper["contracts"])
    assert found["one-minute candles"].facts["candles"] == len(paper["candles"]["NIFTY"])
    assert found["option candles"].facts["open_interest"] == "units"
    assert found["option candles"].facts["volume"] == "units"


def test_sources_that_cannot_run_a_day_are_refused_by_name():
    def refused(names: str) -> str:
        with pytest.raises(ValueError, match="sources") as caught:
            Settings(database_url="postgresql://", sources=names)
        return str(caught.value)

    assert "unknown nse; known: tradingview, trendlyne, upstox" in refused("tradingview,nse")
    assert "upstox more than once: name each source once" in refused("upstox, upstox")
    assert "an empty name among upstox,,trendlyne: separate" in refused("upstox,,trendlyne")
    assert "an empty name among ,: separate" in refused(",")
    assert "none of tradingview lists contracts: add trendlyne or upstox" in refused("tradingview")
    assert "none of trendlyne has candles of the past: add tradingview or upstox" in refused(
        "trendlyne"
    )
