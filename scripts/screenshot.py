"""Take docs/live.png: the live page after an hour and a half of the generated day.

`make screenshot` runs this. It starts a demo of its own in a temporary home on a free port, waits
until the page shows enough, and stops the demo again.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from optionscalp.stack import free_port

PROJECT = Path(__file__).parent.parent
PICTURE = PROJECT / "docs" / "live.png"
LARGEST_BYTES = 300_000
SIZE: ViewportSize = {"width": 1600, "height": 900}
SPEED = "120"
STOP_SECONDS = 30
PAGE_MILLISECONDS = 240_000
CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
BARS = 88
WHEEL_TURNS = 40
# Ninety minutes of the index, several signals, and one that buys the put on the chart.
ENOUGH = """() => window.optionscalp
    && window.optionscalp.candles("NIFTY").length >= 90
    && window.optionscalp.signals().length >= 2
    && window.optionscalp.markers().some(
        ({ role, text }) => role === "put" && text?.startsWith("BUY"))"""
VISIBLE_BARS = """() => {
    const [index] = window.optionscalp.axis().visible
    return index.to - index.from
}"""
# Two frames, so that what arrived last is drawn.
DRAWN = """() => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"""


@contextmanager
def demo() -> Iterator[str]:
    """Run a demo; yield the address of its page."""
    port = str(free_port())
    command = [sys.executable, "-m", "optionscalp.cli", "demo", "--no-dagster", "--speed", SPEED]
    with (
        tempfile.TemporaryDirectory(prefix="optionscalp-picture-") as home,
        subprocess.Popen(
            [*command, "--chart-port", port],
            cwd=PROJECT,
            env=os.environ | {"OPTIONSCALP_HOME": home, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        try:
            _wait_until_up(process)
            yield f"http://127.0.0.1:{port}/?underlying=NIFTY"
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=STOP_SECONDS)


def _wait_until_up(process: "subprocess.Popen[str]") -> None:
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if "Ctrl-C" in line:
            return
    sys.exit("the demo ended early:\n" + "".join(lines))


def take(address: str, chromium: str, picture: Path) -> None:
    """Save the page at an address once it shows enough."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport=SIZE)
        page.goto(address)
        page.wait_for_function(ENOUGH, timeout=PAGE_MILLISECONDS)
        _zoom_out(page)
        page.screenshot(path=picture)
        browser.close()


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
    page.evaluate(DRAWN)


def main() -> None:
    """Take the picture, or say in one line why not."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: run `make screenshot`, or install it")
    with demo() as address:
        take(address, chromium, PICTURE)
    size = PICTURE.stat().st_size
    sys.stdout.write(f"{PICTURE.relative_to(PROJECT)}: {size:,} bytes\n")
    if size > LARGEST_BYTES:
        sys.exit(f"larger than {LARGEST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
