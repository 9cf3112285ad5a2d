"""Histories of many symbols over a few connections, against small scripted servers."""

import asyncio
import json
import time
from datetime import date
from http import HTTPStatus
from itertools import chain
from typing import Any

import psycopg
import pytest
from websockets.asyncio.server import ServerConnection

from db.server.connection import connect
from pipelines.ingest.desk import open_desk
from pipelines.settings import Settings
from pipelines.sources.errors import (
    PayloadInvalid,
    ResolutionUnavailable,
    SourceRefused,
    SourceUnavailable,
    SymbolUnknown,
)
from pipelines.sources.politeness import SharedBudget
from pipelines.sources.tradingview.client import History, HistoryRequest, TradingView
from pipelines.sources.tradingview.pool import HistoryPool, PoolLimits
from pipelines.sources.tradingview.wire import Message, decode, encode
from simulator.generate import generate
from simulator.server import serve
from simulator.tradingview import Pace
from strategy.clock import MarketClock
from strategy.session import session_hours
from tests.pipelines.sources.tradingview.tradingview_help import (
    Peer,
    bar,
    completed,
    history_bars,
    serving,
    silence,
)

pytestmark = pytest.mark.anyio

DAY = date(2026, 1, 21)
SYMBOLS = [f"NIFTY260127C{strike}" for strike in range(25000, 26000, 50)]
REQUESTS = [HistoryRequest(symbol, 1, 10) for symbol in SYMBOLS]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def pool(url: str, connections: int = 2, parallel: int = 4, renew_after: int = 40) -> HistoryPool:
    limits = PoolLimits(connections, parallel, renew_after)
    return HistoryPool(TradingView(url, timeout=5.0), limits)


class Exchange:
    """Answers every series with its strike as price; counts what was open at once."""

    def __init__(self) -> None:
        self.connections: list[list[str]] = []
        self.connected = self.most_connected = self.most_charts = 0

    async def serve(self, peer: Peer) -> None:
        asked: list[str] = []
        self.connections.append(asked)
        self.connected += 1
        self.most_connected = max(self.most_connected, self.connected)
        try:
            await self._answer(peer, asked)
        finally:
            self.connected -= 1

    async def _answer(self, peer: Peer, asked: list[str]) -> None:
        charts: dict[str, str] = {}
        while True:
            call = await peer.next()
            assert isinstance(call, Message)
            if call.method == "resolve_symbol":
                charts[call.params[0]] = json.loads(call.params[2][1:])["symbol"]
                self.most_charts = max(self.most_charts, len(charts))
            elif call.method == "chart_delete_session":
                charts.pop(call.params[0])
            elif call.method == "switch_timezone":
                asked.append(charts[call.params[0]].removeprefix("NSE:"))
                await self.answer(peer, call.params[0], asked)

    async def answer(self, peer: Peer, chart: str, asked: list[str]) -> None:
        await peer.send(history_bars(chart, bar(0, float(asked[-1][-5:]))), completed(chart))


def assert_all_answered(answers: dict[str, Any], symbols: list[str] = SYMBOLS) -> None:
    assert list(answers) == symbols
    for symbol, answer in answers.items():
        assert isinstance(answer, History), answer
        assert [item.close for item in answer.bars] == [float(symbol[-5:])]


async def test_the_universe_comes_over_few_connections_a_few_charts_at_a_time():
    exchange = Exchange()

    async with serving(exchange.serve) as url:
        assert_all_answered(await pool(url, connections=2, parallel=3).histories(REQUESTS))

    assert sorted(chain.from_iterable(exchange.connections)) == SYMBOLS
    assert len(exchange.connections) == exchange.most_connected == 2
    assert exchange.most_charts <= 3


async def test_few_requests_open_no_more_connections_than_they_need():
    exchange = Exchange()

    async with serving(exchange.serve) as url:
        assert await pool(url).histories([]) == {}
        assert exchange.connections == []
        assert_all_answered(await pool(url).histories(REQUESTS[:4]), SYMBOLS[:4])

    assert len(exchange.connections) == 1


