"""What every answer tells browsers, and pages that live with it: no error in any console."""

import shutil
import socket
from pathlib import Path

import psycopg
import pytest
from chart_help import DEADLINE, SESSION, candle, clock_text, contract, signal
from playwright.sync_api import Browser, BrowserContext, expect
from sweep_help import store_a_sweep

from chartserver.pages import FOLDER, Pages
from chartserver.routes import health
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT, SIGNAL

FIXED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
PAGES = ["/", "/replay", "/signals", "/sweeps"]
CALL = "NIFTY260127C25000"
# The clock stands, right after the newest candle.
AT_THE_END = clock_text("2026-01-21T04:25:00+00:00", 0.001)


def assert_safe(headers) -> None:
    assert {name: headers[name] for name in FIXED} == FIXED
    for name in FIXED | {"content-security-policy": ""}:
        assert len(headers.get_list(name)) == 1, name
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "default-src 'self'" in policy
    assert "strict-transport-security" not in headers
    assert "server" not in headers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *((page, 200) for page in PAGES),
        ("/static/live-page.js", 200),
        ("/static/vendor/lightweight-charts.mjs", 200),
        ("/api/sessions", 200),
        ("/api/history?underlying=X", 400),
        ("/healthz", 200),
        ("/metrics", 200),
        ("/gone", 404),
        ("/static/pages/live.html", 404),
        ("/stream?since=x", 400),
        ("/api/replay?from=2025-01-01&to=2026-01-01", 413),
    ],
)
def test_every_answer_has_the_headers_once(chart, path, status):
    answer = chart.get(path)
    assert answer.status_code == status
    assert_safe(answer.headers)


def test_bundled_files_streams_refusals_and_unchanged_files_have_them(serve):
    chart = serve()
    first = chart.get("/static/live-page.js")
    again = chart.get("/static/live-page.js", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert_safe(again.headers)
    assert_safe(chart.get("/healthz", headers={"Host": "evil.example"}).headers)
    with socket.create_connection(("127.0.0.1", chart.port), timeout=DEADLINE) as peer:
        peer.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = peer.recv(65_536).lower()
        for name, value in FIXED.items():
            assert f"\r\n{name}: {value}\r\n".encode() in head
    with socket.create_connection(("127.0.0.1", chart.port), timeout=DEADLINE) as peer:
        peer.sendall(b"noise\r\n\r\n")
        head = peer.recv(65_536).lower()
        for name, value in FIXED.items():
            assert f"\r\n{name}: {value}\r\n".encode() in head
    guarded = serve(CHART_TOKEN="secret")
    for path, accept in (
        ("/", "text/html"),
        ("/", "*/*"),
        ("/?token=secret", "*/*"),
        ("/logout", ""),
    ):
        assert_safe(guarded.get(path, headers={"Accept": accept}).headers)


def test_an_answer_that_fails_has_them(serve, monkeypatch):
    async def broken(_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(health.routes[0], "app", broken)
    answer = serve().get("/healthz")
    assert answer.status_code == 500
    assert_safe(answer.headers)


@pytest.fixture
def stored(connection: psycopg.Connection) -> None:
    write(connection, CONTRACT, [contract(25000, "C"), contract(25000, "P")])
    for symbol in ("NIFTY", CALL, "NIFTY260127P25000"):
        rows = [candle(symbol, minute, 25010.0 + minute) for minute in range(40)]
        write(connection, CANDLE, rows)
    write(connection, SIGNAL, [signal(CALL, 15)])
    store_a_sweep(connection)


@pytest.fixture
def context(browser: Browser):
    """As people have it: the page fixture's other tests look past the policy."""
    opened = browser.new_context(viewport={"width": 1600, "height": 900})
    yield opened
    opened.close()


DAY = f"underlying=NIFTY&from={SESSION}&to={SESSION}"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/?underlying=NIFTY", "ladder-row"),
        (f"/replay?{DAY}&t=2026-01-21T09:50", "ladder-row"),
        (f"/signals?{DAY}", "result-row"),
        ("/sweeps", "heat-cell"),
    ],
    ids=["live", "replay", "signals", "sweeps"],
)
def test_no_page_breaks_its_own_policy(context: BrowserContext, serve, stored, address, shown):
    chart = serve(CHART_TOKEN="secret", OPTIONSCALP_CLOCK=AT_THE_END)
    said: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda line: said.append(line.text) if line.type in {"error", "warning"} else None,
    )
    page.goto(f"{chart.url}{address}{'&' if '?' in address else '?'}token=secret")
    expect(page.get_by_test_id(shown).first).to_be_visible()
    if shown == "ladder-row":
        page.get_by_test_id("theme-dark").click()
        page.get_by_test_id("help").click()
        expect(page.get_by_test_id("help-key").first).to_be_visible()
        page.keyboard.press("Escape")
    if address.startswith("/replay"):
        page.keyboard.press("Space")
    if address.startswith("/?"):
        expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    assert said == []


def test_plain_modules_live_with_the_policy_as_well(
    context: BrowserContext, serve, stored, tmp_path: Path
):
    """Their import map is a script inside the page."""
    shutil.copytree(FOLDER / "static", tmp_path / "static")
    for name in ("build.js", "package-lock.json"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "node_modules").symlink_to((FOLDER / "node_modules").resolve())
    chart = serve(Pages(tmp_path), OPTIONSCALP_CLOCK=AT_THE_END)
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda line: said.append(line.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{chart.url}/?underlying=NIFTY")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    assert "importmap" in page.content()
    assert said == []


def test_the_live_page_takes_what_the_stream_brings_under_its_policy(
    context: BrowserContext, serve, stored, connection
):
    chart = serve(OPTIONSCALP_CLOCK=AT_THE_END)
    page = context.new_page()
    page.goto(f"{chart.url}/?underlying=NIFTY")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    write(connection, CANDLE, [candle("NIFTY", 40, 26123.45)])
    expect(page.locator("#spot")).to_contain_text("26,123.45")
