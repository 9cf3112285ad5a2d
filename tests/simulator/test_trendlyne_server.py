"""Trendlyne's HTTP over a real socket, with a raw client."""

import asyncio
import json
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from conftest import DAY

from simulator.build_ups import build_up_rows
from simulator.forming import Candle
from simulator.market import Market, Series
from simulator.trendlyne import Manner
from strategy.session import session_hours
from tests.recorded_answers import recorded_rows

NIFTY = {"stockId": "1887", "expDateList": "2026-01-27", "minTime": "09:15", "maxTime": "15:30"}
CHAIN = "/live-oi-data/"
FULL = "/fno/option/chain/"


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
    expected = {"10:07:59": "10:00", "10:08:00": "10:05", "10:12:59": "10:05", "15:32:59": "15:25"}
    strike = strike_at_the_money(market)
    for asked, told in expected.items():
        body, _ = ask(playing, market, clock_at(asked), CHAIN, NIFTY)
        assert body["inputData"]["lastUpdatedDateTime"] == f"2026-01-21T{told}:00+05:30"
        assert body["inputData"]["maxTime"] == "15:30"
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
        assert body["inputData"]["lastUpdatedDateTime"] == "2026-01-21T12:55:00+05:30"
    body, _ = ask(playing, market, clock, CHAIN, NIFTY | {"maxTime": "09:19"})
    assert body["oiData"][str(strike)]["callOi"] == series.previous_oi
    assert body["inputData"]["tradingDate"] == "2026-01-21"


@pytest.mark.parametrize(
    ("moment", "updated"), [("15:33:00", "15:30"), ("15:38:00", "15:35"), ("18:00:00", "15:40")]
)
def test_after_the_close_the_whole_day_is_answered_whatever_was_asked(
    market, clock_at, playing, moment, updated
):
    asked = NIFTY | {"minTime": "09:15", "maxTime": "09:15"}
    body, _ = ask(playing, market, clock_at(moment), CHAIN, asked)
    told = body["inputData"]
    assert (told["minTime"], told["maxTime"]) == ("09:15", "15:30")
    assert told["lastUpdatedDateTime"] == f"2026-01-21T{updated}:00+05:30"
    call = f"NIFTY260127C{strike_at_the_money(market)}"
    row = body["oiData"][str(strike_at_the_money(market))]
    assert row["callOi"] == market.series[call].candles[-1].oi


@pytest.mark.parametrize("moment", ["08:00:00", "09:15:30", "09:22:59"])
def test_before_the_first_interval_has_data_the_session_before_is_answered(
    market, clock_at, playing, moment
):
    body, _ = ask(playing, market, clock_at(moment), CHAIN, NIFTY)
    assert body["inputData"]["tradingDate"] == "2026-01-20"
    assert body["inputData"]["lastUpdatedDateTime"] == "2026-01-20T15:40:00+05:30"
    assert body["inputData"]["maxTime"] == "15:30"
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
    clock = clock_at("11:03:30")
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
    assert (rows[0]["volume_gross"], rows[0]["volume_change"]) == (candles[0].volume, None)
    for place, (before, candle) in enumerate(pairwise(candles), start=1):
        row, old = rows[place], rows[place - 1]
        assert row["close_price"] == candle.close
        assert row["oi"] == row["open_interest"] == candle.oi
        assert row["oi_change_gross"] == candle.oi - before.oi
        assert row["oi_change"] == round(100 * (candle.oi - before.oi) / before.oi, 2)
        assert row["price_range"] == f"{candle.low:.3f} - {candle.high:.3f}"
        # The day's running total, and its growth.
        assert row["volume_gross"] - old["volume_gross"] == candle.volume
        assert row["volume_change"] == round(100 * candle.volume / old["volume_gross"], 2)


def test_a_build_up_row_has_the_columns_of_a_recorded_one_in_their_order(
    market, clock_at, playing, shared_data
):
    recorded = recorded_rows(shared_data)
    query = contract_query(strike_at_the_money(market))
    body, _ = ask(playing, market, clock_at("15:40:00"), build_ups_path(), query)
    kinds = {tuple(type(value) for value in row) for row in recorded}
    sent = {tuple(type(value) for value in row.values()) for row in body["data_v2"][:-1]}
    assert kinds <= sent
    # Where price or open interest stand still there is no verdict.
    (without_verdict,) = {kind for kind in kinds | sent if kind[1] is not str} or {None}
    assert without_verdict is None or without_verdict[2:] == next(iter(kinds))[2:]
    assert body["data_v2"][-1]["volume_change"] is None


