"""A running `optionscalp demo` or `optionscalp serve` for tests."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

import db.server.embedded
from optionscalp.homes import demo_database
from optionscalp.stack import free_port


class Demo:
    """A running `optionscalp demo`."""

    def __init__(self, process: subprocess.Popen, home: Path, port: int):
        self.process = process
        self.folder = home / "demo"
        self.url = f"http://127.0.0.1:{port}"
        self.lines: list[str] = []

    def read_until(self, pattern: str) -> str:
        for line in self.process.stdout:
            self.lines.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError("ended early:\n" + "".join(self.lines))

    def database(self) -> str:
        return demo_database(db.server.embedded.start(self.folder))

    def part(self, words: str) -> psutil.Process:
        for child in psutil.Process(self.process.pid).children():
            # Whole words: the code of Dagster is a module of the feed's package.
            if f" {words} " in f" {' '.join(child.cmdline())} ":
                return child
        raise AssertionError(f"no part runs {words}")


@contextmanager
def demo(home: Path, *arguments: str, **environment: str) -> Iterator[Demo]:
    """Run a demo in a home, from its greeting on."""
    with _running(("demo", *arguments), home, environment) as running:
        yield running


@contextmanager
def serve(home: Path, *arguments: str, **environment: str) -> Iterator[Demo]:
    """Serve the pages over what a home has stored, from the greeting on."""
    with _running(("serve", *arguments), home, environment) as running:
        yield running


@contextmanager
def _running(
    arguments: Sequence[str], home: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Demo]:
    port = free_port()
    command = [sys.executable, "-m", "optionscalp.cli", *arguments, "--chart-port", str(port)]
    own = {"OPTIONSCALP_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        env=os.environ | own | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            running = Demo(process, home, port)
            running.read_until("Ctrl-C stops everything")
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=30)
            print("".join(running.lines), rest)
