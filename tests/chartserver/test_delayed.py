"""Late data says so: in the header, at its source, in the list of signals and at their markers."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from chart_help import OPEN, Chart, candle, clock_text, contract, signal
from page_help import WAIT
from playwright.sync_api import Page, expect
from psycopg import Connection

from db.archive.source_status import Access, report_access, report_up
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT, SIGNAL

NOTE = "the token ends at 10:30 IST: copy a new one"


@pytest.fixture
def live(connection: Connection, serve: Callable[..., Chart], page: Page) -> Callable[[int], Page]:
    """Opens the live page of an account that is so many seconds late, with one signal."""
    call = contract(25000, "C")

    def open_live(late: int) -> Page:
        write(connection, CONTRACT, [call, contract(25000, "P")])
        rows = [candle(name, m, 25000 + m) for name in ("NIFTY", call.symbol) for m in range(40)]
        write(connection, CANDLE, rows)
        known_at = OPEN + timedelta(minutes=20, seconds=200 + late)
        write(connection, SIGNAL, [signal(call.symbol, 20, known_at=known_at)])
        now = OPEN + timedelta(minutes=41)
        report_up(connection, "tradingview", now)
        report_access(connection, "tradingview", Access(late, None, NOTE if late else None))
        chart = serve(OPTIONSCALP_CLOCK=clock_text(now.isoformat(), speed=0.001))
        page.goto(f"{chart.url}/?underlying=NIFTY")
        page.wait_for_function("optionscalp?.candles('NIFTY')?.length > 0", timeout=WAIT)
        return page

    return open_live


def test_a_delayed_account_is_named_wherever_its_data_shows(live):
    page = live(900)
    expect(page.get_by_test_id("connection")).to_have_text("DELAYED 15 min")
    badge = page.get_by_test_id("delayed")
    expect(badge).to_have_text("DELAYED 15 min")
    expect(badge).to_have_attribute("data-tip", f"The account's prices come so late. {NOTE}")
    source = page.get_by_test_id("source-tradingview")
    assert "15 min late" in source.get_attribute("data-tip")
    expect(page.get_by_test_id("signal-row")).to_contain_text("BULLISH · DELAYED")
    page.wait_for_function(
        "optionscalp.markers().some(marker => marker.text?.startsWith('DELAYED BUY CE 25000'))",
        timeout=WAIT,
    )


def test_the_age_of_late_data_is_that_of_its_newest_price(
    connection: Connection, serve: Callable[..., Chart], page: Page
):
    late, now = timedelta(minutes=15), OPEN + timedelta(minutes=30, seconds=40)

    def known(minute: int) -> datetime:
        return OPEN + timedelta(minutes=minute + 1, seconds=5) + late

    rows = [candle(minute=m, known_at=known(m)) for m in range(14)]
    write(connection, CANDLE, rows)
    report_up(connection, "tradingview", now)
    report_access(connection, "tradingview", Access(900, None, None))
    chart = serve(OPTIONSCALP_CLOCK=clock_text(now.isoformat(), speed=0.001))
    page.goto(f"{chart.url}/?underlying=NIFTY")
    age = page.get_by_test_id("data-age")
    expect(age).to_have_text("16 m 40 s", timeout=WAIT)
    write(connection, CANDLE, [candle(minute=14, known_at=known(14))])
    expect(age).to_have_text("15 m 40 s")
    expect(page.get_by_test_id("connection")).to_have_text("DELAYED 15 min")
    expect(page.get_by_test_id("delayed")).to_be_visible()


def test_candles_that_come_late_in_real_time_are_stale(
    connection: Connection, serve: Callable[..., Chart], page: Page
):
    now = OPEN + timedelta(minutes=10)
    write(connection, CANDLE, [candle(minute=1, known_at=now)])
    chart = serve(OPTIONSCALP_CLOCK=clock_text(now.isoformat(), speed=0.001))
    page.goto(f"{chart.url}/?underlying=NIFTY")
    expect(page.get_by_test_id("connection")).to_have_text("Stale", timeout=WAIT)
    expect(page.get_by_test_id("data-age")).to_have_text("8 m 00 s")
    write(connection, CANDLE, [candle(minute=2, known_at=now)])
    expect(page.get_by_test_id("data-age")).to_have_text("7 m 00 s")
    expect(page.get_by_test_id("connection")).to_have_text("Stale")
    write(connection, CANDLE, [candle(minute=9, known_at=now)])
    expect(page.get_by_test_id("connection")).to_have_text("Live")


def test_a_session_without_its_end_has_no_closing_price(
    connection: Connection, serve: Callable[..., Chart], page: Page
):
    write(connection, CANDLE, [candle(minute=m) for m in range(364)])
    now = OPEN + timedelta(minutes=375 + 17)
    chart = serve(OPTIONSCALP_CLOCK=clock_text(now.isoformat(), speed=0.001))
    page.goto(f"{chart.url}/?underlying=NIFTY")
    pill = page.get_by_test_id("connection")
    expect(pill).to_have_text("Last price 15:18", timeout=WAIT)
    expect(pill).to_have_attribute("data-state", "incomplete")
    told = "The session of Wed 21 Jan 2026 is incomplete: its last price is of 15:18"
    expect(pill).to_have_attribute("data-tip", re.compile(told))
    write(connection, CANDLE, [candle(minute=374)])
    expect(pill).to_have_text("Live")


def test_an_account_in_real_time_is_not(live):
    page = live(0)
    expect(page.get_by_test_id("connection")).to_have_text("Live")
    expect(page.get_by_test_id("delayed")).to_be_hidden()
    row = page.get_by_test_id("signal-row")
    expect(row).to_contain_text("BULLISH")
    expect(row).not_to_contain_text("DELAYED")
    page.wait_for_function(
        "optionscalp.markers().some(marker => marker.text?.startsWith('BUY CE 25000'))",
        timeout=WAIT,
    )
