"""Each fault as a client sees it: its text, its window, and what comes over the wire."""

import asyncio
import json
from datetime import date, datetime, time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulator.__main__ import main
from simulator.faults import KINDS, Fault, Faults
from simulator.server import serve
from simulator.tradingview import Pace
from strategy.session import IST
from tests.conftest import REPOSITORY

DAY = date(2026, 1, 21)
FAST = Pace(tick=0.01)
ALL_DAY = "09:00-16:00"
CHAIN = "/live-oi-data/"
EXPIRIES = "/fno/get-expiry-dates/"
NIFTY = {"stockId": "1887", "expDateList": "2026-01-27"}
BUILD_UPS = "/fno/buildup-5/27-jan-2026-near/NIFTY/"


def contract_query(strike: int) -> dict:
    return {"fno_mtype": "options", "strikePrice": strike, "option_type": "call"}


def strike_of(market) -> int:
    return market.strikes("NIFTY", market.expiries["NIFTY"][0])[25]


def all_day(kind: str, times: int | None = None, target: str = "*") -> Fault:
    amount = 60.0 if KINDS[kind].amount else None
    return Fault(kind, time(9), time(16), times, target, amount)


@st.composite
def faults(draw) -> Fault:
    kind = draw(st.sampled_from(sorted(KINDS)))
    seconds = st.integers(0, 86_399)
    start, end = sorted(draw(st.lists(seconds, min_size=2, max_size=2, unique=True)))
    moments = [time(at // 3600, at // 60 % 60, at % 60) for at in (start, end)]
    times = draw(st.none() | st.integers(1, 99)) if KINDS[kind].counted else None
    target = draw(st.sampled_from(["*", "NIFTY", "NIFTY1!", "NIFTY260127C*"]))
    amount = draw(st.integers(-999, 999)) if KINDS[kind].amount else None
    return Fault(kind, *moments, times, target, amount)


@given(faults())
def test_a_fault_reads_back_from_its_text(fault: Fault):
    assert Fault.parse(str(fault)) == fault


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("cut", "not KIND"),
        ("cut@10:00", "not KIND"),
        ("cut@25:00-26:00", "hour must be in"),
        ("sleep@10:00-11:00", "known: silence, cut"),
        ("cut@11:00-10:00", "ends before it starts"),
        ("cut=3@10:00-11:00", "takes no ="),
        ("slow@10:00-11:00", "needs =market seconds"),
        ("roll@10:00-11:00x2", "cannot be counted"),
        ("cut@10:00-11:00x0", "cannot be counted"),
    ],
)
def test_a_text_that_is_no_fault_is_one_clear_complaint(text: str, complaint: str, capsys):
    with pytest.raises(ValueError, match=complaint):
        Fault.parse(text)
    with pytest.raises(SystemExit):
        main(["--day", str(DAY), "--fault", text])
    assert complaint in capsys.readouterr().err


def test_a_fault_happens_in_its_window_to_its_target_and_so_often():
    world = Faults([Fault.parse("html@10:00-10:05x2:NIFTY*")])

    def strike(text: str, target: str = "NIFTY") -> bool:
        return world.strike("html", datetime.combine(DAY, time.fromisoformat(text), IST), target)

    assert [strike("09:59:59"), strike("10:05"), strike("10:02", "BANKNIFTY")] == [False] * 3
    assert [strike("10:00"), strike("10:04:59", "NIFTY260127C25000")] == [True, True]
    assert not strike("10:01")


async def greeting(channel) -> dict:
    return json.loads((await channel.recv()).split("~m~")[2])


def test_the_greeting_tells_the_markets_time(market, clock_at):
    async def scenario():
        clock = clock_at("10:00:30")
        async with (
            serve(market, clock) as endpoints,
            connect(endpoints.tradingview_url) as channel,
        ):
            hello = await greeting(channel)
        assert hello["timestamp"] == int(clock.now().timestamp())
        assert hello["timestampMs"] // 1000 == hello["timestamp"]

    asyncio.run(scenario())


