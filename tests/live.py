"""A simulated market and the real feed as processes, for tests that watch a whole session."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from db.server.connection import connect
from optionscalp.cli import main
from strategy.clock import MarketClock
from strategy.contract import UNDERLYINGS
from strategy.session import session_hours

# At hundreds of times its pace the last minutes in which a ladder can be asked for by its minute
# are over in an instant: markets that run so fast answer for it later too, as the service does not.
FAST = ("--any-minute",)


class Simulator:
    """The market's process; it can be killed and started again at the same addresses."""

    def __init__(self, command: list[str], environment: dict[str, str]):
        self._command, self._environment = command, environment
        self.urls = self._start()

    def _start(self) -> list[str]:
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        ready, *urls = self.process.stdout.readline().split()
        assert ready == "ready"
        return urls

    def twin(self) -> "Simulator":
        """Start another one of the same market."""
        return Simulator(list(self._command), self._environment)

    def restart(self) -> None:
        """Kill it, if it is not dead, and start it again: every connection is cut."""
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)
        ports = [str(urlsplit(url).port) for url in self.urls]
        names = ("--tradingview-port", "--trendlyne-port", "--upstox-port")
        self._command += [word for pair in zip(names, ports, strict=True) for word in pair]
        assert self._start() == self.urls

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.communicate()


class Market(NamedTuple):
    """A running simulator and what programs need to use it."""

    environment: dict[str, str]
    clock: MarketClock
    simulator: Simulator


@contextmanager
def simulated_market(
    database: str,
    day: date,
    speed: float,
    *arguments: str,
    minutes_in: float = 0,
    underlyings: Sequence[str] = UNDERLYINGS,
) -> Iterator[Market]:
    """Start a simulator whose clock stands `minutes_in` after the open, and runs."""
    start = session_hours(day)[0]
    clock = MarketClock(start, time.time() - minutes_in * 60 / speed, speed)
    environment = os.environ | {
        "DATABASE_URL": database,
        "OPTIONSCALP_CLOCK": str(clock),
        "OPTIONSCALP_SOURCE": "simulator",
        "UNDERLYINGS": ",".join(underlyings),
    }
    command = [sys.executable, "-m", "simulator", "--day", day.isoformat(), *arguments]
    simulator = Simulator(command, environment)
    try:
        names = ("TRADINGVIEW_URL", "TRENDLYNE_URL", "UPSTOX_URL")
        urls = dict(zip(names, simulator.urls, strict=True))
        yield Market(environment | urls, clock, simulator)
    finally:
        simulator.stop()


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


def wait_for_rows(dsn: str, more: int, *relations: str) -> None:
    """Return when the change log has grown by so many entries, of candles and what they lead to."""
    assert grows(dsn, more, 120, *relations), "the market stands still"


def grows(dsn: str, more: int, seconds: float, *relations: str) -> bool:
    """Return when the change log has grown by so many entries, or so much later; tell which."""
    wanted = list(relations or ("candle", "build_up", "signal"))
    newest = "select count(*) from change_log where relation = any(%s)"
    with connect(dsn) as listener, connect(dsn) as reader:
        listener.execute("listen feed")
        goal = reader.execute(newest, (wanted,)).fetchone()[0] + more
        for _ in listener.notifies(timeout=seconds):
            if reader.execute(newest, (wanted,)).fetchone()[0] >= goal:
                return True
    return False


# Importing all that commands need takes longer than most of them do: each is a process forked from
# one that has imported it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])


def optionscalp(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run the command line with a home of its own."""
    surroundings = os.environ | {"OPTIONSCALP_HOME": str(home), "COLUMNS": "100"} | environment
    with tempfile.TemporaryDirectory() as folder:
        told = [Path(folder) / name for name in ("stdout", "stderr")]
        process = FORKS.Process(target=_command, args=(arguments, surroundings, told))
        process.start()
        process.join()
        return subprocess.CompletedProcess(
            arguments, process.exitcode, *(path.read_text() for path in told)
        )


def _command(arguments: Sequence[str], environment: dict[str, str], told: Sequence[Path]) -> None:
    """Be the command: in a process of its own, as a shell would have started it."""
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(told, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["optionscalp", *arguments]
    main()
