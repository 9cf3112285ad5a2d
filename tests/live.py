"""A simulated market and the real feed as processes, for tests that watch a whole session."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

from strategy.clock import MarketClock
from strategy.session import session_hours


class Market(NamedTuple):
    """A running simulator and what programs need to use it."""

    environment: dict[str, str]
    clock: MarketClock


@contextmanager
def simulated_market(
    database: str, day: date, speed: float, *arguments: str, minutes_in: float = 0
) -> Iterator[Market]:
    """Start a simulator whose clock stands `minutes_in` after the open, and runs."""
    start = session_hours(day)[0]
    clock = MarketClock(start, time.time() - minutes_in * 60 / speed, speed)
    environment = os.environ | {
        "DATABASE_URL": database,
        "OPTIONSCALP_CLOCK": str(clock),
        "OPTIONSCALP_SOURCE": "simulator",
    }
    command = [sys.executable, "-m", "simulator", "--day", day.isoformat(), *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as simulator:
        try:
            ready, tradingview, trendlyne = simulator.stdout.readline().split()
            assert ready == "ready"
            urls = {"TRADINGVIEW_URL": tradingview, "TRENDLYNE_URL": trendlyne}
            yield Market(environment | urls, clock)
        finally:
            simulator.terminate()
            simulator.communicate()


@contextmanager
def feed(market: Market) -> Iterator[subprocess.Popen]:
    """Run the live feed; its log comes line by line from `stderr`."""
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines"],
        env=market.environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate()


def wait_for_close(process: subprocess.Popen) -> list[str]:
    """Return the feed's log up to the line that says the session is stored."""
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "market closed" in line:
            return lines
    raise AssertionError("the feed ended:\n" + "".join(lines[-20:]))


def run_session(market: Market) -> list[str]:
    """Follow a session to its end; return the feed's log."""
    with feed(market) as process:
        return wait_for_close(process)


def optionscalp(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run the command line with a home of its own."""
    return subprocess.run(
        [sys.executable, "-m", "optionscalp.cli", *arguments],
        env=os.environ | {"OPTIONSCALP_HOME": str(home), "COLUMNS": "100"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
