"""All that runs: a server, writers, a chart server, a proxy before it and clients behind that."""

import asyncio
import random
from asyncio import to_thread
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import db.server.embedded
from db.server.connection import connect
from db.writing.bulk import write
from db.writing.relations import CONTRACT
from tests.chartserver.chart_help import Process, clock_text
from tests.checker.batches import WRITERS, contracts
from tests.checker.client import Client
from tests.checker.history import Fault, Key, Rows, Value, Written, check, unkept
from tests.checker.proxy import Proxy
from tests.checker.writers import Writer

CLIENTS = 20
# Not how fast it must be, but when a test may say that it will never be.
PATIENCE_SECONDS = 90
RESETS_PER_RESTORE = 2  # when it resumes, and when the hub comes to know of it
STREAMED = """
select 'candle', symbol, extract(epoch from open_time)::bigint,
       array[open, high, low, close], volume, open_interest, final
  from candle where interval_minutes = 1
"""
BUILD_UPS = """
select 'build_up', symbol, extract(epoch from open_time)::bigint,
       close, open_interest, oi_change, volume, label
  from build_up
"""
NEWEST = "select max(seq) from change_log where relation in ('candle', 'build_up')"


class News:
    """Wakes who waits for something to have come."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something came."""
        self._rung.set()

    async def until(self, holds: Callable[[], bool], what: Callable[[], object]) -> None:
        """Return when something holds; fail with words on what does not."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not holds():
                    self._rung.clear()
                    await self._rung.wait()
        except TimeoutError:
            raise AssertionError(f"after {PATIENCE_SECONDS} s still: {what()}") from None


class Desk:
    """What the nemeses harm.

    Args:
        dsn: A migrated database.
        home: Of the embedded server, where it is ours alone.
        folder: For dumps and copies.
        seed: Decides the order of nemeses, whom they meet, and how long connections live.
    """

    def __init__(self, dsn: str, home: Path | None, folder: Path, seed: int) -> None:
        self.dsn, self.home, self.folder = dsn, home, folder
        self.chance = random.Random(seed)
        self.news = News()
        self.written = Written()
        self.writers = [Writer(dsn, name, self.written, self.news.ring) for name in WRITERS]
        self.clients: list[Client] = []
        self.restores = 0
        self.chart = Process(dsn, **self._environment(listen=True))
        # Its own: how often it decides depends on what happens.
        self.proxy = Proxy(self.chart.port, random.Random(seed))

    def _environment(self, *, listen: bool) -> dict[str, str]:
        return {
            "OPTIONSCALP_CLOCK": clock_text(),
            "CHART_STREAMS_PER_CLIENT": "1000",  # all come from one address, some half-open
            "CHART_LISTEN": str(listen).lower(),
        }

    async def start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Start writers and clients; return the clients' tasks."""
        with connect(self.dsn) as connection:
            write(connection, CONTRACT, contracts())
        await self.proxy.start()
        self.clients = [
            Client(self.proxy.url, packed=n % 2 == 0, stays=n % 4 < 2, news=self.news.ring)
            for n in range(CLIENTS)
        ]
        await self.start_writers()
        return [group.create_task(client.run()) for client in self.clients]

    async def start_writers(self) -> None:
        """Start those who write."""
        for writer in self.writers:
            await writer.start()

    async def kill_writers(self) -> None:
        """End all who write, and know what they were told."""
        for writer in self.writers:
            await writer.kill()

    async def kill_chart(self) -> None:
        """Kill the chart server."""
        await to_thread(self.chart.stop, kill=True)

    async def start_chart(self, *, listen: bool = True) -> None:
        """Start another at the port of the one that was killed."""
        environment = self._environment(listen=listen)
        self.chart = await to_thread(Process, self.dsn, self.chart.port, **environment)

    async def everyone_has_newer(self) -> None:
        """Return when each writer got another batch acknowledged and each client has these."""
        await self.writers_reach([writer.stored + 1 for writer in self.writers])
        newest = [writer.newest() for writer in self.writers]
        await self.news.until(
            lambda: not self._without(newest), lambda: (newest, self._without(newest))
        )

    async def writers_reach(self, goals: Sequence[int]) -> None:
        """Return when each writer got a batch with that number acknowledged."""
        await self.news.until(
            lambda: all(
                writer.stored >= goal for writer, goal in zip(self.writers, goals, strict=True)
            ),
            lambda: (goals, [(writer.stored, writer.complaint) for writer in self.writers]),
        )

    def _without(self, newest: Sequence[tuple[Key, int]]) -> list[tuple[int, int, int]]:
        return [
            (number, client.seq, client.connections)
            for number, client in enumerate(self.clients)
            if not all(self.written.is_at(client.rows, key, least) for key, least in newest)
        ]

    async def settle(self) -> Rows:
        """End the writers, wait until each client has heard of everything; return the tables."""
        await self.kill_writers()
        stored, newest = await to_thread(read, self.dsn)
        with suppress(AssertionError):  # what has not come by then is lost, and will be named
            await self.news.until(
                lambda: all(client.seq >= newest for client in self.clients),
                lambda: (newest, [client.seq for client in self.clients]),
            )
        return stored

    def faults(self, stored: Rows) -> list[tuple[object, Fault]]:
        """Return all that is wrong, and with which client's history."""
        found: list[tuple[object, Fault]] = [
            ("database", fault) for fault in unkept(self.written, stored)
        ]
        most = RESETS_PER_RESTORE * self.restores
        for number, client in enumerate(self.clients):
            told = check(client.history, self.written, stored, most)
            found += [(number, fault) for fault in told]
        return found

    async def stop(self) -> None:
        """End everything."""
        await self.kill_writers()
        await self.proxy.stop()
        await to_thread(self.chart.stop, kill=True)  # it may stand still

    async def start_server(self) -> None:
        """Make sure that the embedded server runs."""
        assert self.home is not None
        assert await to_thread(db.server.embedded.start, self.home) == self.dsn


def read(dsn: str) -> tuple[dict[Key, Value], int]:
    """Return what is stored, as clients are to have it, and the newest number of it."""
    stored: dict[Key, Value] = {}
    with connect(dsn) as connection, connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        for kind, symbol, moment, prices, *rest in connection.execute(STREAMED):
            stored[kind, symbol, moment] = (*prices, *rest)
        for kind, symbol, moment, *values in connection.execute(BUILD_UPS):
            stored[kind, symbol, moment] = tuple(values)
        row = connection.execute(NEWEST).fetchone()
    assert row is not None
    return stored, row[0]
