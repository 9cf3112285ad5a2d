"""A thousand clients of the stream at ten times the market's pace, and 60 ranges beside them.

The feed writes the changed candles of all symbols of two underlyings about once a second; here a
commit of them comes ten times a second.
"""

import os
import re
import selectors
import socket
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.client import HTTPConnection
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from time import perf_counter
from typing import Any, NamedTuple

from psycopg import Connection

from bench import session
from bench.clients import open_stream
from bench.database import fresh_database
from bench.measure import quantile
from bench.results import Result, Target
from bench.servers import Server, running
from bench.stream import OURS, PACKED, REFERENCES, Way
from db.server.connection import connect
from db.writing.bulk import merge, publish
from db.writing.relations import CANDLE
from db.writing.rows import Candle

CLIENTS = 1_000
SECONDS = int(os.environ.get("CROWD_SECONDS", "60"))
RANGE_SECONDS = min(SECONDS, 60)
PACE = 10  # commits a second
SYMBOLS = 72  # changed by each: 36 of each underlying
OPEN = datetime(2026, 1, 22, 3, 45, tzinfo=UTC)
STORED_DAY = date(2026, 1, 21)
RANGES = 60
RANGE_PATH = f"/api/history?underlying=NIFTY&from={STORED_DAY}&to={STORED_DAY}"
# Requests of one address are else answered four at a time.
MANY_ASK = {"CHART_REQUESTS_PER_CLIENT": str(RANGES)}
LAST_ID = re.compile(rb"id: [\w.]+:(\d+)\n")
KEPT = 64  # of a piece: an id may be cut


class Pace:
    """Commits changes of forming candles at the pace, in a thread of its own."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self.sent: list[float] = []
        self._ended = threading.Event()
        self._commit(-1)
        row = connection.execute("select max(seq) from change_log").fetchone()
        assert row
        self.before: int = row[0]
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Pace":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        due = perf_counter()
        while not self._ended.wait(max(0.0, due - perf_counter())):
            self._commit(len(self.sent))
            due += 1 / PACE

    def _commit(self, number: int) -> None:
        known = datetime.now(UTC)  # ever later, else it would change nothing
        rows = [
            Candle(
                *(f"NIFTY260127C{20_000 + 50 * place}", 1, OPEN, "NIFTY"),
                *(100.0, 200.0, 50.0, 100 + (number + place) % 1_000 / 20),
                *(1_000, None, "bench", known, False),
            )
            for place in range(SYMBOLS)
        ]
        with self._connection.transaction(), self._connection.cursor() as cursor:
            assert merge(cursor, CANDLE, rows) == SYMBOLS
            publish(cursor)
            if number >= 0:
                self.sent.append(perf_counter())  # leaving the transaction commits it


class Crowd:
    """Clients on plain sockets; one thread reads all of them and notes each delivery's delay."""

    def __init__(self, server: Server, way: Way, pace: Pace) -> None:
        self._pace = pace
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []
        for _ in range(CLIENTS):
            sock, body = open_stream(server.port, way.path, way.accept)
            self._sockets.append(sock)
            self._selector.register(sock, selectors.EVENT_READ, [body, b"", 0])
        self._delays = array("f")
        self._ended = False
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def taken(self) -> "array[float]":
        """Return the delays, in milliseconds, of what was delivered since this was last asked."""
        taken, self._delays = self._delays, array("f")
        return taken

    def close(self) -> None:
        """Leave, all at once."""
        self._ended = True
        self._thread.join()
        self._selector.close()
        for sock in self._sockets:
            sock.close()

    def _read(self) -> None:
        sent, before = self._pace.sent, self._pace.before
        while not self._ended:
            for key, _ in self._selector.select(0.2):
                client = key.data
                assert isinstance(key.fileobj, socket.socket)
                data = key.fileobj.recv(262_144)
                now = perf_counter()
                if not data:
                    raise ConnectionError("the server ended a stream")
                text = client[1] + client[0].read(data)
                client[1] = text[-KEPT:]
                found = LAST_ID.findall(text)
                if not found:
                    continue
                arrived = (int(found[-1]) - before) // SYMBOLS
                self._delays.extend(1_000 * (now - sent[n]) for n in range(client[2], arrived))
                client[2] = max(client[2], arrived)


