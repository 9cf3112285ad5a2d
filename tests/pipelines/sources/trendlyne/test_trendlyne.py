"""The Trendlyne client against a small HTTP server that plays exact bytes."""

import gzip
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.sources.bodies import LARGEST
from pipelines.sources.endpoint import is_loopback
from pipelines.sources.errors import PayloadInvalid, SourceRefused, SourceUnavailable
from pipelines.sources.trendlyne.client import Trendlyne
from pipelines.sources.trendlyne.ladders import parse_chain
from pipelines.sources.trendlyne.site import Visitor
from strategy.clock import MarketClock
from strategy.contract import Contract
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
            await trendlyne.expiries("NIFTY", 1887),
            await trendlyne.chain("NIFTY", 1887, EXPIRY, "10:05"),
            await trendlyne.strikes("NIFTY", 1887, EXPIRY),
            await trendlyne.option_chain("NIFTY", EXPIRY),
            await trendlyne.contract_rows(Contract("BANKNIFTY", EXPIRY, 59600, "C"), "near"),
            await trendlyne.contract_rows(Contract("NIFTY", date(2026, 6, 2), 25000, "P"), "far"),
        ]

    base = "GET /phoenix/api"
    assert server.requests == [
        f"{base}/search-contract-stock/?query=nifty",
        f"{base}/fno/get-expiry-dates/?mtype=options&stock_id=1887",
        f"{base}/live-oi-data/?stockId=1887&expDateList=2026-01-27&minTime=09%3A15&maxTime=10%3A05",
        f"{base}/live-oi-data/?stockId=1887&expDateList=2026-01-27&minTime=09%3A15&maxTime=09%3A15",
        f"{base}/fno/option/chain/?stockCode=NIFTY&expDate=2026-01-27",
        f"{base}/fno/buildup-5/27-jan-2026-near/BANKNIFTY/"
        "?fno_mtype=options&strikePrice=59600&option_type=call",
        f"{base}/fno/buildup-5/02-jun-2026-far/NIFTY/"
        "?fno_mtype=options&strikePrice=25000&option_type=put",
    ]
    assert [payload.request for payload in payloads] == server.requests
    chain = {"source": "trendlyne", "underlying": "NIFTY", "expiry": "2026-01-27"}
    assert [payload.about for payload in payloads] == [
        {"source": "trendlyne", "kind": "search", "underlying": "NIFTY"},
        {"source": "trendlyne", "kind": "expiries", "underlying": "NIFTY"},
        chain | {"kind": "chain", "until": "10:05"},
        chain | {"kind": "listing"},
        chain | {"kind": "option_chain"},
        {"source": "trendlyne", "kind": "build_ups", "symbol": "BANKNIFTY260127C59600"},
        {"source": "trendlyne", "kind": "build_ups", "symbol": "NIFTY260602P25000"},
    ]


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
    ],
)
async def test_a_cut_or_garbled_answer_is_unavailability(answer):
    async with serving(answer) as server, client(server) as trendlyne:
        with pytest.raises(SourceUnavailable):
            await trendlyne.search("NIFTY")


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (http("200 OK", b"not gzip", "Content-Encoding: gzip"), "not gzip"),
        (http("200 OK", gzip.compress(b"{}")[:-9], "Content-Encoding: gzip"), "ends too early"),
        (http("200 OK", b"{}", "Content-Encoding: br"), "packed as br, which nobody asked for"),
        (http("200 OK", b" " * (LARGEST + 1)), "an answer of more than 16,777,216 bytes"),
        (
            http("200 OK", gzip.compress(b" " * (LARGEST + 1)), "Content-Encoding: gzip"),
            "bytes of gzip hold more than 16,777,216",
        ),
    ],
    ids=["no gzip", "cut", "another packing", "too large", "a bomb"],
)
async def test_an_answer_that_cannot_be_unpacked_or_is_too_large_is_invalid(answer, complaint):
    async with serving(answer) as server, client(server) as trendlyne:
        with pytest.raises(PayloadInvalid, match=complaint) as caught:
            await trendlyne.search("NIFTY")
    assert caught.value.body


async def test_what_is_packed_is_read():
    answer = http(
        "200 OK", gzip.compress(b'{"body"') + gzip.compress(b":1}"), "Content-Encoding: gzip"
    )
    async with serving(answer) as server, client(server) as trendlyne:
        assert (await trendlyne.search("NIFTY")).body == b'{"body":1}'


@pytest.mark.parametrize(
    "headers",
    [
        ("Date: Mon, 01 Jan 0001 00:00:00 GMT",),
        ("Date: Fri, 31 Dec 9999 23:59:59 GMT", "Age: " + "9" * 5000),
        ("Retry-After: " + "9" * 5000, "Set-Cookie: a=\xe9\x01; Path=/"),
    ],
)
async def test_headers_that_cannot_be_true_change_nothing(headers):
    async with serving(http("200 OK", b"{}", *headers)) as server, client(server) as trendlyne:
        for _ in range(2):
            payload = await trendlyne.search("NIFTY")
            assert payload.received_at - payload.asked_at < timedelta(minutes=1)


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