async def test_a_connection_is_renewed_after_its_requests():
    exchange = Exchange()

    async with serving(exchange.serve) as url:
        renewing = pool(url, connections=1, parallel=2, renew_after=6)
        assert_all_answered(await renewing.histories(REQUESTS))

    assert [len(asked) for asked in exchange.connections] == [6, 6, 6, 2]
    assert exchange.most_connected == 1


async def test_every_symbol_has_its_own_end():
    class Refusing(Exchange):
        async def answer(self, peer: Peer, chart: str, asked: list[str]) -> None:
            if asked[-1] == SYMBOLS[1]:
                await peer.send(encode("symbol_error", [chart, "symbol_1", "invalid symbol"]))
            elif asked[-1] == SYMBOLS[2]:
                reason = "resolution_not_entitled"
                await peer.send(encode("series_error", [chart, "s1", "s1", reason]))
            else:
                await super().answer(peer, chart, asked)

    async with serving(Refusing().serve) as url:
        answers = await pool(url).histories(REQUESTS)

    assert isinstance(answers.pop(SYMBOLS[1]), SymbolUnknown)
    assert isinstance(answers.pop(SYMBOLS[2]), ResolutionUnavailable)
    assert_all_answered(answers, [SYMBOLS[0], *SYMBOLS[3:]])


async def test_what_a_broken_connection_left_is_asked_again_on_a_fresh_one():
    class Cutting(Exchange):
        async def answer(self, peer: Peer, chart: str, asked: list[str]) -> None:
            if len(asked) == 4 and len(self.connections) <= 2:
                await peer.cut()
            else:
                await super().answer(peer, chart, asked)

    exchange = Cutting()
    async with serving(exchange.serve) as url:
        assert_all_answered(await pool(url).histories(REQUESTS))

    assert len(exchange.connections) == 4


async def test_a_server_that_cuts_every_connection_is_given_up():
    connections = 0

    async def script(peer: Peer) -> None:
        nonlocal connections
        connections += 1
        await peer.chart()
        await peer.cut()

    async with serving(script) as url:
        answers = await pool(url).histories(REQUESTS)

    assert {type(answer) for answer in answers.values()} == {SourceUnavailable}
    assert connections == 4, "two in a row on each of two"


async def test_a_malformed_message_is_kept_once_and_the_others_are_asked_again():
    garbage = "~m~9~m~not json!"

    class Garbling(Exchange):
        async def answer(self, peer: Peer, chart: str, asked: list[str]) -> None:
            if len(self.connections) == 1:
                if len(asked) == 4:
                    await peer.send(garbage)
            else:
                await super().answer(peer, chart, asked)

    async with serving(Garbling().serve) as url:
        answers = await pool(url, connections=1).histories(REQUESTS)

    (invalid,) = [answer for answer in answers.values() if not isinstance(answer, History)]
    assert isinstance(invalid, PayloadInvalid)
    assert invalid.body == garbage.encode()
    assert len(answers) == len(SYMBOLS)


@pytest.mark.parametrize("status", [403, 429])
async def test_a_refused_connection_refuses_all_and_pauses_everybody(
    connection: psycopg.Connection, status: int
):
    handshakes = 0

    def refuse(socket: ServerConnection, _: Any) -> Any:
        nonlocal handshakes
        handshakes += 1
        response = socket.respond(HTTPStatus(status), "no\n")
        response.headers["Retry-After"] = "600"
        return response

    async with serving(silence, process_request=refuse) as url:
        clock = MarketClock(session_hours(DAY)[0], time.time(), 1.0)
        shared = SharedBudget(connection, "tradingview", clock, 10.0)
        source = HistoryPool(TradingView(url, budget=shared), PoolLimits(connections=1))
        first = await source.histories(REQUESTS)
        second = await source.histories(REQUESTS)

    assert handshakes == 1
    assert all(f"HTTP {status}" in str(answer) for answer in first.values())
    assert all("paused until" in str(answer) for answer in second.values())
    kinds = {type(answer) for answer in (*first.values(), *second.values())}
    assert kinds == {SourceRefused}


