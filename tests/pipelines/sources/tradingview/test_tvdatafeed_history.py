"""The tvdatafeed-enhanced package as a history source, against a small scripted server."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from pipelines.sources.errors import (
    PayloadInvalid,
    ResolutionUnavailable,
    SeriesFailed,
    SourceRefused,
    SourceUnavailable,
    SymbolUnknown,
)
from pipelines.sources.series import HistoryRequest
from pipelines.sources.tradingview.account import Account
from pipelines.sources.tradingview.tvdatafeed import TvDatafeedHistory
from pipelines.sources.tradingview.wire import Heartbeat, Message, decode, encode, frame

pytestmark = pytest.mark.anyio

FIRST = 1768967100  # 21 January 2026, 09:15 IST


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


Script = Callable[[ServerConnection, dict[str, list[Any]]], Awaitable[None]]


def serving(script: Script, **options: Any) -> AbstractAsyncContextManager[Any]:
    """Play a script to each connection once the package has asked its whole question."""

    async def handle(socket: ServerConnection) -> None:
        await socket.send(frame(f'{{"session_id":"x","timestamp":{int(time.time())}}}'))
        calls: dict[str, list[Any]] = {}
        while "switch_timezone" not in calls:
            for item in decode(await socket.recv()):
                assert isinstance(item, Message)
                calls[item.method] = item.params
        await script(socket, calls)
        await socket.wait_closed()

    return serve(handle, "127.0.0.1", 0, **options)


def source(
    server: Any, timeout: float = 5.0, account: Account | None = None, parallel: int = 4
) -> TvDatafeedHistory:
    port = next(iter(server.sockets)).getsockname()[1]
    url = f"ws://127.0.0.1:{port}/socket.io/websocket"
    return TvDatafeedHistory(url, account, timeout, parallel=parallel)


def series(chart: str, *values: list[float]) -> str:
    points = [{"i": n, "v": value} for n, value in enumerate(values)]
    return encode("timescale_update", [chart, {"s1": {"s": points, "ns": {}, "t": "s1"}}])


def completed(chart: str) -> str:
    return encode("series_completed", [chart, "s1", "streaming", "s1"])


async def test_the_package_brings_the_same_history_with_its_bytes():
    asked: dict[str, list[Any]] = {}
    sent: list[str] = []

    async def script(socket: ServerConnection, calls: dict[str, list[Any]]) -> None:
        asked.update(calls)
        chart = calls["create_series"][0]
        await socket.send(frame("~h~7"))
        assert decode(await socket.recv()) == [Heartbeat("~h~7")]
        sent.append(series(chart, [FIRST, 50, 52, 49, 51], [FIRST + 300, 51, 53, 50, 52, 650]))
        sent.append(completed(chart))
        for message in sent:
            await socket.send(message)

    async with serving(script) as server:
        history = await source(server, account=Account("own")).history("NIFTY260127C25000", 5, 2)

    assert asked["set_auth_token"] == ["own"]
    assert asked["create_series"][4:] == ["5", 2]
    wanted = json.loads(asked["resolve_symbol"][2].removeprefix("="))
    assert wanted["symbol"] == "NSE:NIFTY260127C25000"
    # Not zero, and the second volume is not lost with the first.
    assert [bar.volume for bar in history.bars] == [None, 650.0]
    assert [bar.close for bar in history.bars] == [51.0, 52.0]
    assert history.raw.decode() == "\n".join(sent)
    assert history.about["chart"] == asked["create_series"][0]
    assert (history.symbol, history.minutes) == ("NIFTY260127C25000", 5)
    assert history.asked_at_wall <= history.received_at_wall


async def test_a_series_without_candles_is_an_empty_history():
    async def script(socket: ServerConnection, calls: dict[str, list[Any]]) -> None:
        await socket.send(completed(calls["create_series"][0]))

    async with serving(script) as server:
        assert (await source(server).history("NIFTY", 1, 10)).bars == []


@pytest.mark.parametrize(
    ("method", "details", "kind"),
    [
        ("symbol_error", ["symbol_1", "invalid symbol"], SymbolUnknown),
        ("series_error", ["s1", "s1", "resolution_not_entitled"], ResolutionUnavailable),
        ("critical_error", ["invalid parameters", "method: create_series"], SeriesFailed),
        ("protocol_error", ["wrong data"], SeriesFailed),
    ],
)
async def test_what_the_package_only_logs_is_a_typed_error(method, details, kind):
    async def script(socket: ServerConnection, calls: dict[str, list[Any]]) -> None:
        await socket.send(encode(method, [calls["create_series"][0], *details]))

    async with serving(script) as server:
        with pytest.raises(kind):
            await source(server).history("NIFTY", 1, 10)


async def test_an_error_of_the_whole_connection_is_typed_too():
    async def script(socket: ServerConnection, _: dict[str, list[Any]]) -> None:
        await socket.send(encode("protocol_error", ["wrong data"]))

    async with serving(script) as server:
        with pytest.raises(SourceRefused, match="wrong data"):
            await source(server).history("NIFTY", 1, 10)


async def test_the_end_of_the_packages_quote_session_is_not_the_end_of_its_candles():
    """As the service answers the package's flags since 2024."""

    async def script(socket: ServerConnection, calls: dict[str, list[Any]]) -> None:
        quotes, *names = calls["quote_add_symbols"]
        assert names == ["NSE:NIFTY"], "flags are left out"
        error = [quotes, "invalid_parameters", "quote_add_symbols"]
        chart = calls["create_series"][0]
        await socket.send(encode("critical_error", error))
        await socket.send(series(chart, [FIRST, 1, 1, 1, 1]) + completed(chart))

    async with serving(script) as server:
        history = await source(server).history("NIFTY", 1, 10)
    assert len(history.bars) == 1
    assert b"critical_error" not in history.raw


