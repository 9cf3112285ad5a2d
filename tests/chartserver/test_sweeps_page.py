"""The page of sweeps and its requests: what was tried, what lies beside it, what luck gives."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from chart_help import SESSION, Chart, candle, signal
from playwright.sync_api import Page, expect
from sweep_help import DAYS, GRID, HELD, STARTED, store_a_holdout, store_a_sweep

from db.signals.holdout import seal
from db.writing.bulk import write
from db.writing.relations import CANDLE, SIGNAL


@pytest.fixture
def stored(connection: psycopg.Connection) -> int:
    """A sweep that was not walked forward and one that was, and a holdout."""
    store_a_sweep(connection, walked=False, seed=2)
    store_a_holdout(connection)
    return store_a_sweep(connection)


def query_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def opened(page: Page, chart: Chart, query: str = "") -> Page:
    page.goto(f"{chart.url}/sweeps?{query}")
    expect(page.get_by_test_id("heat-cell").first).to_be_visible()
    return page


def test_sweeps_are_listed_newest_first_with_what_is_sealed(stored: int, chart: Chart):
    answer = chart.get("/api/sweeps").json()
    assert [one["sweep_id"] for one in answer["sweeps"]] == [stored, stored - 1]
    newest, other = answer["sweeps"]
    assert newest["started_at"] == int(STARTED.timestamp())
    assert (newest["first_session"], newest["last_session"]) == (f"{DAYS[0]}", f"{DAYS[-1]}")
    assert (newest["combinations"], newest["sessions"]) == (24, len(DAYS))
    assert (newest["fit_sessions"], newest["judge_sessions"]) == (20, 5)
    assert other["fit_sessions"] is None
    holdout = answer["holdout"]
    assert (holdout["sessions"], holdout["first"], holdout["last"]) == (
        *(len(HELD), f"{HELD[0]}", f"{HELD[-1]}"),
    )
    (verdict,) = holdout["verdicts"]
    assert (verdict["better"], verdict["look"]) == (False, 1)
    assert chart.get("/api/sweeps?strategy=pullback").json()["sweeps"] == []


def test_a_sweep_comes_with_its_combinations_and_its_walk(stored: int, chart: Chart):
    answer = chart.get("/api/sweeps/result").json()
    assert answer["sweep"]["sweep_id"] == stored
    assert answer["sweep"]["grid"] == GRID
    assert answer["sweep"]["tried_ever"] == 24
    results = answer["results"]
    assert len(results) == 24
    cells = {tuple(one["values"][name] for name in GRID): one for one in results}
    around = [(1.5, 20, 1), (2.5, 20, 1), (2, 10, 1), (2, 30, 1), (2, 20, 2)]
    mean = sum(cells[cell]["mean_return_points"] for cell in around) / 5
    assert cells[2, 20, 1]["neighbour_mean_points"] == pytest.approx(mean)
    walk = answer["walk_forward"]
    assert len(walk["judged"]) == len(DAYS) - 20
    assert walk["windows"][0]["judge_first"] == f"{DAYS[20]}"
    assert walk["judged"][-1]["total_points"] == pytest.approx(walk["total_points"])
    other = chart.get(f"/api/sweeps/result?sweep_id={stored - 1}").json()
    assert other["walk_forward"] is None


def test_what_cannot_be_answered_is_said(chart: Chart):
    empty = chart.get("/api/sweeps/result")
    assert (empty.status_code, empty.json()["error"]) == (404, "no sweep is stored")
    assert chart.get("/api/sweeps/result?sweep_id=7").json()["error"] == "no sweep 7 is stored"
    wrong = chart.get("/api/sweeps/result?sweep_id=x")
    assert wrong.status_code == 400
    assert "sweep_id" in wrong.json()["error"]


def test_the_page_shows_the_plane_the_walk_and_how_much_is_luck(stored: int, chart, page: Page):
    opened(page, chart)
    expect(page.get_by_test_id("heat-cell")).to_have_count(12)
    expect(page.get_by_test_id("heat-cell").first).to_contain_text("beside")
    expect(page.locator("#heat td.best")).to_have_count(1)
    expect(page.get_by_test_id("heat-title")).to_contain_text("24 combinations")
    expect(page.get_by_test_id("luck-card")).to_contain_text("24 versions and horizons")
    expect(page.get_by_test_id("sweep-verdict")).to_contain_text("Sharpe ratio")
    equity = page.get_by_test_id("equity")
    assert equity.locator("rect.hover").count() == len(DAYS) - 20
    label = equity.locator("svg").get_attribute("aria-label")
    assert f"over {len(DAYS) - 20} sessions" in label
    expect(page.get_by_test_id("walk-verdict")).to_contain_text("at random")
    expect(page.get_by_test_id("window-row").first).to_contain_text("spike factor")
    expect(page.get_by_test_id("holdout-card")).to_contain_text(f"{len(HELD)} sessions are sealed")
    expect(page.get_by_test_id("holdout-verdict")).to_contain_text("Not distinguishable from luck")


def test_axes_values_and_measure_are_chosen_and_kept_in_the_address(stored: int, chart, page: Page):
    opened(page, chart)
    page.get_by_test_id("x").select_option("wings")
    page.get_by_test_id("y").select_option("stop_points.NIFTY")
    expect(page.get_by_test_id("heat-cell")).to_have_count(6)
    page.get_by_test_id("fix-spike_factor").select_option("3")
    expect(page.get_by_test_id("heat-title")).to_contain_text("spike factor 3")
    page.get_by_test_id("shown-hits").click()
    expect(page.get_by_test_id("heat-cell").first.locator("b")).to_contain_text("%")
    asked = {
        "x": "wings", "y": "stop_points.NIFTY", "fix": "spike_factor:3", "show": "hits"
    }  # fmt: skip
    assert query_of(page) == asked
    texts = page.get_by_test_id("heat-cell").all_inner_texts()
    page.reload()
    expect(page.get_by_test_id("heat-cell")).to_have_count(6)
    assert page.get_by_test_id("heat-cell").all_inner_texts() == texts
    page.get_by_test_id("sweep").select_option(str(stored - 1))
    expect(page.get_by_test_id("walk-card")).to_contain_text("--walk-forward")
    expect(page.locator("#window-panel")).to_be_hidden()
    assert query_of(page) == {"sweep": str(stored - 1), "show": "hits"}


def test_a_list_keeps_the_focus_when_its_choice_redraws_it(stored: int, chart, page: Page):
    opened(page, chart)
    page.get_by_test_id("fix-wings").focus()
    page.get_by_test_id("fix-wings").select_option("2")
    expect(page.get_by_test_id("fix-wings")).to_be_focused()
    page.keyboard.press("Tab")  # a list has its own use for letters
    page.keyboard.press("m")
    expect(page.get_by_test_id("shown-beside")).to_have_attribute("aria-pressed", "true")


def test_the_page_fits_a_telephone(stored: int, chart, page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, chart)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_sweeps_the_page_says_what_to_do(chart: Chart, page: Page):
    page.goto(f"{chart.url}/sweeps?underlying=NIFTY")
    expect(page.get_by_test_id("nothing")).to_contain_text("optionscalp sweep --strategy")


def test_statistics_say_which_sessions_are_sealed(connection, chart: Chart, page: Page):
    write(connection, CANDLE, [candle("NIFTY", 0), candle("NIFTY", 1)])
    write(connection, SIGNAL, [signal("NIFTY260127C25000", 10)])
    seal(connection, [SESSION, SESSION + timedelta(days=1)], "")
    asked = "/api/signals/stats?underlying=NIFTY&from={0}&to={0}"
    answer = chart.get(asked.format(SESSION)).json()
    assert (answer["sealed_sessions"], answer["stats"]) == ([f"{SESSION}"], [])
    before = chart.get(asked.format(SESSION - timedelta(days=1))).json()
    assert before["sealed_sessions"] == []
    page.goto(f"{chart.url}/signals?underlying=NIFTY")
    expect(page.get_by_test_id("banner")).to_contain_text("1 sealed sessions (2026-01-21)")


def test_other_pages_lead_here(chart: Chart, page: Page):
    for path in ("/signals", "/", "/replay"):
        page.goto(f"{chart.url}{path}")
        page.get_by_test_id("sweeps-link").click()
        expect(page.get_by_test_id("nothing")).to_be_visible()
        expect(page.get_by_test_id("banner")).to_be_hidden()
