"""Take pictures of the pages of a demo: all at three widths, dark and light, and the README's.

`make screenshot` runs this; `ARGS=folder` says where the pictures go, docs/screens by default. It
starts a demo of its own in a temporary home on a free port, waits until the pages show enough, and
stops the demo again. docs/live.png is the live page, 1600 pixels wide and dark.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from bench.servers import demo

PROJECT = Path(__file__).parent.parent
PICTURE = PROJECT / "docs" / "live.png"
FOLDER = PROJECT / "docs" / "screens"
LARGEST_BYTES = 300_000
SPEED = "120"
PAGE_MILLISECONDS = 240_000
CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
# Width and height; the last is a phone.
SIZES = ((1600, 900), (1280, 800), (390, 844))
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
BARS = 88
WHEEL_TURNS = 40
# Ninety minutes of the index and several signals.
ENOUGH = """() => window.optionscalp
    && window.optionscalp.candles("NIFTY").length >= 90
    && window.optionscalp.signals().length >= 2"""
# The newest signal's strike, so that one chart has a marker that buys.
STRIKE = """() => window.optionscalp.signals()
    .reduce((newest, signal) => signal.known_at > newest.known_at ? signal : newest)
    .symbol.match(/[CP](\\d+)$/)[1]"""
HAS_CANDLES = """() => window.optionscalp?.candles("NIFTY").length > 0"""
VISIBLE_BARS = """() => {
    const [index] = window.optionscalp.axis().visible
    return index.to - index.from
}"""
# Two frames, so that what arrived last is drawn.
DRAWN = """() => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"""


def wait_until_enough(browser: Browser, address: str) -> str:
    """Wait until there is something to see; return the strike to look at."""
    page = browser.new_page()
    page.goto(f"{address}/?underlying=NIFTY")
    page.wait_for_function(ENOUGH, timeout=PAGE_MILLISECONDS)
    strike: str = page.evaluate(STRIKE)
    page.close()
    return strike


def take(browser: Browser, address: str, strike: str, folder: Path) -> Iterator[Path]:
    """Save each page at each width in each scheme; yield the pictures."""
    for scheme, (width, height) in product(SCHEMES, SIZES):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            has_touch=width < SIZES[1][0],
        )
        page = context.new_page()
        page.set_default_timeout(PAGE_MILLISECONDS)
        for name, open_page in PICTURES.items():
            open_page(page, address, strike)
            page.evaluate(DRAWN)
            picture = folder / f"{name}-{width}-{scheme}.png"
            page.screenshot(path=picture)
            yield picture
        context.close()


def _live(page: Page, address: str, strike: str) -> None:
    page.goto(f"{address}/?underlying=NIFTY&strike={strike}")
    page.wait_for_function(HAS_CANDLES)
    page.get_by_test_id("ladder-row").first.wait_for(state="attached")
    _zoom_out(page)


def _replay(page: Page, address: str, strike: str) -> None:
    """Open the replay at the newest signal."""
    signals = page.evaluate("window.optionscalp.signals()")
    newest = max(signal["known_at"] for signal in signals)
    session = page.evaluate("async () => (await (await fetch('/api/sessions')).json()).sessions[0]")
    day = session["session"]
    query = f"underlying=NIFTY&strike={strike}&from={day}&to={day}&t={newest}"
    page.goto(f"{address}/replay?{query}")
    page.wait_for_function(HAS_CANDLES)
    page.get_by_test_id("ladder-row").first.wait_for(state="attached")


def _signals(page: Page, address: str, _: str) -> None:
    page.goto(f"{address}/signals?underlying=NIFTY")
    page.get_by_test_id("result-table").wait_for()


def _sweeps(page: Page, address: str, _: str) -> None:
    """Open the page of sweeps, which says what to do where nothing was swept."""
    page.goto(f"{address}/sweeps")
    page.locator("[data-testid=heat-cell], [data-testid=nothing]:not([hidden])").first.wait_for()


PICTURES = {"live": _live, "replay": _replay, "signals": _signals, "sweeps": _sweeps}


def _zoom_out(page: Page) -> None:
    """Turn the wheel over the index chart, which all charts follow, until the signals are seen."""
    area = page.get_by_test_id("chart-index").bounding_box()
    if area is None:
        sys.exit("the page has no index chart")
    page.mouse.move(area["x"] + area["width"] * 0.8, area["y"] + area["height"] / 2)
    for _ in range(WHEEL_TURNS):
        if page.evaluate(VISIBLE_BARS) >= BARS:
            break
        page.mouse.wheel(0, 100)
        page.evaluate(DRAWN)
    page.mouse.move(0, 0)


def main() -> None:
    """Take the pictures, or say in one line why not."""
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshot", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().folder
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: run `make screenshot`, or install it")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, demo(SPEED) as address:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        strike = wait_until_enough(browser, address)
        for picture in take(browser, address, strike, folder):
            sys.stdout.write(f"{picture}: {picture.stat().st_size:,} bytes\n")
        browser.close()
    shutil.copyfile(folder / "live-1600-dark.png", PICTURE)
    if (size := PICTURE.stat().st_size) > LARGEST_BYTES:
        sys.exit(f"docs/live.png has {size:,} bytes, more than {LARGEST_BYTES:,}")


if __name__ == "__main__":
    main()
