"""How the pages look and are reached: both themes, keys, and a phone, in a real browser."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
import pytest
from chart_help import OPEN, SESSION, Chart, candle, clock_text, contract, signal
from playwright.sync_api import Browser, BrowserContext, Page, expect

from db.archive.source_status import Access, report_access, report_up
from db.signals.strategies import StrategyVersion, register_version
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT, SIGNAL, SIGNAL_REJECTION
from db.writing.rows import SignalRejection

# The replay at the close: at the open there is nothing to see yet.
PAGES = (
    "/?underlying=NIFTY",
    "/replay?underlying=NIFTY&t=2026-01-21T15:30",
    "/signals?underlying=NIFTY",
)
PHONE = {"width": 390, "height": 844}
TARGET = 44
CALL, PUT = "NIFTY260127C25000", "NIFTY260127P25000"

# Colours by what a canvas makes of them, so that every notation counts; contrast as WCAG 2 has it.
CONTRAST = """
const dot = document.createElement("canvas").getContext("2d", { willReadFrequently: true })
function rgb(colour, under = [0, 0, 0]) {
  dot.clearRect(0, 0, 1, 1)
  dot.fillStyle = `rgb(${under})`
  dot.fillRect(0, 0, 1, 1)
  dot.fillStyle = colour
  dot.fillRect(0, 0, 1, 1)
  return [...dot.getImageData(0, 0, 1, 1).data].slice(0, 3)
}
const light = (channels) => channels.map((value) => value / 255)
  .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0)
