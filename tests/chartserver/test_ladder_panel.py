"""The strike ladder's panel by itself, in a browser: patched in place, centred, never older."""

from collections.abc import Iterator
from copy import deepcopy

import pytest
from chart_help import OPEN, seconds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from modules_help import modules, part, sheets
from playwright.sync_api import Page, expect

from tests.long import examples

NOW = seconds(OPEN) + 3600
STRIKES = range(24000, 26050, 50)

# `show` is given the ladder as it came, with the prices of the charts by symbol.
SET_UP = """
async () => {
  const { createLadder } = await import("/static/panels/ladder.js")
  window.picked = []
  window.ladder = createLadder({ pick: (...given) => picked.push(given) })
  window.show = (ladder, { market = NaN, contracts = {}, prices = {}, ...rest } = {}) =>
    window.ladder.show(ladder, {
      contracts: { index: null, call: null, put: null, ...contracts }, market,
      priceOf: (symbol) => prices[symbol] ?? null, ...rest,
    })
  window.rows = () => document.getElementById("ladder-rows")
  window.middle = () => {
    const [box, atm] = ["#ladder", "#ladder .atm"].map((selector) =>
      document.querySelector(selector).getBoundingClientRect())
    return Math.abs(atm.top + atm.height / 2 - box.top - box.height / 2)
  }
}
"""


def side(symbol: str | None, **changes) -> dict:
    values = {
        "symbol": symbol,
        "price": 100.0,
        "price_at": NOW - 10,
        "price_ended_at": NOW - 30,
        "price_from": "build_up",
        "oi": 65000,
        "oi_at": NOW - 60,
        "oi_change": 6500,
        "oi_change_5m": -650,
        "label": "short_covering",
        "label_at": NOW - 30,
        "iv": 0.14,
        "delta": 0.5,
        "gamma": 0.001,
        "theta": -9.5,
        "vega": 11.0,
        "greeks_at": NOW - 60,
    }
    return values | changes


def row(strike: int, call: dict | None = None, put: dict | None = None) -> dict:
    return {
        "strike": strike,
        "call": side(f"NIFTY260127C{strike}", **(call or {})),
        "put": side(f"NIFTY260127P{strike}", **(put or {})),
    }


def ladder_of(rows: list[dict], **changes) -> dict:
    values = {
        "underlying": "NIFTY",
        "expiry": "2026-01-27",
        "at": NOW,
        "whole": True,
        "rows": rows,
        "atm_strike": 25000,
        "spot": 25010.5,
        "pcr": 0.917,
        "max_pain": 25050,
        "support": 24800,
        "resistance": 25200,
        "forward": 25030.25,
        "forward_source": "future",
    }
    return values | changes


def whole(**changes) -> dict:
    return ladder_of([row(strike) for strike in STRIKES], **changes)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with modules(sheets("style", "panels", "ladder") + part("dock")) as url:
        yield url


@pytest.fixture
def panel(page: Page, served: str) -> Page:
    page.goto(served)
    page.evaluate(SET_UP)
    return page


def show(panel: Page, ladder: dict | None, **now) -> None:
    panel.evaluate("([ladder, now]) => show(ladder, now)", [ladder, now])


def cells(panel: Page, strike: int) -> list[str]:
    return panel.locator(f"[data-strike='{strike}'] td").all_inner_texts()


def test_a_row_tells_both_sides_from_the_outside_to_the_strike(panel: Page):
    show(panel, ladder_of([row(25000, {"oi": 1_234_000}, {"price": 98.5, "label": "none"})]))
    call = ["SC", "\u2212650", "+6.5 K", "12.34 L", "14.0%", "0.50", "100.00"]
    put = ["98.50", "0.50", "14.0%", "65.0 K", "+6.5 K", "\u2212650", ""]
    assert cells(panel, 25000) == [*call, "25,000", *put]
    heads = panel.locator("#ladder thead th").all_inner_texts()
    assert len(heads) == 15
    assert [heads[at] for at in (1, 2, 12, 13)] == ["ΔOI 5m", "ΔOI day", "ΔOI day", "ΔOI 5m"]


def test_unknown_values_are_no_zeros(panel: Page):
    nothing = dict.fromkeys(side(None))
    show(panel, ladder_of([{"strike": 25000, "call": nothing, "put": nothing}]))
    dashes = ["", "\u2013", "\u2013", "\u2013", "\u2013", "\u2013", "\u2013"]
    assert cells(panel, 25000) == [*dashes, "25,000", *reversed(dashes)]


