"""Upstox in its roles, over real HTTP: against the simulated market, and against exact bytes."""

import gzip
import json
import logging
import time as wall
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from db.server.connection import connect
from pipelines.ingest.bars import Series as Line
from pipelines.ingest.bars import candle_rows, complete_to
from pipelines.settings import Settings
from pipelines.sources.declaration import Office
from pipelines.sources.errors import (
    PayloadInvalid,
    PlanTooSmall,
    ResolutionUnavailable,
    SessionGone,
    SourceBroken,
    SourceRefused,
    SourceUnavailable,
    SymbolUnknown,
)
from pipelines.sources.series import History, HistoryRequest
from pipelines.sources.upstox.client import DEFAULT_FILES, DEFAULT_URL, Client
from pipelines.sources.upstox.parse import read
from pipelines.sources.upstox.source import SOURCE, Upstox, token_fault
from pipelines.sources.upstox.token import TokenFile, claims
from simulator.faults import Fault
from simulator.generate import generate
from simulator.market import Market
from simulator.past import GeneratedPast
from simulator.server import serve
from simulator.upstox.account import Window, access_token
from simulator.upstox.app import UpstoxManner
from strategy.clock import MarketClock
from strategy.session import IST
from tests.pipelines.sources.http_help import http, serving

pytestmark = pytest.mark.anyio

DAY = date(2026, 1, 21)
EXPIRY = date(2026, 1, 27)
CALL, PUT, FUTURE = "NIFTY260127C25500", "NIFTY260127P25500", "NIFTY1!"
FREE = UpstoxManner(lag=0.0, windows=(), past=GeneratedPast(7, ("NIFTY", "BANKNIFTY")))
SECRET = "not-to-be-seen-anywhere"
NOTHING = b'{"status": "success", "data": {"candles": []}}'


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def market() -> Market:
    return generate(DAY, 7)


def at(text: str, day: date = DAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), IST).astimezone(UTC)


def clock_at(text: str, speed: float = 1e-9) -> MarketClock:
    return MarketClock(at(text), wall.time(), speed)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(access_token(at("08:30")) + "\n")
    return file


@pytest.fixture
def upstox(market: Market, token_file: Path):
    """Serve the market at a time that stands still, and ask it in the words of the roles."""

    @asynccontextmanager
    async def asking(
        text: str = "10:00:30", manner: UpstoxManner = FREE, *faults: Fault, recall=lambda _: None
    ) -> AsyncIterator[Upstox]:
        clock = clock_at(text)
        async with (
            serve(market, clock, upstox=manner, faults=faults) as endpoints,
            Client(endpoints.upstox_url, TokenFile(token_file), clock, timeout=60) as client,
        ):
            yield Upstox(client, recall)

    return asking


async def history(source: Upstox, symbol: str, session: date | None = None, minutes: int = 1):
    answers = await source.histories([HistoryRequest(symbol, minutes, 400, session)])
    return answers[symbol]


def told(market: Market, symbol: str, text: str) -> list[tuple]:
    """Return what the market's candles are at a time: start, prices, volume, open interest."""
    index = symbol in market.underlyings
    rows = market.candles(symbol, 1, at(text, market.day))
    return [
        (datetime.fromtimestamp(row[0], UTC), *row[2:6], *((None, None) if index else row[6:8]))
        for row in rows
    ]


async def test_todays_candles_are_those_of_the_market(upstox, market):
    symbols = ["NIFTY", FUTURE, CALL, PUT]
    taken: list[History] = []
    async with upstox() as source:
        requests = [HistoryRequest(symbol, 1, 400) for symbol in symbols]
        answers = await source.histories(requests, taken.append)

    assert list(answers) == symbols
    assert {history.symbol for history in taken} == set(symbols)
    for symbol, answer in answers.items():
        assert answer.bars == told(market, symbol, "10:00:30")
        bars = read(answer.about, answer.raw, DAY).bars
        assert bars == answer.bars, "an archived answer is read like a live one"
        assert json.dumps(dict(answer.about))
    assert all(bar.open_interest for bar in answers[CALL].bars)


async def test_of_today_only_the_newest_are_taken(upstox, market):
    async with upstox() as source:
        answer = (await source.histories([HistoryRequest(CALL, 1, 5)]))[CALL]
        named = (await source.histories([HistoryRequest(CALL, 1, 5, DAY)]))[CALL]
        waited = await source.history(HistoryRequest(CALL, 1, 5), at("09:50"))

    assert 5 <= len(answer.bars) < 15
    assert answer.bars == told(market, CALL, "10:00:30")[-len(answer.bars) :]
    assert waited.bars[0].open_time <= at("09:46"), "what was wanted when its turn was far"
    assert read(answer.about, answer.raw, DAY).bars == answer.bars
    assert named.bars == answer.bars


