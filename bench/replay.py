"""One session's replay over HTTP beside COPY TO STDOUT of the same rows."""

import gzip
import json
from datetime import date
from http.client import HTTPConnection
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Literal

from bench import session
from bench.database import fresh_database
from bench.measure import medians
from bench.results import Result, Target
from bench.servers import running
from db.server.connection import connect

DAY = date(2026, 1, 21)
PATH = f"/api/replay?underlying=NIFTY&from={DAY}&to={DAY}"
ROUNDS = 41
COPIES = (
    SQL("copy (select * from candle where symbol = any({symbols}) and final) to stdout"),
    SQL("copy (select * from build_up where symbol = any({symbols})) to stdout"),
    SQL("copy (select * from signal where underlying = 'NIFTY') to stdout"),
)


def fetch(http: HTTPConnection, encoding: str) -> bytes:
    """Return the body as it crossed the wire."""
    http.request("GET", PATH, headers={"Accept-Encoding": encoding})
    answer = http.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return body


def copy_out(connection: Connection[Any], symbols: list[str]) -> int:
    """Read the rows of the symbols, of their tables' every column; return how many."""
    rows = 0
    for statement in COPIES:
        with (
            connection.cursor() as cursor,
            cursor.copy(statement.format(symbols=Literal(symbols))) as copy,
        ):
            for block in copy:
                rows += bytes(block).count(b"\n")
    return rows


def run() -> list[Result]:
    """Ask for the session packed and plain; COPY exactly the rows of the answer."""
    with fresh_database() as dsn, connect(dsn) as connection:
        session.store(connection, DAY)
        with running(dsn) as server:
            http = HTTPConnection("127.0.0.1", server.port, timeout=20)
            packed = fetch(http, "gzip")
            answer = json.loads(gzip.decompress(packed))
            symbols = list(answer["candles"])
            rows = copy_out(connection, symbols)
            assert rows == _rows_of(answer)
            copied, asked, plain = medians(
                ROUNDS,
                lambda: copy_out(connection, symbols),
                lambda: fetch(http, "gzip"),
                lambda: fetch(http, "identity"),
            )
            http.close()
    what = f"replay of a session, {rows:,} rows of {len(symbols)} symbols"
    reference = ("ms", "COPY TO STDOUT", 1_000 * copied)
    return [
        Result(what, 1_000 * asked, *reference, Target("at most", 3, "ratio")),
        Result("the same in time", 1_000 * asked, "ms", target=Target("at most", 100, "value")),
        Result("the same, not compressed", 1_000 * plain, *reference),
        Result(
            "its size, compressed",
            len(packed) / 1_000,
            "kB",
            target=Target("at most", 400, "value"),
        ),
    ]


def _rows_of(answer: dict[str, Any]) -> int:
    columns = [*answer["candles"].values(), *answer["build_ups"].values()]
    return sum(len(series["t"]) for series in columns) + len(answer["signals"])
