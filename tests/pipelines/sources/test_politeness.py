"""Budgets as the clients of both sources use them: real sockets, and one database for all."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from db.archive.source_budget import Breaker, Window, note_refusal, reserve
from db.server.connection import connect
from pipelines.sources.errors import SourceError, SourceRefused
from pipelines.sources.politeness import OwnBudget, SharedBudget, retry_after
from pipelines.sources.tradingview.client import TradingView
from pipelines.sources.trendlyne.client import Trendlyne
from simulator.upstox.account import Pace
from simulator.upstox.account import Window as CountedWindow
from strategy.clock import MarketClock
from tests.pipelines.sources.http_help import http, serving

pytestmark = pytest.mark.anyio

OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def budget(
    connection: psycopg.Connection,
    speed: float = 600.0,
    source: str = "trendlyne",
    per_second: float = 3.0,
) -> SharedBudget:
    clock = MarketClock(OPEN, time.time(), speed)
    return SharedBudget(connection, source, clock, per_second)


def trendlyne(url: str, connection: psycopg.Connection, speed: float = 600.0) -> Trendlyne:
    clock = MarketClock(OPEN, time.time(), speed)
    return Trendlyne(url, clock, SharedBudget(connection, "trendlyne", clock, 3.0))


async def test_after_repeated_refusals_nobody_is_asked_for_a_while(
    database: str, connection: psycopg.Connection
):
    async with serving(http("429 Too Many Requests")) as server:
        async with trendlyne(server.url, connection, speed=10) as client:
            for _ in range(3):
                with pytest.raises(SourceRefused, match="HTTP 429"):
                    await client.search("NIFTY")
        with connect(database) as other:  # as of another process
            async with trendlyne(server.url, other, speed=10) as client:
                for _ in range(5):
                    with pytest.raises(
                        SourceRefused,
                        match=r"paused until 09:2\d:\d\d IST after 3 refusals: .*HTTP 429",
                    ):
                        await client.search("NIFTY")

    assert len(server.heads) == 3


async def test_requests_that_wait_their_turn_are_stopped_by_refusals_too(
    connection: psycopg.Connection,
):
    async with (
        serving(http("403 Forbidden")) as server,
        trendlyne(server.url, connection, speed=1) as client,
    ):
        errors = await asyncio.gather(
            *(client.search("NIFTY") for _ in range(20)), return_exceptions=True
        )

    assert {type(error) for error in errors} == {SourceRefused}
    assert len(server.heads) < 20


async def test_a_good_answer_forgets_earlier_refusals(connection: psycopg.Connection):
    refused, good = http("403 Forbidden"), http("200 OK", b"{}")

    answers = (refused, refused, good, refused, refused, good)
    async with serving(*answers) as server, trendlyne(server.url, connection) as client:
        ends = []
        for _ in answers:
            try:
                ends.append((await client.search("NIFTY")).body)
            except SourceError as error:
                ends.append(type(error))

    assert ends == [SourceRefused, SourceRefused, b"{}"] * 2


async def test_the_pause_that_a_source_asks_for_is_kept(connection: psycopg.Connection):
    slow_down = http("429 Too Many Requests", b"", "Retry-After: 7200")

    async with serving(slow_down) as server, trendlyne(server.url, connection, 10) as client:
        with pytest.raises(SourceRefused, match="HTTP 429"):
            await client.search("NIFTY")
        with pytest.raises(SourceRefused, match=r"paused until 11:1\d:\d\d IST after 1 refusals"):
            await client.search("NIFTY")


async def test_a_refused_handshake_pauses_everybody_before_a_socket_is_opened(
    connection: psycopg.Connection,
):
    handshakes = 0

    def refuse(socket: ServerConnection, _: Any) -> Any:
        nonlocal handshakes
        handshakes += 1
        response = socket.respond(HTTPStatus.TOO_MANY_REQUESTS, "no\n")
        response.headers["Retry-After"] = "600"
        return response

    async def handle(socket: ServerConnection) -> None:
        raise AssertionError("never reached")

    async with serve(handle, "127.0.0.1", 0, process_request=refuse) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        shared = budget(connection, speed=1, source="tradingview")
        for complaint in ("HTTP 429", r"paused until 09:2\d:\d\d IST"):
            with pytest.raises(SourceRefused, match=complaint):
                async with TradingView(url, budget=shared).connect():
                    pass

    assert handshakes == 1


async def test_a_refusal_of_our_own_is_not_counted_as_the_sources(connection: psycopg.Connection):
    shared = budget(connection)
    for _ in range(4):
        with suppress(SourceRefused):
            async with shared.request():
                raise SourceRefused("protocol_error")

    async with shared.request():
        pass


async def test_waits_are_of_market_time(connection: psycopg.Connection):
    fast = budget(connection, speed=100_000.0, per_second=0.001)

    async with asyncio.timeout(20):  # of the computer's; three times 1000 of the market's
        for _ in range(4):
            async with fast.request():
                pass


async def test_a_day_played_again_does_not_wait_for_the_first(connection: psycopg.Connection):
    reserve(connection, "trendlyne", OPEN + timedelta(hours=6), timedelta(hours=1))
    evening = OPEN + timedelta(hours=7)
    note_refusal(connection, "trendlyne", evening, "HTTP 429", Breaker(limit=1))

    async with asyncio.timeout(20), budget(connection, speed=1).request():
        pass


async def test_two_processes_never_ask_more_than_a_source_counts(database: str):
    """The source counts by its own clock, in a window that begins with every request."""
    speed, length = 300.0, timedelta(minutes=10)
    clock = MarketClock(OPEN, time.time(), speed)
    counted = Pace((CountedWindow(40, length.total_seconds()),))

    async def ask(connection: psycopg.Connection, number: int) -> list[bool]:
        window = Window(36, length, 12)
        shared = SharedBudget(connection, "broker", clock, 50.0, window=window)
        answers = []
        for _ in range(number):
            async with shared.request():
                answers.append(counted.allows(clock.now()))
        return answers

    with connect(database) as one, connect(database) as other:
        answers = await asyncio.gather(ask(one, 40), ask(other, 40))
    assert all(answers[0] + answers[1])
    assert clock.now() - OPEN > 1.5 * length


def test_a_budget_needs_a_rate(connection: psycopg.Connection):
    with pytest.raises(ValueError, match="positive rate"):
        budget(connection, per_second=0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta()),
        ("Wed, 21 Jan 2026 03:55:00 GMT", timedelta(minutes=10)),
        ("Wed, 21 Jan 2026 03:35:00 GMT", timedelta()),
        ("99999999999", timedelta(days=1)),
        ("9" * 5000, None),
        ("Wed, 21 Jan 2026 03:55:00 -0000", None),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_pause_is_asked_for_in_seconds_or_by_a_date(text, expected):
    assert retry_after({"Retry-After": text}, OPEN) == expected


@given(st.text(st.characters(codec="latin-1"), max_size=40))
def test_whatever_is_asked_for_is_a_pause_of_at_most_a_day_or_none(text):
    pause = retry_after({"Retry-After": text}, OPEN)
    assert pause is None or timedelta() <= pause <= timedelta(days=1)


async def test_without_a_database_a_process_still_spaces_and_counts_what_it_asks():
    clock = MarketClock(OPEN, time.time(), 60.0)
    own = OwnBudget("trendlyne", clock, per_second=0.5, per_session=3)
    start = clock.now()
    for n in range(3):
        async with own.request():
            # Two market seconds each, and a computer's clocks are not exact to the thousandth.
            assert clock.now() >= start + n * timedelta(seconds=1.9)
    assert own.left() == 0
    with pytest.raises(SourceRefused, match="all 3 requests of 2026-01-21 are used up"):
        async with own.request():
            raise AssertionError("asked beyond the allowance")
    with pytest.raises(ValueError, match="no limit"):
        OwnBudget("tradingview", clock, per_second=10).left()