async def test_a_candle_from_a_copy_on_the_way_is_not_taken_for_final(upstox, market, token_file):
    """Asked five seconds after 09:59 ended, the answer still shows it as it was before."""
    async with upstox("10:00:05", FREE._replace(lag=10.0)) as source:
        answer = await history(source, CALL)
        asked_at = clock_at("10:00:05").at(answer.asked_at_wall)

    newest = answer.bars[-1]
    final = next(bar for bar in told(market, CALL, "10:05") if bar[0] == newest.open_time)
    assert newest.open_time == at("09:59")
    assert newest.volume < final[5], "it is unfinished, and nothing in the answer says so"
    complete = complete_to(DAY, asked_at, 1, newest.open_time)
    rows = candle_rows(Line(CALL, 1, DAY, "upstox"), answer.bars, complete, at("10:00:05"))
    assert [row.final for row in rows.candles][-2:] == [True, False]


async def test_past_sessions_are_asked_for_whole_and_by_key_also_when_expired(upstox):
    monday = date(2026, 1, 19)
    expired, listed = "NIFTY260120C25500", "BANKNIFTY260127C59000"
    async with upstox() as source:
        requests = [
            HistoryRequest(symbol, 1, 1, monday)
            for symbol in ("BANKNIFTY", "BANKNIFTY1!", listed, expired)
        ]
        answers = await source.histories(requests)

    played = generate(monday, 7)
    for symbol, answer in answers.items():
        assert answer.bars == told(played, symbol, "15:30")
        assert len(answer.bars) == 375
    assert answers[expired].about["key"].endswith("|20-01-2026")


async def test_the_front_future_of_an_older_month_is_an_expired_one(upstox):
    session = date(2025, 12, 29)
    async with upstox() as source:
        answer = await history(source, FUTURE, session)
    rows = generate(session, 7, ["NIFTY"]).series[FUTURE].candles
    assert answer.about["key"].endswith("|30-12-2025")
    assert [bar.close for bar in answer.bars] == [row.close for row in rows]
    assert [bar.open_interest for bar in answer.bars] == [row.oi for row in rows]


async def test_listings_of_today_are_those_of_the_daily_file(upstox, market):
    async with upstox("08:45") as source:
        payloads = [payload async for payload in source.listings("BANKNIFTY", DAY)]

    (payload,) = payloads
    listing = read(payload.about, payload.body, DAY)
    contracts = [c for c in market.contracts if c.underlying == "BANKNIFTY"]
    assert [c[1:5] for c in listing.contracts] == contracts
    assert {(c.lot_size, c.tick_size) for c in listing.contracts} == {(30, 0.05)}
    assert payload.request == "GET /market-quote/instruments/exchange/NSE.json.gz"
    assert SOURCE.roles == {"listings", "history", "ladders"}


async def test_listings_of_a_past_session_are_those_of_the_expiry_that_was_nearest(upstox):
    session = date(2026, 1, 19)
    async with upstox() as source:
        old = [payload async for payload in source.listings("NIFTY", session)]
        current = [payload async for payload in source.listings("BANKNIFTY", session)]

    readings = [read(payload.about, payload.body, session) for payload in old]
    assert [payload.about["kind"] for payload in old] == ["expiries", "expired-options"]
    assert readings[0] is None
    expected = set(generate(session, 7, ["NIFTY"]).contracts)
    assert {c[1:5] for c in readings[1].contracts} >= expected
    assert {c.expiry for c in readings[1].contracts} == {date(2026, 1, 20)}
    assert [payload.about["kind"] for payload in current] == ["instruments"]


async def test_the_ladder_is_that_of_now_with_bid_and_ask(upstox, market):
    async with upstox() as source:
        (payload,) = [each async for each in source.ladder("NIFTY", date(2026, 1, 27), None)]
        with pytest.raises(SessionGone, match="chain of now only"):
            await anext(source.ladder("NIFTY", date(2026, 1, 27), at("09:30")))

    ladder = read(payload.about, payload.body, DAY)
    assert [row.strike for row in ladder.rows] == market.strikes("NIFTY", date(2026, 1, 27))
    row = next(row for row in ladder.rows if row.strike == 25500)
    moment = at("10:00:30").timestamp()
    for mine, symbol in ((row.call, CALL), (row.put, PUT)):
        series = market.series[symbol]
        assert mine.open_interest == series.open_interest(moment)
        assert mine.previous_open_interest == series.previous_oi
        assert mine.volume == series.total_volume(moment)
        assert mine.bid < mine.price < mine.ask
        assert mine.bid_quantity > 0 < mine.ask_quantity


