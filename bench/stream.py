"""From a commit to the bytes at the clients, and what sending to many of them costs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter, sleep
from typing import Any, NamedTuple

from psycopg import Connection

from bench.clients import Clients, connected
from bench.database import fresh_database
from bench.measure import quantile
from bench.results import Result, Target
from bench.servers import running
from db.server.connection import connect
from db.writing.bulk import merge, publish
from db.writing.relations import CANDLE
from db.writing.rows import Candle

OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
WARM = 20
COMMITS = 300
LATENCY_CLIENTS = 100
PAUSE_SECONDS = 0.005  # a commit is not to wait for the one before

ROUNDS = 5
FAN_OUT_CLIENTS = 1_000
FAN_OUT_EVENTS = 40


class Way(NamedTuple):
    """How events are sent: a route, and what clients accept."""

    path: str
    accept: str = "identity"


OURS, PACKED = Way("/stream"), Way("/stream", "gzip")
REFERENCES = {
    Way("/queue"): ("StreamingResponse, queue per client", 1.2),
    Way("/objects"): ("sse-starlette, object per client", 2.0),
}


class Ticker:
    """Commits one change of a forming candle after the other."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._ticks = 0

    def commit(self) -> float:
        """Change the candle; return when the commit was sent."""
        self._ticks += 1
        row = Candle(
            *("NIFTY", 1, OPEN, "NIFTY"),
            *(25_000.0, 26_000.0, 25_000.0, 25_000 + self._ticks / 20),
            *(None, None, "bench", OPEN + timedelta(milliseconds=self._ticks), False),
        )
        with self._connection.transaction(), self._connection.cursor() as cursor:
            assert merge(cursor, CANDLE, [row]) == 1
            publish(cursor)
            return perf_counter()  # leaving the transaction commits it


class FanOut(NamedTuple):
    """What one server's process spent on many clients."""

    deliveries_per_second: float  # of processor time
    kib_per_client: float


def run() -> list[Result]:
    """Measure delay and cost on a database of their own."""
    with fresh_database() as dsn, connect(dsn) as connection:
        ticker = Ticker(connection)
        delays = [*_delay(dsn, ticker, OURS), *_delay(dsn, ticker, PACKED)]
        return [*delays, *_fan_out(dsn, ticker)]


def _delay(dsn: str, ticker: Ticker, way: Way) -> Iterator[Result]:
    delays: list[float] = []
    listening: list[float] = []
    with (
        running(dsn) as server,
        connected(server.port, way.path, LATENCY_CLIENTS, way.accept) as clients,
        connect(dsn) as sender,
        connect(dsn) as listener,
    ):
        listener.execute("listen bench")
        for number in range(WARM + COMMITS):
            found, alone = _deliver(clients, ticker), _listen(sender, listener)
            if number >= WARM:
                delays += found
                listening.append(alone)
            sleep(PAUSE_SECONDS)
    reference = ("ms", "LISTEN round trip", median(listening))
    who = "gzip clients" if way is PACKED else "clients"
    what = f"commit of a candle to the bytes at {LATENCY_CLIENTS} {who}"
    yield Result(f"{what}, median", median(delays), *reference)
    yield Result(
        f"{what}, 99th percentile",
        quantile(delays, 0.99),
        "ms",
        "LISTEN, 99th percentile",
        quantile(listening, 0.99),
        Target("at most", 20, "value"),
    )


def _deliver(clients: Clients, ticker: Ticker) -> list[float]:
    clients.expect()
    start = ticker.commit()
    return [1_000 * (arrival - start) for arrival in clients.wait()]


def _listen(sender: Connection[Any], listener: Connection[Any]) -> float:
    start = perf_counter()
    sender.execute("select pg_notify('bench', '')")
    for _ in listener.notifies(timeout=10, stop_after=1):
        return 1_000 * (perf_counter() - start)
    raise TimeoutError("no notification")


def _fan_out(dsn: str, ticker: Ticker) -> Iterator[Result]:
    found: dict[Way, list[FanOut]] = {way: [] for way in (OURS, PACKED, *REFERENCES)}
    for _ in range(ROUNDS):
        for way, rounds in found.items():
            rounds.append(_fan_out_once(dsn, way, ticker))
    rates = {way: median(one.deliveries_per_second for one in all_) for way, all_ in found.items()}
    memory = {way: median(one.kib_per_client for one in all_) for way, all_ in found.items()}
    what = "per second of processor time"
    for way, (name, ratio) in REFERENCES.items():
        yield Result(
            f"deliveries to {FAN_OUT_CLIENTS:,} clients {what}",
            *(rates[OURS], "/s", name, rates[way], Target("at least", ratio, "ratio")),
        )
    yield Result(
        f"deliveries to {FAN_OUT_CLIENTS:,} gzip clients {what}",
        *(rates[PACKED], "/s", "clients without", rates[OURS]),
    )
    at_most = Target("at most", 20, "value")
    name = REFERENCES[Way("/objects")][0]
    yield Result(
        "memory per idle client",
        *(memory[OURS], "KiB", name, memory[Way("/objects")], at_most),
    )
    yield Result(
        "memory per idle gzip client",
        *(memory[PACKED], "KiB", "clients without", memory[OURS], at_most),
    )


def _fan_out_once(dsn: str, way: Way, ticker: Ticker) -> FanOut:
    with running(dsn, "bench.streams") as server:
        with connected(server.port, way.path, 10, way.accept) as clients:
            _deliver(clients, ticker)
        before = server.resident_kib()
        with connected(server.port, way.path, FAN_OUT_CLIENTS, way.accept) as clients:
            memory = server.resident_kib() - before
            for _ in range(3):
                _deliver(clients, ticker)
            start = server.cpu_seconds()
            for _ in range(FAN_OUT_EVENTS):
                _deliver(clients, ticker)
            spent = server.cpu_seconds() - start
    return FanOut(FAN_OUT_CLIENTS * FAN_OUT_EVENTS / spent, memory / FAN_OUT_CLIENTS)