def test_the_head_names_support_resistance_max_pain_and_the_time_of_open_interest(panel: Page):
    show(panel, whole())
    expect(panel.get_by_test_id("support")).to_have_text("Support 24,800")
    expect(panel.get_by_test_id("resistance")).to_have_text("Resistance 25,200")
    expect(panel.get_by_test_id("max-pain")).to_have_text("Max pain 25,050")
    expect(panel.get_by_test_id("pcr")).to_have_text("PCR 0.92")
    show(panel, whole(oi_unknown=2))
    strikes = f"PCR 0.92 (without 2 of {len(STRIKES)} strikes)"
    expect(panel.get_by_test_id("pcr")).to_have_text(strikes)
    show(panel, whole(oi_unknown=2, pcr=None))
    expect(panel.get_by_test_id("pcr")).to_have_text("")
    show(panel, whole())
    expect(panel.get_by_test_id("forward")).to_have_text("Forward 25,030.25")
    expect(panel.get_by_test_id("ladder-time")).to_have_text("OI of 10:14")
    assert panel.locator("#ladder .support").evaluate("e => e.parentNode.dataset.strike") == "24800"
    assert panel.locator("#ladder .resistance").count() == 1
    # Where there is little room all else is dropped before the age.
    panel.set_viewport_size({"width": 1000, "height": 700})
    show(panel, whole(oi_unknown=2), dated=True)
    time = panel.get_by_test_id("ladder-time")
    expect(time).to_have_text("As of 10:15:00, OI of 10:14")
    place, head = time.bounding_box(), panel.locator("#ladder-panel h2").bounding_box()
    assert place["y"] + place["height"] <= head["y"] + head["height"]
    assert place["x"] + place["width"] <= head["x"] + head["width"]
    assert time.evaluate(
        "e => { const { x, y, width, height } = e.getBoundingClientRect()\n"
        "return document.elementFromPoint(x + width - 2, y + height / 2) === e }"
    )


def test_an_equal_ladder_writes_nothing_and_a_change_writes_one_cell(panel: Page):
    show(panel, whole(), market=NOW)
    panel.evaluate("""() => {
      window.written = []
      new MutationObserver((seen) => written.push(...seen)).observe(document.querySelector(".dock"),
        { subtree: true, childList: true, characterData: true, attributes: true })
    }""")
    show(panel, whole(), market=NOW)
    assert panel.evaluate("written.length") == 0
    next_ladder = whole()
    next_ladder["rows"][3]["put"]["iv"] = 0.15
    show(panel, next_ladder, market=NOW)
    touched = "written.map(({ target, type }) => [type, target.textContent])"
    assert panel.evaluate(touched) == [["childList", "15.0%"]]


def test_focus_scroll_and_elements_stay_while_rows_come_and_go(panel: Page):
    show(panel, whole())
    panel.evaluate("document.getElementById('ladder').scrollTop = 40")
    button = panel.locator("[data-strike='24150'] .strike button")
    button.focus()
    panel.evaluate("window.before = document.querySelector(\"[data-strike='24150']\")")
    drawn = "new Promise(requestAnimationFrame).then(() => before.getBoundingClientRect().top)"
    stood = panel.evaluate(drawn)
    fewer = [row(strike, {"price": 7.0}) for strike in STRIKES if strike not in {24050, 25500}]
    show(panel, ladder_of([*fewer, row(26100)]))
    assert panel.evaluate("before === document.querySelector(\"[data-strike='24150']\")")
    expect(button).to_be_focused()
    shown = panel.locator("#ladder-rows tr").evaluate_all("all => all.map(r => r.dataset.strike)")
    assert shown == [str(r["strike"]) for r in [*fewer, row(26100)]]
    assert panel.evaluate(drawn) == pytest.approx(stood, abs=1)


def test_a_chart_s_newer_price_wins_and_an_older_one_does_not(panel: Page):
    symbol = "NIFTY260127C25000"
    only = ladder_of([row(25000, {"price": 100.0, "price_ended_at": NOW - 300})])
    for at, shown in ((NOW - 300, "104.50"), (NOW, "104.50"), (NOW - 360, "100.00")):
        show(panel, only, market=NOW, prices={symbol: {"price": 104.5, "at": at}})
        assert cells(panel, 25000)[6].split()[-1] == shown


def test_a_price_of_a_candle_is_replaced_by_the_chart_s_until_a_later_one(panel: Page):
    """A forming candle's price in the ladder is as of when it came, within the chart's candle."""
    symbol = "NIFTY260127C25000"
    for known, shown in ((NOW - 20, "104.50"), (NOW + 61, "100.00")):
        only = ladder_of([row(25000, {"price_from": "candle", "price_ended_at": known})])
        show(panel, only, market=NOW, prices={symbol: {"price": 104.5, "at": NOW}})
        assert cells(panel, 25000)[6].split()[-1] == shown
    # It says no time that is yet to come: when the ladder's same price came, or that it forms.
    button = panel.locator(f"[data-symbol={symbol}] button")
    only = ladder_of([row(25000, {"price_ended_at": NOW - 10, "price_at": NOW - 10})])
    for close, said in (
        (100.0, "price of 10:14:50 IST"),
        (104.5, "price of the candle that forms"),
    ):
        show(panel, only, market=NOW - 5, prices={symbol: {"price": close, "at": NOW + 50}})
        expect(button).to_have_attribute("title", f"Show 25,000 CE alone; {said}")


