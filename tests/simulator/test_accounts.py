"""What accounts see: late ones, ended tokens, sessions that fail alone, and too many of them."""

import asyncio
import json
from datetime import date, datetime, time, timedelta

import pytest
from websockets.exceptions import ConnectionClosed

from simulator.account import Plan, claims, make_token
from simulator.faults import Fault
from simulator.tradingview import Pace
from strategy.session import IST

FAST = Pace(tick=0.01, heartbeat=0.02)
LATE = Plan(delay_seconds=900)
FIELDS = ["lp", "lp_time", "update_mode", "base_name", "pro_name"]


def ending(text: str) -> str:
    """A token of an account with real-time data that ends at a time of the day."""
    return make_token(datetime.combine(date(2026, 1, 21), time.fromisoformat(text), IST))


async def resolved(client, symbol: str = "NIFTY") -> dict:
    await client.send(
        ("chart_create_session", ["cs_r", ""]),
        ("resolve_symbol", ["cs_r", "symbol_1", f"NSE:{symbol}"]),
    )
    return (await client.until("symbol_resolved"))[-1][1][2]


async def quoted(client, *symbols: str) -> dict:
    await client.send(
        ("quote_create_session", ["qs_a"]),
        ("quote_set_fields", ["qs_a", *FIELDS]),
        ("quote_add_symbols", ["qs_a", *(f"NSE:{symbol}" for symbol in symbols)]),
    )
    return (await client.until("qsd"))[-1][1][1]["v"]


def test_a_token_reads_back_and_what_is_none_says_nothing():
    token = ending("10:00")
    said = claims(token)
    assert (said["perm"], said["exp"] - said["iat"]) == ("nse", 4 * 3600)
    assert claims("unauthorized_user_token") == claims("a.b.c") == claims("a.!.c") == {}