async def test_an_error_in_a_good_answer_is_kept_and_refused_by_the_parser():
    failed = b'{"head": {"status": "1", "statusDescription": "Invalid stock"}, "body": {}}'

    async with serving(http("200 OK", failed)) as server, client(server) as trendlyne:
        payload = await trendlyne.chain("NIFTY", 1887, EXPIRY, "10:05")

    assert payload.body == failed
    with pytest.raises(PayloadInvalid, match="Invalid stock"):
        parse_chain(payload.body, "NIFTY")


PAGE = b"<!DOCTYPE html><html><head><title>Human Verification</title></head></html>"
CAPTCHA = "x-amzn-waf-action: captcha"


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (http("405 Not Allowed", PAGE, CAPTCHA), "HTTP 405, x-amzn-waf-action: captcha"),
        (http("202 Accepted", b"", "x-amzn-waf-action: challenge"), "HTTP 202, x-amzn-waf-action"),
        (http("202 Accepted", b"{}"), "HTTP 202"),
        (http("403 Forbidden", b"", CAPTCHA), "HTTP 403, x-amzn-waf-action: captcha"),
        (http("200 OK", b"{}", CAPTCHA), "HTTP 200, x-amzn-waf-action: captcha"),
        (http("200 OK", PAGE), "HTTP 200"),
        (http("200 OK", b"{}", "Content-Type: text/html; charset=UTF-8"), "HTTP 200"),
    ],
)
async def test_the_firewalls_page_is_a_refusal_of_ten_minutes_that_says_what_helps(answer, seen):
    async with serving(answer) as server, client(server) as trendlyne:
        with pytest.raises(SourceRefused) as refused:
            await trendlyne.search("NIFTY")

    text = str(refused.value)
    assert "search-contract-stock" in text
    assert f"({seen}" in text
    assert (
        "open the site once in a browser, or set TRENDLYNE_USER_AGENT / TRENDLYNE_COOKIE_FILE"
        in text
    )
    assert refused.value.status is not None
    assert refused.value.retry_after == timedelta(minutes=10)


@pytest.mark.parametrize(("asked", "minutes"), [("60", 10), ("1800", 30)])
async def test_the_firewall_may_ask_for_a_longer_pause(asked, minutes):
    answer = http("405 Not Allowed", PAGE, CAPTCHA, f"Retry-After: {asked}")
    async with serving(answer) as server, client(server) as trendlyne:
        with pytest.raises(SourceRefused) as refused:
            await trendlyne.search("NIFTY")

    assert refused.value.retry_after == timedelta(minutes=minutes)


async def test_we_present_ourselves_as_the_sites_own_page_and_as_told():
    async with serving(http("200 OK", b"{}")) as server:
        async with client(server) as trendlyne:
            await trendlyne.search("NIFTY")
        visitor = Visitor(user_agent="Mozilla/5.0 (X11) Firefox/140.0")
        async with Trendlyne(server.url, market(), visitor=visitor) as trendlyne:
            await trendlyne.search("NIFTY")

    ours, told = (head.split("\r\n") for head in server.heads)
    site = server.url.removesuffix("/phoenix/api")
    assert "user-agent: Mozilla/5.0 (compatible; OptionScalp)" in map(_lower_name, ours)
    assert "user-agent: Mozilla/5.0 (X11) Firefox/140.0" in map(_lower_name, told)
    for head in (ours, told):
        assert f"origin: {site}" in map(_lower_name, head)
        assert f"referer: {site}/" in map(_lower_name, head)


def _lower_name(line: str) -> str:
    name, colon, value = line.partition(":")
    return name.lower() + colon + value


async def test_a_browsers_cookies_are_sent_until_the_site_or_the_file_changes_them(tmp_path):
    path = tmp_path / "cookies.txt"
    path.write_text("aws-waf-token=first; csrftoken=mine")
    site_sets = http("200 OK", b"{}", "Set-Cookie: aws-waf-token=second; Path=/")

    async with serving(site_sets, http("200 OK", b"{}")) as server:
        visitor = Visitor(cookie_file=path)
        async with Trendlyne(server.url, market(), visitor=visitor) as trendlyne:
            await trendlyne.search("NIFTY")
            payload = await trendlyne.search("NIFTY")
            path.write_text("aws-waf-token=third; csrftoken=new one")
            await trendlyne.search("NIFTY")

    sent = [
        [line for line in map(_lower_name, head.split("\r\n")) if line.startswith("cookie:")]
        for head in server.heads
    ]
    assert sent == [
        ["cookie: aws-waf-token=first; csrftoken=mine"],
        ["cookie: aws-waf-token=second; csrftoken=mine"],
        ["cookie: aws-waf-token=third; csrftoken=new one"],
    ]
    assert "x-csrftoken: mine" in server.heads[0].lower()
    assert "second" not in str(payload)


async def test_an_unreadable_file_of_cookies_asks_nothing(tmp_path):
    visitor = Visitor(cookie_file=tmp_path / "none.txt")
    async with (
        serving(http("200 OK", b"{}")) as server,
        Trendlyne(server.url, market(), visitor=visitor) as trendlyne,
    ):
        with pytest.raises(SourceRefused, match=r"TRENDLYNE_COOKIE_FILE: .*none\.txt: No such"):
            await trendlyne.search("NIFTY")

    assert server.heads == []


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