def test_a_clock_that_jumps_takes_the_whole_simulated_world_with_it(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:30")
        fault = Fault("clock-jump", time(9), time(16), amount=600)
        async with playing(market, clock, faults=[fault]) as (client, http, endpoints):
            series = await client.history("NIFTY", "1", 3)
            chain = (await http.get(CHAIN, params=NIFTY)).json()["body"]
            async with connect(endpoints.tradingview_url) as channel:
                hello = await greeting(channel)
        ahead = clock.now().timestamp() + 600
        assert hello["timestamp"] == int(ahead)
        assert series["s"][-1]["v"][0] == ahead // 60 * 60
        assert chain["inputData"]["lastUpdatedDateTime"] == "2026-01-21T10:05:00+05:30"

    asyncio.run(scenario())


def test_silence_leaves_the_connection_open_and_sends_not_even_heartbeats(
    market, clock_at, playing
):
    async def scenario():
        clock = clock_at("10:00:00", speed=60)
        pace = Pace(tick=0.01, heartbeat=0.02)
        silence = Fault("silence", time(10, 0, 30), time(10, 1, 30))
        async with playing(market, clock, pace=pace, faults=[silence]) as (client, _, _):
            await client.history("NIFTY", "1", 5)
            heard = []
            async with asyncio.timeout(20):
                while clock.now().astimezone(IST).time() < time(10, 2):
                    await client.receive()
                    heard.append(clock.now())
        assert any(moment.astimezone(IST).time() < time(10, 0, 30) for moment in heard)
        late = [m for m in heard if silence.covers(m)]
        # What was on its way when the silence began may still arrive within it.
        assert all(m.astimezone(IST).time() < time(10, 0, 45) for m in late)

    asyncio.run(scenario())


def test_a_cut_ends_the_connection_within_a_message(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:00", speed=60)
        cut = Fault("cut", time(10, 0, 20), time(10, 30), 1)
        async with playing(market, clock, pace=FAST, faults=[cut]) as (client, _, endpoints):
            await client.history("NIFTY", "1", 5)
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(client.until("nothing that comes"), 20)
            assert closed.value.rcvd is None
            async with connect(endpoints.tradingview_url) as channel:
                assert await greeting(channel)

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["malformed-length", "malformed-json"])
def test_a_malformed_frame_is_not_what_it_announces(market, clock_at, playing, kind):
    async def scenario():
        faults = [all_day(kind, times=1)]
        async with playing(market, clock_at("10:00:30"), faults=faults) as (client, _, _):
            await client.send(
                ("chart_create_session", ["cs_a", ""]),
                ("resolve_symbol", ["cs_a", "symbol_1", "NSE:NIFTY"]),
            )
            _, length, payload = str(await client.channel.recv()).split("~m~", 2)
            assert (len(payload) == int(length)) == (kind == "malformed-json")
            with pytest.raises(json.JSONDecodeError):
                json.loads(payload)

    asyncio.run(scenario())


def history(market, clock, playing, kind: str, count: int = 30) -> list[list[float]]:
    async def scenario():
        async with playing(market, clock, faults=[all_day(kind)]) as (client, _, _):
            series = await client.history("NIFTY1!", "1", count)
        return [bar["v"] for bar in series["s"]]

    return asyncio.run(scenario())


def test_histories_can_be_wrong_in_every_known_way(market, clock_at, playing):
    clock = clock_at("10:00:30")
    true = [
        [candle.open_time, *candle[2:6], candle.volume]
        for candle in market.candles("NIFTY1!", 1, clock.now())[-30:]
    ]
    assert history(market, clock, playing, "empty-history") == []
    assert history(market, clock, playing, "no-volume") == [bar[:5] for bar in true]
    doubled = history(market, clock, playing, "duplicate")
    assert doubled[:16] + doubled[17:] == true
    assert doubled[16] == doubled[15]
    shuffled = history(market, clock, playing, "out-of-order")
    assert shuffled != true
    assert sorted(shuffled) == true
    short = history(market, clock, playing, "short-history")
    assert short == [bar for place, bar in enumerate(true[:-2]) if place % 5 != 2]


def updates(market, clock, playing, fault: Fault, minutes: int) -> list[tuple[int, list[float]]]:
    """Return index and values of the history's last bar and of every update, so many bars long."""

    async def scenario():
        async with playing(market, clock, pace=FAST, faults=[fault]) as (client, _, _):
            series = await client.history("NIFTY1!", "1", 5)
            seen = [(bar["i"], bar["v"]) for bar in series["s"][-1:]]
            async with asyncio.timeout(20):
                async for _, params in client.calls():
                    seen += [(bar["i"], bar["v"]) for bar in params[1]["s1"]["s"]]
                    if len({index for index, _ in seen}) > minutes:
                        break
        return seen

    return asyncio.run(scenario())


def test_updates_can_be_doubled_disordered_and_without_volume(market, clock_at, playing):
    clock = clock_at("10:00:30", speed=240)
    _, *doubled = updates(market, clock, playing, all_day("duplicate"), 2)
    assert doubled[:-1:2] == doubled[1::2]
    disordered = updates(market, clock, playing, all_day("out-of-order"), 3)
    indices = [index for index, _ in disordered]
    assert indices != sorted(indices)
    _, *bare = updates(market, clock, playing, all_day("no-volume"), 1)
    assert {len(values) for _, values in bare} == {5}


def test_a_wrong_close_is_corrected_when_the_fault_ends(market, clock_at, playing):
    fault = Fault("wrong-close", time(10, 1), time(10, 3))
    seen = updates(market, clock_at("10:00:30", speed=90), playing, fault, 4)
    true = {candle.open_time: candle.close for candle in market.series["NIFTY1!"].candles}
    opened = datetime.combine(DAY, time(10, 1), IST).timestamp()
    closes = [values[4] for _, values in seen if values[0] == opened]
    assert closes[-2] != closes[-1] == true[opened]


def test_a_request_can_stay_unanswered_and_a_symbol_unresolved(market, clock_at, playing):
    async def scenario():
        faults = [all_day("no-answer", target="NIFTY"), all_day("unknown-symbol", target="N*1!")]
        async with playing(market, clock_at("10:00:30"), faults=faults) as (client, _, _):
            for number, symbol in enumerate(("NIFTY", "NIFTY1!", "BANKNIFTY")):
                session = f"cs_{number}"
                await client.send(
                    ("chart_create_session", [session, ""]),
                    ("resolve_symbol", [session, "symbol_1", f"NSE:{symbol}"]),
                    ("create_series", [session, "s1", "s1", "symbol_1", "1", 5]),
                )
            seen = await client.until("series_completed")
        methods = {name: [m for m, p in seen if p[0] == name] for name in ("cs_0", "cs_1")}
        assert methods == {
            "cs_0": ["symbol_resolved"],
            "cs_1": ["symbol_error", "series_loading", "series_error"],
        }

    asyncio.run(scenario())


def test_a_greeting_can_come_late(market, clock_at):
    async def scenario():
        clock = clock_at("10:00:00", speed=60)
        faults = [Fault("late-hello", time(9), time(10, 0, 30))]
        async with (
            serve(market, clock, faults=faults) as endpoints,
            connect(endpoints.tradingview_url) as channel,
        ):
            assert await greeting(channel)
            assert clock.now().astimezone(IST).time() >= time(10, 0, 30)

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [403, 429])
def test_the_websocket_can_be_refused(market, clock_at, status):
    async def scenario():
        faults = [all_day(f"refuse-{status}", times=1)]
        async with serve(market, clock_at("10:00:30"), faults=faults) as endpoints:
            with pytest.raises(InvalidStatus) as refused:
                await connect(endpoints.tradingview_url)
            assert refused.value.response.status_code == status
            async with connect(endpoints.tradingview_url) as channel:
                assert await greeting(channel)

    asyncio.run(scenario())


