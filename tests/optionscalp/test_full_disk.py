"""A disk that fills up under a running system: named everywhere, and nothing stored is lost."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import httpx
import psycopg
import pytest

import db.server.embedded
from db.server.connection import connect
from db.server.disk import LEAST_FREE_BYTES, data_is_full, free_bytes
from db.server.errors import DatabaseUnavailableError
from tests.demo import Demo, demo
from tests.live import optionscalp, wait_for_rows
from tests.long import in_full
from tests.small_disk import Fill, NoDiskError, small_disk


class Diary:
    """Writes number after number; keeps those that the server said it had stored."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._ended = Event()
        self.stored: list[int] = []
        with connect(dsn) as connection:
            connection.execute("create table diary (number integer primary key)")
        self._thread = Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        number = 0
        while not self._ended.is_set():
            lost = (psycopg.Error, DatabaseUnavailableError)
            with suppress(*lost), connect(self._dsn) as connection:
                while not self._ended.is_set():
                    number += 1
                    connection.execute("insert into diary values (%s)", (number,))
                    self.stored.append(number)
            self._ended.wait(0.1)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


class Listener(Thread):
    """Hears what the stream's status says is wrong, for as long as the stream lasts."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._peace = Event()
        self.told: set[str] = set()
        self.broken: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            with httpx.stream("GET", self._url, timeout=60) as response:
                for line in response.iter_lines():
                    if line.startswith("data: ") and "problems" in (body := json.loads(line[6:])):
                        self._take({problem["cause"] for problem in body["problems"]})
        except httpx.HTTPError as error:
            self.broken = error

    def _take(self, causes: set[str]) -> None:
        self.told |= causes
        if self.told and not causes:
            self._peace.set()

    def wait_for_peace(self) -> None:
        """Return when something was wrong, and is not any more."""
        assert self._peace.wait(60)


def causes(running: Demo) -> set[str]:
    with suppress(httpx.HTTPError):
        answer = httpx.get(f"{running.url}/healthz", timeout=30)
        return {problem["cause"] for problem in answer.json()["problems"]}
    return set()


@pytest.fixture
def data(home: Path) -> Iterator[Path]:
    """The folder of the demo's database, on a disk of its own."""
    folder = home / "demo" / "postgres"
    try:
        with small_disk(folder):
            yield folder
    except NoDiskError as error:
        pytest.skip(str(error))


@in_full
def test_a_full_disk_is_named_everywhere_and_everything_goes_on_when_there_is_room(
    home: Path, data: Path
):
    with demo(home, "--speed", "60", "--no-dagster") as running:
        dsn = running.database()
        wait_for_rows(dsn, 400)
        diary = Diary(dsn)
        listener = Listener(f"{running.url}/stream")
        fill = Fill(data)
        try:
            running.read_until("The disk is full: .* MB are free under .*: free some space there")
            while "disk_full" not in causes(running):
                pass
            os.kill(db.server.embedded.postmaster_pid(running.folder), signal.SIGKILL)
            running.read_until("PostgreSQL cannot start. The disk is full: .*; tried again in")
            running.read_until("tried again in [1-9]")
            while causes(running) != {"disk_full", "database_out"}:
                pass
            told = optionscalp("doctor", home=running.folder)
            assert told.returncode == 1
            assert "The disk is full" in told.stdout.replace("\n", " ")
            assert free_bytes(data) < LEAST_FREE_BYTES
        finally:
            fill.empty()
        running.read_until("there is space again")
        assert data_is_full(running.folder) is None
        while causes(running):
            pass
        written = len(diary.stored)
        while len(diary.stored) < written + 10:
            pass
        wait_for_rows(dsn, 400)
        diary.end()
        with connect(dsn) as connection:
            kept = {number for (number,) in connection.execute("select number from diary")}
        assert set(diary.stored) <= kept
        listener.wait_for_peace()
        assert {"disk_full", "database_out"} <= listener.told
        assert listener.broken is None, "the stream went on all the while"
