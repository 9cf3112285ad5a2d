"""A day on which the feed and the runs are killed at random, beside the same day left in peace.

In CI the hours around the session at a high speed; with OPTIONSCALP_LONG all 24, slower, so that
there is time for many more kills.
"""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from db.server.connection import connect
from pipelines.ingest.rebuild import rebuild
from pipelines.orchestration.schedules import SETTLED
from strategy.session import session_hours
from tests.faulty import DAY, Tables, known_too_early, tables
from tests.live import FAST, Market, feed, grows, run_session, simulated_market
from tests.long import in_full

NAMES = ("NIFTY",)
OPEN, CLOSE = session_hours(DAY)
BY_HAND = ["optionscalp.cli", "ingest", "--session", str(DAY)]
BY_DAGSTER = [
    *("dagster", "job", "execute", "-m", "pipelines.orchestration.definitions", "-j", "session"),
    *("--tags", json.dumps({"dagster/partition": str(DAY)})),
]
WITH_TIMES = ("contract", "candle", "build_up", "chain_oi", "signal", "revision", "change_log")


class Hours(NamedTuple):
    """What of the day is played, and how fast."""

    first: datetime
    last: datetime
    speed: float


@pytest.fixture(scope="module")
def hours(rounds: int) -> Hours:
    """The hours of the form that is run."""
    if rounds == 1:
        return Hours(OPEN - timedelta(minutes=10), CLOSE + SETTLED, 600)
    midnight = OPEN - timedelta(hours=9, minutes=15)
    return Hours(midnight, midnight + timedelta(hours=24), 180)


@pytest.fixture(scope="module")
def quiet(fresh_database) -> Tables:
    """What the feed stores of the day when nobody kills it."""
    with fresh_database() as dsn:
        with simulated_market(dsn, DAY, 600, *FAST, minutes_in=-10, underlyings=NAMES) as market:
            run_session(market)
        stored = tables(dsn, "15:30")
    assert all(stored.values())
    return stored


@pytest.fixture
def market(database: str, hours: Hours, tmp_path: Path) -> Iterator[Market]:
    """The market of the hours; Dagster keeps its records apart."""
    minutes_in = (hours.first - OPEN) / timedelta(minutes=1)
    begins = {"minutes_in": minutes_in, "underlyings": NAMES}
    with simulated_market(database, DAY, hours.speed, *FAST, **begins) as market:
        yield market._replace(environment=market.environment | {"DAGSTER_HOME": str(tmp_path)})


def start(market: Market, command: list[str]) -> subprocess.Popen:
    """Start a run of the session in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        env=market.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(market: Market, command: list[str]) -> None:
    """Run the session to the end."""
    with start(market, command) as run:
        _, log = run.communicate()
    assert run.returncode == 0, log[-2_000:]


class Killer:
    """Kills what works on a database after so many changes of it, or so much time."""

    def __init__(self, dsn: str, market: Market, seed: int) -> None:
        self._dsn, self._market, self._dice = dsn, market, random.Random(seed)
        self.kills = 0

    def wait(self, longest: float) -> None:
        """Wait for a random number of changes, and no more than a random number of seconds."""
        grows(self._dsn, self._dice.randint(1, 1_500), self._dice.uniform(0, longest))

    def kill(self, process: subprocess.Popen) -> None:
        """Kill a process, if it is still there."""
        if process.poll() is None:
            process.kill()
            self.kills += 1

    def kill_feeds(self, until: datetime) -> None:
        """Start the feed, kill it, and so on."""
        while self._market.clock.now() < until:
            with feed(self._market) as process:
                self.wait(min(20, self._market.clock.seconds_until(until)))
                self.kill(process)

    def kill_runs(self, until: datetime) -> None:
        """Start runs one after the other; kill most of them."""
        while self._market.clock.now() < until:
            with start(self._market, self._dice.choice([BY_HAND, BY_DAGSTER])) as run:
                if self._dice.random() < 0.7:
                    self.wait(5)
                    self.kill(run)
                run.communicate()
            self.wait(5)


@in_full
@pytest.mark.timeout(1_500)
def test_a_day_of_kills_ends_with_the_tables_of_a_quiet_one(
    quiet: Tables, database: str, market: Market, hours: Hours, rounds: int
) -> None:
    feeds, runs = Killer(database, market, 1), Killer(database, market, 2)
    with ThreadPoolExecutor() as threads:
        fed = threads.submit(feeds.kill_feeds, hours.last)
        runs.kill_runs(CLOSE + SETTLED)
        for _ in range(rounds):
            with start(market, BY_DAGSTER) as closing:
                runs.wait(5)
                runs.kill(closing)
                closing.communicate()
        finish(market, BY_DAGSTER)
        fed.result()
    print(f"until {market.clock.now():%H:%M} {feeds.kills} feeds, {runs.kills} runs were killed")
    assert feeds.kills >= 5 * rounds
    assert runs.kills >= 2 * rounds
    stored = tables(database, "15:30")
    for name, rows in quiet.items():
        assert stored[name] == rows, name
    assert known_too_early(database) == []

    before = everything(database)
    finish(market, BY_HAND)
    assert everything(database) == before
    assert_archive_says_the_same(database, stored)


def everything(dsn: str) -> dict[str, set[tuple]]:
    """Return all derived rows, with their times."""
    with connect(dsn) as connection:
        return {
            name: set(connection.execute(f"select {name}::text from {name}").fetchall())
            for name in WITH_TIMES
        }


def assert_archive_says_the_same(dsn: str, stored: Tables) -> None:
    """Check that a rebuild finds no row too many or too few, and no other value."""
    with connect(dsn) as connection:
        report = rebuild(connection, DAY)
    print(report.tables)
    assert {table.new for table in report.tables.values()} == {0}
    assert report.unexplained == 0
    assert tables(dsn, "15:30") == stored