def test_an_old_price_says_its_age_by_the_market_s_clock(panel: Page):
    only = ladder_of([row(25000, {"price_ended_at": NOW - 250}, {"price_ended_at": NOW - 80})])
    ages = panel.locator("[data-testid=price-age]")
    show(panel, only, market=NOW)
    expect(ages).to_have_text(["4 m", ""])
    show(panel, only, market=NOW + 30)
    expect(ages).to_have_text(["4 m", "1 m"])
    show(panel, only)
    expect(ages).to_have_text(["", ""])


def test_open_interest_older_than_the_heading_s_says_its_time(panel: Page):
    older = {"oi_at": NOW - 300}
    show(panel, ladder_of([row(25000, older), row(25050, {"oi_at": None, "oi": None})]))
    expect(panel.get_by_test_id("ladder-time")).to_have_text("OI of 10:14")
    expect(panel.get_by_test_id("oi-time")).to_have_text(["10:10 ", "", "", ""])
    show(panel, ladder_of([row(25000, older, older)]))
    expect(panel.get_by_test_id("oi-time")).to_have_text(["", ""])


def test_a_label_and_its_change_say_which_five_minutes_they_are_of(panel: Page):
    show(panel, ladder_of([row(25000, {"label": None, "label_at": NOW}, {"label_at": None})]))
    titles = panel.locator("#ladder tbody tr td:is(:nth-child(2), :nth-child(14))")
    assert titles.evaluate_all("all => all.map(e => e.title)") == ["five minutes to 10:15 IST", ""]
    expect(panel.locator("#ladder .chip")).to_have_text(["SC"])


def test_the_contracts_on_the_charts_are_marked(panel: Page):
    contracts = {"call": "NIFTY260127C25000", "put": "NIFTY260127P25100"}
    show(panel, whole(), contracts=contracts)
    pressed = panel.locator("#ladder [aria-pressed=true]")
    owners = pressed.evaluate_all("all => all.map(e => [e.closest('tr').dataset.strike, e.title])")
    assert [strike for strike, _ in owners] == ["25000", "25100"]
    assert "25,000 CE alone" in owners[0][1]
    assert "25,100 PE alone" in owners[1][1]


def test_a_strike_picks_both_sides_and_a_price_its_own(panel: Page):
    show(panel, whole())
    line = panel.locator("[data-strike='25000']")
    line.get_by_role("button", name="25,000", exact=True).click()
    line.get_by_role("button", name="100.00").first.click()
    line.get_by_role("button", name="100.00").last.click()
    assert panel.evaluate("picked") == [[25000], [25000, "call"], [25000, "put"]]


def test_atm_is_kept_in_the_middle_when_it_moves(panel: Page):
    show(panel, whole())
    assert panel.evaluate("middle()") <= 2
    show(panel, whole(atm_strike=25300))
    assert panel.evaluate("middle()") <= 2
    expect(panel.get_by_test_id("ladder-atm")).to_be_hidden()


@pytest.mark.parametrize(
    ("before", "held", "strike"),
    [(25_140.0, 65_000, 25_150), (None, 65_000, 25_400), (None, None, 25_000)],
)
def test_without_atm_the_ladder_stands_at_the_previous_close_or_in_the_middle(
    panel: Page, before: float | None, held: int | None, strike: int
):
    nothing = {"oi": None, "price": None}
    rows = [row(k, nothing, {"oi": held if k == 25_400 else None}) for k in STRIKES]
    show(panel, ladder_of(rows, atm_strike=None, spot=None), before=before)
    off = panel.evaluate(
        """strike => {
          const [box, row] = ["#ladder", `[data-strike="${strike}"]`].map((selector) =>
            document.querySelector(selector).getBoundingClientRect())
          return Math.abs(row.top + row.height / 2 - box.top - box.height / 2)
        }""",
        strike,
    )
    assert off <= 2
    expect(panel.get_by_test_id("ladder-atm")).to_be_hidden()
    show(panel, whole(), before=before)
    assert panel.evaluate("middle()") <= 2


def test_who_scrolled_away_stays_there_until_asked_back(panel: Page):
    show(panel, whole())
    panel.get_by_test_id("ladder").hover()
    panel.mouse.wheel(0, -5000)
    back = panel.get_by_test_id("ladder-atm")
    expect(back).to_be_visible()
    show(panel, whole(atm_strike=25300))
    assert panel.evaluate("document.getElementById('ladder').scrollTop") == 0
    back.click()
    assert panel.evaluate("middle()") <= 2
    expect(back).to_be_hidden()
    show(panel, whole(atm_strike=25100))
    assert panel.evaluate("middle()") <= 2