function ratio(one, other) {
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}
function ground(node) {
  const chain = []
  for (let at = node; at; at = at.parentElement) chain.unshift(getComputedStyle(at))
  return chain.reduce((under, style) => {
    // A striped ground is judged by its darkest stripe.
    const stripes = style.backgroundImage.match(/rgba?\\([^)]*\\)/g) ?? []
    const plain = rgb(style.backgroundColor, under)
    return stripes.length ? stripes.map((stripe) => rgb(stripe, plain))
      .sort((a, b) => light(a) - light(b))[0] : plain
  }, [255, 255, 255])
}
"""
WEAK_TEXTS = f"""() => {{
{CONTRAST}
const weak = []
for (const node of document.querySelectorAll("body *")) {{
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())
  if (!own || !node.checkVisibility() || node.closest("svg, :disabled, .unseen")) continue
  const found = ratio(rgb(getComputedStyle(node).color, ground(node)), ground(node))
  if (found < 4.5) weak.push(`${{node.outerHTML.slice(0, 90)}}: ${{found.toFixed(2)}}`)
}}
return weak
}}"""
WEAK_EDGES = f"""() => {{
{CONTRAST}
const weak = []
for (const node of document.querySelectorAll("select, .switch, .tool, .transport > button")) {{
  if (!node.checkVisibility()) continue
  const around = ground(node.parentElement)
  const found = ratio(rgb(getComputedStyle(node).borderTopColor, around), around)
  if (found < 3) weak.push(`${{node.outerHTML.slice(0, 90)}}: ${{found.toFixed(2)}}`)
}}
return weak
}}"""
VARIABLES = f"""(names) => {{
{CONTRAST}
const probe = document.body.appendChild(document.createElement("i"))
const of = (name) => {{
  probe.style.color = name.startsWith("--") ? `var(${{name}})` : name
  return rgb(getComputedStyle(probe).color)
}}
return names.map(([one, other]) => ratio(of(one), of(other)))
}}"""
LABELS = ("long-build-up", "short-build-up", "short-covering", "long-unwinding", "no-label")
LEVELS = ("level-day", "level-opening", "level-vwap", "level-fast", "level-slow")
SMALL_TARGETS = f"""() => [...document.querySelectorAll(
    "button, select, input[type=range], .popover label, .pages a, .brand")]
  .filter((node) => node.checkVisibility() && !node.closest(".canvas"))
  .map((node) => [node, node.getBoundingClientRect()])
  .filter(([, box]) => box.width < {TARGET} || box.height < {TARGET})
  .map(([node, box]) => `${{node.outerHTML.slice(0, 90)}}: ${{box.width}} x ${{box.height}}`)"""


@pytest.fixture
def filled(connection: psycopg.Connection, serve: Callable[..., Chart]) -> Chart:
    """A server over forty minutes of an index and two options, with a signal."""
    write(connection, CONTRACT, [contract(25000, kind) for kind in "CP"])
    for symbol, price in (("NIFTY", 25010.0), (CALL, 150.0), (PUT, 140.0)):
        write(connection, CANDLE, [candle(symbol, minute, price + minute) for minute in range(40)])
    write(connection, SIGNAL, [signal(CALL, 10)])
    # Fresh rows in an open market whose clock hardly moves: the page stays live.
    return serve(OPTIONSCALP_CLOCK=clock_text("2026-01-21T04:25:00+00:00", speed=0.01))


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, bypass_csp=True)
    yield context.new_page()
    context.close()


def ready(page: Page, address: str) -> None:
    page.goto(address)
    rows = "result-row" if "/signals" in address else "signal-row"
    expect(page.get_by_test_id(rows)).to_have_count(1)


@pytest.fixture
def badged(connection: psycopg.Connection, serve: Callable[..., Chart]) -> Chart:
    """After the close, with everything that a header may have to say at once."""
    rows = [candle("NIFTY", minute, 25000 + minute) for minute in range(364)]
    write(connection, CANDLE, rows)
    now = OPEN + timedelta(minutes=420)
    for source in ("tradingview", "trendlyne", "upstox"):
        report_up(connection, source, now)
    report_access(connection, "tradingview", Access(900, None, "the token ends at 10:30 IST"))
    for name in ("delta_volume", "pullback", "vwap_trap"):
        register_version(connection, StrategyVersion(name, "1", name, {}), OPEN, live=True)
        moment = OPEN + timedelta(minutes=60)
        lost = {"losing_signals": [{"stopped_by": moment.isoformat()}] * 2}
        whose = (name, "1", "NIFTY", SESSION, moment, "daily_loss_limit", CALL)
        write(connection, SIGNAL_REJECTION, [SignalRejection(*whose, lost, moment)])
    clock = clock_text(now.isoformat(), speed=0.001)
    return serve(OPTIONSCALP_CLOCK=clock, OPTIONSCALP_SOURCE="simulator")


OUTSIDE = """() => [
    ...document.querySelectorAll(".top > *, .top .source, .top time, #market-state"),
  ]
  .filter((part) => part.checkVisibility() && !part.matches(".unseen"))
  .map((part) => [part.id || part.className, part.getBoundingClientRect()])
  .filter(([, box]) => box.left < 0 || box.top < 0 || box.right > innerWidth)
  .map(([name, box]) => `${name}: ${Math.round(box.left)} to ${Math.round(box.right)}`)"""


@pytest.mark.parametrize("width", [1280, 1400, 1500, 1600])
def test_nothing_of_a_full_header_leaves_the_window(badged: Chart, page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{badged.url}/?underlying=NIFTY")
    expect(page.get_by_test_id("connection")).to_have_text("Last price 15:18")
    expect(page.get_by_test_id("delayed")).to_have_text("DELAYED 15 min")
    expect(page.get_by_test_id("session-note")).to_have_text("Showing Wed 21 Jan 2026")
    expect(page.get_by_test_id("simulated")).to_be_visible()
    badge = page.get_by_test_id("loss-limit")
    expect(badge).to_contain_text("Delta Volume, Pullback, VWAP trap")
    expect(badge).to_have_attribute("data-tip", re.compile("VWAP trap: daily loss limit reached"))
    expect(page.locator("#sources .source")).to_have_count(3)
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    header = page.locator(".top").bounding_box()
    assert header
    assert header["height"] <= 90


def touching(kind: str, x: float, y: float) -> dict:
    return {"type": kind, "touchPoints": [{"x": x, "y": y}]}


def themed(browser: Browser, scheme: str) -> BrowserContext:
    return browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_controls_stand_out_in_both_themes(browser: Browser, filled: Chart, scheme: str):
    with themed(browser, scheme) as context:
        page = context.new_page()
        for path in PAGES:
            ready(page, filled.url + path)
            # Also what is only sometimes there.
            page.evaluate("""for (const node of document.querySelectorAll(
                ".badge, .missing, .go-live, .banner, .wall")) {
              node.hidden = false
              node.textContent ||= "A text"
            }""")
            assert page.evaluate(WEAK_TEXTS) == []
            assert page.evaluate(WEAK_EDGES) == []
            page.get_by_test_id("help").click()
            assert page.evaluate(WEAK_TEXTS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_charts_draw_stands_out_in_both_themes(browser: Browser, filled: Chart, scheme: str):
    with themed(browser, scheme) as context:
        page = context.new_page()
        page.goto(filled.url)
        shapes = [
            (f"--{name}", "--panel") for name in ("rise", "fall", "interest", *LABELS, *LEVELS)
        ]
        texts = [(f"--{name}", "--panel") for name in ("up", "down", "buy", "aside", "axis-text")]
        texts += [("--on-chip", f"--{label}") for label in LABELS]
        # The library writes on its tags in black or white.
        tags = [("white", f"--{name}") for name in ("rise", "fall", "interest")]
        if scheme == "dark":
            tags = [("black", "--rise"), ("white", "--fall"), ("black", "--interest")]
        for pairs, least in ((shapes, 3), (texts + tags, 4.5)):
            ratios = dict(zip(pairs, page.evaluate(VARIABLES, pairs), strict=True))
            assert {pair: found for pair, found in ratios.items() if found < least} == {}


def test_the_chosen_theme_is_remembered_and_there_before_any_module(
    browser: Browser, filled: Chart
):
    with themed(browser, "dark") as context:
        page = context.new_page()
        page.goto(f"{filled.url}/signals")
        ground = "getComputedStyle(document.body).backgroundColor"
        dark = page.evaluate(ground)
        page.get_by_test_id("theme-light").click()
        light = page.evaluate(ground)
        assert light != dark
        other = context.new_page()
        other.route("**/*.js", lambda route: route.abort())
        other.goto(filled.url)
        assert other.evaluate(ground) == light
        page.get_by_test_id("theme-auto").click()
        assert page.evaluate(ground) == dark
        page.emulate_media(color_scheme="light")
        assert page.evaluate(ground) == light


def test_a_page_whose_storage_is_blocked_still_changes_its_theme(filled: Chart, page: Page):
    page.add_init_script("""Object.defineProperty(window, "localStorage", {
        get() { throw new DOMException("blocked", "SecurityError") } })""")
    page.goto(f"{filled.url}/signals")
    page.get_by_test_id("theme-light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.get_by_test_id("theme-light")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("path", PAGES)
def test_the_help_lists_every_key_of_the_page_and_gives_the_focus_back(
    filled: Chart, page: Page, path: str
):
    ready(page, filled.url + path)
    marked = page.evaluate("""[...document.querySelectorAll("[data-hotkey], [data-hotkey-next]")]
        .flatMap(({ dataset }) => [dataset.hotkey, dataset.hotkeyNext, dataset.hotkeyPrevious])
        .filter(Boolean).flatMap((keys) => keys.split(" "))""")
    assert len(marked) == len(set(marked)) > 5
    page.get_by_test_id("help").press("Enter")
    expect(page.get_by_test_id("help-dialog")).to_be_visible()
    names = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓", "-": "−"}  # noqa: RUF001
    names |= {"PageUp": "Page up", "PageDown": "Page down"}
    listed = page.get_by_test_id("help-key").all_inner_texts()
    shown = {key.strip() for line in listed for key in line.split(" or ")}
    for key in marked:
        parts = [key] if len(key) == 1 else key.split("+")
        assert " ".join(names.get(part, part.upper()) for part in parts) in shown
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("help-dialog")).to_be_hidden()
    expect(page.get_by_test_id("help")).to_be_focused()


def test_keys_press_the_controls_that_name_them_but_not_while_a_list_has_the_focus(
    filled: Chart, page: Page
):
    ready(page, f"{filled.url}/?underlying=NIFTY&interval=1m")
    page.keyboard.press("5")
    expect(page.get_by_test_id("interval-5m")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("r")
    page.keyboard.press("p")
    expect(page.get_by_test_id("chart-put")).to_be_visible()
    expect(page.get_by_test_id("chart-index")).to_be_hidden()
    page.get_by_test_id("strategy").focus()
    page.keyboard.press("1")
    expect(page.get_by_test_id("interval-5m")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("strategy").blur()
    page.keyboard.press("o")
    expect(page.locator("#ladder")).to_be_focused()
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_nothing_moves_for_those_who_asked_for_less_motion(filled: Chart, page: Page):
    page.emulate_media(reduced_motion="reduce")
    ready(page, f"{filled.url}/?underlying=NIFTY")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    # A signal that has just come: its row fades for everybody else.
    page.evaluate("document.querySelector('#signal-rows tr').classList.add('fresh')")
    moving = "document.getAnimations().length"
    assert page.evaluate(moving) == 0
    page.emulate_media(reduced_motion="no-preference")
    page.wait_for_function(f"{moving} > 0")


def test_a_page_that_is_live_draws_no_picture_of_its_own_accord(filled: Chart, page: Page):
    # An animation for ever is sixty pictures a second: without a GPU half of the page's work.
    ready(page, f"{filled.url}/?underlying=NIFTY")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    endless = "animation => animation.effect.getComputedTiming().iterations === Infinity"
    assert page.evaluate(f"document.getAnimations().filter({endless}).length") == 0


def test_a_vertical_swipe_over_a_chart_scrolls_the_page_of_a_phone(filled: Chart, phone: Page):
    ready(phone, f"{filled.url}/?underlying=NIFTY")
    phone.wait_for_function("optionscalp.candles('NIFTY').length === 40")
    box = phone.get_by_test_id("chart-index").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] * 0.8
    touch = phone.context.new_cdp_session(phone)
    touch.send("Input.dispatchTouchEvent", touching("touchStart", x, y))
    for moved in range(20, 240, 20):
        touch.send("Input.dispatchTouchEvent", touching("touchMove", x, y - moved))
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    phone.wait_for_function("scrollY > 100")


@pytest.mark.parametrize("path", PAGES)
def test_targets_on_a_phone_are_large_and_nothing_sticks_out(filled: Chart, phone: Page, path: str):
    ready(phone, filled.url + path)
    phone.get_by_test_id("more").tap()
    assert phone.evaluate(SMALL_TARGETS) == []
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    if "/replay" in path:
        box = phone.get_by_test_id("transport").bounding_box()
        assert box
        assert box["y"] + box["height"] == PHONE["height"]


def test_stop_targets_and_open_interest_of_puts_are_reached_on_a_phone(filled: Chart, phone: Page):
    ready(phone, f"{filled.url}/?underlying=NIFTY")
    for panel, reached, kept in (
        ("#signals", "th:has-text('Target 2')", "th:has-text('Time')"),
        ("#ladder", "th:has-text('Put OI')", "th:has-text('Strike')"),
    ):
        phone.locator(f"{panel} {reached}").scroll_into_view_if_needed()
        for heading in (reached, kept):
            expect(phone.locator(f"{panel} {heading}")).to_be_in_viewport(ratio=0.9)
