"""TradingView's protocol over a real socket, with a raw client."""

import asyncio
import json
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from tvDatafeed import Interval, TvDatafeed
from websocket import create_connection
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from simulator.tradingview import Pace

FAST = Pace(tick=0.01)


def call_symbol(market) -> str:
    """The call at the money of the open."""
    expiry = market.expiries["NIFTY"][0]
    strikes = market.strikes("NIFTY", expiry)
    return f"NIFTY{expiry:%y%m%d}C{strikes[25]}"


def values(candle):
    return [candle.open_time, *candle[2:6], candle.volume]


def test_history_ends_with_the_forming_bar_and_never_shows_the_future(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:30")
        symbol = call_symbol(market)
        async with playing(market, clock) as (client, _, _):
            series = await client.history(symbol, "1", 30)
        expected = market.candles(symbol, 1, clock.now())[-30:]
        assert [bar["v"] for bar in series["s"]] == [values(candle) for candle in expected]
        assert [bar["i"] for bar in series["s"]] == list(range(30))
        assert series["t"] == "s1"
        assert series["lbs"]["bar_close_time"] == expected[-1].close_time > clock.now().timestamp()
        assert series["s"][-1]["v"][5] < market.series[symbol].candles[45].volume

    asyncio.run(scenario())


def test_a_symbol_is_resolved_before_its_series_is_answered(market, clock_at, playing):
    async def scenario():
        async with playing(market, clock_at("10:00:30")) as (client, _, _):
            await client.send(
                ("set_auth_token", ["unauthorized_user_token"]),
                ("set_locale", ["en", "US"]),
                ("chart_create_session", ["cs_a", ""]),
                ("switch_timezone", ["cs_a", "exchange"]),
                ("resolve_symbol", ["cs_a", "symbol_1", "NSE:NIFTY1!"]),
                ("create_series", ["cs_a", "s1", "s1", "symbol_1", "5", 300]),
            )
            seen = await client.until("series_completed")
        methods = ["symbol_resolved", "series_loading", "timescale_update", "series_completed"]
        assert [method for method, _ in seen] == methods
        assert seen[0][1][:2] == ["cs_a", "symbol_1"]
        told = seen[0][1][2]
        assert told["timezone"] == "Asia/Kolkata"
        assert told["session"] == "0915-1530"
        assert (told["pricescale"], told["minmov"], told["type"]) == (100, 5, "futures")
        assert told["full_name"] == told["pro_name"] == "NSE:NIFTY1!"
        assert told["alternatives"] == ["NSE_DLY:NIFTY1!"]
        assert seen[-1][1] == ["cs_a", "s1", "streaming", "s1", {"rt_update_period": 0}]

    asyncio.run(scenario())


def test_before_the_open_the_series_is_empty_and_then_begins(market, clock_at, playing):
    async def scenario():
        async with playing(market, clock_at("09:13:00", speed=60), pace=FAST) as (client, _, _):
            series = await client.history("NIFTY", "1", 300)
            assert series["s"] == []
            _, (_, update) = (await client.until("du"))[-1]
        bar = update["s1"]["s"][0]
        assert (bar["i"], bar["v"][0]) == (0, market.hours[0])

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "asked", ["NSE:NIFTY260127C1", "BSE:NIFTY", '={"symbol":"NSE:SENSEX"}', "={broken"]
)
def test_an_unknown_symbol_gets_a_symbol_error_and_no_series(market, clock_at, playing, asked):
    async def scenario():
        async with playing(market, clock_at("10:00:30")) as (client, _, _):
            await client.send(
                ("chart_create_session", ["cs_a", ""]),
                ("resolve_symbol", ["cs_a", "symbol_1", asked]),
                ("create_series", ["cs_a", "s1", "s1", "symbol_1", "1", 300]),
            )
            seen = await client.until("series_error")
        assert seen[0] == ("symbol_error", ["cs_a", "symbol_1", "invalid symbol"])
        assert seen[-1] == ("series_error", ["cs_a", "s1", "s1", "invalid symbol"])

    asyncio.run(scenario())


