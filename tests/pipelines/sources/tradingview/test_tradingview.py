"""The TradingView client against small servers that play one script each."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from pipelines.sources.errors import (
    ClockWrong,
    ConnectionWornOut,
    PayloadInvalid,
    ResolutionUnavailable,
    SeriesFailed,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    SymbolUnknown,
)
from pipelines.sources.tradingview.account import Account
from pipelines.sources.tradingview.client import BarUpdate, Quote, TradingView
from pipelines.sources.tradingview.delay import announced_seconds
from pipelines.sources.tradingview.inbox import Inbox
from pipelines.sources.tradingview.wire import (
    Heartbeat,
    Message,
    decode,
    encode,
    frame,
    parse_history,
)
from strategy.clock import MarketClock
from tests.pipelines.sources.tradingview.tradingview_help import (
    FIRST,
    Peer,
    answer_one,
    bar,
    bars,
    completed,
    history_bars,
    serving,
    silence,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def client(url: str, timeout: float = 5.0, **options: Any) -> TradingView:
    return TradingView(url, timeout=timeout, **options)


async def read_closes(updates: AsyncIterator[BarUpdate], into: list[float]) -> None:
    async for update in updates:
        into.extend(item.close for item in update.bars)


async def test_a_history_is_asked_for_in_the_documented_words():
    calls: list[Message] = []
    deleted = asyncio.Event()

    async def script(peer: Peer) -> None:
        assert peer.socket.request.headers["Origin"] == "https://data.tradingview.com"
        calls.extend([await peer.next() for _ in range(6)])
        await peer.send(completed(calls[2].params[0]))
        calls.append(await peer.next())
        deleted.set()

    async with serving(script) as url, client(url, account=Account("own")).connect() as session:
        await session.history("NIFTY260127C25000", 5, 300)
        await deleted.wait()

    chart = calls[2].params[0]
    assert calls == [
        Message("set_auth_token", ["own"]),
        Message("set_locale", ["en", "US"]),
        Message("chart_create_session", [chart, ""]),
        Message(
            "resolve_symbol",
            [
                chart,
                "symbol_1",
                '={"symbol":"NSE:NIFTY260127C25000","adjustment":"splits","session":"regular"}',
            ],
        ),
        Message("create_series", [chart, "s1", "s1", "symbol_1", "5", 300]),
        Message("switch_timezone", [chart, "exchange"]),
        Message("chart_delete_session", [chart]),
    ]


async def test_without_a_token_the_session_is_unauthorized():
    tokens = []

    async def script(peer: Peer) -> None:
        tokens.extend(await peer.call("set_auth_token"))
        await answer_one(peer)

    async with serving(script) as url, client(url).connect() as session:
        assert (await session.history("NIFTY", 1, 10)).bars == []
    assert tokens == ["unauthorized_user_token"]


async def test_a_history_spread_over_messages_is_put_together():
    own: list[str] = []

    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        foreign = history_bars("cs_somebody", bar(0, 999.0))
        own.append(encode("symbol_resolved", [chart, "symbol_1", {"currency": "₹"}]))
        own.append(history_bars(chart, bar(1, 51.5), bar(0, 50.0)))
        own.extend([bars(chart, bar(1, 52.0)), completed(chart)])
        await peer.send(own[0])
        await peer.send(foreign, own[1])
        await peer.send(frame("~h~1"), own[2], foreign, own[3])

    async with serving(script) as url, client(url).connect() as session:
        history = await session.history("NIFTY260127C25000", 1, 2)

    assert [(item.open_time, item.close) for item in history.bars] == [
        (datetime(2026, 1, 21, 3, 45, tzinfo=UTC), 50.0),
        (datetime(2026, 1, 21, 3, 46, tzinfo=UTC), 52.0),
    ]
    assert history.raw.decode() == "\n".join(own), "its own frames, untouched, and nobody else's"
    assert parse_history(history.raw, history.about["chart"]) == history.bars
    assert history.asked_at_wall <= history.received_at_wall


async def test_the_same_answer_has_the_same_bytes_on_every_connection():
    async def script(peer: Peer) -> None:
        for _ in range(2):
            await answer_one(peer, bar(0, 50.0))

    histories = []
    async with serving(script) as url:
        for _ in range(2):
            async with client(url).connect() as session:
                histories += [await session.history("NIFTY", 1, 1) for _ in range(2)]

    first, again, *others = [(history.about["chart"], history.raw) for history in histories]
    assert others == [first, again]
    assert first != again, "late news of a deleted session is not taken for the next one's"
    assert all(re.fullmatch("cs_[a-z]{12}", history.about["chart"]) for history in histories)


@pytest.mark.parametrize(("ahead", "side"), [(62.5, "behind"), (-62.5, "ahead of")])
async def test_a_clock_that_is_not_the_servers_is_refused_in_words_that_help(ahead, side):
    async with serving(answer_one, ahead=ahead) as url:
        with pytest.raises(ClockWrong, match=f"clock is 0:01:0. {side} TradingView's: let a time"):
            async with client(url, clock=MarketClock.real()).connect():
                pass


async def test_equal_messages_are_all_archived_because_their_order_counts():
    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        for close in (1.0, 2.0, 2.0, 1.0):
            await peer.send(bars(chart, bar(0, close)))
        await peer.send(completed(chart))

    async with serving(script) as url, client(url).connect() as session:
        history = await session.history("NIFTY", 1, 1)

    assert history.bars[0].close == 1.0
    assert len(history.raw.splitlines()) == 5
    assert parse_history(history.raw, history.about["chart"]) == history.bars


async def test_a_missing_volume_stays_unknown():
    async def script(peer: Peer) -> None:
        await answer_one(peer, bar(0, 50.0)[:5], bar(1, 51.0))

    async with serving(script) as url, client(url).connect() as session:
        history = await session.history("NIFTY", 1, 2)

    assert [item.volume for item in history.bars] == [None, 65.0]


@pytest.mark.parametrize(
    ("method", "details", "kind"),
    [
        ("symbol_error", ["symbol_1", "invalid symbol"], SymbolUnknown),
        ("series_error", ["s1", "s1", "resolution_not_entitled"], ResolutionUnavailable),
        ("series_error", ["s1", "s1", "study_not_auth"], SourceUnavailable),
    ],
)
async def test_a_refused_series_is_a_typed_error_and_the_session_goes_on(method, details, kind):
    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        await peer.send(encode(method, [chart, *details]))
        await answer_one(peer, bar(0, 50.0))

    async with serving(script) as url, client(url).connect() as session:
        with pytest.raises(kind, match="NIFTY"):
            await session.history("NIFTY", 1, 300)
        assert len((await session.history("NIFTY", 5, 300)).bars) == 1


async def test_silence_ends_at_the_deadline_and_the_session_goes_on():
    async def script(peer: Peer) -> None:
        await peer.chart()
        await peer.call("chart_delete_session")
        await answer_one(peer, bar(0, 50.0))

    async with serving(script) as url, client(url, timeout=0.3).connect() as session:
        with pytest.raises(SourceUnavailable, match=r"no series of NIFTY at 1 minutes within 0\.3"):
            await session.history("NIFTY", 1, 300)
        assert len((await session.history("BANKNIFTY", 1, 300)).bars) == 1


async def test_heartbeats_alone_do_not_prolong_the_deadline():
    beats: list[Heartbeat] = []

    async def script(peer: Peer) -> None:
        while True:
            await peer.send(frame("~h~1"))
            while not isinstance(item := await peer.next(), Heartbeat):
                pass
            beats.append(item)

    async with serving(script) as url, client(url, timeout=0.3).connect() as session:
        with pytest.raises(SourceUnavailable, match="within"):
            await session.history("NIFTY", 1, 300)
    assert set(beats) == {Heartbeat("~h~1")}


async def test_heartbeats_are_sent_back_while_an_answer_is_awaited():
    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        await peer.send(frame("~h~1"), frame("~h~2"))
        assert [await peer.next(), await peer.next()] == [Heartbeat("~h~1"), Heartbeat("~h~2")]
        await peer.send(completed(chart))

    async with serving(script) as url, client(url).connect() as session:
        await session.history("NIFTY", 1, 300)


async def test_a_cut_connection_ends_the_request_and_all_later_ones():
    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        await peer.send(history_bars(chart, bar(0, 50.0)))
        await peer.cut()

    async with serving(script) as url, client(url).connect() as session:
        for _ in range(2):
            with pytest.raises(SourceUnavailable, match="closed"):
                await session.history("NIFTY", 1, 300)
        assert isinstance(session.failure, SourceUnavailable)


async def test_a_polite_close_is_unavailability_too():
    async def script(peer: Peer) -> None:
        await peer.chart()
        await peer.socket.close(1001, "going away")

    async with serving(script) as url, client(url).connect() as session:
        with pytest.raises(SourceUnavailable, match="going away"):
            await session.history("NIFTY", 1, 300)


@pytest.mark.parametrize(
    "message",
    [
        b'~m~20~m~{"m":"du"}',
        b"~m~9~m~not json!",
        b"plain text",
        b"~m~2~m~\xff\xfe",
        frame('{"m":"du","p":[NaN]}').encode(),
    ],
)
async def test_a_malformed_message_breaks_the_session_for_all_who_wait(message):
    async def script(peer: Peer) -> None:
        await peer.chart()
        await peer.chart()
        await peer.socket.send(message, text=True)

    async with serving(script) as url, client(url).connect() as session:
        answers = await asyncio.gather(
            *(session.history(symbol, 1, 10) for symbol in ("NIFTY", "BANKNIFTY")),
            return_exceptions=True,
        )
        assert {type(answer) for answer in answers} == {PayloadInvalid}
        assert {answer.body for answer in answers} == {message}, "kept for the archive"
        with pytest.raises(PayloadInvalid):
            await session.history("NIFTY", 1, 300)
        with pytest.raises(PayloadInvalid):
            await anext(session.updates())


async def test_a_malformed_series_is_invalid_for_its_own_request_only():
    async def script(peer: Peer) -> None:
        await answer_one(peer, [FIRST, 1.0, 2.0])
        await answer_one(peer, bar(0, 50.0))

    async with serving(script) as url, client(url).connect() as session:
        with pytest.raises(PayloadInvalid, match="no time and four prices"):
            await session.history("NIFTY", 1, 300)
        assert len((await session.history("BANKNIFTY", 1, 300)).bars) == 1


@pytest.mark.parametrize(
    ("method", "params", "kind"),
    [
        ("critical_error", ["invalid parameters"], SourceUnavailable),
        ("protocol_error", ["wrong data"], SourceRefused),
        ("protocol_error", ["max sessions rate reached"], ConnectionWornOut),
        ("critical_error", ["cs_x", "max sessions rate reached"], ConnectionWornOut),
    ],
)
async def test_an_error_of_the_whole_connection_breaks_it(method, params, kind):
    async def script(peer: Peer) -> None:
        await peer.chart()
        await peer.send(encode(method, params))

    async with serving(script) as url, client(url).connect() as session:
        for _ in range(2):
            with pytest.raises(kind, match=params[-1]):
                await session.history("NIFTY", 1, 300)


@pytest.mark.parametrize(
    ("method", "details"),
    [
        ("critical_error", ["invalid parameters", 'method: create_series. args: "[s1, s1]"']),
        ("critical_error", ["exceed limit of series in the session", "method: create_series"]),
        ("protocol_error", ["wrong data"]),
        ("series_error", ["s1", "s1", "expired"]),
    ],
)
async def test_an_error_that_names_a_session_ends_that_one_only(method, details):
    async def script(peer: Peer) -> None:
        lost, _ = await peer.chart()
        kept, _ = await peer.chart()
        await peer.send(
            encode(method, [lost, *details]),
            encode(method, ["cs_nobodys", *details]),
            history_bars(kept, bar(0, 100.0)),
            completed(kept),
        )
        await answer_one(peer, bar(0, 50.0))

    async with serving(script) as url, client(url).connect() as session:
        first, second = await asyncio.gather(
            session.history("NIFTY", 1, 300),
            session.history("BANKNIFTY", 1, 300),
            return_exceptions=True,
        )
        assert isinstance(first, SeriesFailed)
        assert details[-1] in str(first)
        assert [item.close for item in second.bars] == [100.0]
        assert len((await session.history("NIFTY", 1, 300)).bars) == 1
        assert session.failure is None


async def test_a_live_series_that_is_ended_is_told_and_the_others_stream_on():
    async def script(peer: Peer) -> None:
        lost = await answer_one(peer, bar(0, 1.0))
        kept = await answer_one(peer, bar(0, 2.0))
        await peer.send(
            bars(lost, bar(0, 1.5)),
            encode("critical_error", [lost, "invalid parameters", "method: du"]),
            bars(lost, bar(0, 9.0)),
            bars(kept, bar(0, 2.5)),
        )
        again = await answer_one(peer, bar(0, 1.6))
        assert again != lost

    async with serving(script) as url, client(url).connect() as session:
        for symbol in ("NIFTY", "BANKNIFTY"):
            await session.subscribe(symbol, 1)
        news = [await anext(session.updates()) for _ in range(3)]
        assert [(item.symbol, [one.close for one in item.bars]) for item in news] == [
            ("NIFTY", [1.5]),
            ("NIFTY", []),
            ("BANKNIFTY", [2.5]),
        ]
        assert [type(item.error) for item in news] == [type(None), SeriesFailed, type(None)]
        assert b"critical_error" in news[1].raw, "kept for the archive"
        assert session.subscribed == {("BANKNIFTY", 1)}
        assert (await session.subscribe("NIFTY", 1)).bars[0].close == 1.6


async def test_a_quote_session_that_is_ended_fails_who_waits_and_opens_again():
    async def script(peer: Peer) -> None:
        first, *_ = await peer.call("quote_add_symbols")
        await peer.send(
            encode("critical_error", [first, "invalid_parameters", "quote_add_symbols"])
        )
        await answer_one(peer, bar(0, 1.0))
        second, name = await peer.call("quote_add_symbols")
        assert second != first
        await peer.send(encode("qsd", [second, {"n": name, "s": "ok", "v": {"lp": 5.0}}]))

    async with serving(script) as url, client(url).connect() as session:
        with pytest.raises(SeriesFailed, match="quote_add_symbols"):
            await session.subscribe_quotes(["NIFTY"])
        assert len((await session.history("NIFTY", 1, 10)).bars) == 1
        await session.subscribe_quotes(["NIFTY"])
        assert session.quotes["NIFTY"].price == 5.0


async def test_a_watched_quote_tells_how_late_the_bars_are_and_how_far_the_source_is():
    lag = 900
    clock = MarketClock(datetime.fromtimestamp(FIRST + 1200, UTC), time.time(), 1.0)

    async def script(peer: Peer) -> None:
        session, name = await peer.call("quote_add_symbols")
        values = {"lp": 5.0, "lp_time": FIRST + 1200 - lag, "update_mode": "streaming"}
        await peer.send(encode("qsd", [session, {"n": name, "s": "ok", "v": values}]))
        await answer_one(peer, bar(0, 1.0))
        await peer.chart()
        # What it says is not what it does: the price that changes now is of long ago.
        values = {"lp": 5.5, "lp_time": FIRST + 1201 - lag}
        await peer.send(encode("qsd", [session, {"n": name, "s": "ok", "v": values}]))

    async with serving(script, ahead=clock.now().timestamp() - time.time()) as url:
        source = client(url, clock=clock, timeout=1.0)
        async with source.connect() as session:
            await session.watch("NIFTY")
            history = await session.history("NIFTY", 1, 10)
            assert history.reached == datetime.fromtimestamp(FIRST + 1200 - lag, UTC)
            assert (session.delay_seconds, source.account.delay_seconds) == (0, 0)
            with pytest.raises(SourceUnavailable):
                await session.history("BANKNIFTY", 1, 10)
            assert source.account.delay_seconds == pytest.approx(lag, abs=2)


async def test_heartbeats_alone_are_the_end_of_a_connection_that_owes_an_answer():
    async def script(peer: Peer) -> None:
        await peer.chart()
        await peer.send(frame("~h~1"))

    async with serving(script) as url, client(url, timeout=0.3).connect() as session:
        began = time.time()
        with pytest.raises(SourceUnavailable, match="no series of NIFTY"):
            await session.history("NIFTY", 1, 10)
        session.give_up_if_mute(began)
        assert "nothing but heartbeats" in str(session.failure)


@pytest.mark.parametrize(
    ("status", "kind"), [(403, SourceRefused), (429, SourceRefused), (500, SourceUnavailable)]
)
async def test_a_refused_handshake_is_a_typed_error(status, kind):
    def refuse(socket: ServerConnection, _: Any) -> Any:
        return socket.respond(HTTPStatus(status), "no\n")

    async with serving(silence, process_request=refuse) as url:
        with pytest.raises(kind, match=f"HTTP {status}") as refused:
            async with client(url).connect():
                pass
    assert getattr(refused.value, "status", None) == (status if kind is SourceRefused else None)


async def test_nobody_listening_is_unavailability():
    async with serving(silence) as url:
        pass
    with pytest.raises(SourceUnavailable, match="no connection"):
        async with client(url).connect():
            pass


async def test_a_server_that_never_greets_is_unavailable():
    async def handle(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with serve(handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(SourceUnavailable, match="no greeting"):
            async with client(f"ws://127.0.0.1:{port}", timeout=0.3).connect():
                pass


async def test_a_wrong_address_wants_a_person():
    with pytest.raises(SourceRefused, match="no address of a websocket"):
        async with client("https://127.0.0.1/").connect():
            pass


async def test_asking_for_no_bars_is_a_mistake_of_the_caller():
    async with serving(silence) as url, client(url).connect() as session:
        with pytest.raises(ValueError, match="must be positive"):
            await session.history("NIFTY", 1, 0)


async def test_live_bars_follow_the_history_without_a_gap():
    subscribed = asyncio.Event()

    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        # The first change arrives in the very message that completes the history.
        await peer.send(
            history_bars(chart, bar(0, 50.0)), completed(chart), bars(chart, bar(0, 50.5))
        )
        await subscribed.wait()
        await peer.send(bars(chart, bar(0, 51.0), bar(1, 51.5)))
        await peer.send(encode("du", [chart, {"s1": {"ns": {}, "t": "s1"}}]))
        await peer.send(history_bars(chart, bar(2, 52.0)))

    async with serving(script) as url, client(url).connect() as session:
        history = await session.subscribe("NIFTY260127C25000", 1)
        subscribed.set()
        updates = session.updates()
        changes = [await anext(updates) for _ in range(3)]

    assert [item.close for item in history.bars] == [50.0]
    assert [[item.close for item in change.bars] for change in changes] == [
        [50.5],
        [51.0, 51.5],
        [52.0],
    ]
    assert {(change.symbol, change.minutes) for change in changes} == {("NIFTY260127C25000", 1)}
    assert all(parse_history(change.raw, change.chart_session) == change.bars for change in changes)


async def test_symbols_are_subscribed_and_unsubscribed_while_others_stream():
    charts: dict[str, str] = {}

    async def script(peer: Peer) -> None:
        for _ in range(2):
            chart, symbol = await peer.chart()
            charts[symbol] = chart
            await peer.send(history_bars(chart, bar(0, 1.0)), completed(chart))
            await peer.send(*(bars(chart, bar(0, 2.0)) for chart in charts.values()))
        assert await peer.call("chart_delete_session") == [charts["NSE:NIFTY"]]
        await peer.send(*(bars(chart, bar(0, 3.0)) for chart in charts.values()))

    async with serving(script) as url, client(url).connect() as session:
        updates = session.updates()
        await session.subscribe("NIFTY", 1)
        assert (await anext(updates)).symbol == "NIFTY"
        await session.subscribe("BANKNIFTY", 5)
        assert [(await anext(updates)).symbol for _ in range(2)] == ["NIFTY", "BANKNIFTY"]
        assert session.subscribed == {("NIFTY", 1), ("BANKNIFTY", 5)}
        await session.unsubscribe("NIFTY", 1)
        last = await anext(updates)

    assert (last.symbol, last.minutes, last.bars[0].close) == ("BANKNIFTY", 5, 3.0)


async def test_a_series_is_subscribed_once_and_a_failed_one_can_be_tried_again():
    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        await peer.send(encode("symbol_error", [chart, "symbol_1", "invalid symbol"]))
        assert await peer.call("chart_delete_session") == [chart]
        await answer_one(peer)

    async with serving(script) as url, client(url).connect() as session:
        with pytest.raises(SymbolUnknown):
            await session.subscribe("NIFTY", 1)
        await session.subscribe("NIFTY", 1)
        with pytest.raises(ValueError, match="subscribed already"):
            await session.subscribe("NIFTY", 1)


async def test_a_stream_gives_histories_then_changes_then_the_error():
    async def script(peer: Peer) -> None:
        chart = await answer_one(peer, bar(0, 50.0))
        await peer.send(bars(chart, bar(0, 51.0)))
        await peer.cut()

    closes: list[float] = []
    async with serving(script) as url, client(url).connect() as session:
        with pytest.raises(SourceUnavailable, match="closed"):
            await read_closes(session.stream({"NIFTY": 1}), closes)
    assert closes == [50.0, 51.0]


async def test_a_reader_that_falls_behind_ends_the_session_instead_of_losing_updates():
    async def script(peer: Peer) -> None:
        chart = await answer_one(peer)
        await peer.chart()
        for close in range(1, 6):
            await peer.send(bars(chart, bar(0, float(close))))

    closes: list[float] = []
    async with serving(script) as url, client(url, queue_limit=3).connect() as session:
        await session.subscribe("NIFTY", 1)
        with pytest.raises(SourceUnavailable, match="3 messages wait unread"):
            await session.history("BANKNIFTY", 1, 10)
        with pytest.raises(SourceUnavailable, match="3 messages wait unread"):
            await read_closes(session.updates(), closes)
    assert closes == [1.0, 2.0, 3.0]


async def test_a_live_series_that_is_no_list_breaks_the_session():
    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        # Once in the completing message, so that it is found there too.
        await peer.send(completed(chart), encode("du", [chart, {"s1": {"s": "x"}}]))

    async with serving(script) as url, client(url).connect() as session:
        await session.subscribe("NIFTY", 1)
        with pytest.raises(PayloadInvalid):
            await anext(session.updates())


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (["x"], "no time and four prices"),
        ([-1, 1, 1, 1, 1], "-1 is no time"),
        ([253402300800, 1, 1, 1, 1], "is no time"),
        ([FIRST, 1e308, 1e308, 1e308, 1e308], "no price of this market"),
        ([FIRST, 1, 1, 1, 1, 1e30], "no volume of this market"),
    ],
)
async def test_a_bar_of_a_live_series_that_cannot_be_read_is_named_and_the_others_come(
    values, complaint
):
    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        await peer.send(completed(chart))
        await peer.send(bars(chart, values, bar(1, 2.0)))
        await peer.send(bars(chart, values))

    async with serving(script) as url, client(url).connect() as session:
        await session.subscribe("NIFTY", 1)
        first, second = await anext(session.updates()), await anext(session.updates())
    assert [found.close for found in first.bars] == [2.0]
    assert second.bars == []
    for update in (first, second):
        assert re.search(complaint, *update.refused)


async def test_of_a_history_a_bar_that_cannot_be_read_is_named_and_the_others_come():
    async def script(peer: Peer) -> None:
        await answer_one(peer, bar(0, 1.0), [FIRST + 60, None, 1, 1, 1], bar(2, 3.0))
        await answer_one(peer, [FIRST + 60, None, 1, 1, 1])

    async with serving(script) as url, client(url).connect() as session:
        history = await session.history("NIFTY", 1, 3)
        assert [found.close for found in history.bars] == [1.0, 3.0]
        assert re.search(r"v\[1\]: None is no number", *history.refused)
        with pytest.raises(PayloadInvalid, match=r"v\[1\]: None is no number"):
            await session.history("NIFTY", 1, 3)


@pytest.mark.parametrize(
    "values",
    [
        {"lp_time": 1e300},
        {"lp_time": -62135596800 * 2},
        {"lp": "0\x00"},
        {"volume": []},
    ],
)
async def test_a_quote_that_cannot_be_true_breaks_the_session(values):
    async def script(peer: Peer) -> None:
        session, *_ = await peer.call("quote_add_symbols")
        await peer.send(encode("qsd", [session, {"n": "NSE:NIFTY", "s": "ok", "v": values}]))

    async with serving(script) as url, client(url).connect() as session:
        with pytest.raises(PayloadInvalid):
            await session.subscribe_quotes(["NIFTY"])


@pytest.mark.parametrize("mode", ["delayed_streaming_" + "9" * 5000, "delayed_streaming_٩٠٠"])
async def test_a_delay_that_no_number_says_is_the_usual_one(mode):
    assert announced_seconds(mode) == 900


@pytest.mark.parametrize("told", [[0] * 10**6, {"a": "\ud800\x00" * 10**6}, "\ud800\x00" * 10**6])
@pytest.mark.parametrize("method", ["critical_error", "protocol_error", "series_error"])
async def test_of_a_long_error_a_kilobyte_is_told_that_can_be_stored(method, told):
    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        # As a source may write it: what cannot be encoded is escaped in JSON.
        await peer.send(frame(json.dumps({"m": method, "p": [chart, told]})))

    async with serving(script) as url, client(url).connect() as session:
        with pytest.raises(SourceError) as caught:
            await session.history("NIFTY", 1, 3)
    words = str(caught.value)
    assert len(words.encode()) <= 1000
    assert "\x00" not in words


async def test_quotes_keep_the_last_value_of_what_an_update_leaves_out():
    def quote(session: str, symbol: str, **values: float) -> str:
        return encode("qsd", [session, {"n": f"NSE:{symbol}", "s": "ok", "v": values}])

    async def script(peer: Peer) -> None:
        assert (await peer.call("quote_set_fields"))[1:] == [
            *("lp", "volume", "ch", "chp"),
            *("lp_time", "update_mode"),
        ]
        session, *names = await peer.call("quote_add_symbols")
        assert names == ["NSE:NIFTY", "NSE:NIFTY260127C25000"]
        await peer.send(
            quote(session, "NIFTY", lp=25000.5, ch=-10.0, chp=-0.04),
            quote(session, "NIFTY260127C25000", lp=52.5, volume=650.0),
            encode("quote_completed", [session, "NSE:NIFTY"]),
        )
        assert await peer.call("quote_add_symbols") == [session, "NSE:BANKNIFTY"]
        await peer.send(
            quote(session, "NIFTY260127C25000", volume=715.0),
            quote(session, "NIFTY", lp=25001.0),
            quote(session, "BANKNIFTY", lp=58000.0),
        )

    async with serving(script) as url, client(url).connect() as session:
        await session.subscribe_quotes(["NIFTY", "NIFTY260127C25000"])
        changed = session.quote_updates()
        assert [(await anext(changed)).symbol for _ in range(2)] == ["NIFTY", "NIFTY260127C25000"]
        await session.subscribe_quotes(["NIFTY", "BANKNIFTY"])
        changes = [await anext(changed) for _ in range(3)]

    assert changes == [
        Quote("NIFTY260127C25000", 52.5, 715.0, None, None),
        Quote("NIFTY", 25001.0, None, -10.0, -0.04),
        Quote("BANKNIFTY", 58000.0, None, None, None),
    ]
    assert session.quotes == {item.symbol: item for item in changes}


async def test_an_unread_quote_is_told_once_with_its_newest_values():
    async def script(peer: Peer) -> None:
        session, *names = await peer.call("quote_add_symbols")
        for price in (1.0, 2.0, 3.0):
            for name in names:
                quote = {"n": name, "s": "ok", "v": {"lp": price}}
                await peer.send(encode("qsd", [session, quote]))
        await answer_one(peer)
        await peer.chart()
        await peer.send(encode("qsd", [session, {"n": names[1], "s": "ok", "v": {"lp": 4.0}}]))

    async with serving(script) as url, client(url, queue_limit=2).connect() as session:
        await session.subscribe_quotes(["NIFTY", "BANKNIFTY"])
        await session.history("NIFTY", 1, 10)  # answered after all quotes
        changes = [await anext(session.quote_updates()) for _ in range(2)]
        unanswered = asyncio.create_task(session.history("NIFTY", 1, 10))
        changes.append(await anext(session.quote_updates()))
        unanswered.cancel()

    assert [(change.symbol, change.price) for change in changes] == [
        ("NIFTY", 3.0),
        ("BANKNIFTY", 3.0),
        ("BANKNIFTY", 4.0),
    ]


async def test_a_refused_quote_is_an_unknown_symbol_and_the_others_stay():
    async def script(peer: Peer) -> None:
        session, good, bad = await peer.call("quote_add_symbols")
        await peer.send(encode("qsd", [session, {"n": bad, "s": "error", "v": {}}]))
        await peer.send(encode("qsd", [session, {"n": good, "s": "ok", "v": {"lp": 1.0}}]))

    async with serving(script) as url, client(url).connect() as session:
        with pytest.raises(SymbolUnknown, match="NSE:NOTHING"):
            await session.subscribe_quotes(["NIFTY", "NOTHING"])
        assert list(session.quotes) == ["NIFTY"]


async def test_quotes_that_never_come_end_at_the_deadline():
    async with serving(silence) as url, client(url, timeout=0.3).connect() as session:
        with pytest.raises(SourceUnavailable, match="no quote of 1 symbols"):
            await session.subscribe_quotes(["NIFTY"])


async def test_recorded_quotes_pass_the_client_as_they_passed_the_wire(shared_data: Path):
    text = (shared_data / "payloads" / "tradingview_qsd_frames.txt").read_text()
    recorded = [line for line in text.split("\n") if line]
    last: dict[str, dict[str, float]] = {}
    for item in decode(text):
        if isinstance(item, Message):
            last.setdefault(item.params[1]["n"], {}).update(item.params[1]["v"])

    async def script(peer: Peer) -> None:
        session, *_ = await peer.call("quote_add_symbols")
        for line in recorded:
            frames = (
                encode(item.method, [session, *item.params[1:]])
                if isinstance(item, Message)
                else frame(item.payload)
                for item in decode(line)
            )
            await peer.send(*frames)
        await answer_one(peer)

    symbols = [name.removeprefix("NSE:") for name in last]
    async with serving(script) as url, client(url).connect() as session:
        await session.subscribe_quotes(symbols)
        await session.history("NIFTY", 1, 1)
        quotes = dict(session.quotes)

    assert quotes == {
        name.removeprefix("NSE:"): Quote(
            name.removeprefix("NSE:"), value["lp"], value["volume"], value["ch"], value["chp"]
        )
        for name, value in last.items()
    }


async def test_a_cancelled_request_deletes_its_chart_session():
    asked, deleted = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        chart, _ = await peer.chart()
        asked.set()
        assert await peer.call("chart_delete_session") == [chart]
        deleted.set()

    async with serving(script) as url, client(url).connect() as session:
        request = asyncio.create_task(session.history("NIFTY", 1, 300))
        await asked.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        await deleted.wait()


async def test_leaving_a_session_ends_its_readers_and_leaves_no_task_behind():
    goodbye = asyncio.Event()

    async def script(peer: Peer) -> None:
        await answer_one(peer)
        await peer.socket.wait_closed()
        assert peer.socket.close_code == 1000
        goodbye.set()

    async with serving(script) as url:
        before = asyncio.all_tasks()
        async with client(url).connect() as session:
            await session.subscribe("NIFTY", 1)
            assert len(asyncio.all_tasks()) > len(before)
        ours = {task for task in asyncio.all_tasks() - before if "reader" in task.get_name()}
        assert not ours
        await goodbye.wait()
        with pytest.raises(SourceUnavailable, match="was left"):
            await anext(session.updates())
        with pytest.raises(SourceUnavailable, match="was left"):
            await session.history("NIFTY", 1, 10)


async def test_an_error_of_the_caller_inside_a_session_comes_through():
    async with serving(silence) as url:
        with pytest.raises(KeyError, match="own"):
            async with client(url).connect():
                raise KeyError("own")


def test_an_ended_inbox_takes_nothing_more():
    inbox = Inbox[int](limit=None)
    inbox.put(1)
    inbox.fail(SourceUnavailable("first"))
    inbox.fail(SourceRefused("second"))
    inbox.put(2)

    assert inbox.drain() == [1]


async def test_every_reader_of_an_ended_inbox_gets_its_own_error():
    inbox = Inbox[int](limit=None)
    inbox.fail(SourceRefused("no"))

    errors = await asyncio.gather(inbox.get(), inbox.get(), return_exceptions=True)

    assert [(type(error), str(error)) for error in errors] == [(SourceRefused, "no")] * 2
    assert errors[0] is not errors[1]


async def test_a_price_that_is_still_far_ahead_breaks_the_session():
    async def script(peer: Peer) -> None:
        session, *_ = await peer.call("quote_add_symbols")
        values = {"lp_time": time.time() + 3 * 86_400}
        await peer.send(encode("qsd", [session, {"n": "NSE:NIFTY", "s": "ok", "v": values}]))

    async with serving(script) as url, client(url).connect() as session:
        await session.watch("NIFTY")
        with pytest.raises(PayloadInvalid, match=r"a price of .* was received at"):
            await anext(session.updates())
