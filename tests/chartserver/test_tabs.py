"""Many tabs on one stream, through everything that happens to tabs, cables and servers."""

import os
import threading
from collections.abc import Iterator

import pytest
from cable import Cable
from chart_help import Chart, candle, contract
from page_help import WAIT, newest, shown, wait_for
from playwright.sync_api import Browser, BrowserContext, Page, expect
from psycopg import Connection

from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT
from tests.long import in_full

OFFLINE_SECONDS = 20 if os.environ.get("OPTIONSCALP_LONG") else 3
CALL, PUT = "NIFTY260127C25000", "NIFTY260127P25000"
# The market's clock stands later than its rows, so a page that hears the server says stale.
CONNECTED = "['live', 'stale'].includes(optionscalp.status().connection)"
WITHOUT_WORKER = "delete globalThis.SharedWorker"
WITHOUT_LOCKS = (
    "delete globalThis.SharedWorker;"
    "Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined })"
)


@pytest.fixture
def market(connection: Connection) -> "Market":
    return Market(connection)


class Market:
    """A few instruments of both underlyings that trade on."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self.minute = 0
        write(connection, CONTRACT, [contract(25000, kind) for kind in "CP"])
        self.trade(5)

    def trade(self, minutes: int) -> None:
        for _ in range(minutes):
            self.minute += 1
            symbols = ("NIFTY", CALL, PUT, "BANKNIFTY")
            rows = [candle(symbol, self.minute, 25000 + self.minute) for symbol in symbols]
            write(self.connection, CANDLE, rows)

    def stored(self, symbol: str) -> list[list]:
        rows = self.connection.execute(
            "select extract(epoch from open_time)::bigint, open, high, low, close from candle"
            " where symbol = %s order by open_time",
            [symbol],
        )
        return [list(row) for row in rows]


@pytest.fixture
def tabs(browser: Browser) -> Iterator[BrowserContext]:
    """One browser profile whose tabs fail the test when their code reports an error."""
    context = browser.new_context(viewport={"width": 1000, "height": 700}, bypass_csp=True)
    context.set_default_timeout(WAIT)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert errors == []


def open_live(tabs: BrowserContext, url: str, underlying: str = "NIFTY") -> Page:
    page = tabs.new_page()
    page.goto(f"{url}/?underlying={underlying}")
    page.wait_for_function(CONNECTED)
    return page


def expect_all_of(market: Market, page: Page, symbols: tuple[str, ...] = ("NIFTY", CALL, PUT)):
    """The page shows exactly what the database has."""
    last = market.connection.execute(
        "select max(seq) from change_log where underlying = %s",
        ["NIFTY" if "NIFTY" in symbols else "BANKNIFTY"],
    ).fetchone()[0]
    wait_for(page, last)
    page.wait_for_function(CONNECTED)
    seen = shown(page)
    for symbol in symbols:
        drawn = page.evaluate("symbol => optionscalp.candles(symbol)", symbol)
        assert [[bar[key] for key in "tohlc"] for bar in drawn] == market.stored(symbol)
    for chart in seen["drawn"]:
        if chart["symbol"] in symbols:
            assert chart["tag"] == market.stored(chart["symbol"])[-1][4]


def test_ten_tabs_of_three_pages_stay_live_on_one_stream(
    chart: Chart, market: Market, tabs: BrowserContext
):
    live = [open_live(tabs, chart.url) for _ in range(5)]
    other = open_live(tabs, chart.url, "BANKNIFTY")
    for path in (
        "/replay?underlying=NIFTY",
        "/replay?underlying=BANKNIFTY",
        "/signals",
        "/signals",
    ):
        page = tabs.new_page()
        page.goto(chart.url + path)
        expect(page.locator("body")).to_be_visible()
    market.trade(3)
    for page in live:
        expect_all_of(market, page)
    expect_all_of(market, other, ("BANKNIFTY",))
    assert chart.metric("clients") == 1
    for page in live[1:]:
        page.close()
    market.trade(2)
    expect_all_of(market, live[0])


@pytest.mark.parametrize(
    "lacking",
    [
        pytest.param("", id="worker"),
        pytest.param(WITHOUT_WORKER, id="leader", marks=in_full),
        pytest.param(WITHOUT_LOCKS, id="alone", marks=in_full),
    ],
)
def test_tabs_catch_up_after_the_cable_was_cut(
    chart: Chart, market: Market, tabs: BrowserContext, lacking: str
):
    if lacking:
        tabs.add_init_script(lacking)
    cable = Cable(chart.port)
    pages = [open_live(tabs, cable.url) for _ in range(3)]
    cable.cut()
    for page in pages:
        page.wait_for_function(f"!{CONNECTED}")
    market.trade(4)
    # The browser tries again and again meanwhile.
    threading.Event().wait(OFFLINE_SECONDS)
    cable.mend()
    for page in pages:
        page.wait_for_function(CONNECTED)
        expect_all_of(market, page)
    market.trade(1)
    for page in pages:
        expect_all_of(market, page)
    cable.close()


@pytest.mark.parametrize("lacking", ["", WITHOUT_WORKER], ids=["worker", "leader"])
def test_the_others_go_on_when_the_first_tab_is_closed(
    chart: Chart, market: Market, tabs: BrowserContext, lacking: str
):
    if lacking:
        tabs.add_init_script(lacking)
    pages = [open_live(tabs, chart.url) for _ in range(3)]
    pages.pop(0).close()
    market.trade(2)
    for page in pages:
        expect_all_of(market, page)
    pages.pop(0).close()
    market.trade(2)
    expect_all_of(market, pages[0])
    assert chart.metric("clients") == 1


def test_tabs_resume_when_the_server_was_killed(
    serve_process, market: Market, tabs: BrowserContext
):
    server = serve_process()
    pages = [open_live(tabs, server.url) for _ in range(3)]
    server.stop(kill=True)
    market.trade(3)
    serve_process(port=server.port)
    for page in pages:
        expect_all_of(market, page)


def test_a_tab_that_slept_shows_what_the_database_has(
    chart: Chart, market: Market, tabs: BrowserContext
):
    awake, asleep = (open_live(tabs, chart.url) for _ in range(2))
    devtools = tabs.new_cdp_session(asleep)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    market.trade(6)
    expect_all_of(market, awake)
    assert newest(market.connection) > 0
    devtools.send("Page.setWebLifecycleState", {"state": "active"})
    expect_all_of(market, asleep)