async def test_what_was_archived_is_not_asked_again(upstox):
    asked: list[str] = []
    archive: dict[str, bytes] = {}

    def recall(about):
        asked.append(about["kind"])
        return archive.get(json.dumps(about, sort_keys=True))

    async with upstox() as source:
        for session in (DAY, date(2026, 1, 19)):
            async for payload in source.listings("NIFTY", session):
                archive[json.dumps(payload.about, sort_keys=True)] = payload.body

    # From here on the source gives no lists: only candles are asked for.
    lists = [Fault("upstox-500", time(9), time(16), None, "NSE?INDEX*")]
    async with upstox("10:00:30", FREE, *lists, recall=recall) as source:
        requests = [
            HistoryRequest(name, 1, 9, date(2026, 1, 20)) for name in ("NIFTY260120P25500",)
        ]
        answers = await source.histories([*requests, HistoryRequest(CALL, 1, 9)])
    assert {type(answer) for answer in answers.values()} == {History}
    assert asked == ["expired-options", "instruments"]


async def test_unknown_symbols_fail_alone(upstox):
    unknown = ["NIFTY260127C99950", "SENSEX", "NIFTY260120C99950"]
    async with upstox() as source:
        answers = await source.histories([HistoryRequest(s, 1, 5) for s in [*unknown, CALL]])
    assert [type(answers[symbol]) for symbol in unknown] == [SymbolUnknown] * 3
    assert "NIFTY260127C99950 is not among Upstox's instruments" in str(answers[unknown[0]])
    assert isinstance(answers[CALL], History)


async def test_a_symbol_is_asked_for_once(upstox):
    async with upstox() as source:
        with pytest.raises(ValueError, match="twice"):
            await source.histories([HistoryRequest(CALL, 1, 5), HistoryRequest(CALL, 5, 5)])


async def test_an_ended_token_is_told_with_what_to_do_before_anything_is_asked(upstox, token_file):
    token_file.write_text(access_token(at("20:00", date(2026, 1, 20))))
    async with upstox() as source:
        answer = await history(source, CALL)
    assert isinstance(answer, SourceRefused)
    assert str(answer) == (
        "the Upstox token ended at 03:30 IST on 2026-01-21:"
        f" log in to Upstox again and write the new access token into {token_file}"
    )
    assert answer.status is None, "nobody was asked"


async def test_a_refused_token_is_told_with_what_to_do_and_ends_the_round(upstox, token_file):
    fault = Fault("upstox-401", time(9), time(16))
    async with upstox("10:00:30", FREE, fault) as source:
        requests = [HistoryRequest(symbol, 1, 5) for symbol in ("NIFTY", "BANKNIFTY")]
        answers = await source.histories(requests)
    for answer in answers.values():
        assert isinstance(answer, SourceRefused)
        assert answer.status == 401
        assert "Invalid token used to access API" in str(answer)
        assert "tokens end at 03:30 IST" in str(answer)
        assert str(token_file) in str(answer)


async def test_a_new_token_in_the_file_counts_at_once(upstox, token_file):
    token_file.write_text("made.up.token")
    async with upstox() as source:
        assert isinstance(await history(source, "NIFTY"), SourceRefused)
        token_file.write_text(access_token(at("09:45")))
        assert isinstance(await history(source, "NIFTY"), History)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot read {file}: No such file or directory; log in to Upstox again"),
        (b"", "{file} must hold the access token and nothing else"),
        (b"\n \n", "{file} must hold the access token and nothing else"),
        (b"Bearer abc", "{file} must hold the access token and nothing else"),
        (b'{\n"access_token": "abc"}', "{file} must hold the access token and nothing else"),
        ("schlüssel".encode(), "{file} must hold the access token and nothing else"),
        (b"\xff\xfe", "cannot read {file}: it is no text"),
    ],
)
def test_a_file_without_a_token_is_one_clear_line(tmp_path, content, reason):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SourceRefused) as refused:
        TokenFile(file).read(at("10:00"))
    assert str(refused.value).startswith("UPSTOX_TOKEN_FILE: " + reason.format(file=file))
    assert "\n" not in str(refused.value)
    assert "abc" not in str(refused.value)


def test_no_file_at_all_names_the_variable():
    with pytest.raises(SourceRefused, match="set UPSTOX_TOKEN_FILE to the file that holds it"):
        TokenFile(None).read(at("10:00"))


