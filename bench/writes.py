"""Idempotent writes beside a plain binary COPY of the same rows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from statistics import median
from typing import Any

from psycopg import Connection

from bench.database import fresh_database, load
from bench.measure import seconds
from bench.results import Result, Target
from db.server.connection import connect
from db.writing.bulk import write
from db.writing.relations import CANDLE
from db.writing.rows import Candle
from strategy.contract import Contract
from strategy.session import interval_opens

ROWS = 50_000
ROUNDS = 5
DAY = date(2026, 1, 21)


def new_candles(count: int) -> list[Candle]:
    """Return one-minute candles of as many contracts as it takes."""
    opens = interval_opens(DAY, 1)
    rows = (
        _candle(Contract("NIFTY", date(2026, 1, 27), strike, kind).symbol, minute, open_time)
        for strike in range(20_000, 30_000, 50)
        for kind in ("C", "P")
        for minute, open_time in enumerate(opens)
    )
    return list(islice(rows, count))


def _candle(symbol: str, minute: int, open_time: datetime) -> Candle:
    price = 100.0 + minute / 20
    return Candle(
        symbol,
        1,
        open_time,
        "NIFTY",
        *(price, price + 1, price - 1, price + 0.5),
        *(650 * minute, 65_000 + 65 * minute),
        "bench",
        open_time.astimezone(UTC) + timedelta(minutes=1),
        True,
    )


def _log_entries(connection: Connection[Any]) -> int:
    row = connection.execute("select count(*) from change_log").fetchone()
    assert row
    return int(row[0])


def _write(connection: Connection[Any], rows: Sequence[Candle], expected: int) -> None:
    changed = write(connection, CANDLE, rows)
    assert changed == expected, changed


def run() -> list[Result]:
    """Write new rows, and the same again; beside each, COPY them into an empty table."""
    rows = new_candles(ROWS)
    taken: dict[str, list[float]] = {"copy": [], "new": [], "same": []}
    with fresh_database() as dsn, connect(dsn) as connection:
        connection.execute("create table plain_candle (like candle including all)")
        for _ in range(ROUNDS + 1):
            connection.execute("truncate plain_candle, candle, change_log")
            taken["copy"].append(seconds(lambda: load(connection, CANDLE, rows, "plain_candle")))
            taken["new"].append(seconds(lambda: _write(connection, rows, ROWS)))
            logged = _log_entries(connection)
            taken["same"].append(seconds(lambda: _write(connection, rows, 0)))
            assert _log_entries(connection) == logged == ROWS
    # The first round warms up.
    rates = {name: ROWS / median(times[1:]) for name, times in taken.items()}
    reference = ("rows/s", "binary COPY", rates["copy"])
    return [
        Result("write 50,000 new candles", rates["new"], *reference, _at_least(0.5)),
        Result("write them again, unchanged", rates["same"], *reference, _at_least(0.7)),
    ]


def _at_least(ratio: float) -> Target:
    return Target("at least", ratio, "ratio")