def test_bars_stream_in_order_and_each_is_finished_before_the_next_begins(
    market, clock_at, playing
):
    async def scenario():
        clock = clock_at("09:59:50", speed=120)
        symbol = call_symbol(market)
        states = []
        async with playing(market, clock, pace=FAST) as (client, _, _):
            first = await client.history(symbol, "1", 10)
            async with asyncio.timeout(20):
                async for method, params in client.calls():
                    assert method == "du"
                    body = params[1]["s1"]
                    assert body["t"] == "s1"
                    states.append((body["s"][0], body["lbs"]["bar_close_time"]))
                    assert body["s"][0]["v"][0] <= clock.now().timestamp()
                    if len({bar["i"] for bar, _ in states}) == 6:
                        break
        final = {candle.open_time: values(candle) for candle in market.series[symbol].candles}
        indices = [bar["i"] for bar, _ in states]
        assert indices == sorted(indices)
        assert set(indices) == set(range(first["s"][-1]["i"], first["s"][-1]["i"] + 6))
        assert len(states) > 30
        for (bar, closes), (following, _) in pairwise(states):
            assert closes == bar["v"][0] + 60
            if following["i"] > bar["i"]:
                assert bar["v"] == final[bar["v"][0]]
            else:
                assert bar["v"][5] <= following["v"][5]

    asyncio.run(scenario())


def test_at_high_speed_no_bar_is_skipped(market, clock_at, playing):
    async def scenario():
        latest = {}
        clock = clock_at("10:00:00", speed=3000)
        async with playing(market, clock, pace=Pace(tick=0.2)) as (client, _, _):
            await client.history("NIFTY", "1", 5)
            async with asyncio.timeout(20):
                async for _, params in client.calls():
                    bar = params[1]["s1"]["s"][0]
                    latest[bar["v"][0]] = bar["v"]
                    if len(latest) == 40:
                        break
        *closed, _ = sorted(latest)
        assert closed == list(range(int(closed[0]), int(closed[-1]) + 60, 60))
        final = {candle.open_time: values(candle) for candle in market.series["NIFTY"].candles}
        assert all(latest[opened] == final[opened] for opened in closed)

    asyncio.run(scenario())


def test_several_chart_sessions_share_a_connection_and_a_message(market, clock_at, playing):
    async def scenario():
        symbols = ["NIFTY", "BANKNIFTY1!", call_symbol(market)]
        async with playing(market, clock_at("10:00:10", speed=60)) as (client, _, _):
            for number, symbol in enumerate(symbols):
                series = await client.history(symbol, "1", 3, session=f"cs_{number}")
                assert len(series["s"]) == 3
            client.messages.clear()
            async with asyncio.timeout(10):
                while not any(len(message) >= 3 for message in client.messages):
                    await client.receive()
        together = next(message for message in client.messages if len(message) >= 3)
        assert {json.loads(payload)["p"][0] for payload in together} == {"cs_0", "cs_1", "cs_2"}

    asyncio.run(scenario())


def test_a_series_can_be_modified_and_removed(market, clock_at, playing):
    async def scenario():
        async with playing(market, clock_at("10:00:10", speed=60), pace=FAST) as (client, _, _):
            await client.history("NIFTY", "1", 5)
            await client.send(("modify_series", ["cs_a", "s1", "s2", "symbol_1", "5", ""]))
            seen = await client.until("series_completed")
            series = next(p for m, p in seen if m == "timescale_update")[1]["s1"]
            opens = [bar["v"][0] for bar in series["s"]]
            assert (series["t"], opens[1] - opens[0], opens[0]) == ("s2", 300, market.hours[0])
            await client.send(("remove_series", ["cs_a", "s1"]))
            await client.send(("create_series", ["cs_a", "s1", "s3", "symbol_1", "1", 2]))
            seen = await client.until("series_completed")
            assert seen[-1][1][3] == "s3"
            await client.send(("create_series", ["cs_a", "s1", "s4", "symbol_1", "1", 2]))
            seen = await client.until("series_error")
            assert seen[-1][1][2:] == ["s4", "series exists already"]

    asyncio.run(scenario())


