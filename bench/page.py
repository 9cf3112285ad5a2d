"""The live page in headless Chromium, beside a bare page of the chart library and the same data."""

import gzip
import json
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

from bench import session
from bench.database import fresh_database
from bench.results import Result, Target
from bench.servers import demo, running
from chartserver.pages import FOLDER
from db.server.connection import connect
from strategy.contract import Contract

DAY = date(2026, 1, 21)
ROUNDS = 7
STRIKES = 10
BARS = 60_000
MARKERS = 2_000
SESSION_MINUTES = 375
DAY_SECONDS = 86_400
PAN_MILLISECONDS = 3_000
# As many as a third of the window can show.
SEEN_BARS = 1_000
WHEEL_TURNS = 60
SETTLE_MILLISECONDS = 1_500
WAIT_MILLISECONDS = 120_000
LIVE_SECONDS = 300 if os.environ.get("OPTIONSCALP_LONG") else 60
LIBRARY = "node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.js"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
HERE = Path(__file__).parent
INIT = (HERE / "page.js").read_text("utf-8")


class Bench:
    """Browser and chart server of the measurements."""

    def __init__(self, browser: Browser, url: str, folder: Path) -> None:
        self.browser, self.url, self.folder = browser, url, folder

    @contextmanager
    def page(self) -> Iterator[Page]:
        """Open a page of a browser that has never been here."""
        context = self.browser.new_context(viewport={"width": 1600, "height": 900})
        context.set_default_timeout(WAIT_MILLISECONDS)
        context.add_init_script(INIT)
        yield context.new_page()
        context.close()

    def json(self, path: str) -> Any:
        """Return what the chart server answers."""
        with urlopen(self.url + path, timeout=20) as answer:
            return json.load(answer)

    def history(self) -> dict[str, Any]:
        """Return the live page's rows."""
        answer: dict[str, Any] = self.json("/api/history?underlying=NIFTY")
        return answer

    def painted(self, path: str, bars: int = 1) -> float:
        """Open a page; return milliseconds until its candles are painted."""
        with self.page() as page:
            page.goto(self.url + path)
            taken: float = page.evaluate("bars => bench.painted(bars)", bars)
            return taken

    def write_bare(self, charts: list[dict[str, Any]], markers: list[dict[str, Any]]) -> None:
        """Make the page beside ours, with everything inlined."""
        text = (HERE / "bare.html").read_text("utf-8")
        data = json.dumps({"charts": charts, "markers": markers}, separators=(",", ":"))
        text = text.replace("/* library */", (FOLDER / LIBRARY).read_text("utf-8"))
        (self.folder / "bare.html").write_text(text.replace("/* data */null", data), "utf-8")