async def test_an_error_of_the_protocol_ends_it_for_all():
    async def script(peer: Peer) -> None:
        await peer.chart()
        await peer.send(encode("protocol_error", ["wrong data"]))

    async with serving(script) as url:
        answers = await pool(url, connections=1).histories(REQUESTS)

    assert {type(answer) for answer in answers.values()} == {SourceRefused}


async def test_nobody_listening_is_unavailability_for_all():
    async with serving(silence) as url:
        pass

    answers = await pool(url).histories(REQUESTS)

    assert {type(answer) for answer in answers.values()} == {SourceUnavailable}
    assert list(answers) == SYMBOLS


async def test_a_symbol_that_is_never_answered_costs_only_itself():
    class Silent(Exchange):
        async def answer(self, peer: Peer, chart: str, asked: list[str]) -> None:
            if asked[-1] != SYMBOLS[5]:
                await super().answer(peer, chart, asked)

    async with serving(Silent().serve) as url:
        limits = PoolLimits(connections=1)
        answers = await HistoryPool(TradingView(url, timeout=0.5), limits).histories(REQUESTS)

    assert isinstance(answers.pop(SYMBOLS[5]), SourceUnavailable)
    assert_all_answered(answers, [symbol for symbol in SYMBOLS if symbol != SYMBOLS[5]])


async def test_a_cancelled_fetch_leaves_nothing_open():
    asked, left = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.chart()
        asked.set()
        await peer.socket.wait_closed()
        left.set()

    async with serving(script) as url:
        fetch = asyncio.create_task(pool(url, connections=1).histories(REQUESTS))
        await asked.wait()
        fetch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetch
        await left.wait()


async def test_asking_twice_for_a_symbol_is_a_mistake_of_the_caller():
    async with serving(silence) as url:
        with pytest.raises(ValueError, match="asked for twice"):
            await pool(url).histories([HistoryRequest("NIFTY", n, 10) for n in (1, 5)])


def without_times(raw: bytes) -> list[Message]:
    """Return the calls of archived frames: the times that the source adds are of each answer."""
    return [call for call in decode(raw) if isinstance(call, Message)]


@pytest.mark.parametrize("adapter", ["session", "tvdatafeed"])
async def test_either_adapter_brings_the_same_candles_in_the_same_frames(
    database: str, monkeypatch: pytest.MonkeyPatch, adapter: str
):
    market = generate(DAY)
    clock = MarketClock(session_hours(DAY)[1], time.time(), 1.0)
    names = ["NIFTY", "BANKNIFTY1!", *(option.symbol for option in market.contracts[:8])]
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("OPTIONSCALP_CLOCK", str(clock))
    monkeypatch.setenv("HISTORY_ADAPTER", adapter)
    monkeypatch.setenv("TRADINGVIEW_REQUESTS_PER_SECOND", "500")

    async with serve(market, clock, pace=Pace(tick=0.01)) as endpoints:
        monkeypatch.setenv("TRADINGVIEW_URL", endpoints.tradingview_url)
        async with open_desk(Settings()) as desk:
            asked = [HistoryRequest(name, 1, 400) for name in names]
            answers = await desk.histories[0].client.histories(asked)
        async with TradingView(endpoints.tradingview_url).connect() as session:
            for name, answer in answers.items():
                reference = await session.history(name, 1, 400)
                assert isinstance(answer, History), answer
                assert len(answer.bars) == 375
                assert answer.bars == reference.bars
                assert without_times(answer.raw) == without_times(reference.raw)
                assert answer.reached == session_hours(DAY)[1]
            assert desk.opened["tradingview"].access().delay_seconds == 0
    with connect(database) as connection:
        assert connection.execute("select source, refusals from source_budget").fetchall() == [
            ("tradingview", 0)
        ]
