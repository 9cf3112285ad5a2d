"""Trendlyne's HTTP over a real socket, with a raw client."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from simulator.trendlyne import Manner

NIFTY = {"stockId": "1887", "expDateList": "2026-01-27", "minTime": "09:15", "maxTime": "15:30"}
CHAIN = "/live-oi-data/"


def strike_at_the_money(market) -> int:
    return market.strikes("NIFTY", market.expiries["NIFTY"][0])[25]


def build_ups_path(underlying="NIFTY", position="near", day="27-jan-2026"):
    return f"/fno/buildup-5/{day}-{position}/{underlying}/"


def contract_query(strike, kind="call"):
    return {"fno_mtype": "options", "strikePrice": strike, "option_type": kind}


def ask(playing, market, clock, path, params, **settings):
    """Return body and head of one answer."""

    async def scenario():
        async with playing(market, clock, **settings) as (_, http, _):
            response = await http.get(path, params=params)
        assert response.status_code == 200
        assert "csrftoken" in response.cookies
        content = response.json()
        return content["body"], content["head"]

    return asyncio.run(scenario())


def total_before(market, symbol, minutes):
    return market.series[symbol].candles[minutes - 1].oi


def test_a_search_finds_other_stocks_too_and_first(market, clock_at, playing):
    body, head = ask(
        playing, market, clock_at("10:00:00"), "/search-contract-stock/", {"query": "nifty"}
    )
    codes = {stock["stock_code"]: stock["stock_id"] for stock in body["data"]}
    assert body["data"][0]["stock_code"] != "NIFTY"
    assert codes["NIFTY"] == 1887
    assert "BANKNIFTY" in codes
    assert head == {"status": "0", "statusDescription": "Success", "responseCode": None}


def test_expiries_are_listed_nearest_first(market, clock_at, playing):
    body, _ = ask(
        playing,
        market,
        clock_at("10:00:00"),
        "/fno/get-expiry-dates/",
        {"mtype": "options", "stock_id": 1887},
    )
    assert body["expiryDates"] == ["2026-01-27", "2026-02-03", "2026-02-10"]


def test_the_chain_moves_every_five_minutes_some_time_after_their_end(market, clock_at, playing):
    expected = {"10:05:19": "10:00", "10:05:20": "10:05", "10:09:59": "10:05", "16:30:00": "15:30"}
    strike = strike_at_the_money(market)
    for asked, told in expected.items():
        body, _ = ask(playing, market, clock_at(asked), CHAIN, NIFTY)
        assert body["inputData"]["lastUpdatedDateTime"] == f"2026-01-21T{told}:00+05:30"
        assert body["inputData"]["tradingDate"] == "2026-01-21"
        hour, minute = map(int, told.split(":"))
        minutes = (hour - 9) * 60 + minute - 15
        row = body["oiData"][str(strike)]
        call = f"NIFTY260127C{strike}"
        assert row["callOi"] == total_before(market, call, minutes)
        assert row["callPrevOi"] == market.series[call].previous_oi
        assert row["callOiChange"] == row["callOi"] - row["callPrevOi"]
        assert row["putOi"] == total_before(market, f"NIFTY260127P{strike}", minutes)
        overall = body["overallData"]
        assert overall["spotPrice"] == market.series["NIFTY"].candles[minutes - 1].close


def test_the_totals_of_the_changes_are_swapped(market, clock_at, playing):
    body, _ = ask(playing, market, clock_at("13:00:00"), CHAIN, NIFTY)
    rows, overall = body["oiData"].values(), body["overallData"]
    assert overall["totalCallOi"] == sum(row["callOi"] for row in rows)
    assert overall["totalCallOiChange"] == sum(row["putOiChange"] for row in rows)
    assert overall["totalPutOiChange"] == sum(row["callOiChange"] for row in rows)
    assert overall["totalPCR"] == overall["totalPutOi"] / overall["totalCallOi"]
    assert 45 <= len(rows) <= 51


def test_an_earlier_minute_can_be_asked_again(market, clock_at, playing):
    clock, strike = clock_at("13:00:00"), strike_at_the_money(market)
    series = market.series[f"NIFTY260127C{strike}"]
    for until, minutes in (("11:00", 105), ("11:04", 105), ("11:05", 110)):
        body, _ = ask(playing, market, clock, CHAIN, NIFTY | {"maxTime": until})
        assert body["oiData"][str(strike)]["callOi"] == series.candles[minutes - 1].oi
        assert body["inputData"]["maxTime"] == until
    body, _ = ask(playing, market, clock, CHAIN, NIFTY | {"maxTime": "09:19"})
    assert body["oiData"][str(strike)]["callOi"] == series.previous_oi
    assert body["inputData"]["tradingDate"] == "2026-01-21"


@pytest.mark.parametrize("moment", ["08:00:00", "09:15:30", "09:20:19"])
def test_before_the_first_interval_has_data_the_session_before_is_answered(
    market, clock_at, playing, moment
):
    body, _ = ask(playing, market, clock_at(moment), CHAIN, NIFTY)
    assert body["inputData"]["tradingDate"] == "2026-01-20"
    assert body["inputData"]["lastUpdatedDateTime"] == "2026-01-20T15:30:00+05:30"
    assert body["overallData"]["spotPrice"] == market.series["NIFTY"].previous_close
    assert body["overallData"]["totalVol"] == 0
    assert all(row["callOi"] == row["callPrevOi"] for row in body["oiData"].values())


def test_a_chain_answer_has_the_shape_of_a_recorded_one(market, clock_at, playing, shared_data):
    recorded = json.loads(
        (shared_data / "payloads" / "trendlyne_live_oi_nifty_2026-01-23.json").read_text()
    )
    body, head = ask(playing, market, clock_at("16:00:00"), CHAIN, NIFTY)

    def shape(value):
        if isinstance(value, dict):
            return {("0" if key.isdecimal() else key): shape(part) for key, part in value.items()}
        if isinstance(value, list):
            return [shape(value[0])]
        return type(value)

    assert shape({"head": head, "body": body}) == shape(recorded)


def test_build_ups_are_the_five_minute_candles_newest_first(market, clock_at, playing):
    strike = strike_at_the_money(market)
    clock = clock_at("11:00:30")
    body, _ = ask(
        playing,
        market,
        clock,
        build_ups_path(),
        contract_query(strike, "put"),
        manner=Manner(forming=False),
    )
    rows = body["data_v2"][::-1]
    candles = market.candles(f"NIFTY260127P{strike}", 5, clock.now())[:-1]
    assert len(rows) == len(candles) == 21
    assert rows[0]["interval"] == "09:15 TO 09:20"
    assert rows[-1]["interval"] == "10:55 TO 11:00"
    for row, before, candle in zip(rows[1:], candles, candles[1:], strict=False):
        assert row["close_price"] == candle.close
        assert row["volume_gross"] == candle.volume
        assert row["oi"] == candle.oi
        assert row["oi_change_gross"] == candle.oi - before.oi
        assert row["oi_change"] == pytest.approx(100 * (candle.oi - before.oi) / before.oi)


def test_planted_episodes_are_labelled_short_covering(market, clock_at, playing):
    clock = clock_at("15:31:00")
    for underlying, kind, opened in market.episodes:
        if underlying != "NIFTY":
            continue
        spot = market.candles("NIFTY", 5, clock.now())
        place = (int(opened.timestamp()) - market.hours[0]) // 300
        strike = round(spot[place].close / 50) * 50
        query = contract_query(strike, "call" if kind == "C" else "put")
        body, _ = ask(playing, market, clock, build_ups_path(), query)
        assert body["data_v2"][::-1][place]["buildup"] == "Short Covering"


@pytest.mark.parametrize(
    ("moment", "newest", "final"),
    [
        ("10:02:00", "10:00 TO 10:05", False),
        ("10:05:10", "09:55 TO 10:00", True),
        ("10:05:20", "10:05 TO 10:10", False),
        ("15:30:19", "15:20 TO 15:25", True),
        ("15:30:20", "15:25 TO 15:30", True),
    ],
)
def test_the_forming_row_shows_while_it_lasts_and_returns_finished(
    market, clock_at, playing, moment, newest, final
):
    strike = strike_at_the_money(market)
    body, _ = ask(playing, market, clock_at(moment), build_ups_path(), contract_query(strike))
    row = body["data_v2"][0]
    assert row["interval"] == newest
    everything = market.candles(f"NIFTY260127C{strike}", 5, datetime(2026, 1, 22, tzinfo=UTC))
    opened = datetime.fromisoformat(f"2026-01-21T{newest[:5]}:00+05:30").timestamp()
    whole = next(candle for candle in everything if candle.open_time == opened)
    assert (row["volume_gross"] == whole.volume) == final


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (CHAIN, NIFTY | {"stockId": "1"}),
        (CHAIN, NIFTY | {"expDateList": "soon"}),
        (CHAIN, NIFTY | {"maxTime": "noon"}),
        (CHAIN, {"stockId": "1887"}),
        ("/fno/get-expiry-dates/", {"mtype": "options"}),
        (build_ups_path("SENSEX"), contract_query(25000)),
        (build_ups_path(position="far"), contract_query(25000)),
        (build_ups_path(position="last"), contract_query(25000)),
        (build_ups_path(), contract_query("x")),
        (build_ups_path(), contract_query(25000, "CE")),
    ],
)
def test_wrong_questions_get_an_error_head_with_status_200(market, clock_at, playing, path, query):
    body, head = ask(playing, market, clock_at("10:00:00"), path, query)
    assert body == {}
    assert head["status"] == "1"


def test_contracts_without_data_have_no_rows(market, clock_at, playing):
    clock = clock_at("10:00:00")
    far = build_ups_path(position="far", day="10-feb-2026")
    assert ask(playing, market, clock, far, contract_query(25000))[0] == {"data_v2": []}
    unlisted = contract_query(1)
    assert ask(playing, market, clock, build_ups_path(), unlisted)[0] == {"data_v2": []}
    body, _ = ask(playing, market, clock, CHAIN, NIFTY | {"expDateList": "2026-02-10"})
    assert (body["oiData"], body["inputData"]["tradingDate"]) == ({}, "2026-01-21")


def test_other_paths_are_html_not_found(market, clock_at, playing):
    async def scenario():
        async with playing(market, clock_at("10:00:00")) as (_, http, _):
            response = await http.get("/fno/other/")
        assert (response.status_code, response.headers["content-type"][:9]) == (404, "text/html")

    asyncio.run(scenario())
