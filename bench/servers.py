"""Chart server, simulator and demo in processes of their own, so that their work is theirs."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.client import HTTPConnection
from typing import NamedTuple

import psutil

from optionscalp.stack import free_port
from strategy.clock import MarketClock

START_SECONDS = 15
STOP_SECONDS = 30
# All clients of a benchmark are at one address.
ONE_CLIENT = {"CHART_STREAMS_PER_CLIENT": "20000", "CHART_CONNECTIONS_PER_ADDRESS": "20000"}


class Server(NamedTuple):
    """A listening server on loopback."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time it has used so far."""
        used = self.process.cpu_times()
        return used.user + used.system

    def resident_kib(self) -> float:
        """Return its memory."""
        return self.process.memory_info().rss / 1024


@contextmanager
def running(dsn: str, module: str = "chartserver", **env: str) -> Iterator[Server]:
    """Start a module that serves charts of a database, with some environment, and stop it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CHART_")}
    with subprocess.Popen(
        [sys.executable, "-m", module],
        env={**clean, **ONE_CLIENT, "DATABASE_URL": dsn, "CHART_PORT": "0", **env},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr
            lines = []
            for line in process.stderr:
                lines.append(line)
                if found := re.search(r"listening on http://\S+:(\d+)", line):
                    break
            else:
                raise RuntimeError(f"{module} did not start: {''.join(lines[-5:])}")
            # A full pipe would stop it.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            port = int(found[1])
            _wait_for_hub(port)
            yield Server(port, psutil.Process(process.pid))
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for_hub(port: int) -> None:
    """Return when the change log has been read once: live streams begin with that."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        http = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        http.request("GET", "/healthz")
        health = json.loads(http.getresponse().read())
        http.close()
        if health["hub"]["connected"]:
            return
        time.sleep(0.02)
    raise TimeoutError("the hub did not read the change log")


@contextmanager
def simulator(day: date, clock: MarketClock) -> Iterator[list[str]]:
    """Play a generated day; yield the addresses of TradingView, Trendlyne and Upstox."""
    command = [sys.executable, "-m", "simulator", "--day", str(day), "--clock", str(clock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            ready, *urls = process.stdout.readline().split()
            assert ready == "ready"
            yield urls
        finally:
            process.terminate()


@contextmanager
def demo(speed: str, *arguments: str) -> Iterator[str]:
    """Run a demo without Dagster in a home of its own; yield its chart server's address."""
    port = str(free_port())
    command = [sys.executable, "-m", "optionscalp.cli", "demo", "--no-dagster", "--speed", speed]
    with (
        tempfile.TemporaryDirectory(prefix="optionscalp-demo-") as home,
        subprocess.Popen(
            [*command, "--chart-port", port, *arguments],
            env=os.environ | {"OPTIONSCALP_HOME": home, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        try:
            _wait_until_up(process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=STOP_SECONDS)


def _wait_until_up(process: "subprocess.Popen[str]") -> None:
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if "Ctrl-C" in line:
            return
    raise RuntimeError("the demo ended early:\n" + "".join(lines))