def test_quotes_come_in_full_once_and_then_in_parts(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:10", speed=60)
        fields = {"lp", "lp_time", "volume", "ch", "chp", "update_mode"}
        known, partial_seen = {}, False
        async with playing(market, clock, pace=FAST) as (client, _, _):
            await client.send(
                ("quote_create_session", ["qs_a"]),
                ("quote_set_fields", ["qs_a", *fields]),
                ("quote_add_symbols", ["qs_a", "NSE:NIFTY"]),
                ("quote_add_symbols", ["qs_a", "NSE:NOPE"]),
            )
            seen = [params[1] for _, params in (await client.until("quote_completed"))[:1]]
            assert (seen[0]["n"], seen[0]["s"], set(seen[0]["v"])) == ("NSE:NIFTY", "ok", fields)
            known |= seen[0]["v"]
            async with asyncio.timeout(10):
                async for _, params in client.calls():
                    if params[1]["n"] == "NSE:NOPE":
                        assert params[1]["s"] == "error"
                        continue
                    update = params[1]["v"]
                    assert update
                    assert set(update) <= fields
                    assert update.get("volume", known["volume"]) >= known["volume"]
                    known |= update
                    assert set(update) - {"lp_time", "update_mode"}
                    partial_seen = partial_seen or len(update) < 5
                    if partial_seen and known["lp"] != seen[0]["v"]["lp"]:
                        break
        before = market.series["NIFTY"].previous_close
        assert known["update_mode"] == "streaming"
        assert seen[0]["v"]["lp_time"] < known["lp_time"] <= clock.now().timestamp()
        assert known["ch"] == pytest.approx(known["lp"] - before, abs=0.01)
        assert known["volume"] > sum(c.volume for c in market.series["NIFTY"].candles[:45])

    asyncio.run(scenario())


def test_heartbeats_that_come_back_keep_the_connection(market, clock_at, playing):
    async def scenario():
        pace = Pace(heartbeat=0.02, echo=1.0)
        async with playing(market, clock_at("10:00:30"), pace=pace) as (client, _, _):
            beats = []
            async with asyncio.timeout(10):
                while len(beats) < 75:
                    (payload,) = await client.receive()
                    beats.append(payload)
                    await client.channel.send(f"~m~{len(payload)}~m~{payload}")
        assert beats == [f"~h~{number}" for number in range(1, 76)]

    asyncio.run(scenario())


def test_a_client_that_does_not_echo_is_closed(market, clock_at, playing):
    async def scenario():
        pace = Pace(heartbeat=0.02, echo=0.1)
        async with playing(market, clock_at("10:00:30"), pace=pace) as (client, _, _):
            async with asyncio.timeout(10):
                await client.channel.wait_closed()
            assert client.channel.close_reason == "no heartbeat"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "text", ["hello", "~m~5~m~{}", "~m~2~m~{}", '~m~13~m~{"m":1,"p":[]}', "~m~x~m~{}"]
)
def test_a_malformed_message_is_named_and_closes_the_connection(market, clock_at, playing, text):
    async def scenario():
        async with playing(market, clock_at("10:00:30")) as (client, _, _):
            await client.channel.send(text)
            assert (await client.until("protocol_error"))[-1][1][0] == "wrong data"
            with pytest.raises(ConnectionClosed):
                await client.receive()

    asyncio.run(scenario())


def test_calls_of_a_session_that_does_not_exist_are_critical_errors(market, clock_at, playing):
    async def scenario():
        async with playing(market, clock_at("10:00:30")) as (client, _, _):
            await client.send(("resolve_symbol", ["cs_none", "symbol_1", "NSE:NIFTY"]))
            seen = await client.until("critical_error")
            assert seen[-1][1] == ["cs_none", "invalid session", "resolve_symbol"]

    asyncio.run(scenario())


def test_one_client_that_leaves_does_not_disturb_another(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:30", speed=60)
        async with playing(market, clock, pace=FAST) as (client, _, endpoints):
            await client.history("NIFTY", "1", 5)
            async with connect(endpoints.tradingview_url) as other:
                await other.recv()
                other.transport.abort()
            assert await client.until("du")

    asyncio.run(scenario())


def test_the_history_package_reads_the_same_bars(market, clock_at, playing, tmp_path):
    class Feed(TvDatafeed):
        url = ""

        @contextmanager
        def _websocket_connection(self):
            channel = create_connection(self.url, timeout=10)
            try:
                yield channel
            finally:
                channel.close()

    async def scenario():
        clock = clock_at("10:00:30")
        async with playing(market, clock) as (_, _, endpoints):
            feed = Feed(token_cache_file=tmp_path / "token.json")
            feed.url = endpoints.tradingview_url
            frame = await asyncio.to_thread(
                feed.get_hist, "NIFTY", "NSE", Interval.in_1_minute, n_bars=20
            )
        expected = market.candles("NIFTY", 1, clock.now())[-20:]
        assert list(frame["close"]) == [candle.close for candle in expected]
        assert frame.index[-1] == datetime.fromtimestamp(expected[-1].open_time, UTC)

    asyncio.run(scenario())