def test_a_token_tells_its_end_and_plan_and_any_other_tells_nothing():
    assert claims(access_token(at("08:30"), plus=False)) == (at("03:30", date(2026, 1, 22)), False)
    for token in ("opaque", "a.b.c", "a.W10.c", "a.eyJleHAiOiAiMSJ9.c"):
        assert claims(token) == (None, None)


async def test_the_smaller_plan_lacks_expired_contracts_and_nothing_else(upstox, token_file):
    token_file.write_text(access_token(at("08:30"), plus=False))
    session = date(2026, 1, 20)
    async with upstox() as source:
        symbols = ["NIFTY260120C25500", "NIFTY", "BANKNIFTY260127C59000"]
        answers = await source.histories([HistoryRequest(s, 1, 9, session) for s in symbols])
        with pytest.raises(PlanTooSmall, match="need the plan Upstox Plus"):
            await anext(source.listings("NIFTY", session))
    assert isinstance(answers[symbols[0]], PlanTooSmall)
    assert answers[symbols[0]].status is None, "the budget's pauses are not for this"
    assert all(len(answers[symbol].bars) == 375 for symbol in symbols[1:])


async def test_asking_too_often_is_a_refusal_that_says_how_long_to_wait(upstox):
    manner = FREE._replace(windows=(Window(1, 60),))
    async with upstox("10:00:30", manner) as source:
        assert isinstance(await history(source, "NIFTY"), History)
        answer = await history(source, "BANKNIFTY")
    assert isinstance(answer, SourceRefused)
    assert (answer.status, answer.retry_after) == (429, timedelta(minutes=1))
    assert "Too Many Request Sent" in str(answer)


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        ("upstox-500", SourceUnavailable, "HTTP 500: UDAPI100500 Something went wrong"),
        ("upstox-error", SourceUnavailable, "HTTP 200: UDAPI100500 Something went wrong"),
        ("upstox-html", PayloadInvalid, "not JSON .*: starts with '<!DOCTYPE html>"),
    ],
)
async def test_what_is_no_answer_is_an_error_and_the_others_go_on(upstox, fault, error, text):
    spoiled = Fault(fault, time(9), time(16), 1, "NIFTY")
    async with upstox("10:00:30", FREE, spoiled) as source:
        requests = [HistoryRequest(symbol, 1, 5) for symbol in ("NIFTY", "BANKNIFTY")]
        answers = await source.histories(requests)
        again = await history(source, "NIFTY")
    with pytest.raises(error, match=text):
        raise answers["NIFTY"]
    assert isinstance(answers["BANKNIFTY"], History)
    assert isinstance(again, History)
    if error is PayloadInvalid:
        assert answers["NIFTY"].body.startswith(b"<!DOCTYPE"), "to be archived"


async def test_a_source_that_is_down_is_not_asked_for_every_symbol(token_file):
    async with serving(http("503 Service Unavailable")) as server:
        base = server.url.removesuffix("/phoenix/api")
        async with Client(base, TokenFile(token_file), clock_at("10:00")) as client:
            requests = [HistoryRequest(f"NIFTY2601{n:02}C25500", 1, 5) for n in range(22, 30)]
            requests += [HistoryRequest("NIFTY", 1, 5), HistoryRequest("BANKNIFTY", 1, 5)]
            answers = await Upstox(client).histories(requests)
    assert {type(answer) for answer in answers.values()} == {SourceBroken}
    assert len(server.heads) < len(requests)


async def test_intervals_that_the_source_lacks_are_told_apart(token_file):
    error = {"errorCode": "UDAPI1147", "message": "Invalid interval"}
    body = json.dumps({"status": "error", "errors": [error]}).encode()
    async with serving(http("400 Bad Request", body)) as server:
        base = server.url.removesuffix("/phoenix/api")
        async with Client(base, TokenFile(token_file), clock_at("10:00")) as client:
            answer = await history(Upstox(client), "NIFTY")
    assert isinstance(answer, ResolutionUnavailable)


