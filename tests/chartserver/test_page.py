"""The pages in a real browser, on a running demo: live candles, a BUY marker, the day replayed."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from chart_help import candle, contract
from playwright.sync_api import Browser, Page, expect
from psycopg import Connection

from db.market.frames import Range
from db.server.connection import connect
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT
from pipelines.recorded.files import read_file
from pipelines.recorded.importer import import_rows
from pipelines.signals.materialise import materialise_signals
from tests.conftest import temporary_folder
from tests.demo import Demo, demo

WAIT = 60_000
# The generated day's first episode ends at 09:50 IST and suggests this call.
SUGGESTED = "NIFTY260127C25650"


def wait_for_the_day(dsn: str) -> None:
    """Return when the day itself has a candle of the strike: the session before has some too."""
    query = "select 1 from candle where symbol = %s and open_time >= '2026-01-21'"
    with connect(dsn) as listener, connect(dsn) as reader:
        listener.execute("listen feed")
        for _ in listener.notifies(timeout=WAIT / 1000):
            if reader.execute(query, (SUGGESTED,)).fetchone():
                return
    raise AssertionError("the day did not begin")


@pytest.fixture(scope="module")
def running(browser: Browser) -> Iterator[Demo]:
    """A demo whose strikes are listed, begun once the browser stands: the market does not wait."""
    with (
        temporary_folder() as home,
        demo(home, "--no-dagster", "--speed", "60", "--underlying", "NIFTY") as started,
    ):
        wait_for_the_day(started.database())
        yield started


def is_history(url: str) -> bool:
    """A reading of the whole session; those of further contracts are only read ahead."""
    return "/api/history" in url and "symbols=" not in url


def test_candles_move_and_a_buy_marker_arrives_over_the_stream(running: Demo, page: Page):
    histories: list[str] = []
    page.on("request", lambda r: histories.append(r.url) if is_history(r.url) else None)
    page.goto(f"{running.url}/?underlying=NIFTY&strategy=delta_volume&strike=25650")
    page.wait_for_function("optionscalp?.candles('NIFTY')?.length > 0", timeout=WAIT)
    assert page.evaluate("optionscalp.signals().length") == 0
    expect(page.get_by_test_id("simulated")).to_be_visible()
    before = page.evaluate("JSON.stringify(optionscalp.candles('NIFTY').at(-1))")
    page.wait_for_function(
        "before => JSON.stringify(optionscalp.candles('NIFTY').at(-1)) !== before",
        arg=before,
        timeout=WAIT,
    )
    page.wait_for_function(
        "optionscalp.markers().some(marker => marker.text?.startsWith('BUY CE 25650'))",
        timeout=3 * WAIT,  # its ladder comes minutes after the interval
    )
    assert len(histories) == 1, "the marker came with the stream, not with a reload"
    row = page.get_by_test_id("signal-row").last
    assert row.get_attribute("data-symbol") == SUGGESTED
    assert row.get_attribute("data-direction") == "BULLISH"
    expect(page.get_by_test_id("connection")).to_have_text("live", ignore_case=True)
    page.wait_for_function(
        "document.querySelector('[data-testid=ladder-row][data-strike=\"25650\"]') !== null",
        timeout=WAIT,
    )


def is_range(url: str) -> bool:
    return "/api/replay" in url and "symbols=" not in url


def test_the_same_day_replays_with_every_row_at_the_time_it_became_known(running: Demo, page: Page):
    answers: list[dict] = []
    page.on("response", lambda r: answers.append(r.json()) if is_range(r.url) else None)
    page.goto(
        f"{running.url}/replay?underlying=NIFTY&from=2026-01-21&to=2026-01-21&strike=25650"
        "&strategy=delta_volume"
    )
    page.wait_for_function("window.optionscalp?.status().settled", timeout=WAIT)
    assert page.evaluate("optionscalp.signals().length") == 0, "it opens at the session's start"
    page.keyboard.press("End")
    buys = "optionscalp.markers().filter(marker => marker.text?.startsWith('BUY')).length"
    page.wait_for_function(f"optionscalp && {buys} > 0", timeout=WAIT)
    expect(page.get_by_test_id("simulated")).to_be_visible()
    signal = next(row for row in answers[0]["signals"] if row["symbol"] == SUGGESTED)
    for moment, shown in ((signal["known_at"] - 1, 0), (signal["known_at"], 1)):
        page.goto(
            f"{running.url}/replay?underlying=NIFTY&from=2026-01-21&to=2026-01-21"
            f"&strategy=delta_volume&strike=25650&t={moment}"
        )
        page.wait_for_function("optionscalp?.candles('NIFTY')?.length > 0", timeout=WAIT)
        assert page.evaluate("optionscalp.signals().length") == shown
    counted = page.evaluate("optionscalp.candles('NIFTY').length")
    page.get_by_test_id("step-forward").click()
    page.wait_for_function(
        "counted => optionscalp.candles('NIFTY').length > counted", arg=counted, timeout=WAIT
    )
    assert len(answers) == 3, "one range a page: playing and stepping ask for contracts alone"


def test_the_database_answers_what_the_page_shows(running: Demo, page: Page):
    page.goto(f"{running.url}/?underlying=NIFTY&strategy=delta_volume&strike=25650")
    page.wait_for_function("optionscalp?.signals()?.length > 0", timeout=WAIT)
    shown = page.evaluate("optionscalp.signals().map(signal => signal.signal_id)")
    stored = page.request.get(f"{running.url}/api/signals?underlying=NIFTY").json()["signals"]
    assert set(shown) <= {signal["signal_id"] for signal in stored}


def test_a_page_without_data_says_so(serve, page: Page):
    empty = serve()
    page.goto(f"{empty.url}/")
    # Until the answer is there, the same card says that it reads.
    expect(page.get_by_test_id("notice-text")).to_contain_text("as soon as one is stored")
    assert json.loads(page.request.get(f"{empty.url}/healthz").text())["simulated"] is False


def test_a_strike_that_is_not_listed_yet_leaves_the_index_and_is_shown_once_it_is(
    connection: Connection, serve, page: Page
):
    write(connection, CANDLE, [candle()])
    page.goto(f"{serve().url}/?underlying=NIFTY&strike=25000")
    page.wait_for_function("optionscalp?.candles('NIFTY')?.length === 1", timeout=WAIT)
    call, put = (contract(25000, kind) for kind in "CP")
    write(connection, CONTRACT, [call, put])
    write(connection, CANDLE, [candle(call.symbol), candle(put.symbol)])
    page.reload()
    page.wait_for_function(f"optionscalp?.candles('{call.symbol}')?.length === 1", timeout=WAIT)
    page.wait_for_function("optionscalp.candles('NIFTY').length === 1", timeout=WAIT)


def test_recorded_sessions_replay_with_their_markers(
    page: Page, database: str, serve, shared_data: Path
):
    day = date(2026, 2, 1)
    parsed = read_file(shared_data / "nifty_banknifty_5m_2026-01-22_2026-02-02.parquet")
    chosen = parsed.rows["underlying"].eq("BANKNIFTY") & parsed.rows["ts"].dt.date.eq(day)
    with connect(database) as connection:
        import_rows(connection, parsed._replace(rows=parsed.rows[chosen]))
        stored = materialise_signals(connection, Range(day, day), ("BANKNIFTY",), datetime.now(UTC))
    assert stored.rejections >= 10, "two of the first three lost, the others are held back"
    server = serve()
    page.goto(
        f"{server.url}/replay?underlying=BANKNIFTY&from=2026-02-01&to=2026-02-01&t=2026-02-01T15:30"
    )
    page.wait_for_function("optionscalp?.signals()?.length > 0", timeout=WAIT)
    assert page.evaluate("optionscalp.signals().length") == stored.written == 3
    assert page.evaluate("optionscalp.markers().length") >= 3
    expect(page.get_by_test_id("simulated")).to_be_hidden()
