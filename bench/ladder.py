"""How old the strike ladder's prices are beside the stored candles, at the market's own pace.

A demo runs at speed 1. What the page's ladder says is read from its DOM again and again; the states
of forming candles, which the feed keeps, tell when each price was replaced by the next one.
"""

import os
import shutil
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page, sync_playwright
from psycopg import Connection

import db.server.embedded
from bench.page import FLAGS, WAIT_MILLISECONDS
from bench.results import Result, Target
from bench.servers import demo
from db.server.connection import connect
from optionscalp.homes import demo_database
from strategy.clock import MarketClock

SECONDS = int(os.environ.get("LADDER_SECONDS", "600"))
PAUSE_SECONDS = 1.0
LIMIT_SECONDS = 2.0
# Prices as the ladder shows them, by contract.
SHOWN = """() => [...document.querySelectorAll("#ladder-rows td[data-symbol]")].flatMap((cell) =>
    cell.dataset.symbol ? [[cell.dataset.symbol, cell.querySelector("button").textContent]] : [])"""
STATES = """
select symbol, known_at, close from (
    select symbol, known_at, close from forming where known_at > %(since)s
    union all
    select symbol, known_at, close from candle where known_at > %(since)s) states
 order by symbol, known_at
"""


class Shown(NamedTuple):
    """What the page showed at a moment of the market."""

    at: datetime
    prices: dict[str, str]


def run() -> list[Result]:
    """Watch the ladder for `LADDER_SECONDS` (600), and print how old its prices were."""
    ages: list[float] = []
    old: list[tuple[float, str, datetime]] = []
    with tempfile.TemporaryDirectory(prefix="optionscalp-ladder-") as home, _live(home) as live:
        page, connection, clock = live
        page.wait_for_function("document.querySelectorAll('[data-testid=ladder-row]').length > 5")
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(PAUSE_SECONDS)
            shown = Shown(clock.now(), dict(page.evaluate(SHOWN)))
            for symbol, age in _ages(connection, shown):
                ages.append(age)
                if age > LIMIT_SECONDS:
                    old.append((age, symbol, shown.at))
    for age, symbol, at in sorted(old, reverse=True)[:20]:
        print(f"  {symbol} was {age:.1f} s behind at {at.astimezone(UTC):%H:%M:%S}")
    ages.sort()
    share = len(ages) - len(old)
    return [
        Result(f"ladder prices read in {SECONDS} s at speed 1", len(ages), "prices"),
        Result("of them not behind the stored candle at all", sum(a == 0 for a in ages), "prices"),
        Result("99th percentile of their age", ages[int(len(ages) * 0.99)], "s"),
        Result("oldest", ages[-1], "s", target=Target("at most", LIMIT_SECONDS, "value")),
        Result("within the limit", 100 * share / len(ages), "%"),
    ]


def _ages(connection: Connection[Any], shown: Shown) -> Iterator[tuple[str, float]]:
    """Yield, for each strike with candles, how long its shown price had been replaced."""
    since = shown.at - timedelta(minutes=5)
    states: dict[str, list[tuple[datetime, str]]] = {}
    for symbol, known_at, close in connection.execute(STATES, {"since": since}):
        states.setdefault(symbol, []).append((known_at, f"{close:.2f}"))
    for symbol, text in shown.prices.items():
        price = text.replace(",", "")
        known = states.get(symbol)
        if not known:
            continue
        past = known[: bisect_right([at for at, _ in known], shown.at)]
        last = max((i for i, (_, stated) in enumerate(known) if stated == price), default=-1)
        if last >= len(past) - 1:
            yield symbol, 0.0
        else:
            yield symbol, (shown.at - past[last + 1][0]).total_seconds()


@contextmanager
def _live(home: str) -> Iterator[tuple[Page, Connection[Any], MarketClock]]:
    with demo("1", "--home", home) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.set_default_timeout(WAIT_MILLISECONDS)
        page.goto(url)
        page.wait_for_function("Number.isFinite(optionscalp?.clock().market)")
        dsn = demo_database(db.server.embedded.start(Path(home)))
        market = page.evaluate("optionscalp.clock().market")
        clock = MarketClock(datetime.fromtimestamp(market, UTC), time.time(), 1)
        with connect(dsn) as connection:
            yield page, connection, clock
        browser.close()