def test_a_delayed_account_is_late_in_everything_and_says_so(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:30")
        async with playing(market, clock, plan=LATE) as (client, _, _):
            series = await client.history("NIFTY", "1", 30)
            told = await resolved(client)
            quote = await quoted(client, "NIFTY")
        seen = clock.now() - timedelta(seconds=900)
        expected = market.candles("NIFTY", 1, seen)[-30:]
        assert [bar["v"][0] for bar in series["s"]] == [candle.open_time for candle in expected]
        assert series["s"][-1]["v"][4] == expected[-1].close
        assert (told["full_name"], told["pro_name"]) == ("NSE_DLY:NIFTY", "NSE:NIFTY")
        assert quote["update_mode"] == "delayed_streaming_900"
        assert quote["base_name"] == ["NSE_DLY:NIFTY"]
        assert quote["lp_time"] == int(seen.timestamp())
        assert quote["lp"] == expected[-1].close

    asyncio.run(scenario())


def test_a_token_for_nse_sees_the_market_as_it_is_where_others_are_late(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:30")
        async with playing(market, clock, plan=LATE) as (client, _, _):
            await client.send(("set_auth_token", [ending("13:00")]))
            quote = await quoted(client, "NIFTY")
            assert (await resolved(client))["full_name"] == "NSE:NIFTY"
        assert (quote["update_mode"], quote["lp_time"]) == (
            "streaming",
            int(clock.now().timestamp()),
        )

    asyncio.run(scenario())


def test_who_becomes_delayed_is_sent_nothing_older_than_he_has(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:00", speed=60)
        fault = Fault("delayed", time(10, 1), time(16), amount=60)
        bars, modes = [], []
        async with playing(market, clock, pace=FAST, faults=[fault]) as (client, _, _):
            await quoted(client, "NIFTY")
            await client.history("NIFTY", "1", 5)
            async with asyncio.timeout(20):
                async for method, params in client.calls():
                    if method == "du":
                        bars.append(params[1]["s1"]["s"][0]["v"])
                    elif "update_mode" in params[1]["v"]:
                        modes.append(params[1]["v"]["update_mode"])
                    if len({values[0] for values in bars}) == 4:
                        break
        assert [values[0] for values in bars] == sorted(values[0] for values in bars)
        states = [values for values in bars if values[0] == bars[0][0]]
        assert [values[5] for values in states] == sorted(values[5] for values in states)
        assert modes == ["delayed_streaming_60"]
        assert clock.now().timestamp() - bars[-1][0] >= 60

    asyncio.run(scenario())


def test_an_ended_token_brings_heartbeats_and_a_critical_error(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:00", speed=60)
        async with playing(market, clock, pace=FAST) as (client, _, _):
            await client.send(("set_auth_token", [ending("10:00:20")]))
            await client.history("NIFTY", "1", 5)
            async with asyncio.timeout(20):
                while clock.now().astimezone(IST).time() < time(10, 0, 30):
                    await client.receive()
                client.messages.clear()
                while len(client.messages) < 10:
                    (payload,) = await client.receive()
                    await client.channel.send(f"~m~{len(payload)}~m~{payload}")
            assert all(message[0].startswith("~h~") for message in client.messages)
            await client.send(
                ("chart_create_session", ["cs_b", ""]),
                ("resolve_symbol", ["cs_b", "symbol_1", "NSE:NIFTY"]),
                ("create_series", ["cs_b", "s1", "s1", "symbol_1", "1", 300]),
            )
            name, reason, call = (await client.until("critical_error"))[-1][1]
        assert (name, reason) == ("cs_b", "invalid parameters")
        assert call == 'method: create_series. args: "[s1, s1, symbol_1, 1, 300]"'

    asyncio.run(scenario())


def test_heartbeats_can_be_all_that_comes(market, clock_at, playing):
    async def scenario():
        fault = Fault("heartbeats-only", time(9), time(16))
        clock = clock_at("10:00:00", speed=60)
        async with playing(market, clock, pace=FAST, faults=[fault]) as (client, _, _):
            client.messages.clear()
            await client.send(
                ("chart_create_session", ["cs_a", ""]),
                ("resolve_symbol", ["cs_a", "symbol_1", "NSE:NIFTY"]),
                ("create_series", ["cs_a", "s1", "s1", "symbol_1", "1", 300]),
            )
            async with asyncio.timeout(10):
                while len(client.messages) < 10:
                    (payload,) = await client.receive()
                    await client.channel.send(f"~m~{len(payload)}~m~{payload}")
        assert all(message[0].startswith("~h~") for message in client.messages)

    asyncio.run(scenario())


def test_a_critical_error_ends_one_session_and_the_others_go_on(market, clock_at, playing):
    async def scenario():
        fault = Fault("critical-session", time(10, 0, 30), time(16), 1, "NIFTY1!")
        clock = clock_at("10:00:00", speed=60)
        async with playing(market, clock, pace=FAST, faults=[fault]) as (client, _, _):
            await client.history("NIFTY1!", "1", 5, session="cs_one")
            await client.history("NIFTY", "1", 5, session="cs_two")
            assert (await client.until("critical_error"))[-1][1][:2] == [
                "cs_one",
                "invalid parameters",
            ]
            assert (await client.until("du"))[-1][1][0] == "cs_two"
            await client.history("NIFTY1!", "1", 5, session="cs_three")

    asyncio.run(scenario())


@pytest.mark.parametrize("method", ["quote_add_symbols", "quote_set_fields"])
def test_flags_among_names_end_a_quote_session(market, clock_at, playing, method):
    async def scenario():
        async with playing(market, clock_at("10:00:30")) as (client, _, _):
            await client.send(
                ("quote_create_session", ["qs_a"]),
                (method, ["qs_a", "NSE:NIFTY", {"flags": ["force_permission"]}]),
            )
            seen = await client.until("critical_error")
            assert seen[-1][1] == ["qs_a", "invalid_parameters", method]
            assert (await client.history("NIFTY", "1", 5))["s"]

    asyncio.run(scenario())


def test_too_many_chart_sessions_end_the_connection_deleted_ones_included(
    market, clock_at, playing
):
    async def scenario():
        plan = Plan(chart_sessions=3)
        async with playing(market, clock_at("10:00:30"), plan=plan) as (client, _, _):
            for number in range(3):
                await client.history("NIFTY", "1", 2, session=f"cs_{number}")
                await client.send(("chart_delete_session", [f"cs_{number}"]))
            await client.send(("chart_create_session", ["cs_4", ""]))
            assert (await client.until("protocol_error"))[-1][1] == ["max sessions rate reached"]
            with pytest.raises(ConnectionClosed):
                await client.receive()

    asyncio.run(scenario())


def test_the_greeting_and_a_charts_answers_have_the_recorded_fields(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:30")
        async with playing(market, clock) as (client, _, _):
            await client.history("NIFTY", "1", 6_000)
            payloads = [json.loads(text) for message in client.messages for text in message]
        hello = next(call for call in payloads if "m" not in call)
        assert list(hello)[:5] == [
            "session_id",
            "timestamp",
            "timestampMs",
            "release",
            "studies_metadata_hash",
        ]
        assert {call["t"] for call in payloads if "m" in call} == {int(clock.now().timestamp())}
        last = payloads[-1]["p"][-1]
        assert last == {"rt_update_period": 0, "data_completed": "limit"}

    asyncio.run(scenario())
