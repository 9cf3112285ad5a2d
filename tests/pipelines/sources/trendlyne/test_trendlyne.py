"""The Trendlyne client against a small HTTP server that plays exact bytes."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.sources.endpoint import is_loopback
from pipelines.sources.errors import PayloadInvalid, SourceRefused, SourceUnavailable
from pipelines.sources.trendlyne.client import Trendlyne
from pipelines.sources.trendlyne.parse import parse_build_ups, parse_chain
from strategy.clock import MarketClock
from tests.pipelines.sources.http_help import Server, http, serving

pytestmark = pytest.mark.anyio

OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
EXPIRY = date(2026, 1, 27)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def market(speed: float = 600.0) -> MarketClock:
    return MarketClock(OPEN, time.time(), speed)


def client(server: Server, speed: float = 600.0, timeout: float = 5.0) -> Trendlyne:
    return Trendlyne(server.url, market(speed), timeout=timeout)


async def test_requests_are_of_the_documented_form():
    async with serving(http("200 OK", b"{}")) as server, client(server) as trendlyne:
        payloads = [
            await trendlyne.search("NIFTY"),
            await trendlyne.expiries(1887),
            await trendlyne.chain(1887, EXPIRY, "10:05"),
            await trendlyne.build_ups("BANKNIFTY", EXPIRY, "near", 59600, "C"),
            await trendlyne.build_ups("NIFTY", date(2026, 6, 2), "far", 25000, "P"),
        ]

    base = "GET /phoenix/api"
    assert server.requests == [
        f"{base}/search-contract-stock/?query=nifty",
        f"{base}/fno/get-expiry-dates/?mtype=options&stock_id=1887",
        f"{base}/live-oi-data/?stockId=1887&expDateList=2026-01-27&minTime=09%3A15&maxTime=10%3A05",
        f"{base}/fno/buildup-5/27-jan-2026-near/BANKNIFTY/"
        "?fno_mtype=options&strikePrice=59600&option_type=call",
        f"{base}/fno/buildup-5/02-jun-2026-far/NIFTY/"
        "?fno_mtype=options&strikePrice=25000&option_type=put",
    ]
    assert [payload.request for payload in payloads] == server.requests


async def test_a_payload_is_untouched_and_received_in_market_time():
    body = '{"head": {"status": "1"},  "naïve": "₹" }\n'.encode()

    async with serving(http("200 OK", body)) as server, client(server) as trendlyne:
        asked = market().now()
        payload = await trendlyne.search("NIFTY")

    assert payload.body == body
    assert payload.source == "trendlyne"
    assert payload.received_at.tzinfo is not None
    assert asked <= payload.asked_at <= payload.received_at < OPEN + timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("401 Unauthorized", SourceRefused),
        ("403 Forbidden", SourceRefused),
        ("429 Too Many Requests", SourceRefused),
        ("404 Not Found", SourceUnavailable),
        ("500 Internal Server Error", SourceUnavailable),
        ("503 Service Unavailable", SourceUnavailable),
        ("302 Found", SourceUnavailable),
        ("204 No Content", SourceUnavailable),
    ],
)
async def test_a_status_that_is_no_success_is_a_typed_error(status, kind):
    async with serving(http(status, b"no")) as server, client(server) as trendlyne:
        with pytest.raises(kind, match=f"search-contract-stock.* answers HTTP {status[:3]}"):
            await trendlyne.search("NIFTY")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"head"',
        b"\x16\x03\x01 this is not HTTP\r\n\r\n",
        http("200 OK", b"not gzip", "Content-Encoding: gzip"),
    ],
)
async def test_a_cut_or_garbled_answer_is_unavailability(answer):
    async with serving(answer) as server, client(server) as trendlyne:
        with pytest.raises(SourceUnavailable):
            await trendlyne.search("NIFTY")


async def test_silence_ends_at_the_deadline():
    async with serving(None) as server, client(server, timeout=0.3) as trendlyne:
        with pytest.raises(SourceUnavailable, match=r"no answer in 0\.3 s"):
            await trendlyne.search("NIFTY")


async def test_nobody_listening_is_unavailability():
    async with serving(b"") as server:
        pass
    async with client(server) as trendlyne:
        with pytest.raises(SourceUnavailable, match="ConnectError"):
            await trendlyne.search("NIFTY")


async def test_a_page_or_an_error_in_a_good_answer_is_kept_and_refused_by_the_parser():
    page = b"<!DOCTYPE html><title>Log in</title>"
    failed = b'{"head": {"status": "1", "statusDescription": "Invalid stock"}, "body": {}}'

    async with (
        serving(http("200 OK", page), http("200 OK", failed)) as server,
        client(server) as trendlyne,
    ):
        first = await trendlyne.build_ups("NIFTY", EXPIRY, "near", 25000, "C")
        second = await trendlyne.chain(1887, EXPIRY, "10:05")

    assert first.body == page
    with pytest.raises(PayloadInvalid, match="not JSON"):
        parse_build_ups(first.body, date(2026, 1, 21))
    with pytest.raises(PayloadInvalid, match="Invalid stock"):
        parse_chain(second.body)


async def test_the_sites_own_csrf_token_is_sent_back():
    first = http("200 OK", b"{}", "Set-Cookie: csrftoken=abc123; Path=/")

    async with serving(first) as server, client(server) as trendlyne:
        await trendlyne.search("NIFTY")
        await trendlyne.search("NIFTY")

    before, after = (head.lower() for head in server.heads)
    assert "csrftoken" not in before
    assert "x-csrftoken: abc123" in after
    assert "cookie: csrftoken=abc123" in after


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://127.0.0.1:80/x", True),
        ("http://localhost/phoenix/api", True),
        ("http://[::1]:8000", True),
        ("https://smartoptions.example/phoenix/api", False),
        ("http://10.0.0.1", False),
        ("nonsense", False),
    ],
)
def test_only_this_computer_is_loopback(url, expected):
    assert is_loopback(url) is expected
