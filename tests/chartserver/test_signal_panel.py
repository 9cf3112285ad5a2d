"""The list of signals, the key to their letters, the loss limit's badge."""

from collections.abc import Iterator

import pytest
from chart_help import OPEN, seconds
from modules_help import modules, part, sheets
from playwright.sync_api import Page, expect

START = seconds(OPEN)
REST = """<p id="announcer"></p><strong id="loss-limit" data-testid="loss-limit" hidden></strong>"""
SET_UP = """
async () => {
  const [signals, key, limit] = await Promise.all(
    ["signals", "strategy-key", "loss-limit"].map((name) => import(`/static/panels/${name}.js`)))
  Object.assign(window, signals, key, limit, { opened: [] })
  const clock = { now: () => NOW, speed: 1 }
  window.list = createSignalList({ go() {}, open: ({ symbol }) => opened.push(symbol) }, clock)
}
""".replace("NOW", str(START + 16 * 60))


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with modules(sheets("style", "panels", "ladder") + part("dock") + REST) as url:
        yield url


@pytest.fixture
def panel(page: Page, served: str) -> Page:
    page.goto(served)
    page.evaluate(SET_UP)
    return page


def signal(minute: int, **changes) -> dict:
    values = {
        "signal_id": f"id {minute}",
        "strategy": "delta_volume",
        "version": "1",
        "event_time": START + minute * 60,
        "known_at": START + minute * 60 + 20,
        "direction": "BULLISH",
        "kind": "short_covering",
        "symbol": "NIFTY260127C25000",
        "atm_strike": 25000,
        "spot": 25010.5,
        "net_delta_volume": 1300,
        "entry": 100.0,
        "stop": 80.0,
        "target1": 120.0,
        "target2": None,
        "entry_order": "market",
        "withdrawn": False,
    }
    return values | changes


def show(panel: Page, signals: list[dict], *shown: str) -> None:
    panel.evaluate("([signals, shown]) => list.show(signals, shown)", [signals, list(shown)])


def test_rows_name_their_strategy_and_stay_when_others_come(panel: Page):
    show(panel, [signal(5), signal(10, strategy="vwap_trap", version="1+0a1b2c3d")])
    rows = panel.get_by_test_id("signal-row")
    expect(rows.nth(0)).to_contain_text("VVWAP trap 1+0a1b2c3d")
    expect(rows.nth(1).locator(".by")).to_have_text("DDelta Volume")
    rows.nth(1).get_by_role("button").focus()
    panel.evaluate("window.before = document.activeElement")
    show(panel, [signal(5, withdrawn=True), signal(15)], "NIFTY260127C25000")
    assert panel.evaluate("document.activeElement === before")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("withdrawn")
    expect(panel.get_by_test_id("signal-count")).to_have_text("1")


def test_a_version_is_named_beside_a_newer_one(panel: Page):
    meet = "versions => import('/static/data/strategies.js').then(m => m.meetVersions(versions))"
    names = panel.get_by_test_id("signal-row").locator(".by")
    rows = [signal(5, version="9"), signal(10, version="10"), signal(15, strategy="pullback")]
    panel.evaluate(meet, rows[:1])
    show(panel, rows[:1])
    expect(names).to_have_text(["DDelta Volume"])
    panel.evaluate(meet, rows)
    show(panel, rows)
    expect(names).to_have_text(["PPullback", "DDelta Volume", "DDelta Volume 9"])


def test_the_contract_that_was_just_opened_keeps_the_focus(panel: Page):
    show(panel, [signal(5)])
    contract = panel.get_by_role("button", name="25000 CE")
    contract.click()
    assert panel.evaluate("opened") == ["NIFTY260127C25000"]
    show(panel, [signal(5)], "NIFTY260127C25000")
    expect(contract).to_be_focused()
    expect(contract).to_have_attribute("aria-current", "true")


def test_new_signals_are_announced_and_withdrawn_ones_and_a_replay_s_are_not(panel: Page):
    announcer = panel.locator("#announcer")
    show(panel, [signal(5)])
    show(panel, [signal(5), signal(10, withdrawn=True)])
    expect(announcer).to_have_text("")
    show(panel, [signal(5), signal(15)])
    expect(announcer).to_have_text(
        "Delta Volume, BULLISH: buy NIFTY 25000 CE, 27 Jan 2026 at 100.00"
    )
    panel.evaluate("""document.getElementById('announcer').textContent = ''
      document.getElementById('signal-rows').replaceChildren()
      window.list = createSignalList({ go() {}, open() {} })""")
    show(panel, [signal(5)])
    show(panel, [signal(5), signal(20)])
    expect(panel.locator("#signal-rows .fresh")).to_have_count(1)
    expect(announcer).to_have_text("")


def test_what_was_known_long_ago_is_no_news_and_another_day_is_named(panel: Page):
    announcer = panel.locator("#announcer")
    show(panel, [])
    show(panel, [signal(5)])
    expect(panel.get_by_test_id("signal-count")).to_have_text("1")
    expect(announcer).to_have_text("")
    show(panel, [signal(15, event_time=START - 86_400)])
    expect(announcer).to_contain_text("Tue 20 Jan 2026, Delta Volume, BULLISH: buy")


def test_the_key_names_the_letters_and_takes_none_twice(panel: Page):
    panel.evaluate("createStrategyKey().show(['pivot', 'delta_volume', 'very_own_rule'])")
    key = panel.get_by_test_id("strategy-key")
    texts = ["D Delta Volume", "P Pullback", "V VWAP trap", "Pi pivot", "VO very own rule"]
    expect(key.locator(":scope > span:not(.unseen)")).to_have_text(texts)


def limit(**changes) -> dict:
    values = {"underlying": "NIFTY", "strategy": "delta_volume", "version": "1"}
    return values | {"since": START + 7500, "known_at": START + 7800} | changes


def test_the_badge_says_which_strategies_are_at_their_limit(panel: Page):
    badge = panel.get_by_test_id("loss-limit")
    tell = "([limits, name]) => showLossLimit(limits, name)"
    panel.evaluate(tell, [[limit()], "BANKNIFTY"])
    expect(badge).to_be_hidden()
    panel.evaluate(tell, [[limit(), limit(strategy="pullback", since=None)], "NIFTY"])
    expect(badge).to_have_text("Loss limit: Delta Volume, Pullback")
    expect(badge).to_have_attribute(
        "data-tip",
        "Delta Volume: daily loss limit reached at 11:20, no new entries;"
        " Pullback: daily loss limit reached, no new entries",
    )
    panel.evaluate(tell, [[], "NIFTY"])
    expect(badge).to_be_hidden()


def test_a_replay_shows_a_limit_from_the_time_it_was_known_to_the_end_of_its_day(panel: Page):
    known = "([limits, time]) => knownLimits(limits, time).length"
    moments = [START + 7799, START + 7800, START + 20000, START + 86_400 + 7800]
    found = [panel.evaluate(known, [[limit()], moment]) for moment in moments]
    assert found == [0, 1, 1, 0]