async def test_the_packages_quote_tells_how_late_its_candles_are():
    async def script(socket: ServerConnection, calls: dict[str, list[Any]]) -> None:
        quotes, name = calls["quote_add_symbols"]
        values = {"lp": 1.0, "lp_time": FIRST + 30, "update_mode": "delayed_streaming_900"}
        await socket.send(encode("qsd", [quotes, {"n": name, "s": "ok", "v": values}]))
        chart = calls["create_series"][0]
        await socket.send(series(chart, [FIRST, 1, 1, 1, 1]) + completed(chart))

    async with serving(script) as server:
        asked = source(server)
        history = await asked.history("NIFTY", 1, 10)
    assert history.reached == datetime.fromtimestamp(FIRST + 30, UTC)
    assert asked.account.delay_seconds == 900


async def test_silence_ends_at_the_deadline():
    async def script(socket: ServerConnection, _: dict[str, list[Any]]) -> None:
        await socket.send(frame("~h~1"))

    async with serving(script) as server:
        with pytest.raises(SourceUnavailable, match=r"no series of NIFTY .* within 0\.5 s"):
            await source(server, timeout=0.5).history("NIFTY", 1, 10)


async def test_a_cut_connection_is_unavailability():
    async def script(socket: ServerConnection, _: dict[str, list[Any]]) -> None:
        socket.transport.abort()

    async with serving(script) as server:
        with pytest.raises(SourceUnavailable, match="closed"):
            await source(server).history("NIFTY", 1, 10)


async def test_a_malformed_message_is_invalid():
    async def script(socket: ServerConnection, _: dict[str, list[Any]]) -> None:
        await socket.send("~m~99~m~{}")

    async with serving(script) as server:
        with pytest.raises(PayloadInvalid, match="is cut") as invalid:
            await source(server).history("NIFTY", 1, 10)
    assert invalid.value.body == b"~m~99~m~{}", "kept for the archive"


async def test_a_refused_handshake_wants_a_person():
    async def script(socket: ServerConnection, _: dict[str, list[Any]]) -> None:
        raise AssertionError("never reached")

    def refuse(socket: ServerConnection, _: Any) -> Any:
        return socket.respond(HTTPStatus.TOO_MANY_REQUESTS, "no\n")

    async with serving(script, process_request=refuse) as server:
        with pytest.raises(SourceRefused, match="HTTP 429"):
            await source(server).history("NIFTY", 1, 10)


async def test_requests_at_once_do_not_disturb_each_other():
    async def script(socket: ServerConnection, calls: dict[str, list[Any]]) -> None:
        chart = calls["create_series"][0]
        count = calls["create_series"][5]
        await socket.send(series(chart, [FIRST, count, count, count, count]) + completed(chart))

    async with serving(script) as server:
        histories = await asyncio.gather(
            *(source(server).history("NIFTY", 1, count) for count in (1, 2, 3))
        )

    assert [history.bars[0].close for history in histories] == [1.0, 2.0, 3.0]


async def test_an_interval_the_package_does_not_have_is_unavailable():
    with pytest.raises(ResolutionUnavailable, match="2 minutes"):
        await TvDatafeedHistory("ws://127.0.0.1:1").history("NIFTY", 2, 10)


async def test_many_histories_come_a_few_at_a_time_each_with_its_own_end():
    open_now = most_at_once = 0
    several = asyncio.Event()

    async def script(socket: ServerConnection, calls: dict[str, list[Any]]) -> None:
        nonlocal open_now, most_at_once
        open_now += 1
        most_at_once = max(most_at_once, open_now)
        if open_now == 2:
            several.set()
        await several.wait()
        chart, count = calls["create_series"][0], calls["create_series"][5]
        open_now -= 1
        if count == 3:
            await socket.send(encode("symbol_error", [chart, "symbol_1", "invalid symbol"]))
        else:
            await socket.send(series(chart, [FIRST, *[count] * 4]) + completed(chart))

    symbols = ["A", "B", "C", "D", "E"]
    requests = [HistoryRequest(symbol, 1, n) for n, symbol in enumerate(symbols, 1)]
    async with serving(script) as server:
        answers = await source(server, parallel=2).histories(requests)

    assert list(answers) == symbols
    assert isinstance(answers.pop("C"), SymbolUnknown)
    assert {symbol: answers[symbol].bars[0].close for symbol in answers} == {
        "A": 1.0,
        "B": 2.0,
        "D": 4.0,
        "E": 5.0,
    }
    assert most_at_once == 2


async def test_after_a_refusal_nothing_more_is_asked():
    connections = 0

    async def script(socket: ServerConnection, _: dict[str, list[Any]]) -> None:
        raise AssertionError("never reached")

    def refuse(socket: ServerConnection, _: Any) -> Any:
        nonlocal connections
        connections += 1
        return socket.respond(HTTPStatus.FORBIDDEN, "no\n")

    requests = [HistoryRequest(f"S{n}", 1, 10) for n in range(20)]
    async with serving(script, process_request=refuse) as server:
        answers = await source(server, parallel=2).histories(requests)

    assert {type(answer) for answer in answers.values()} == {SourceRefused}
    assert connections == 2
