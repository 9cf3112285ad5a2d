"""What a first contact makes of answers as services sent them; and of made-up ones of that form.

The recordings are of public repositories and stay outside this one: those tests skip without them.
"""

import asyncio
import json
import time as wall
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.probing.positions import ask_ladder
from pipelines.probing.times import times_at
from pipelines.probing.visit import Visit
from pipelines.sources.declaration import Source
from pipelines.sources.probe import Finding, Kept
from pipelines.sources.roles import ChainLadders, ListedContract, Opened
from pipelines.sources.tradingview.probe import PROBE as TRADINGVIEW
from pipelines.sources.trendlyne.client import Trendlyne
from pipelines.sources.trendlyne.probe import PROBE as TRENDLYNE
from pipelines.sources.trendlyne.source import SOURCE as TRENDLYNE_SOURCE
from pipelines.sources.upstox.client import Client
from pipelines.sources.upstox.source import SOURCE as UPSTOX_SOURCE
from pipelines.sources.upstox.source import Upstox
from pipelines.sources.upstox.token import TokenFile
from strategy.clock import MarketClock
from strategy.session import IST
from tests.pipelines.sources.http_help import Server, http, serving
from tests.recorded_answers import recorded_rows

SESSION = date(2026, 1, 21)
KEYS = ("interval", "buildup", "price_range", "oi_change", "volume_change", "close_price")
KEYS += ("open_interest", "oi_change_gross", "volume_gross", "a", "b", "c", "oi")
SEARCH = b'{"head": {"status": "0"}, "body": {"data": [{"stock_id": 1887, "stock_code": "NIFTY"}]}}'


def payload(shared_data: Path, name: str) -> bytes:
    file = shared_data / "payloads" / name
    if not file.exists():
        pytest.skip(f"no recorded {name}")
    return file.read_bytes()


def kept(kind: str, body: bytes, **about: Any) -> Kept:
    now = datetime(2026, 1, 21, 11, tzinfo=UTC)
    return Kept("GET /", {"kind": kind, **about}, SESSION, now, body)


def rows_answer(rows: list[list[Any]]) -> bytes:
    named = [dict(zip(KEYS, row, strict=True)) for row in rows]
    return json.dumps({"head": {"status": "0"}, "body": {"data_v2": named}}).encode()


def rows_of(*volumes: int) -> bytes:
    """A made-up answer of the recorded form, newest first, whose changes fit its volumes."""
    rows: list[list[Any]] = []
    for n, volume in enumerate(volumes):
        interval = f"09:{15 + 5 * n} TO 09:{20 + 5 * n}"
        change = round(100 * (volume - volumes[n - 1]) / volumes[n - 1], 2) if n else None
        numbers = [0.0, change, 100.0, 650.0, 0, volume, None, None, None, 650.0]
        rows.insert(0, [interval, None, None, *numbers])
    return rows_answer(rows)


def volume_of(body: bytes) -> Finding:
    (found,) = TRENDLYNE.answers([kept("build_ups", body)])
    return found


async def ladder_of(
    source: Source, now: str, listed: tuple[date, int], client: Callable, *answers: bytes
) -> dict[str, Finding]:
    """Ask for a ladder and answer with these bytes; return the findings by topic."""
    moment = datetime.fromisoformat(now).replace(tzinfo=IST)
    clock = MarketClock(moment.astimezone(UTC), wall.time(), 1e-9)
    expiry, strike = listed
    async with (
        serving(*(http("200 OK", body) for body in answers)) as server,
        client(server, clock) as ladders,
    ):
        visit = Visit(source, Opened(ladders=ladders), clock, times_at(clock.now()), "NIFTY")
        visit.listed = [ListedContract("X", "NIFTY", expiry, strike, "C")]
        return {finding.topic: finding async for finding in ask_ladder(visit)}


def test_the_recorded_build_ups_are_a_running_total(shared_data: Path):
    payload(shared_data, "trendlyne_buildup5_banknifty_future_2026-01-21.txt")
    found = volume_of(rows_answer(recorded_rows(shared_data)))
    assert (found.state, found.facts["running_total"]) == ("ok", True)
    assert found.found.startswith("volume_gross is the day's running total: it falls in 0 of")


@pytest.mark.parametrize(
    ("volumes", "state", "said"),
    [
        ((650, 1300, 1950, 1950, 2600), "ok", "is the day's running total"),
        ((6500, 1300, 1950, 650, 2600), "ok", "is the interval's own volume: it falls in 2 of 4"),
        ((650, 1300, 1950), "unseen", "3 rows are too few to tell"),
        ((650, 1300, 2600, 2600, 3250, 3900, 2600), "warning", "neither a running total nor"),
    ],
)
def test_what_build_up_volumes_are_is_told_or_that_it_is_not_clear(volumes, state, said):
    found = volume_of(rows_of(*volumes))
    assert found.state == state
    assert said in found.found


def test_a_paid_accounts_recorded_symbols_are_no_delayed_twins(shared_data: Path):
    frames = payload(shared_data, "tradingview_nse_frames_2025-12-18.txt").rstrip(b"\n")
    (found,) = TRADINGVIEW.answers([kept("history", frames, symbol="JUNIPER")])
    assert (found.state, found.facts) == ("ok", {"JUNIPER": "NSE:JUNIPER"})


def test_the_recorded_ladder_after_the_close_is_of_the_close_and_in_units(shared_data: Path):
    body = payload(shared_data, "trendlyne_live_oi_nifty_2026-01-23.json")
    expiry = date.fromisoformat(json.loads(body)["body"]["inputData"]["expDateList"][0])

    def client(server: Server, clock: MarketClock) -> Trendlyne:
        return Trendlyne(server.url, clock)

    listed = (expiry, 25000)
    found = asyncio.run(
        ladder_of(TRENDLYNE_SOURCE, "2026-01-23T16:00", listed, client, SEARCH, body)
    )
    assert found["strike ladder"].state == "ok"
    assert "of 2026-01-23 15:30 IST" in found["strike ladder"].found
    assert found["open interest"].found == "in units"
    assert found["quotes"].facts["with_bid_and_ask"] == 0
    # The next morning, in an open market, the same answer is another session's.
    late = asyncio.run(
        ladder_of(TRENDLYNE_SOURCE, "2026-01-27T10:00", listed, client, SEARCH, body)
    )
    assert late["strike ladder"].state == "error"
    assert "that is not the session of 2026-01-27" in late["strike ladder"].found


def test_the_recorded_chain_of_upstox_has_quotes_and_counts_units(shared_data: Path, tmp_path):
    body = payload(shared_data, "upstox_option_chain_nifty_2024-06-27.json")
    (tmp_path / "token").write_text("made-up-token")

    class Ladders:
        def __init__(self, server: Server, clock: MarketClock) -> None:
            url = server.url.removesuffix("/phoenix/api")
            self.client = Client(url, TokenFile(tmp_path / "token"), clock)

        async def __aenter__(self) -> ChainLadders:
            return Upstox(self.client)

        async def __aexit__(self, *_: object) -> None:
            await self.client.close()

    listed = (date(2024, 6, 27), 23900)
    found = asyncio.run(ladder_of(UPSTOX_SOURCE, "2024-06-21T10:00", listed, Ladders, body))
    assert found["strike ladder"].facts["strikes"] == 115
    assert found["strike ladder"].facts["spot"] == 23868.8
    assert found["open interest"].facts == {"open_interest": "units", "volume": "units", "lot": 25}
    quotes = found["quotes"].facts
    assert 0 < quotes["with_bid_and_ask"] <= quotes["options"] == 230
