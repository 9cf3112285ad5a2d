"""A chart server in its own process, a plain SSE client, and rows to feed them."""

import http.client
import json
import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

import httpx

from chartserver.app import create_app
from chartserver.pages import Pages
from chartserver.server import Server, bind
from chartserver.settings import Settings
from db.server.connection import connect
from db.writing.rows import BuildUp, Candle, Contract, Signal

SESSION = date(2026, 1, 21)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
DEADLINE = 20


def clock_text(market: str = "2026-01-21T05:00:00+00:00", speed: float = 1) -> str:
    """A market clock that stands at a time now."""
    return f"{market},{time.time()},{speed}"


class Chart:
    """Something that answers on a socket."""

    url: str
    port: int

    def get(self, path: str, **options) -> httpx.Response:
        return httpx.get(self.url + path, timeout=DEADLINE, **options)

    def json(self, path: str) -> dict:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def metric(self, name: str) -> float:
        text = self.get("/metrics").text
        return float(re.search(rf"^optionscalp_chart_{name} (\S+)$", text, re.MULTILINE)[1])


class Thread(Chart):
    """The server in a thread of the test."""

    def __init__(self, dsn: str, pages: Pages | None = None, **env: str):
        fixed = {"DATABASE_URL": dsn, "CHART_HOST": "127.0.0.1", "CHART_PORT": 0}
        settings = Settings(**{**fixed, "CHART_TOKEN": None, **env})
        sock = bind(settings)
        self.port = sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = Server(create_app(settings, pages), settings)
        self.thread = threading.Thread(target=self.server.run, args=([sock],))
        self.thread.start()

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive()


class Process(Chart):
    """A running `python -m chartserver`, for what only a process can show."""

    def __init__(self, dsn: str, port: int = 0, **env: str):
        clean = {key: value for key, value in os.environ.items() if not key.startswith("CHART_")}
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chartserver"],
            env={**clean, "DATABASE_URL": dsn, "CHART_PORT": str(port), **env},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self._started()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.drain = threading.Thread(target=self._drain, daemon=True)
        self.drain.start()

    def _started(self) -> str:
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"listening on (http://\S+)", line):
                return found[1]
        raise AssertionError(f"did not start: {self.log}")

    def _drain(self) -> None:
        self.log += self.process.stderr

    def stop(self, kill: bool = False) -> None:
        if self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
        self.process.wait(DEADLINE)
        self.drain.join(DEADLINE)
        self.process.stderr.close()


class Event(NamedTuple):
    kind: str
    data: dict
    id: str | None

    @property
    def seq(self) -> int:
        return int(self.id.split(":")[1])