def ask(market, clock, playing, kind: str, path: str, params: dict) -> tuple[httpx.Response, ...]:
    """Return the answer with the fault, and the next one after it."""

    async def scenario():
        times = 1 if KINDS[kind].counted else None
        async with (
            playing(market, clock, faults=[all_day(kind, times)]) as (_, http, _),
            playing(market, clock) as (_, sound, _),
        ):
            return await http.get(path, params=params), await sound.get(path, params=params)

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("kind", "status", "start"),
    [
        ("http-403", 403, b"<!DOCTYPE html>"),
        ("http-429", 429, b"<!DOCTYPE html>"),
        ("http-500", 500, b"<!DOCTYPE html>"),
        ("waf", 405, b"<!DOCTYPE html><html><head><title>Human Verification"),
        ("html", 200, b"<!DOCTYPE html>"),
        ("empty-answer", 200, b""),
        ("error-head", 200, b'{"head":{"status":"1"'),
    ],
)
def test_an_answer_can_be_something_else(market, clock_at, playing, kind, status, start):
    answer, _ = ask(market, clock_at("10:00:30"), playing, kind, CHAIN, NIFTY)
    assert answer.status_code == status
    assert answer.content.startswith(start)
    assert bool(answer.content) == bool(start)


def test_the_chain_can_be_of_another_session_or_unit(market, clock_at, playing):
    def chain(kind: str) -> list[dict]:
        answers = ask(market, clock_at("10:00:30"), playing, kind, CHAIN, NIFTY)
        return [answer.json()["body"] for answer in answers]

    wrong, true = chain("wrong-date")
    assert wrong["inputData"]["tradingDate"] == "2026-01-20"
    lots, true = chain("lots")
    for strike, row in true["oiData"].items():
        assert lots["oiData"][strike]["callOi"] * 65 == row["callOi"]
    percents, true = chain("percent")
    assert all(row["putOi"] % 1 for row in percents["oiData"].values())
    unordered, true = chain("unordered")
    assert unordered["oiData"] == true["oiData"]
    assert list(unordered["oiData"]) != list(true["oiData"])


