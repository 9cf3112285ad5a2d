"""The page of signals in a real browser: filters, order, reasons, and the way to the replay."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid5

import psycopg
import pytest
from cable import Cable
from chart_help import OPEN, SESSION, Chart, candle, contract, seconds, signal
from playwright.sync_api import Browser, Page, expect

from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT, SIGNAL, SIGNAL_REJECTION
from db.writing.rows import Signal, SignalRejection

CALL, OTHER_CALL = "NIFTY260127C25000", "NIFTY260127C25050"
STRIKES = [24950, 25000, 25050]
VERSION = "1+0a1b2c3d"
RETURNS = {10: 28.5, 20: -21.5, 25: 3.0}
DRAWS = 40
REASONS = {
    "reference": "spot",
    "contracts": [
        {
            "symbol": CALL, "strike": 25000, "option_type": "C", "close": 182.9,
            "price_change": 6.75, "oi_change": -263575, "volume": 9236175,
            "mean_volume": 4582380.8, "label": "short_covering", "covering": True,
        }
    ],
}  # fmt: skip


def rows() -> list[Signal]:
    """Three signals with outcomes, each of another strategy or version, and one still without."""
    first = signal(CALL, 10, reasons=REASONS)
    trap = signal(CALL, 20, strategy="vwap_trap", target2=None, direction="BEARISH")
    other = signal(OTHER_CALL, 25, version=VERSION)
    fresh = signal(CALL, 30)
    return [
        row._replace(signal_id=uuid5(NAMESPACE_URL, f"{row.strategy} {row.event_time}"))
        for row in (first, trap, other, fresh)
    ]


@pytest.fixture
def stored(connection: psycopg.Connection) -> list[Signal]:
    """Forty minutes of a session, its signals, their outcomes and random entries."""
    write(connection, CONTRACT, [contract(strike, kind) for strike in STRIKES for kind in "CP"])
    prices = {"NIFTY": 25010.0, CALL: 150.0, OTHER_CALL: 120.0, "NIFTY260127P25000": 140.0}
    for symbol, price in prices.items():
        write(connection, CANDLE, [candle(symbol, minute, price + minute) for minute in range(40)])
    signals = rows()
    write(connection, SIGNAL, signals)
    for row, (minute, points) in zip(signals, RETURNS.items(), strict=False):
        assert row.event_time == OPEN + timedelta(minutes=minute)
        connection.execute(
            "insert into signal_outcome (signal_id, horizon_minutes, mfe_points, mae_points,"
            " return_points, hit, exit_reason) values (%s, 15, 30, 22, %s, %s, %s)",
            (row.signal_id, points, points > 20, "target1" if points > 20 else "stop"),
        )
    for draw in range(DRAWS):
        connection.execute(
            "insert into random_outcome (strategy, version, underlying, session, draw,"
            " horizon_minutes, mfe_points, mae_points, return_points, hit, exit_reason,"
            " beside)"
            " values ('delta_volume', '1', 'NIFTY', %s, %s, 15, 5, 5, %s, %s, 'horizon', %s)",
            (SESSION, draw, draw - DRAWS / 2, draw % 2 == 0, signals[0].signal_id),
        )
    moment = OPEN + timedelta(minutes=15)
    rejected = SignalRejection(
        *("delta_volume", "1", "NIFTY", SESSION, moment, "against_net_delta", CALL),
        *({"net_delta_volume": -650}, moment),
    )
    write(connection, SIGNAL_REJECTION, [rejected])
    return signals


@pytest.fixture
def opened(stored: list[Signal], chart: Chart, page: Page) -> Callable[[str], Page]:
    """Open the page with a query and wait for its rows."""

    def open_page(query: str = "") -> Page:
        page.goto(f"{chart.url}/signals?{query}")
        expect(page.get_by_test_id("result-row").first).to_be_visible()
        return page

    return open_page


def query_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def times(page: Page) -> list[str]:
    return [text[-5:] for text in page.locator("#result-rows td:nth-child(2)").all_inner_texts()]


def test_signals_are_shown_with_their_outcomes_beside_random_entries(opened):
    page = opened()
    assert times(page) == ["09:45", "09:40", "09:35", "09:25"]
    cards = page.get_by_test_id("summary-card")
    expect(cards).to_have_count(3)
    card = cards.filter(has=page.get_by_test_id("verdict")).first
    expect(card.get_by_test_id("rate-ours")).to_contain_text("n = 1")
    expect(card.get_by_test_id("rate-chance")).to_contain_text("50% hit")
    expect(card.get_by_test_id("verdict")).to_contain_text("Only 1 of 10 sessions")
    assert card.get_by_test_id("histogram").locator("rect.gain").count() > 0
    fresh, other, trap, first = page.get_by_test_id("result-row").all()
    expect(first).to_contain_text("+28.50")
    expect(first).to_contain_text("\u2713 Target 1")
    expect(other).to_contain_text(VERSION)
    expect(trap).to_contain_text("VWAP trap")
    assert "28.50" not in fresh.inner_text()
    without = cards.filter(has_text=VERSION)
    expect(without.get_by_test_id("verdict")).to_contain_text("No random entries")


def test_what_was_proved_stands_beside_the_statistics(opened, connection):
    connection.execute(
        "insert into strategy_version values ('vwap_trap', '1', 'x', '{}', true, now())"
        " on conflict do nothing"
    )
    proved = (
        "insert into strategy_proof values ('vwap_trap', '1', %s, %s, %s, '', '2026-01-22 10:01Z')"
    )
    connection.execute(proved, ("2026-01-20", "parity", True))
    connection.execute(proved, ("2026-01-21", "lookahead", True))
    page = opened()
    said = page.locator(".card[data-strategy=vwap_trap]").get_by_test_id("proof")
    text = "Proved: parity in 1 session, no look-ahead in 1 session, Thu 22 Jan 2026."
    expect(said).to_have_text(text)
    others = page.locator(".card[data-strategy=delta_volume]").get_by_test_id("proof")
    expect(others.first).to_contain_text("Unproved: neither parity nor look-ahead")
    connection.execute(proved, ("2026-01-21", "parity", False))
    page.reload()
    expect(said).to_contain_text("Proof failed: 1 session came out differently")


def test_a_trade_that_was_never_entered_shows_no_result(opened, connection):
    connection.execute(
        "update signal_outcome set exit_reason = 'not_entered', hit = false, mfe_points = 0,"
        " mae_points = 0, return_points = 0 where return_points = %s",
        (RETURNS[20],),
    )
    row = opened("strategy=vwap_trap").get_by_test_id("result-row")
    expect(row).to_contain_text("Not entered")
    assert row.locator("td").all_inner_texts()[-5:-1] == [*"\u2013" * 3, "Not entered"]


def test_filters_and_order_are_kept_in_the_address(opened):
    page = opened()
    page.get_by_test_id("strategy").select_option("delta_volume")
    expect(page.get_by_test_id("result-row")).to_have_count(3)
    page.get_by_test_id("version").select_option(VERSION)
    expect(page.get_by_test_id("result-row")).to_have_count(1)
    page.get_by_test_id("version").select_option("")
    expect(page.get_by_test_id("result-row")).to_have_count(3)
    page.get_by_test_id("sort-return_points").press("Enter")
    assert times(page) == ["09:25", "09:40", "09:45"], "best first, the one without last"
    page.get_by_test_id("sort-return_points").press("Enter")
    assert times(page) == ["09:40", "09:25", "09:45"], "worst first, the one without still last"
    assert query_of(page) == {
        "underlying": "NIFTY", "strategy": "delta_volume", "sort": "return_points"
    }  # fmt: skip
    page.reload()
    expect(page.get_by_test_id("result-row")).to_have_count(3)
    assert times(page) == ["09:40", "09:25", "09:45"]
    page.get_by_test_id("outcome").select_option("none")
    expect(page.get_by_test_id("result-row")).to_have_count(1)
    page.get_by_test_id("horizon-30").click()
    expect(page.get_by_test_id("result-row")).to_have_count(3)
    expect(page.get_by_test_id("no-outcomes").first).to_contain_text("optionscalp outcomes")
    page.get_by_test_id("direction").select_option("BEARISH")
    expect(page.get_by_test_id("nothing-text")).to_contain_text("matches these filters")
    page.get_by_test_id("clear").click()
    expect(page.get_by_test_id("result-row")).to_have_count(4)
    assert query_of(page) == {"underlying": "NIFTY", "horizon": "30", "sort": "return_points"}


def test_a_row_opens_to_its_reasons_by_mouse_and_keyboard(opened):
    page = opened("strategy=delta_volume&version=1&sort=event_time")
    expect(page.get_by_test_id("reasons")).to_have_count(0)
    button = page.get_by_test_id("expand").first
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_test_id("reason-table")).to_contain_text("Short covering")
    expect(page.get_by_test_id("reason-table")).to_contain_text("25000 CE")
    page.get_by_test_id("result-row").first.click()
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_test_id("reasons")).to_have_count(0)


def test_a_signal_leads_to_its_moment_in_the_replay(opened, stored: list[Signal]):
    page = opened("sort=event_time")
    known_at = seconds(stored[0].known_at)
    page.get_by_test_id("replay-moment").first.click()
    page.wait_for_function("globalThis.optionscalp?.candles('NIFTY')?.length > 0")
    clock = page.evaluate("optionscalp.clock()")
    assert (clock["market"], clock["playing"]) == (known_at, False)
    shown = page.evaluate("optionscalp.signals().map(signal => signal.signal_id)")
    assert shown == [str(stored[0].signal_id)], "known then, and no later one"
    texts = page.evaluate("optionscalp.markers().map(marker => marker.text)")
    assert "BUY CE 25000 \u00b7 D" in texts


def test_a_corrected_signal_shows_what_it_was_and_what_changed(opened, stored, connection):
    later = stored[0].known_at + timedelta(minutes=3)
    (was,) = REASONS["contracts"]
    reasons = REASONS | {"contracts": [was | {"volume": 9236240}]}
    corrected = stored[0]._replace(entry=101.5, reasons=reasons, known_at=later)
    write(connection, SIGNAL, [corrected])
    page = opened("strategy=delta_volume&version=1&sort=event_time")
    expect(page.get_by_test_id("revision").first).to_have_text("r2")
    page.get_by_test_id("expand").first.click()
    earlier = page.get_by_test_id("revisions")
    expect(earlier.locator("h3")).to_have_text("Revision 1, until 21 Jan 09:28:20 IST")
    expect(earlier.locator(".facts .differs").first).to_have_text("Entry100.00")
    expect(earlier.get_by_test_id("reason-table").locator(".differs")).to_have_text("92.36 L")
    expect(earlier.get_by_test_id("reason-table")).to_contain_text("Short covering")


def test_rejected_candidates_have_their_own_table(opened):
    page = opened()
    expect(page.get_by_test_id("rejected-count")).to_have_text("1")
    page.get_by_test_id("tab-rejected").click()
    row = page.get_by_test_id("rejected-row")
    expect(row).to_contain_text("against the net delta volume")
    expect(row).to_contain_text("25000 CE")
    link = row.get_by_test_id("replay-moment")
    expect(link).to_have_text("09:30:00 \u25b8")
    assert parse_qs(urlsplit(link.get_attribute("href")).query)["strike"] == ["25000"]
    expect(page.get_by_test_id("result-table")).to_be_hidden()
    assert query_of(page)["tab"] == "rejected"


def test_the_table_is_saved_as_it_is_filtered_and_sorted(opened, stored: list[Signal]):
    page = opened("strategy=delta_volume&sort=event_time")
    with page.expect_download() as saving:
        page.get_by_test_id("csv").click()
    assert saving.value.suggested_filename == "signals_NIFTY_2026-01-21_2026-01-21.csv"
    with saving.value.path().open(newline="") as file:
        saved = list(csv.DictReader(file))
    assert [row["signal_id"] for row in saved] == [
        str(row.signal_id) for row in stored if row.strategy == "delta_volume"
    ]
    assert saved[0]["event_time"] == "2026-01-21T09:25:00+05:30"
    assert [row["return_points"] for row in saved] == ["28.5", "3", ""]


def test_it_says_as_of_when_it_was_read_and_that_newer_signals_are_stored(opened, connection):
    page = opened()
    expect(page.get_by_test_id("read-at")).to_have_text(
        re.compile(r"Read Wed 21 Jan 2026 10:3\d:\d\d IST")
    )
    again = page.get_by_test_id("reread")
    expect(again).to_have_text("Read again")
    write(connection, SIGNAL, [signal(CALL, 35)])
    expect(again).to_have_text("Newer signals: read again")
    expect(page.get_by_test_id("result-row")).to_have_count(4)
    again.click()
    expect(page.get_by_test_id("result-row")).to_have_count(5)
    expect(again).to_have_text("Read again")


def test_figures_that_could_not_be_read_anew_say_what_they_are_of(stored, chart, browser: Browser):
    page = browser.new_page(bypass_csp=True)
    cable = Cable(chart.port)
    page.goto(f"{cable.url}/signals")
    expect(page.get_by_test_id("result-row")).to_have_count(4)
    expect(page.get_by_test_id("read-at")).to_contain_text("IST")
    cable.cut()
    page.get_by_test_id("horizon-30").click()
    banner = page.get_by_test_id("banner")
    expect(banner).to_contain_text(
        re.compile(r"Trying again in 1 s. What is shown was read Wed .* Outcomes after 15 min")
    )
    expect(page.get_by_test_id("summary-what")).to_contain_text("after 15 min")
    expect(page.get_by_test_id("result-row").last).to_contain_text("+28.50")
    cable.mend()
    expect(page.get_by_test_id("summary-what")).to_contain_text("after 30 min")
    expect(banner).to_be_hidden()
    page.close()
    cable.close()


def test_the_page_fits_a_telephone(opened):
    page = opened()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_signals_the_page_says_what_to_do(connection, chart: Chart, page: Page):
    page.goto(f"{chart.url}/signals")
    expect(page.get_by_test_id("nothing-text")).to_contain_text("optionscalp import")
    write(connection, CANDLE, [candle("NIFTY", 0)])
    page.reload()
    expect(page.get_by_test_id("nothing-text")).to_contain_text(
        "optionscalp signals --from 2026-01-21 --to 2026-01-21"
    )


def test_the_charts_show_the_signals_of_the_chosen_strategy(stored, chart: Chart, page: Page):
    page.goto(f"{chart.url}/replay?from=2026-01-21&to=2026-01-21&strike=25000&t=2026-01-21T15:30")
    page.wait_for_function("globalThis.optionscalp?.signals().length === 4")
    page.get_by_test_id("strategy").select_option("vwap_trap")
    expect(page.get_by_test_id("signal-row")).to_have_count(1)
    page.wait_for_function(
        "optionscalp.markers().every(marker => marker.text.endsWith('\u00b7 V'))"
        " && optionscalp.markers().length === 2"
    )
    expect(page.get_by_test_id("seek-signal")).to_have_count(1)
    assert query_of(page)["strategy"] == "vwap_trap"
    page.goto(f"{chart.url}/?strategy=delta_volume")
    page.wait_for_function("globalThis.optionscalp?.signals().length === 3")
    expect(page.get_by_test_id("signal-row")).to_have_count(3)
    marks = page.get_by_test_id("signal-row").locator("td:nth-child(2)").all_inner_texts()
    assert marks == ["DDelta Volume", f"DDelta Volume {VERSION}", "DDelta Volume"]
    page.get_by_test_id("strategy").select_option("")
    expect(page.get_by_test_id("signal-row")).to_have_count(4)
    page.get_by_test_id("signals-link").click()
    expect(page.get_by_test_id("result-row")).to_have_count(4)
    assert query_of(page)["underlying"] == "NIFTY"
