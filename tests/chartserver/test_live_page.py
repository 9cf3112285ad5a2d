"""What a person does on the live page: strikes by rules, held ones, levels, zooming, going live."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from chart_help import OPEN, SESSION, Chart, build_up, candle, clock_text, contract, signal
from page_help import SETTLED, WAIT, newest, wait_for
from playwright.sync_api import Page, expect
from psycopg import Connection

from db.archive.feed_faults import forget_feed_fault, note_feed_fault
from db.archive.source_status import report_down, report_up
from db.checks.findings import Finding, record
from db.checks.statistics import FEED_LOCK
from db.server.connection import advisory_lock
from db.writing.bulk import write
from db.writing.opinions import prefer_sources
from db.writing.relations import BUILD_UP, CANDLE, CONTRACT, SIGNAL

STRIKES = range(24800, 25201, 50)
MINUTES = 60


@pytest.fixture
def live(connection: Connection, serve: Callable[..., Chart], page: Page) -> Callable[[str], Page]:
    """Opens the live page over an hour of an index at 25,000 and options of nine strikes."""
    options = [contract(strike, kind) for strike in STRIKES for kind in "CP"]
    write(connection, CONTRACT, options)
    rows = [candle("NIFTY", minute, 25000 + minute % 7) for minute in range(MINUTES)]
    rows += [
        candle(option.symbol, minute, 150 + minute % 5)
        for option in options
        for minute in range(MINUTES)
    ]
    write(connection, CANDLE, rows)
    chart = serve(OPTIONSCALP_CLOCK=clock_text("2026-01-21T04:45:00+00:00", speed=0.01))

    def open_live(query: str = "") -> Page:
        page.goto(f"{chart.url}/?underlying=NIFTY&{query}")
        page.wait_for_function("optionscalp?.candles('NIFTY')?.length > 0", timeout=WAIT)
        return page

    return open_live


def wait_for_strikes(page: Page, call: int, put: int) -> None:
    page.wait_for_function(
        "([call, put]) => optionscalp.status().symbols.call?.endsWith('C' + call)"
        " && optionscalp.status().symbols.put?.endsWith('P' + put)",
        arg=[call, put],
        timeout=WAIT,
    )


def test_a_step_moves_each_side_from_where_it_stands(live):
    page = live("call=atm%2B1&put=24900")
    wait_for_strikes(page, 25050, 24900)
    page.keyboard.press("PageUp")
    wait_for_strikes(page, 25100, 24950)
    page.keyboard.press("PageDown")
    wait_for_strikes(page, 25050, 24900)


def test_held_strikes_are_held_after_a_reload(live, connection: Connection):
    page = live("patience=0")
    wait_for_strikes(page, 25000, 25000)
    page.keyboard.press("z")
    expect(page.get_by_test_id("freeze")).to_have_attribute("aria-pressed", "true")
    write(connection, CANDLE, [candle("NIFTY", MINUTES, 25110)])
    page.wait_for_function("optionscalp.candles('NIFTY').at(-1).c === 25110", timeout=WAIT)
    page.reload()
    page.wait_for_function("optionscalp?.candles('NIFTY')?.length > 0", timeout=WAIT)
    wait_for_strikes(page, 25000, 25000)
    expect(page.get_by_test_id("freeze")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#atm")).to_have_text("25,100")
    page.keyboard.press("z")
    wait_for_strikes(page, 25100, 25100)


def test_zooming_out_and_another_interval_leave_a_chart_that_can_be_read(live):
    page = live()
    area = page.get_by_test_id("chart-index").bounding_box()
    page.mouse.move(area["x"] + area["width"] * 0.3, area["y"] + area["height"] / 2)
    for _ in range(12):
        page.mouse.wheel(0, 100)
        page.evaluate(SETTLED)
    page.mouse.move(0, 0)
    for key, minutes in (("5", 5), ("f", 15), ("1", 1)):
        page.keyboard.press(key)
        page.evaluate(SETTLED)
        seen = page.evaluate("optionscalp.axis()")
        count = len(seen["times"])
        visible = seen["visible"][0]
        assert count == -(-MINUTES // minutes)
        shown = min(count - 1, visible["to"]) - max(0, visible["from"]) + 1
        assert shown >= min(count, 15), (key, visible)
        assert visible["to"] - (count - 1) <= (visible["to"] - visible["from"]) / 2, (key, visible)
    page.keyboard.press("l")
    page.evaluate(SETTLED)
    seen = page.evaluate("optionscalp.axis()")
    assert seen["visible"][0]["to"] == pytest.approx(len(seen["times"]) - 1 + 3, abs=0.01)
    expect(page.get_by_test_id("go-live")).to_be_hidden()


def test_the_legend_follows_a_resting_pointer_and_the_newest_candle_once_it_left(
    live, connection: Connection
):
    page = live("layout=columns")
    put, area = (page.get_by_test_id(f"chart-{role}").bounding_box() for role in ("put", "call"))
    # Away over the price axis of another chart, as a diagonal exit goes.
    axis = area["x"] + area["width"] - 20
    for x, y, when in (
        (put["x"] + 100, put["y"] + 150, "09:"),
        (axis, area["y"] + 150, "10:14"),
        (axis, 20, "10:14"),
    ):
        page.mouse.move(x, y)
        page.evaluate(SETTLED)
        for role in ("index", "call", "put"):
            expect(page.locator(f"[data-testid=values-{role}] .when")).to_contain_text(when)
    page.mouse.move(area["x"] + area["width"] * 0.4, area["y"] + area["height"] / 2)
    page.evaluate(SETTLED)
    before = page.get_by_test_id("values-index").text_content()
    write(connection, CANDLE, [candle("NIFTY", MINUTES + 5, 25001)])
    page.wait_for_function("optionscalp.candles('NIFTY').at(-1).c === 25001", timeout=WAIT)
    expect(page.get_by_test_id("values-index")).not_to_have_text(before)
    whens = [
        page.locator(f"[data-testid=values-{role}] .when").text_content()
        for role in ("index", "call", "put")
    ]
    assert len(set(whens)) == 1
    page.keyboard.press("5")
    page.evaluate(SETTLED)
    expect(page.get_by_test_id("values-index")).not_to_contain_text("no candle")


def test_every_level_is_drawn_while_candles_form(live, connection: Connection):
    page = live("levels=previous,opening,vwap,ema9,ema21")
    for state in range(5):
        known = candle("NIFTY", MINUTES).known_at
        row = candle("NIFTY", MINUTES, 25010 + state, final=False, known_at=known)
        write(connection, CANDLE, [row])
        page.wait_for_function(
            "close => optionscalp.candles('NIFTY').at(-1).c === close", arg=25010 + state
        )
        expect(page.get_by_test_id("last-index")).to_have_text(f"25,0{10 + state}.00")
    expect(page.get_by_test_id("banner")).to_be_hidden()


def test_prices_that_stand_still_are_stale_whatever_else_arrives(live, connection: Connection):
    page = live()
    state = page.get_by_test_id("connection")
    expect(state).to_have_attribute("data-state", "live")
    write(connection, BUILD_UP, [build_up("NIFTY260127C25000", 50)])
    wait_for(page, newest(connection))
    before = page.evaluate("optionscalp.status().age")
    write(connection, BUILD_UP, [build_up("NIFTY260127P25000", 50)])
    wait_for(page, newest(connection))
    assert page.evaluate("optionscalp.status().age") >= before > 0
    write(connection, CANDLE, [candle("NIFTY", MINUTES, 25003)])
    wait_for(page, newest(connection))
    assert page.evaluate("optionscalp.status().age") < before


# What a reload must not change.
PICTURE = """() => {
  const texts = (chosen) => [...document.querySelectorAll(chosen)].map((one) => one.textContent)
  return [
    optionscalp.markers(), optionscalp.signals(), optionscalp.axis().times,
    ["index", "call", "put"].map((role) => optionscalp.status().symbols[role])
      .map((symbol) => [symbol, optionscalp.candles(symbol), optionscalp.buildUps(symbol)]),
    texts("#signal-rows td, #signal-rows .strategy-name, #signal-count"),
    texts(".legend, #spot, #ladder-rows td"),
  ]
}"""


def test_rows_of_another_session_change_nothing_that_is_shown(live, connection: Connection):
    symbol, day = "NIFTY260127C25000", timedelta(days=1)
    write(connection, SIGNAL, [signal(symbol, 10)])
    page = live()
    announcer = page.locator("#announcer")
    expect(page.get_by_test_id("signal-row")).to_have_count(1)
    page.evaluate(SETTLED)
    before = page.evaluate(PICTURE)
    old = {"known_at": OPEN - day + timedelta(hours=1)}
    past = OPEN - day + timedelta(minutes=20)
    write(connection, CANDLE, [candle("NIFTY260127C24800", open_time=past, **old)])
    write(connection, BUILD_UP, [build_up(symbol, open_time=past, close_time=past, **old)])
    told = {"session": SESSION - day, "event_time": past, "version": "2", **old}
    write(connection, SIGNAL, [signal(symbol, 11, **told)])
    wait_for(page, newest(connection))
    page.evaluate(SETTLED)
    assert page.evaluate(PICTURE) == before
    write(connection, SIGNAL, [signal(symbol, 40)])  # of today, but it was known long ago
    expect(page.get_by_test_id("signal-row")).to_have_count(2)
    expect(announcer).to_have_text("")
    write(connection, SIGNAL, [signal(symbol, 59)])
    expect(announcer).to_contain_text("Delta Volume, BULLISH: buy NIFTY 25000 CE")
    # Today's change is against yesterday's close, which another candle may have moved.
    write(connection, CANDLE, [candle("NIFTY", close=24900, open_time=past, **old)])
    expect(page.get_by_test_id("change-index")).to_contain_text("+10")
    assert page.evaluate("optionscalp.candles('NIFTY').length") == MINUTES


def test_a_strike_without_candles_today_says_when_it_had_some(live, connection: Connection):
    option, other = (contract(25600, kind) for kind in "CP")
    write(connection, CONTRACT, [option, other])
    past = OPEN - timedelta(hours=20)
    write(connection, CANDLE, [candle(option.symbol, open_time=past, known_at=past)])
    page = live("call=25600&put=atm%2B99")
    expect(page.get_by_test_id("banner")).to_have_text(
        "No strike is ATM +99: those listed are 24,800 to 25,600, and ATM is 25,000."
    )
    expect(page.get_by_test_id("empty-call")).to_have_text(
        "No candles in this session; the last ones are of Tue 20 Jan 2026."
        " Candles are fetched of strikes near the money alone (CANDLE_WINGS)."
    )


def test_the_sources_that_are_asked_are_shown(live, connection: Connection):
    prefer_sources(connection, ["upstox", "trendlyne"])
    report_down(connection, "upstox", OPEN, "the Upstox token ended at 03:30 IST")
    report_up(connection, "tradingview", OPEN)  # asked once, with other settings
    page = live()
    expect(page.locator("#sources .source")).to_have_text(["Upstox", "Trendlyne"])
    upstox = page.get_by_test_id("source-upstox")
    expect(upstox).to_have_attribute("data-state", "down")
    expect(upstox).to_have_attribute("data-tip", re.compile("the Upstox token ended"))


def test_signals_that_are_held_back_are_no_quiet_market(live, connection: Connection):
    finding = Finding(SESSION, "raw_payload", "all_parsed", "error", False, {}, OPEN)
    record(connection, [finding])
    page = live()
    banner = page.locator("#banner")
    expect(banner).to_contain_text("Signals are held back since 09:15 IST")
    expect(banner).to_contain_text("raw_payload/all_parsed")
    record(connection, [finding._replace(passed=True)])
    expect(banner).to_be_hidden()


def test_a_part_of_the_feed_that_fails_is_named_until_it_works_again(live, connection: Connection):
    note_feed_fault(connection, "positions", "KeyError: 'a'", OPEN)
    note_feed_fault(connection, "positions", "DataError: b\x00" * 1000, OPEN + timedelta(minutes=1))
    banner = live().locator("#banner")
    expect(banner).to_contain_text(
        "The feed's positions failed and is started again, since 09:15 IST: DataError: b"
    )
    assert len(banner.inner_text()) < 1_200
    forget_feed_fault(connection, "positions")
    expect(banner).to_be_hidden()


def test_a_feed_that_is_dead_is_named_until_one_runs(
    live, connection: Connection, feed_runs: Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("chartserver.status.FEED_SECONDS", 0.0)
    banner = live().locator("#banner")
    expect(banner).to_be_hidden()
    feed_runs.close()
    expect(banner).to_have_text(
        "No feed runs in an open market. See logs/feed.log for why it ended, or start it."
    )
    with advisory_lock(connection, FEED_LOCK):
        expect(banner).to_be_hidden()


def test_a_strategy_that_is_switched_off_is_named_with_what_is_wrong(live, connection: Connection):
    connection.execute(
        "insert into strategy_fault values ('rise.py', 'rise', '1f', 'took too long', now()),"
        " ('broken.py', '', '2f', 'SyntaxError: no', now() + interval '1 second')"
    )
    banner = live().locator("#banner")
    expect(banner).to_contain_text(
        "Strategy rise is switched off: took too long."
        " Strategy broken.py is switched off: SyntaxError: no."
    )
    connection.execute("delete from strategy_fault")
    expect(banner).to_be_hidden()
