"""Late data says so: in the header, at its source, in the list of signals and at their markers."""

from collections.abc import Callable
from datetime import timedelta

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