@contextmanager
def crowded(server: Server, way: Way, pace: Pace) -> Iterator[Crowd]:
    """Connect the clients before the market begins, and disconnect them."""
    crowd = Crowd(server, way, pace)
    try:
        yield crowd
    finally:
        crowd.close()


class Held(NamedTuple):
    """What a server did for its crowd."""

    deliveries: int
    per_cpu_second: float
    kib_per_client: float
    delays: "array[float]"
    during_ranges: "array[float]"
    ranges: int
    refused: int


def run() -> list[Result]:
    """Hold the crowd for `CROWD_SECONDS` (60) each way, ours while ranges are asked for too."""
    with fresh_database() as dsn, connect(dsn) as connection:
        session.store(connection, STORED_DAY)
        held = {}
        for way in (OURS, PACKED, *REFERENCES):
            print(f"  {way.path} {way.accept}, {SECONDS} s ...", file=sys.stderr, flush=True)
            held[way] = _hold(dsn, way, Pace(connection))
    return list(_results(held))


def _results(held: dict[Way, Held]) -> Iterator[Result]:
    ours = held[OURS]
    crowd = f"{CLIENTS:,} clients, {PACE} commits of {SYMBOLS} candles a second, {SECONDS} s"
    yield Result(f"{crowd}: deliveries", ours.deliveries, "")
    for way, (name, ratio) in REFERENCES.items():
        other = held[way]
        yield Result(
            "the same per second of processor time",
            *(ours.per_cpu_second, "/s", name, other.per_cpu_second),
            Target("at least", ratio, "ratio"),
        )
        yield Result("memory per client", ours.kib_per_client, "KiB", name, other.kib_per_client)
        yield Result(
            "commit to the bytes at them, median",
            *(quantile(ours.delays, 0.5), "ms", name, quantile(other.delays, 0.5)),
        )
        yield Result(
            "the same, 99th percentile",
            *(quantile(ours.delays, 0.99), "ms", name, quantile(other.delays, 0.99)),
        )
    packed = held[PACKED]
    yield Result(
        "gzip clients: deliveries per second of processor time",
        *(packed.per_cpu_second, "/s", "clients without", ours.per_cpu_second),
    )
    yield Result("their 99th percentile", quantile(packed.delays, 0.99), "ms")
    yield Result(
        f"99th percentile while {RANGES} ranges at a time are asked for ({ours.ranges:,} answers,"
        f" {ours.refused:,} refused)",
        *(quantile(ours.during_ranges, 0.99), "ms"),
        *("without them", quantile(ours.delays, 0.99)),
        Target("at most", 100, "value"),
    )


def _hold(dsn: str, way: Way, pace: Pace) -> Held:
    with running(dsn, "bench.streams", **MANY_ASK) as server:
        before = server.resident_kib()
        with crowded(server, way, pace) as crowd, pace:
            start = server.cpu_seconds()
            time.sleep(SECONDS)
            spent, delays = server.cpu_seconds() - start, crowd.taken()
            memory = (server.resident_kib() - before) / CLIENTS
            during, asked, refused = array("f"), 0, 0
            if way is OURS:
                with _ranges(server.port) as (answers, refusals):
                    time.sleep(RANGE_SECONDS)
                    during = crowd.taken()
                asked, refused = answers.value, refusals.value
    return Held(len(delays), len(delays) / spent, memory, delays, during, asked, refused)


@contextmanager
def _ranges(port: int) -> Iterator[tuple[Any, Any]]:
    """Ask for ranges without a pause, many at a time, from a process of its own."""
    context = get_context("spawn")
    counts, ended = (context.Value("i", 0), context.Value("i", 0)), context.Event()
    process = context.Process(target=_ask, args=(port, counts, ended))
    process.start()
    try:
        yield counts
    finally:
        ended.set()
        process.join()


def _ask(port: int, counts: tuple[Any, Any], ended: Event) -> None:
    answers, refusals = counts

    def ask() -> None:
        http = HTTPConnection("127.0.0.1", port, timeout=60)
        while not ended.is_set():
            http.request("GET", RANGE_PATH, headers={"Accept-Encoding": "gzip"})
            answer = http.getresponse()
            body = answer.read()
            assert answer.status in {200, 503}, body
            count = answers if answer.status == 200 else refusals
            with count.get_lock():
                count.value += 1

    threads = [threading.Thread(target=ask) for _ in range(RANGES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