def run() -> list[Result]:
    """Measure loads, the first paint, changes of strike, many bars, and live minutes."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("chromium is not installed: run `make bench`, or install it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        results = _stored(browser) + _live(browser)
        browser.close()
    return results


def _stored(browser: Browser) -> list[Result]:
    with (
        fresh_database() as dsn,
        tempfile.TemporaryDirectory(prefix="optionscalp-bench-") as name,
    ):
        with connect(dsn) as connection:
            session.store(connection, DAY)
        with running(dsn, "bench.counted", BENCH_FOLDER=name) as server:
            bench = Bench(browser, f"http://127.0.0.1:{server.port}", Path(name))
            return [
                result for measure in (_loads, _paint, _strikes, _many) for result in measure(bench)
            ]


def _loads(bench: Bench) -> list[Result]:
    counts = []
    with bench.page() as page:
        # Everything that a load asks for has begun when the page has rows and was left alone.
        for _ in range(2):
            bench.json("/bench/requests")
            page.goto(f"{bench.url}/?underlying=NIFTY")
            page.evaluate("bench.painted()")
            page.get_by_test_id("ladder-row").first.wait_for()
            page.wait_for_timeout(SETTLE_MILLISECONDS)
            counts.append(bench.json("/bench/requests"))
            page.goto("about:blank")
    first, again = counts
    sizes = [sum(entry["bytes"] for entry in asked) / 1_000 for asked in counts]
    return [
        Result("first load: requests", len(first), "", target=Target("at most", 12, "value")),
        Result("the same in size", sizes[0], "kB", target=Target("at most", 150, "value")),
        Result("load again: requests", len(again), "", "first", len(first)),
        Result("the same in size", sizes[1], "kB", "first", sizes[0]),
    ]


def _paint(bench: Bench) -> list[Result]:
    answer = bench.history()
    charts = [answer["candles"][answer["symbols"][role]] for role in ("index", "call", "put")]
    bench.write_bare(charts, [])
    ours, bare = _in_turn(
        ROUNDS, partial(bench.painted, "/?underlying=NIFTY"), partial(bench.painted, "/bench/bare")
    )
    reference = ("ms", "bare page, all inlined", bare)
    return [
        Result("first candles painted", ours, *reference, Target("at most", 2, "ratio")),
        Result("the same in time", ours, "ms", target=Target("at most", 500, "value")),
    ]


def _strikes(bench: Bench) -> list[Result]:
    answer = bench.history()
    expiry = date.fromisoformat(answer["expiry"])
    middle = answer["strikes"].index(answer["atm_strike"])
    near = answer["strikes"][max(middle - STRIKES // 2 - 2, 0) :][: STRIKES + 3]
    taken = []
    with bench.page() as page:
        page.goto(f"{bench.url}/?underlying=NIFTY")
        page.evaluate("bench.painted()")
        page.get_by_test_id("ladder-row").first.wait_for()
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        for strike in near:
            symbols = [Contract("NIFTY", expiry, strike, kind).symbol for kind in ("C", "P")]
            if strike != answer["atm_strike"]:
                given = [symbols, strike]
                taken.append(page.evaluate("given => bench.chooseStrike(...given)", given))
    warm = taken[2:]
    what = f"change of strike to the last chart and the ladder, median of {len(warm)}"
    return [
        Result(what, median(warm), "ms", target=Target("at most", 150, "value")),
        Result("the same, the slowest", max(warm), "ms", target=Target("at most", 150, "value")),
    ]


def _many(bench: Bench) -> list[Result]:
    answer = bench.history()
    answer, chart, markers = _enlarged(answer)
    (bench.folder / "history.json.gz").write_bytes(gzip.compress(json.dumps(answer).encode(), 4))
    bench.write_bare([chart], markers)
    ours, bare = _in_turn(
        3,
        partial(bench.painted, "/?underlying=NIFTY", BARS),
        partial(bench.painted, "/bench/bare", BARS),
    )
    rates = [_pan(bench, path) for path in ("/?underlying=NIFTY", "/bench/bare")]
    what = f"{BARS:,} bars and {MARKERS:,} markers"
    alone = "library alone"
    return [
        Result(f"{what}: load", ours, "ms", alone, bare, Target("at most", 1.2, "ratio")),
        Result(
            f"the same: panning with {SEEN_BARS:,} bars in view",
            rates[0],
            "frames/s",
            alone,
            rates[1],
            Target("at least", 30, "value"),
        ),
    ]


def _pan(bench: Bench, path: str) -> float:
    with bench.page() as page:
        page.goto(bench.url + path)
        page.evaluate("bars => bench.painted(bars)", BARS)
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        seen = page.evaluate("given => bench.zoomOut(...given)", [SEEN_BARS, WHEEL_TURNS])
        found = page.evaluate("time => bench.pan(time)", PAN_MILLISECONDS)
    if seen < SEEN_BARS or found["moved"] < 1:
        raise RuntimeError(f"{path} shows {seen:.0f} bars and moved by {found['moved']:.0f}")
    rate: float = found["rate"]
    return rate


def _enlarged(answer: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
    """Return the history with as many index candles and signals, and the same for a bare page."""
    draw = random.Random(10)
    last = answer["candles"]["NIFTY"]["t"][-1]
    # Whole sessions, so that no candle lies outside of its day's hours.
    days, minutes = BARS // SESSION_MINUTES, range(SESSION_MINUTES)
    end = last - 60 * (SESSION_MINUTES - 1)
    times = [end - DAY_SECONDS * back + 60 * at for back in range(days)[::-1] for at in minutes]
    chart: dict[str, list[float]] = {"t": times, "o": [], "h": [], "l": [], "c": []}
    price = 25_000.0
    for _ in times:
        close = round(price + draw.gauss(0, 6), 2)
        chart["o"].append(price)
        chart["h"].append(round(max(price, close) + abs(draw.gauss(0, 3)), 2))
        chart["l"].append(round(min(price, close) - abs(draw.gauss(0, 3)), 2))
        chart["c"].append(close)
        price = close
    old = answer["candles"]["NIFTY"]
    columns = {name: values for name, values in old.items() if isinstance(values, list)}
    others = {name: [values[-1]] * BARS for name, values in columns.items() if name not in chart}
    step = BARS // MARKERS
    signals, markers = [], []
    for number in range(MARKERS):
        place = number * step
        bullish = number % 2 == 0
        signals.append(
            answer["signals"][0]
            | {
                "signal_id": f"00000000-0000-4000-8000-{number:012}",
                "event_time": times[place] + 60,
                "direction": "BULLISH" if bullish else "BEARISH",
            }
        )
        markers.append(
            {
                "time": times[place],
                "position": "belowBar" if bullish else "aboveBar",
                "shape": "arrowUp" if bullish else "arrowDown",
                "color": "#888",
                "text": "BULLISH" if bullish else "BEARISH",
            }
        )
    candles = answer["candles"] | {"NIFTY": old | others | chart}
    return answer | {"candles": candles, "signals": signals}, chart, markers


def _live(browser: Browser) -> list[Result]:
    """Watch the page follow a market that is as fast as the real one."""
    with demo("1") as url:
        bench = Bench(browser, url, Path())
        with bench.page() as page:
            page.goto(f"{url}/?underlying=NIFTY")
            page.evaluate("bench.painted()")
            page.wait_for_timeout(SETTLE_MILLISECONDS)
            start = page.evaluate("performance.now()")
            page.wait_for_timeout(1_000 * LIVE_SECONDS)
            tasks = page.evaluate("start => bench.longTasks(start)", start)
    longest = max(tasks, default=0.0)
    what = f"longest of {len(tasks)} tasks above 50 ms in {LIVE_SECONDS} live seconds"
    return [Result(what, longest, "ms", target=Target("at most", 50, "value"))]


def _in_turn(rounds: int, *calls: Any) -> list[float]:
    """Return the median of what each call returns."""
    taken = [[call() for call in calls] for _ in range(rounds)]
    return [median(column) for column in zip(*taken, strict=True)]