def test_a_row_in_which_nothing_moved_has_no_verdict():
    start, end = (int(moment.timestamp()) for moment in session_hours(DAY))
    candles = [
        Candle(start + 300 * n, start + 300 * n + 300, 10.0, 10.0, 10.0, 10.0, 0, oi)
        for n, oi in enumerate((650, 650, 1300))
    ]
    symbol = "NIFTY260127C25000"
    series = {symbol: Series(symbol, 5, candles)}
    day = Market(DAY, ("NIFTY",), series, (), {"NIFTY": ()})
    rows = build_up_rows(day, symbol, datetime.fromtimestamp(end, UTC), 0, forming=False)
    assert [row["buildup"] for row in rows] == [None] * 3
    assert [row["volume_gross"] for row in rows] == [0.0] * 3
    assert {row["volume_change"] for row in rows} == {None}


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
        ("10:04:00", "10:00 TO 10:05", False),
        ("10:07:59", "09:55 TO 10:00", True),
        ("10:08:00", "10:05 TO 10:10", False),
        ("15:32:59", "15:20 TO 15:25", True),
        ("15:33:00", "15:25 TO 15:30", True),
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
    whole = sum(candle.volume for candle in everything if candle.open_time <= opened)
    assert (row["volume_gross"] == whole) == final


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (CHAIN, NIFTY | {"stockId": "1"}),
        (CHAIN, NIFTY | {"expDateList": "soon"}),
        (CHAIN, NIFTY | {"maxTime": "noon"}),
        (CHAIN, {"stockId": "1887"}),
        (FULL, {"stockCode": "SENSEX", "expDate": "2026-01-27"}),
        (FULL, {"stockCode": "NIFTY", "expDate": "27-01-2026"}),
        (FULL, {"stockCode": "NIFTY"}),
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


def chain_query(expiry="2026-01-27"):
    return {"stockCode": "NIFTY", "expDate": expiry}


def by_name(body):
    names = [header["unique_name"] for header in body["tableHeaders"]]
    return {
        row["strike_price"]: row
        for row in (dict(zip(names, values, strict=True)) for values in body["tableData"])
    }


@pytest.mark.parametrize(("in_lots", "lot"), [(False, 1), (True, 65)])
def test_the_whole_chain_has_price_volume_and_open_interest_of_every_strike(
    market, clock_at, playing, in_lots, lot
):
    manner = Manner(in_lots=in_lots)
    body, head = ask(playing, market, clock_at("10:09:00"), FULL, chain_query(), manner=manner)
    assert head["status"] == "0"
    rows = by_name(body)
    assert list(rows) == market.strikes("NIFTY", market.expiries["NIFTY"][0])
    for strike, row in rows.items():
        series = market.series[f"NIFTY260127P{strike}"]
        newest = series.candles[49]  # ends at 10:05
        assert row["current_price_put"] == newest.close
        assert row["open_interest_put"] * lot == newest.oi
        assert row["traded_contracts_put"] * lot == sum(c.volume for c in series.candles[:50])
    assert body["stockLevelData"]["stockCurrentPrice"] == market.series["NIFTY"].candles[49].close
    assert body["atTheMoney"] in rows


def test_the_order_of_the_whole_chains_columns_changes_with_its_data(market, clock_at, playing):
    def order(moment):
        body, _ = ask(playing, market, clock_at(moment), FULL, chain_query())
        return [header["unique_name"] for header in body["tableHeaders"]]

    first, same, later = map(order, ("10:09:00", "10:12:00", "10:14:00"))
    assert first == same != later
    assert sorted(first) == sorted(later)


def test_an_unlisted_expiry_has_an_almost_empty_chain(market, clock_at, playing):
    body, head = ask(playing, market, clock_at("10:09:00"), FULL, chain_query("2026-01-29"))
    assert head["status"] == "0"
    assert (body["tableHeaders"], body["tableData"], body["stockLevelData"]) == ([], [], {})


def test_the_whole_chain_of_the_morning_is_the_session_befores(market, clock_at, playing):
    body, _ = ask(playing, market, clock_at("09:22:00"), FULL, chain_query())
    strike = strike_at_the_money(market)
    series = market.series[f"NIFTY260127C{strike}"]
    row = by_name(body)[strike]
    assert row["open_interest_call"] == series.previous_oi
    assert row["current_price_call"] == series.previous_close
    assert row["traded_contracts_call"] > 0


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
