"""Twenty clients, two writers and all that can befall what is between them: nothing is lost,
comes twice, is invented or comes out of order. A minute in CI, ten in the long form.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

import db.server.embedded
from db.server.connection import connect
from db.server.migrate import migrate
from strategy.session import calendar_hours
from tests.checker.desk import Desk
from tests.checker.history import Event, Reset
from tests.checker.nemeses import ANYWHERE, OWN_DISK, OWN_SERVER, Nemesis
from tests.long import runs_in_full
from tests.small_disk import NoDiskError, small_disk

SEED = 20260121
LONG_SECONDS = 600


class Server(NamedTuple):
    """Where it all happens, and what it can suffer."""

    dsn: str
    home: Path | None
    nemeses: tuple[Nemesis, ...]


@pytest.fixture
def server(home: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """The server that TEST_DATABASE_URL names, else an embedded one, on a disk to fill."""
    if os.environ.get("TEST_DATABASE_URL"):
        yield Server(request.getfixturevalue("database"), None, ANYWHERE)
        return
    nemeses: tuple[Nemesis, ...] = (*ANYWHERE, *OWN_SERVER)
    with ExitStack() as stack:
        try:
            stack.enter_context(small_disk(home / "postgres"))
            nemeses += OWN_DISK
        except NoDiskError as error:
            print(f"no disk is filled: {error}")
        dsn = stack.enter_context(db.server.embedded.use(home))
        with connect(dsn) as connection:
            migrate(connection, calendar_hours())
        yield Server(dsn, home, nemeses)


class Report:
    """How long everybody waited after each nemesis."""

    def __init__(self) -> None:
        self.recoveries: list[tuple[str, float]] = []

    def lines(self, desk: Desk) -> list[str]:
        """Return it as text."""
        entries = [entry for client in desk.clients for entry in client.history]
        events = sum(isinstance(entry, Event) for entry in entries)
        resets = sum(isinstance(entry, Reset) for entry in entries)
        connections = sum(client.connections for client in desk.clients)
        head = f"{events} events, {connections} connections, {resets} resets, seconds until all had"
        return [
            f"{head} the newest row after:",
            *(f"  {name:24}{seconds:6.1f}" for name, seconds in self.recoveries),
        ]


async def suffer(desk: Desk, nemeses: tuple[Nemesis, ...], report: Report) -> list[object]:
    """Let each nemesis have its turn, in the long form again and again; return all faults."""
    ends = time.monotonic() + (LONG_SECONDS if runs_in_full() else 0)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = await desk.start(group)
            await desk.everyone_has_newer()
            while True:
                for nemesis in desk.chance.sample(nemeses, len(nemeses)):
                    await nemesis(desk)
                    began = time.monotonic()
                    await desk.everyone_has_newer()
                    report.recoveries.append((nemesis.__name__, time.monotonic() - began))
                if time.monotonic() >= ends:
                    break
            stored = await desk.settle()
            for task in tasks:
                task.cancel()
        return list(desk.faults(stored))
    finally:
        await desk.stop()


@pytest.mark.timeout(1500)
def test_streams_lose_double_invent_and_disorder_nothing_whatever_happens(
    server: Server, tmp_path: Path, record_property: Callable[[str, object], None]
):
    async def run() -> tuple[list[object], Desk]:
        desk = Desk(server.dsn, server.home, tmp_path, SEED)
        return await suffer(desk, server.nemeses, report), desk

    report = Report()
    faults, desk = asyncio.run(run())
    record_property("measured", "\n".join(report.lines(desk)))
    assert faults == []
    assert all(any(isinstance(entry, Event) for entry in client.history) for client in desk.clients)
