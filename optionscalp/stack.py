"""The whole system on one machine: every part started, watched, restarted and stopped."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from db.server.connection import create_database, database_name, with_database
from db.server.roles import Role, hand_over, prepared
from optionscalp.errors import CommandError
from optionscalp.homes import PROJECT
from optionscalp.parts import Part
from optionscalp.postgres import Postgres
from optionscalp.rotation import rotate

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.2
STOP_SECONDS = 6.0
WORKSPACE = """load_from:
  - grpc_server:
      host: 127.0.0.1
      port: {port}
      location_name: optionscalp
"""


class Ports(NamedTuple):
    """Loopback ports people open."""

    chart: int
    dagster: int | None


class Stack:
    """Parts under one supervisor, on a database that is already up."""

    def __init__(self, folder: Path, dsn: str, ports: Ports, environment: dict[str, str]) -> None:
        self._folder = folder
        self._dsn = dsn
        self._ports = ports
        # Dagster's runs link to the pages; those look at the disk that holds the data.
        own = {"CHART_PORT": str(ports.chart), "OPTIONSCALP_HOME": str(folder)}
        self._environment = os.environ | environment | own
        # Of the owner, or of who is above: no part needs that.
        self._environment.pop("DATABASE_URL", None)
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self._parts: list[Part] = []
        self._stopping = False

    @property
    def chart_url(self) -> str:
        """Where the chart server is reached from this machine."""
        host = self._environment.get("CHART_HOST") or "127.0.0.1"
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self._ports.chart}"

    def add(self, name: str, *arguments: str, **environment: str) -> Part:
        """Start one of our own Python modules as a part."""
        part = Part(name, [sys.executable, *arguments], self._environment | environment, self.logs)
        part.start()
        self._parts.append(part)
        return part

    def share(self, **environment: str) -> None:
        """Give environment variables to every part started from now on."""
        self._environment |= environment

    def start_core(self) -> None:
        """Start the live feed and the chart server."""
        chart, writer = (prepared(self._dsn, part) for part in (Role.CHART, Role.WRITER))
        self.add("chartserver", "-m", "chartserver", DATABASE_URL=chart)
        self.add("feed", "-m", "pipelines", DATABASE_URL=writer)

    def start_pages(self) -> None:
        """Start the chart server alone, over what is stored; its log is apart from a system's."""
        chart = prepared(self._dsn, Role.CHART)
        self.add("serve", "-m", "chartserver", CHART_SERVES_STORED="true", DATABASE_URL=chart)

    def start_dagster(self) -> None:
        """Start Dagster: the code once, and its webserver and daemon, which both ask it."""
        if self._ports.dagster is None:
            return
        dagster_home = self._folder / "dagster"
        dagster_home.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / "docker" / "dagster.yaml", dagster_home / "dagster.yaml")
        storage = with_database(self._dsn, f"{database_name(self._dsn)}_dagster")
        fresh = create_database(storage)
        writer = prepared(self._dsn, Role.WRITER)
        storage = hand_over(storage, writer)
        code_port = free_port()
        workspace = dagster_home / "workspace.yaml"
        workspace.write_text(WORKSPACE.format(port=code_port))
        environment = {
            "DATABASE_URL": writer,
            "DAGSTER_HOME": str(dagster_home),
            # Dagster's storage speaks the older driver's dialect, so the address names it.
            "DAGSTER_POSTGRES_URL": storage.replace("postgresql:", "postgresql+psycopg2:", 1),
        }
        if fresh:  # one process makes the tables; three at once would trip over each other
            subprocess.run(
                [sys.executable, "-m", "dagster", "instance", "info"],
                env=self._environment | environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        code = ("-m", "dagster", "api", "grpc", "-m", "pipelines.orchestration.definitions")
        self.add("dagster-code", *code, "-h", "127.0.0.1", "-p", str(code_port), **environment)
        port = str(self._ports.dagster)
        self.add(
            "dagster-webserver",
            *(
                "-m",
                "optionscalp.dagster_pages",
                "-w",
                str(workspace),
                "-h",
                "127.0.0.1",
                "-p",
                port,
            ),
            **environment,
        )
        self.add(
            "dagster-daemon", "-m", "dagster._daemon", "run", "-w", str(workspace), **environment
        )

    def wait_for_chart(self, seconds: float = 60.0) -> None:
        """Wait until the chart server answers.

        Raises:
            CommandError: It does not.
        """
        deadline = time.monotonic() + seconds
        while not answers(f"{self.chart_url}/healthz"):
            if time.monotonic() > deadline:
                raise CommandError(f"the chart server does not answer; see {self.logs}")
            if self._stopping:
                return
            self.watch()
            time.sleep(0.05)

    def run(self, embedded_home: Path | None) -> None:
        """Watch every part until Ctrl-C or SIGTERM.

        Args:
            embedded_home: Of the embedded server when that is ours to watch.
        """
        postgres = Postgres(embedded_home) if embedded_home is not None else None
        while not self._stopping:
            if postgres is not None:
                postgres.watch()
            self.watch()
            if embedded_home is not None:
                rotate(embedded_home / "postgres" / "log")
            time.sleep(WATCH_SECONDS)

    def watch(self) -> None:
        """Restart the parts that ended."""
        for part in self._parts:
            part.watch()

    @contextmanager
    def supervised(self) -> Iterator[None]:
        """Stop every part at the end, whatever ends it; Ctrl-C and SIGTERM end `run`."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self._stopping = True

        before: list[tuple[int, Callable[[int, FrameType | None], object] | int | None]] = [
            (number, signal.signal(number, stop))
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        ]
        try:
            yield
        finally:
            deadline = time.monotonic() + STOP_SECONDS
            for part in self._parts:
                part.terminate()
            for part in self._parts:
                part.wait(deadline)
            for number, handler in before:
                signal.signal(number, handler)


def answers(url: str) -> bool:
    """Tell whether an HTTP server answers there, with whatever status."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - a loopback URL of ours
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(port: int | None, option: str) -> None:
    """Check that a port people asked for is free.

    Raises:
        CommandError: Another program listens there.
    """
    if port is None:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(
                f"port {port} cannot be used ({error.strerror}): choose another with {option}"
            ) from error