async def test_requests_are_of_the_documented_form_and_only_they_carry_the_token(
    tmp_path, caplog, market
):
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "token"
    file.write_text(SECRET)
    rows = [
        {
            "segment": "NSE_FO",
            "underlying_symbol": "NIFTY",
            "instrument_type": "CE",
            "instrument_key": "NSE_FO|51414",
            "expiry": 1769538599000,
            "strike_price": 25500.0,
        }
    ]
    listed = http("200 OK", gzip.compress(json.dumps(rows).encode()))
    async with serving(listed, http("200 OK", NOTHING)) as server:
        base = server.url.removesuffix("/phoenix/api")
        async with Client(base, TokenFile(file), clock_at("10:00")) as client:
            source = Upstox(client)
            answers = [
                await history(source, CALL),
                await history(source, CALL, date(2026, 1, 20), 5),
                await history(source, "BANKNIFTY"),
            ]
            chain = [each async for each in source.ladder("NIFTY", date(2026, 1, 27), None)]

    assert server.requests == [
        "GET /market-quote/instruments/exchange/NSE.json.gz",
        "GET /v3/historical-candle/intraday/NSE_FO%7C51414/minutes/1",
        "GET /v3/historical-candle/NSE_FO%7C51414/minutes/5/2026-01-20/2026-01-20",
        "GET /v3/historical-candle/intraday/NSE_INDEX%7CNifty%20Bank/minutes/1",
        "GET /v2/option/chain?instrument_key=NSE_INDEX%7CNifty%2050&expiry_date=2026-01-27",
    ]
    with_token = ["Authorization: Bearer" in head for head in server.heads]
    assert with_token == [False, True, True, True, True]
    assert [each.about["request"] for each in answers] == server.requests[1:4]
    assert chain[0].request == server.requests[4]
    assert SECRET not in caplog.text
    assert SECRET not in repr((source, client, answers, chain, TokenFile(file)))


async def test_the_daily_file_lies_on_its_own_host_in_the_real_world(token_file):
    for base, files in ((DEFAULT_URL, DEFAULT_FILES), ("http://127.0.0.1:1", "http://127.0.0.1:1")):
        async with Client(base, TokenFile(token_file), clock_at("10:00")) as client:
            assert client.files == files


async def test_an_answer_is_as_old_as_its_age_says(token_file):
    aged = http("200 OK", NOTHING, "Age: 40", "Date: Wed, 21 Jan 2026 04:30:00 GMT")
    dated = http("200 OK", NOTHING, "Date: Wed, 21 Jan 2026 04:29:50 GMT")
    async with serving(aged, dated) as server:
        base = server.url.removesuffix("/phoenix/api")
        clock = clock_at("10:00")
        async with Client(base, TokenFile(token_file), clock) as client:
            old = await client.get({}, "/v2/anything")
            new = await client.get({}, "/v2/anything")
    assert old.asked_at == at("10:00") - timedelta(seconds=40)
    assert new.asked_at == at("09:59:50")
    assert (old.received_at - at("10:00")) < timedelta(seconds=1)


@pytest.mark.parametrize("session", [date(2025, 5, 12), date(2025, 7, 17)])
async def test_options_of_a_session_that_is_too_long_ago_are_told_gone(upstox, session):
    """The list of expiries begins at 24 July; the week before had one of its own."""
    async with upstox() as source:
        asked = source.listings("NIFTY", session)
        assert (await anext(asked)).about["kind"] == "expiries"
        with pytest.raises(SessionGone, match=f"lists no expiry of {session} any more"):
            await anext(asked)


async def test_candles_from_before_2022_are_not_asked_for(upstox):
    async with upstox() as source:
        answer = await history(source, "NIFTY", date(2021, 12, 31))
    assert isinstance(answer, SessionGone)


async def test_the_source_opens_with_the_settings_and_shares_its_budget(
    database, market, token_file
):
    clock = clock_at("10:00:30", speed=1.0)
    async with serve(market, clock, upstox=FREE) as endpoints:
        settings = Settings(
            database_url=database,
            upstox_url=endpoints.upstox_url,
            upstox_token_file=token_file,
            upstox_requests_per_second=500,
            optionscalp_clock=str(clock),
        )
        assert token_fault(settings) is None
        with connect(database) as connection:
            office = Office(settings, clock, connection, lambda _about: None)
            async with SOURCE.open(office) as opened:
                answers = await opened.history.histories([HistoryRequest("NIFTY", 1, 5)])
                ladders = [each async for each in opened.ladders.ladder("NIFTY", EXPIRY, None)]
            budgets = connection.execute("select source, refusals from source_budget").fetchall()
    assert 5 <= len(answers["NIFTY"].bars) < 15
    assert len(ladders) == 1
    assert (opened.stream, opened.build_ups) == (None, None)
    assert {role for role in opened._fields if getattr(opened, role)} == SOURCE.roles
    assert budgets == [("upstox", 0)]


def test_a_missing_token_is_known_before_anything_starts(tmp_path):
    settings = Settings(database_url="postgresql://", upstox_token_file=tmp_path / "none")
    assert "cannot read" in token_fault(settings)
    assert "set UPSTOX_TOKEN_FILE" in token_fault(Settings(database_url="postgresql://"))
