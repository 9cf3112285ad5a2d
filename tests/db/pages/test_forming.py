"""States of forming candles: kept as they were written, and deleted by age."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import psycopg

from db.pages.forming import prune_forming, read_forming
from db.pages.history import Span
from db.server.reader import reader_pool
from db.writing.bulk import write
from db.writing.relations import CANDLE, LIVE_CANDLE
from db.writing.rows import Candle

OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
COLUMNS = "symbol, interval_minutes, open_time, underlying, open, high, low, close, volume"
SECOND = timedelta(seconds=1)


def state(close: float, after: float, *, minute: int = 0, final: bool = False) -> Candle:
    open_time = OPEN + timedelta(minutes=minute)
    return Candle(
        *("NIFTY1!", 1, open_time, "NIFTY", 100.0, 120.0, 80.0, close, int(650 * after), None),
        *("test", open_time + timedelta(seconds=after), final),
    )


def kept(connection: psycopg.Connection) -> list[tuple]:
    query = f"select {COLUMNS}, source, known_at from forming order by open_time, known_at"
    return connection.execute(query).fetchall()


def as_kept(row: Candle) -> tuple:
    return (*row[:9], row.source, row.known_at)


def read(dsn: str, span: Span, limit: int = 100) -> dict | None:
    async def ask() -> str | None:
        async with reader_pool(dsn) as pool, pool.connection() as connection:
            return await read_forming(connection, ["NIFTY1!", "NIFTY"], span, limit)

    text = asyncio.run(ask())
    return None if text is None else json.loads(text)


def test_each_state_that_was_written_is_kept_and_final_candles_are_not(connection):
    states = [state(101, 1), state(102, 2.25), state(99, 2.5), state(98, 1, minute=1)]
    for row in states:
        write(connection, LIVE_CANDLE, [row])
    write(connection, LIVE_CANDLE, [state(97, 61, final=True)])
    assert kept(connection) == [as_kept(row) for row in states]


def test_a_state_that_changes_nothing_is_not_kept_again(connection):
    write(connection, LIVE_CANDLE, [state(101, 1)])
    write(connection, LIVE_CANDLE, [state(101, 1)._replace(known_at=OPEN + 5 * SECOND)])
    assert kept(connection) == [as_kept(state(101, 1))]


def test_a_state_that_comes_after_its_candle_is_final_is_not_kept(connection):
    write(connection, LIVE_CANDLE, [state(101, 61, final=True)])
    write(connection, LIVE_CANDLE, [state(102, 62)])
    assert kept(connection) == []


def test_other_writers_keep_nothing(connection):
    write(connection, CANDLE, [state(101, 1)])
    assert kept(connection) == []


def test_states_are_read_by_the_second_by_which_they_were_known(connection, database):
    for row in (state(101, 1), state(102, 1.25), state(103, 1.75), state(104, 3, minute=1)):
        write(connection, LIVE_CANDLE, [row])
    start = int(OPEN.timestamp())
    found = read(database, Span(OPEN, OPEN + timedelta(hours=1)))
    assert found == {
        "NIFTY1!": {
            "t": [start, start, start + 60],
            "o": [100] * 3,
            "h": [120] * 3,
            "l": [80] * 3,
            "c": [101, 103, 104],
            "v": [650, 1137, 1950],
            "k": [start + 1, start + 2, start + 63],
        }
    }
    assert read(database, Span(OPEN + timedelta(minutes=1), OPEN + timedelta(hours=1)), 1)
    assert read(database, Span(OPEN, OPEN + timedelta(hours=1)), 3) == found
    assert read(database, Span(OPEN, OPEN + timedelta(hours=1)), 2) is None


def test_pruning_deletes_the_older_ones_ten_minutes_at_a_time(connection):
    for minute in range(0, 30, 5):
        write(connection, LIVE_CANDLE, [state(101, 1, minute=minute)])
    before = OPEN + timedelta(minutes=18)
    assert [prune_forming(connection, before) for _ in range(3)] == [2, 2, 0]
    assert [row[2] for row in kept(connection)] == [OPEN + timedelta(minutes=n) for n in (20, 25)]