def test_another_underlying_s_ladder_begins_at_its_money(panel: Page):
    show(panel, whole())
    panel.get_by_test_id("ladder").hover()
    panel.mouse.wheel(0, -5000)
    expect(panel.get_by_test_id("ladder-atm")).to_be_visible()
    show(panel, whole(expiry="2026-02-03", atm_strike=24900))
    assert panel.evaluate("middle()") <= 2
    expect(panel.get_by_test_id("ladder-atm")).to_be_hidden()


def test_a_hidden_ladder_computes_nothing_and_is_centred_when_unfolded(panel: Page):
    panel.evaluate("document.getElementById('ladder').hidden = true")
    show(panel, whole())
    assert panel.locator("#ladder-rows tr").count() == 0
    panel.evaluate("document.getElementById('ladder').hidden = false")
    show(panel, whole())
    assert panel.evaluate("middle()") <= 2


def test_without_a_ladder_it_says_why_and_shows_no_row(panel: Page):
    show(panel, whole())
    show(panel, None, note="Reading the ladder of this moment…")
    assert panel.locator("#ladder-rows tr").count() == 0
    expect(panel.get_by_test_id("ladder-note")).to_have_text("Reading the ladder of this moment…")
    expect(panel.get_by_test_id("pcr")).to_have_text("")
    show(panel, whole())
    expect(panel.get_by_test_id("ladder-note")).to_be_hidden()


numbers = st.none() | st.integers(0, 10**7)
sides = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from([None, "NIFTY260127C25000", "NIFTY260127P25000"]),
        "price": st.none() | st.floats(0.05, 500).map(lambda value: round(value, 2)),
        "price_at": st.none() | st.integers(NOW - 600, NOW),
        "price_ended_at": st.none() | st.integers(NOW - 600, NOW),
        "price_from": st.sampled_from([None, "candle", "build_up"]),
        "oi": numbers,
        "oi_at": st.none() | st.integers(NOW - 600, NOW),
        "oi_change": st.none() | st.integers(-(10**6), 10**6),
        "oi_change_5m": st.none() | st.integers(-(10**6), 10**6),
        "label": st.sampled_from([None, "none", "long_build_up", "short_covering"]),
        "label_at": st.none() | st.integers(NOW - 600, NOW),
        "iv": st.none() | st.just(0.14),
        "delta": st.none() | st.just(0.5),
        "gamma": st.none() | st.just(0.001),
        "theta": st.none() | st.just(-9.5),
        "vega": st.none() | st.just(11.0),
        "greeks_at": st.none() | st.just(NOW - 60),
    }
)
some_strikes = st.sampled_from(range(24800, 25250, 50))
ladders = st.builds(
    lambda rows, atm, wall: ladder_of(
        [{"strike": strike, **rows[strike]} for strike in sorted(rows)],
        atm_strike=atm,
        support=wall,
        resistance=wall,
        pcr=None if wall is None else 0.5,
    ),
    st.dictionaries(some_strikes, st.fixed_dictionaries({"call": sides, "put": sides})),
    st.none() | some_strikes,
    st.none() | some_strikes,
)
moments = st.fixed_dictionaries(
    {
        "market": st.integers(NOW, NOW + 600),
        "contracts": st.sampled_from([{}, {"call": "NIFTY260127C25000"}]),
        "prices": st.sampled_from([{}, {"NIFTY260127C25000": {"price": 7.5, "at": NOW - 300}}]),
    }
)


@settings(
    max_examples=examples(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture, *HealthCheck],
)
@given(st.lists(st.tuples(st.none() | ladders, moments), min_size=1, max_size=6))
def test_after_any_ladders_the_page_is_as_if_only_the_last_had_been_shown(panel: Page, shown):
    for ladder, now in shown:
        show(panel, deepcopy(ladder), **now)
    differing = panel.evaluate(
        """async ([ladder, now]) => {
          const kept = document.querySelector("#ladder-panel")
          const other = kept.cloneNode(true)
          kept.replaceWith(other)
          other.querySelector("#ladder-rows").replaceChildren()
          for (const part of other.querySelectorAll("#ladder-head span, #ladder-time"))
            part.textContent = ""
          const { createLadder } = await import("/static/panels/ladder.js")
          createLadder({ pick() {} }).show(ladder, {
            contracts: { index: null, call: null, put: null, ...now.contracts },
            market: now.market, priceOf: (symbol) => now.prices[symbol] ?? null,
          })
          other.replaceWith(kept)
          return kept.isEqualNode(other) ? null : [kept.innerHTML, other.innerHTML]
        }""",
        shown[-1],
    )
    assert differing is None
