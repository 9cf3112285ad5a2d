"""What a page shows, read from its DOM and its charts in one go, and the same from the database."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from playwright.sync_api import Page
from psycopg import Connection

WAIT = 60_000

# Within three frames everything that arrived is drawn, painted and written.
SETTLED = """() => new Promise((done) => requestAnimationFrame(() =>
    requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))"""

SHOWN = """() => {
    const text = (id) => document.getElementById(id)?.textContent ?? null
    const test = (id) => document.querySelector(`[data-testid="${id}"]`)?.textContent ?? null
    return {
        status: optionscalp.status(), axis: optionscalp.axis(), drawn: optionscalp.drawn(),
        spot: text("spot"), atm: text("atm"),
        prices: Object.fromEntries(
            [...document.querySelectorAll("#ladder-rows td[data-symbol]")]
                .filter((cell) => cell.dataset.symbol)
                .map((cell) => [cell.dataset.symbol, cell.querySelector("button").textContent])),
        legends: Object.fromEntries(["index", "call", "put"].map((role) => [role, {
            last: test(`last-${role}`), values: test(`values-${role}`),
            name: document.querySelector(`#legend-${role} .instrument`).textContent,
        }])),
    }
}"""


def shown(page: Page) -> dict[str, Any]:
    """What the page shows once it has drawn what it knows."""
    page.evaluate(SETTLED)
    return page.evaluate(SHOWN)


def newest(connection: Connection) -> int:
    return connection.execute("select coalesce(max(seq), 0) from change_log").fetchone()[0]


def wait_for(page: Page, seq: int) -> None:
    """Return when the page has taken in the log up to a number."""
    page.wait_for_function(
        "seq => Number(optionscalp.status().last_id?.split(':')[1]) >= seq", arg=seq, timeout=WAIT
    )


def price_text(value: float) -> str:
    """Rupees as the page writes them, by the digits of India."""
    whole, fraction = f"{value:.2f}".split(".")
    head, tail = whole[:-3], whole[-3:]
    groups = []
    while head:
        head, group = head[:-2], head[-2:]
        groups.insert(0, group)
    return ",".join([*groups, tail]) + "." + fraction


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many cores busy."""
    with ExitStack() as spinning:
        for _ in range(count):
            process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            spinning.callback(process.wait)
            spinning.callback(process.kill)
        yield