class Stream:
    """Reads a stream in a thread; `take` gives its events in order, None at the end."""

    def __init__(
        self,
        chart: Chart,
        path: str = "/stream",
        last_id: str | None = None,
        accept: str = "identity",
        **query,
    ):
        self.connection = http.client.HTTPConnection("127.0.0.1", chart.port, timeout=60)
        headers = {"Accept-Encoding": accept} | ({"Last-Event-ID": last_id} if last_id else {})
        given = {name.rstrip("_"): value for name, value in query.items()}
        self.connection.request("GET", f"{path}?{urlencode(given, doseq=True)}", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.events: queue.Queue[Event | None] = queue.Queue()
        self.comments: list[str] = []
        self.unpacker = zlib.decompressobj(wbits=31)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        with suppress(OSError, http.client.HTTPException, ValueError):
            for line in self._lines():
                name, _, value = line.decode().partition(":")
                if name:
                    fields[name] = value.removeprefix(" ")
                elif value:
                    self.comments.append(value.strip())
                elif "data" in fields:
                    data = json.loads(fields["data"])
                    self.events.put(Event(fields["event"], data, fields.get("id")))
                    fields = {}
                else:
                    fields = {}
        self.events.put(None)

    def _lines(self) -> Iterator[bytes]:
        packed = self.response.getheader("content-encoding") == "gzip"
        rest = b""
        while piece := self.response.read1():
            text = self.unpacker.decompress(piece) if packed else piece
            *lines, rest = (rest + text).split(b"\n")
            yield from lines

    def take(self) -> Event | None:
        return self.events.get(timeout=DEADLINE)

    def take_kind(self, kind: str) -> Event:
        while (event := self.take()) is not None:
            if event.kind == kind:
                return event
        raise AssertionError(f"the stream ended before {kind}")

    def take_rows(self, count: int) -> list[Event]:
        """The next events of the log."""
        found: list[Event] = []
        while len(found) < count:
            event = self.take()
            assert event is not None, f"the stream ended after {len(found)} of {count} rows"
            if event.id is not None:
                found.append(event)
        return found

    def take_until(self, symbol: str) -> list[Event]:
        """The next events of the log before the one of a symbol."""
        found: list[Event] = []
        while (event := self.take_rows(1)[0]).data.get("symbol") != symbol:
            found.append(event)
        return found

    def is_quiet(self) -> bool:
        return all(event is not None and event.id is None for event in self.events.queue)

    def close(self) -> None:
        with suppress(OSError):
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(DEADLINE)
        self.response.close()
        self.connection.close()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def refusing(server_dsn: str, name: str, *, ended: str | None = "optionscalp%") -> Iterator[None]:
    """Let a database take no new sessions, and end those of programs so named; None ends none."""
    with connect(server_dsn) as admin:
        admin.execute(f"alter database {name} allow_connections false")
        try:
            if ended is not None:
                admin.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = %s and application_name like %s",
                    (name, ended),
                )
            yield
        finally:
            admin.execute(f"alter database {name} allow_connections true")


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def candle(symbol: str = "NIFTY", minute: int = 0, close: float = 100.0, **changes) -> Candle:
    interval = changes.get("interval_minutes", 1)
    underlying = "BANKNIFTY" if symbol.startswith("BANK") else "NIFTY"
    row = Candle(
        symbol=symbol,
        interval_minutes=interval,
        open_time=OPEN + timedelta(minutes=minute),
        underlying=underlying,
        open=close - 1,
        high=close + 2,
        low=close - 2,
        close=close,
        volume=None if symbol == underlying else 650,
        open_interest=None if symbol == underlying else 6500,
        source="test",
        known_at=OPEN + timedelta(minutes=minute + interval),
        final=True,
    )
    return row._replace(**changes)


def build_up(symbol: str, minute: int = 0, label: str = "short_covering", **changes) -> BuildUp:
    row = BuildUp(
        symbol=symbol,
        open_time=OPEN + timedelta(minutes=minute),
        underlying="BANKNIFTY" if symbol.startswith("BANK") else "NIFTY",
        close_time=OPEN + timedelta(minutes=minute + 5),
        close=101.0,
        open_interest=6500,
        oi_change=-65,
        volume=130,
        label=label,
        source="test",
        known_at=OPEN + timedelta(minutes=minute + 5, seconds=20),
    )
    return row._replace(**changes)


def contract(strike: int, option_type: str, underlying: str = "NIFTY") -> Contract:
    symbol = f"{underlying}260127{option_type}{strike}"
    expiry = date(2026, 1, 27)
    return Contract(symbol, underlying, expiry, strike, option_type, 65, SESSION, SESSION, "test")


def signal(symbol: str, minute: int = 10, **changes) -> Signal:
    row = Signal(
        signal_id=uuid5(NAMESPACE_URL, f"{symbol} {minute}"),
        strategy="delta_volume",
        version="1",
        underlying="NIFTY",
        session=SESSION,
        event_time=OPEN + timedelta(minutes=minute),
        symbol=symbol,
        direction="BULLISH",
        kind="short_covering",
        atm_strike=25000,
        spot=25010.5,
        net_delta_volume=1300,
        strikes=[24950, 25000, 25050],
        entry=100.0,
        stop=80.0,
        target1=120.0,
        target2=140.0,
        entry_order="market",
        reasons={"C25000": 650},
        params_hash="abc",
        input_watermark=OPEN + timedelta(minutes=minute),
        known_at=OPEN + timedelta(minutes=minute, seconds=20),
        withdrawn_at=None,
    )
    return row._replace(**changes)