def test_build_ups_can_be_of_another_session_unit_or_shape(market, clock_at, playing):
    def rows(kind: str, clock: str = "10:00:30", name: str = "data_v2") -> list[list[dict]]:
        query = contract_query(strike_of(market))
        wrong, true = ask(market, clock_at(clock), playing, kind, BUILD_UPS, query)
        return wrong.json()["body"][name], true.json()["body"]["data_v2"]

    for kind in ("wrong-date", "stale-rows"):
        wrong, true = rows(kind)
        assert len(wrong) == 75
        assert wrong[-1]["interval"] == true[-1]["interval"]
        assert wrong[-1]["volume_gross"] != true[-1]["volume_gross"]
    wrong, true = rows("lots")
    for name in ("oi", "open_interest"):
        assert [row[name] * 65 for row in wrong] == [row["oi"] for row in true]
    wrong, _ = rows("percent")
    assert all(row["oi"] % 1 for row in wrong)
    wrong, true = rows("unordered")
    assert wrong != true
    assert sorted(map(json.dumps, wrong)) == sorted(map(json.dumps, true))
    wrong, true = rows("duplicate-row")
    assert len(wrong) == len(true) + 1
    assert {row["interval"] for row in wrong} == {row["interval"] for row in true}
    wrong, true = rows("missing-row")
    assert wrong == true[:-1]
    wrong, true = rows("oi-name")
    assert [row["open_interest"] for row in wrong] == [row["oi"] for row in true]
    assert not any("oi" in row for row in wrong)
    wrong, true = rows("null-price")
    assert wrong[:-1] == true[:-1]
    assert wrong[-1] == true[-1] | {"close_price": None, "buildup": None}
    assert rows("old-shape", name="data")[0]


def test_the_whole_chain_can_be_in_lots_in_no_order_without_prices_or_percents(
    market, clock_at, playing
):
    def columns(kind: str) -> list[dict[str, list]]:
        query = {"stockCode": "NIFTY", "expDate": "2026-01-27"}
        answers = ask(market, clock_at("10:00:30"), playing, kind, "/fno/option/chain/", query)
        bodies = [answer.json()["body"] for answer in answers]
        return [
            {
                header["unique_name"]: [row[place] for row in body["tableData"]]
                for place, header in enumerate(body["tableHeaders"])
            }
            for body in bodies
        ]

    for name in ("open_interest_call", "traded_contracts_put"):
        lots, true = columns("lots")
        assert [count * 65 for count in lots[name]] == true[name]
    bare, true = columns("null-price")
    assert set(bare["current_price_call"]) == {None}
    assert bare["open_interest_call"] == true["open_interest_call"]
    percents, _ = columns("percent")
    assert all(value % 1 for value in percents["open_interest_put"])
    unordered, true = columns("unordered")
    assert unordered["strike_price"] != true["strike_price"]
    assert sorted(unordered["strike_price"]) == true["strike_price"]
    old, true = columns("wrong-date")
    assert old["open_interest_call"] != true["open_interest_call"]


def test_an_expiry_can_roll_off_the_list(market, clock_at, playing):
    clock = clock_at("10:00:30")
    query = {"mtype": "options", "stock_id": 1887}
    rolled, true = ask(market, clock, playing, "roll", EXPIRIES, query)
    assert rolled.json()["body"]["expiryDates"] == true.json()["body"]["expiryDates"][1:]
    query = contract_query(strike_of(market))
    gone, true = ask(market, clock, playing, "roll", BUILD_UPS, query)
    assert gone.json()["head"]["status"] == "1"
    assert true.json()["head"]["status"] == "0"


def test_an_answer_can_take_long(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:00", speed=60)
        faults = [Fault("slow", time(9), time(16), 1, amount=30)]
        async with playing(market, clock, faults=faults) as (_, http, _):
            await http.get(CHAIN, params=NIFTY)
        assert clock.now().astimezone(IST).time() >= time(10, 0, 30)

    asyncio.run(scenario())


def test_every_kind_of_fault_is_in_the_documents():
    told = (REPOSITORY / "docs" / "operations.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in told] == []
