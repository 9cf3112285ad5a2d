"""Upstox's HTTP over a simulated market, asked as any client would."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote

import httpx
import pytest

from simulator.faults import Fault
from simulator.generate import generate
from simulator.market import Market
from simulator.past import GeneratedPast, RecordedPast
from simulator.recorded import load
from simulator.server import serve
from simulator.upstox.account import WINDOWS, Pace, Window, access_token, token_end
from simulator.upstox.app import INSTRUMENTS_PATH, UpstoxManner
from simulator.upstox.instruments import expired_key, future_key, index_key, keys, option_key
from strategy.clock import MarketClock
from strategy.contract import future_symbol, parse_symbol
from strategy.session import IST

DAY = date(2026, 1, 21)
PAST = GeneratedPast(7, ("NIFTY", "BANKNIFTY"))
FREE = UpstoxManner(lag=0.0, windows=(), past=PAST)
CALL = "NIFTY260127C25500"
TODAY = "/v3/historical-candle/intraday/{}/minutes/{}"
EARLIER = "/v3/historical-candle/{}/minutes/{}/{}/{}"
EXPIRED = "/v2/expired-instruments"
NIFTY = {"instrument_key": index_key("NIFTY")}


def at(text: str, day: date = DAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), IST)


def key_of(symbol: str) -> str:
    contract = parse_symbol(symbol)
    return option_key(contract) if contract else index_key(symbol)


def path(template: str, key: str, *rest: object) -> str:
    return template.format(quote(key, safe=""), *rest)


@pytest.fixture
def asking(market, clock_at):
    """Serve Upstox at a time of the day that stands still; yield a client with a token."""

    @asynccontextmanager
    async def ask(
        text: str = "10:00:30",
        manner: UpstoxManner = FREE,
        *faults: Fault,
        token: str | None = None,
    ) -> AsyncIterator[httpx.AsyncClient]:
        token = access_token(at("08:30")) if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        clock = clock_at(text)
        async with (
            serve(market, clock, upstox=manner, faults=faults) as endpoints,
            httpx.AsyncClient(
                base_url=endpoints.upstox_url, headers=headers, trust_env=False, timeout=None
            ) as http,
        ):
            yield http

    return ask


async def data(http: httpx.AsyncClient, url: str, **query: str) -> object:
    answer = await http.get(url, params=query or None)
    assert answer.status_code == 200, answer.text
    content = answer.json()
    assert content["status"] == "success"
    return content["data"]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    content = answer.json()
    assert content["status"] == "error"
    (error,) = content["errors"]
    assert error["errorCode"] == error["error_code"]
    return answer.status_code, error["errorCode"]


def test_todays_candles_are_the_markets_newest_first_with_open_interest(asking, market: Market):
    async def scenario():
        async with asking() as http:
            return await data(http, path(TODAY, key_of(CALL), 1))

    rows = asyncio.run(scenario())["candles"]
    seen = market.candles(CALL, 1, at("10:00:30"))
    assert [row[0] for row in rows[:2]] == [
        "2026-01-21T10:00:00+05:30",
        "2026-01-21T09:59:00+05:30",
    ]
    assert [row[1:] for row in reversed(rows)] == [list(candle[2:8]) for candle in seen]
    assert not seen[-1].closed
    assert all(row[6] for row in rows)


def test_an_answer_is_as_old_as_the_cache_on_its_way(asking, market: Market):
    async def scenario():
        async with asking("10:00:05", FREE._replace(lag=10.0)) as http:
            return await data(http, path(TODAY, key_of(CALL), 1))

    newest = asyncio.run(scenario())["candles"][0]
    final = market.candles(CALL, 1, at("10:05"))
    assert newest[0] == "2026-01-21T09:59:00+05:30"
    assert newest[5] < next(c.volume for c in final if c.open_time == at("09:59").timestamp())


def test_an_index_has_neither_volume_nor_open_interest(asking):
    async def scenario():
        async with asking() as http:
            return await data(http, path(TODAY, index_key("BANKNIFTY"), 5))

    rows = asyncio.run(scenario())["candles"]
    assert len(rows) == 10
    assert {tuple(row[5:]) for row in rows} == {(0, 0)}


def test_the_daily_file_lists_all_instruments_without_a_token(asking, market: Market):
    async def scenario():
        async with asking("08:00", token="") as http:
            return (await http.get(INSTRUMENTS_PATH)).content

    rows = json.loads(gzip.decompress(asyncio.run(scenario())))
    by_key = {row["instrument_key"]: row for row in rows}
    assert len(by_key) == len(rows) == len(market.series) + 3
    call = by_key[key_of(CALL)]
    assert call["trading_symbol"] == "NIFTY 25500 CE 27 JAN 26"
    assert (call["strike_price"], call["lot_size"], call["tick_size"]) == (25500.0, 65, 5.0)
    assert call["expiry"] == at("23:59:59", date(2026, 1, 27)).timestamp() * 1000
    assert by_key[future_key("NIFTY", date(2026, 1, 27))]["instrument_type"] == "FUT"
    assert by_key["NSE_INDEX|Nifty Bank"]["trading_symbol"] == "BANKNIFTY"


def test_the_chain_has_every_strike_with_prices_around_the_last_one(asking, market: Market):
    async def scenario():
        async with asking() as http:
            query = NIFTY | {"expiry_date": "2026-01-27"}
            rows = await data(http, "/v2/option/chain", **query)
            return rows, await data(
                http, "/v2/option/chain", **query | {"expiry_date": "2026-03-31"}
            )

    rows, unlisted = asyncio.run(scenario())
    assert unlisted == []
    assert [row["strike_price"] for row in rows] == market.strikes("NIFTY", date(2026, 1, 27))
    for row in rows:
        for kind, name in (("C", "call_options"), ("P", "put_options")):
            series = market.series[f"NIFTY260127{kind}{row['strike_price']:.0f}"]
            side = row[name]["market_data"]
            assert side["oi"] == series.open_interest(at("10:00:30").timestamp())
            assert side["prev_oi"] == series.previous_oi
            assert side["volume"] == series.total_volume(at("10:00:30").timestamp())
            assert side["bid_price"] < side["ltp"] < side["ask_price"]
            assert side["bid_qty"] % series.unit == side["ask_qty"] % series.unit == 0


def test_past_sessions_are_what_they_would_be_if_they_were_played(asking):
    symbol = "BANKNIFTY260127P59000"

    async def scenario():
        async with asking() as http:
            three = path(EARLIER, key_of(symbol), 1, "2026-01-20", "2026-01-16")
            return (
                await data(http, three),
                await data(http, path(EARLIER, key_of(symbol), 5, "2026-01-21", "2026-01-20")),
            )

    fine, coarse = asyncio.run(scenario())
    days = [generate(date(2026, 1, day), 7) for day in (16, 19, 20)]
    expected = [candle for each in days for candle in each.series[symbol].candles]
    rows = fine["candles"][::-1]
    assert [row[1:] for row in rows] == [list(candle[2:8]) for candle in expected]
    assert rows[0][0] == "2026-01-16T09:15:00+05:30"
    # Today is not among the past days, even when it is asked for.
    assert [row[0][:10] for row in coarse["candles"]] == ["2026-01-20"] * 75


def test_contracts_that_expired_yesterday_are_found_with_their_candles(asking):
    async def scenario():
        async with asking() as http:
            query = NIFTY | {"expiry_date": "2026-01-20"}
            expiries = await data(http, f"{EXPIRED}/expiries", **NIFTY)
            options = await data(http, f"{EXPIRED}/option/contract", **query)
            future = await data(http, f"{EXPIRED}/future/contract", **query)
            monthly = NIFTY | {"expiry_date": "2025-12-30"}
            older = await data(http, f"{EXPIRED}/future/contract", **monthly)
            key = next(
                row["instrument_key"]
                for row in options
                if (row["strike_price"], row["instrument_type"]) == (25500, "CE")
            )
            template = EXPIRED + "/historical-candle/{}/1minute/{}/{}"
            candles = await data(http, path(template, key, "2026-01-20", "2026-01-20"))
            return expiries, options, future, older, key, candles

    expiries, options, future, older, key, candles = asyncio.run(scenario())
    assert expiries[-2:] == ["2026-01-13", "2026-01-20"]
    assert min(expiries) > "2025-07-01"
    assert {row["expiry"] for row in options} == {"2026-01-20"}
    assert all(row["instrument_key"].endswith("|20-01-2026") for row in options)
    assert future == []
    assert older[0]["instrument_key"].endswith("|30-12-2025")
    contract = parse_symbol("NIFTY260120C25500")
    assert key == expired_key(option_key(contract), "2026-01-20")
    expected = generate(date(2026, 1, 20), 7, ["NIFTY"]).series[contract.symbol].candles
    assert [row[1:] for row in candles["candles"][::-1]] == [list(c[2:8]) for c in expected]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (path(TODAY, "NSE_FO|1", 1), "UDAPI100011"),
        (path(TODAY, "NSE_FO|1|27-01-2026", 1), "UDAPI1021"),
        (path(TODAY, "NSE_INDEX|Nifty 50", 301), "UDAPI1147"),
        ("/v3/historical-candle/intraday/NSE_INDEX%7CNifty%2050/hours/1", "UDAPI1146"),
        (path(EARLIER, "NSE_INDEX|Nifty 50", 1, "2026-01-16", "2026-01-20"), "UDAPI1015"),
        (path(EARLIER, "NSE_INDEX|Nifty 50", 1, "20260120", "20260116"), "UDAPI1015"),
        (path(EARLIER, "NSE_INDEX|Nifty 50", 15, "2026-01-20", "2025-12-19"), "UDAPI1148"),
        (path(EARLIER, "NSE_INDEX|Nifty 50", 30, "2026-01-20", "2025-10-01"), "UDAPI1148"),
        (path(EARLIER, "NSE_INDEX|Nifty 50", 1, "2022-01-03", "2021-12-31"), "UDAPI1148"),
        (f"{EXPIRED}/expiries?instrument_key=NSE_INDEX%7CNifty%20500", "UDAPI100011"),
        ("/v2/option/chain?instrument_key=NSE_INDEX%7CNifty%2050&expiry_date=soon", "UDAPI100036"),
        ("/v2/no/such/thing", "UDAPI100060"),
    ],
)
def test_what_can_not_be_asked_is_the_documented_error(asking, url, code):
    async def scenario():
        async with asking() as http:
            return refusal(await http.get(url))

    assert asyncio.run(scenario()) == (404 if code == "UDAPI100060" else 400, code)


def test_the_longest_month_and_quarter_are_answered(asking):
    async def scenario():
        async with asking(manner=UpstoxManner(windows=())) as http:
            for minutes, since in ((15, "2025-12-20"), (16, "2025-10-20")):
                url = path(EARLIER, index_key("NIFTY"), minutes, "2026-01-20", since)
                assert await data(http, url) == {"candles": []}  # nothing is known of the past

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (access_token(at("08:30")), 200),
        (access_token(at("03:29")), 401),
        (access_token(at("20:00", date(2026, 1, 20))), 401),
        ("", 401),
        ("a.b.c", 401),
        ("made up", 401),
    ],
)
def test_a_token_ends_at_half_past_three(asking, token, status):
    async def scenario():
        async with asking(token=token) as http:
            return await http.get(path(TODAY, index_key("NIFTY"), 1))

    answer = asyncio.run(scenario())
    assert answer.status_code == status
    if status == 401:
        assert refusal(answer) == (401, "UDAPI100050")


def test_a_login_after_midnight_lasts_until_the_same_morning():
    assert token_end(at("20:00", date(2026, 1, 20))) == at("03:30")
    assert token_end(at("02:30")) == at("03:30")
    assert token_end(at("03:30")) == at("03:30", date(2026, 1, 22))


def test_expired_contracts_are_for_the_paid_plan(asking):
    async def scenario():
        async with asking(token=access_token(at("08:30"), plus=False)) as http:
            assert (await http.get(path(TODAY, index_key("NIFTY"), 1))).status_code == 200
            return refusal(await http.get(f"{EXPIRED}/expiries", params=NIFTY))

    assert asyncio.run(scenario()) == (403, "UDAPI1149")


def test_who_asks_too_often_is_refused_until_the_window_has_passed(asking):
    async def scenario():
        async with asking(manner=FREE._replace(windows=(Window(3, 60),))) as http:
            url = path(TODAY, index_key("NIFTY"), 30)
            return [(await http.get(url)) for _ in range(4)]

    answers = asyncio.run(scenario())
    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    assert refusal(answers[3]) == (429, "UDAPI10005")


def test_windows_open_also_when_the_markets_clock_has_stopped(market):
    async def scenario():
        end = at("15:55")
        clock = MarketClock(end, datetime.now(UTC).timestamp(), 60, end)
        manner = FREE._replace(windows=(Window(1, 60),))
        headers = {"Authorization": f"Bearer {access_token(end)}"}
        async with (
            serve(market, clock, upstox=manner) as endpoints,
            httpx.AsyncClient(base_url=endpoints.upstox_url, headers=headers) as http,
        ):
            url = path(TODAY, index_key("NIFTY"), 30)
            statuses = [(await http.get(url)).status_code for _ in range(2)]
            while (await http.get(url)).status_code == 429:
                pass
            return statuses

    assert asyncio.run(scenario()) == [200, 429]


def test_each_window_opens_again():
    pace = Pace(WINDOWS)
    start = datetime(2026, 1, 21, 4, tzinfo=UTC)
    assert sum(pace.allows(start) for _ in range(60)) == 50
    second = timedelta(seconds=1)
    assert sum(pace.allows(start + n * second) for n in range(1, 10) for _ in range(60)) == 450
    assert not pace.allows(start + 59 * second)
    assert pace.allows(start + 61 * second)
    minute = timedelta(minutes=1)
    later = start + 2 * minute
    allowed = sum(
        pace.allows(later + n * minute + s * second)
        for n in range(5)
        for s in range(10)
        for _ in range(50)
    )
    assert allowed == 2000 - 500 - 1
    # A market that begins again is a new one.
    assert pace.allows(start - minute)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("upstox-401", 401, "UDAPI100050"),
        ("upstox-429", 429, "UDAPI10005"),
        ("upstox-500", 500, "UDAPI100500"),
        ("upstox-error", 200, "UDAPI100500"),
    ],
)
def test_faults_are_for_the_symbol_they_name_and_as_often_as_told(asking, kind, status, code):
    async def scenario():
        fault = Fault(kind, time(9), time(16), 1, CALL)
        async with asking("10:00:30", FREE, fault) as http:
            assert (await http.get(path(TODAY, index_key("NIFTY"), 1))).status_code == 200
            struck = await http.get(path(TODAY, key_of(CALL), 1))
            assert (await http.get(path(TODAY, key_of(CALL), 1))).status_code == 200
            return refusal(struck)

    assert asyncio.run(scenario()) == (status, code)


def test_an_answer_can_be_a_page_and_candles_can_stand_still(asking):
    async def scenario():
        faults = [
            Fault("upstox-html", time(9), time(16), 1, "NIFTY"),
            Fault("upstox-stale", time(9, 50), time(16), None, "BANKNIFTY"),
        ]
        async with asking("10:00:30", FREE, *faults) as http:
            page = await http.get(path(TODAY, index_key("NIFTY"), 1))
            return page, await data(http, path(TODAY, index_key("BANKNIFTY"), 1))

    page, candles = asyncio.run(scenario())
    assert page.text.startswith("<!DOCTYPE html>")
    assert candles["candles"][0][0] == "2026-01-21T09:50:00+05:30"


def test_recorded_days_have_their_own_past_and_no_finer_candles(shared_data, clock_at):
    file = shared_data / "nifty_banknifty_5m_2026-01-22_2026-02-02.parquet"
    if not file.exists():
        pytest.skip("no recorded days of five minutes")
    market = load(file, date(2026, 1, 28), ["NIFTY"])
    manner = FREE._replace(past=RecordedPast(file, ["NIFTY"]))
    symbol = future_symbol("NIFTY") if "NIFTY" not in market.series else "NIFTY"
    key = next(key for key, name in keys(market).items() if name == symbol)

    async def scenario():
        headers = {"Authorization": f"Bearer {access_token(at('08:30', market.day))}"}
        async with (
            serve(market, clock_at("11:00", day=market.day), upstox=manner) as endpoints,
            httpx.AsyncClient(
                base_url=endpoints.upstox_url, headers=headers, trust_env=False, timeout=None
            ) as http,
        ):
            return (
                await http.get(path(TODAY, key, 1)),
                await data(http, path(TODAY, key, 5)),
                await data(http, path(EARLIER, key, 5, "2026-01-27", "2026-01-19")),
            )

    fine, coarse, past = asyncio.run(scenario())
    assert refusal(fine) == (400, "UDAPI1147")
    seen = market.candles(symbol, 5, at("11:00", market.day))
    assert [row[1:5] for row in coarse["candles"][::-1]] == [list(candle[2:6]) for candle in seen]
    # Recorded were the 22nd and the 27th.
    assert {row[0][:10] for row in past["candles"]} == {"2026-01-22", "2026-01-27"}
