"""Chart servers on the test's own database, and a browser."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from chart_help import Chart, Process, Thread, clock_text
from playwright.sync_api import Browser, Page, expect, sync_playwright

from chartserver.pages import Pages
from db.checks.statistics import FEED_LOCK
from db.server.connection import connect

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=60_000)  # five seconds are little on a busy machine


@pytest.fixture
def feed_runs(database: str) -> Iterator[psycopg.Connection]:
    """As far as a chart server can tell: a feed holds its lock, and these tests write the rows."""
    with connect(database) as opened:
        # Until it is closed, by the test too, with the database away.
        opened.execute("select pg_advisory_lock(%s)", (FEED_LOCK,))
        yield opened


@pytest.fixture
def serve(database: str, feed_runs: psycopg.Connection) -> Iterator[Callable[..., Thread]]:
    """Start chart servers that are stopped with the test; keywords are their environment."""
    with ExitStack() as running:

        def start(pages: Pages | None = None, **env: str) -> Thread:
            chart = Thread(database, pages, **{"OPTIONSCALP_CLOCK": clock_text(), **env})
            running.callback(chart.stop)
            return chart

        yield start


@pytest.fixture
def serve_process(database: str, feed_runs: psycopg.Connection) -> Iterator[Callable[..., Process]]:
    """The same in processes of their own."""
    with ExitStack() as running:

        def start(port: int = 0, **env: str) -> Process:
            chart = Process(database, port, **{"OPTIONSCALP_CLOCK": clock_text(), **env})
            running.callback(chart.stop)
            return chart

        yield start


@pytest.fixture
def chart(serve: Callable[..., Thread]) -> Chart:
    """One chart server."""
    return serve()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing: run `make test`, or install it"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test when its console or its code reports an error."""
    context = browser.new_context(viewport={"width": 1600, "height": 900}, bypass_csp=True)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    yield opened
    context.close()
    assert errors == []
