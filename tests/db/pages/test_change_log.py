"""Reading the change log: complete, in order, each row in its latest state."""

import asyncio
import random
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from db.pages.change_log import Cursor, Page, prune, read_after, read_cursor
from db.server.connection import connect
from db.server.reader import connect_reader
from db.writing.bulk import merge, publish, write
from db.writing.relations import BUILD_UP, CANDLE, SIGNAL
from db.writing.rows import BuildUp, Candle, Signal

START = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)


def candle(symbol: str = "NIFTY", minute: int = 0, close: float = 100.0) -> Candle:
    opened = START + timedelta(minutes=minute)
    known = opened + timedelta(minutes=1)
    prices = (close, close, close, close)
    return Candle(symbol, 1, opened, "NIFTY", *prices, None, None, "test", known, False)


def build_up(symbol: str) -> BuildUp:
    closed = START + timedelta(minutes=5)
    return BuildUp(symbol, START, "NIFTY", closed, 100.0, 650, None, 65, "none", "test", closed)


def signal(number: int) -> Signal:
    return Signal(
        *(UUID(int=number), "delta_volume", str(number), "NIFTY", START.date(), START),
        *("NIFTY260127C25000", "BULLISH", "short_covering", 25000, 25010.0, 65, [25000]),
        *(100.0, 80.0, 120.0, 140.0, "market", {"a": 1}, "hash", START, START, None),
    )


def pages(dsn: str, after: int = 0, limit: int = 100) -> list[Page]:
    """Read to the end as a client would."""

    async def read() -> list[Page]:
        found: list[Page] = []
        async with await connect_reader(dsn) as connection:
            while not found or not found[-1].is_last:
                seen = found[-1].upto if found else after
                found.append(await read_after(connection, seen, limit))
        return found

    return asyncio.run(read())


def cursor_of(dsn: str) -> Cursor:
    async def read() -> Cursor:
        async with await connect_reader(dsn) as connection:
            return await read_cursor(connection)

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("cursor", "text"),
    [
        (Cursor("1a2b", 17), "1a2b:17"),
        (Cursor("1a2b", 17, "c3"), "1a2b.c3:17"),
        (Cursor("1a2b", 17, "c3", 20), "1a2b.c3.20:17"),
        (Cursor("1a2b", 17, seen=20), "1a2b..20:17"),
    ],
)
def test_a_cursor_reads_what_it_wrote(cursor, text):
    assert str(cursor) == text
    assert Cursor.parse(text) == cursor


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "17",
            "1a2b:",
            ":17",
            "1a2b:-1",
            "1a2b:1:B",
            "1a2b:1:b:",
            "1a2b:1:b:c",
            "1a2b:1:b:2:3",
        ),
        *("1a2b:٣", "a b:1", f"a:{10**19}", f"a:1:{'b' * 33}", f"a:1:b:{10**19}"),
    ],
)
def test_a_text_of_another_form_is_no_cursor(text):
    with pytest.raises(ValueError, match="not a cursor"):
        Cursor.parse(text)


def test_a_row_that_changed_twice_comes_once_in_its_latest_state(connection, database):
    write(connection, CANDLE, [candle("NIFTY"), candle("NIFTY1!")])
    write(connection, CANDLE, [candle("NIFTY", close=101.0)])
    (page,) = pages(database)
    assert [(change.seq, change.row.symbol) for change in page.changes] == [
        (2, "NIFTY1!"),
        (3, "NIFTY"),
    ]
    assert page.changes[1].row.close == 101.0
    assert page.upto == page.log.newest == 3


def test_all_kinds_of_rows_come_whole(connection, database):
    rows = [candle(), build_up("NIFTY260127C25000"), signal(1), signal(2)]
    write(connection, CANDLE, rows[:1])
    write(connection, BUILD_UP, rows[1:2])
    write(connection, SIGNAL, rows[2:])
    (page,) = pages(database)
    assert [change.row for change in page.changes] == rows


def test_pages_continue_where_the_last_one_ended(connection, database):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(25)])
    found = pages(database, limit=10)
    assert [len(page.changes) for page in found] == [10, 10, 5]
    assert [change.seq for page in found for change in page.changes] == list(range(1, 26))


def test_a_page_may_end_before_the_newest_change(connection, database):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(5)])

    async def read() -> Page:
        async with await connect_reader(database) as reader:
            return await read_after(reader, 1, 100, upto=3)

    page = asyncio.run(read())
    assert [change.seq for change in page.changes] == [2, 3]
    assert not page.is_last


def test_rows_in_their_latest_state_may_be_ahead_of_their_page_which_its_cursor_says(
    connection, database
):
    """Else a client that is cut off there would keep values that a restore has taken back."""
    write(connection, CANDLE, [candle(minute=minute) for minute in range(5)])
    write(connection, CANDLE, [candle(close=101.0)])
    first, last = pages(database, limit=5)
    assert first.cursor == Cursor(first.log.epoch, 5, seen=6)
    assert last.cursor == Cursor(first.log.epoch, 6)
    connection.execute("delete from change_log where seq > 5")
    connection.execute("update feed_meta set place = 'before'")
    write(connection, CANDLE, [candle(minute=7), candle(minute=8)])
    (now,) = pages(database)
    assert not now.log.holds(first.cursor)
    assert now.log.holds(Cursor(first.log.epoch, 5))


def test_what_a_reader_has_seen_outlives_the_server_whatever_its_setting(connection):
    connection.execute("set synchronous_commit to off")
    with connection.transaction(), connection.cursor() as cursor:
        merge(cursor, CANDLE, [candle()])
        publish(cursor)
        assert cursor.execute("show synchronous_commit").fetchone() == ("local",)
    assert connection.execute("show synchronous_commit").fetchone() == ("off",)


def test_rows_deleted_since_are_passed_over(connection, database):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(3)])
    connection.execute("delete from candle where open_time > %s", (START,))
    (page,) = pages(database)
    assert [change.seq for change in page.changes] == [1]
    assert page.upto == 3


def test_one_transaction_reads_one_snapshot(connection, database):
    async def read() -> tuple[Cursor, Page, Page]:
        async with await connect_reader(database) as reader:
            async with reader.transaction():
                before = await read_cursor(reader)
                write(connection, CANDLE, [candle()])
                inside = await read_after(reader, before.seq, 10)
            return before, inside, await read_after(reader, before.seq, 10)

    before, inside, after = asyncio.run(read())
    assert inside.changes == []
    assert inside.log.cursor == before
    assert len(after.changes) == 1


def test_readers_can_not_write(database):
    async def attempt() -> None:
        async with await connect_reader(database) as reader:
            await reader.execute("delete from candle")

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        asyncio.run(attempt())


def test_pruning_keeps_the_newest_entries_and_says_so(connection, database):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(10)])
    assert prune(connection, keep=4) == 6
    assert prune(connection, keep=4) == 0
    (page,) = pages(database)
    assert [change.seq for change in page.changes] == [7, 8, 9, 10]
    assert page.log.pruned_to == 6
    assert cursor_of(database).seq == 10


def test_the_cursor_of_an_empty_log_is_where_it_was_pruned_to(connection, database):
    epoch = cursor_of(database).epoch
    assert cursor_of(database) == Cursor(epoch, 0)
    connection.execute("update feed_meta set pruned_to = 7")
    assert cursor_of(database) == Cursor(epoch, 7)


def test_a_reader_beside_twelve_delayed_writers_misses_nothing(connection, database):
    """Without the publish lock such a reader loses about half of the rows."""
    done = threading.Event()
    threads = [
        threading.Thread(target=write_with_delays, args=(database, number)) for number in range(12)
    ]

    async def follow() -> list[int]:
        seen: list[int] = []
        cursor = 0
        async with await connect_reader(database) as reader:
            while True:
                finished = done.is_set()
                page = await read_after(reader, cursor, 50)
                seen += [change.seq for change in page.changes]
                cursor = page.upto
                if finished and page.is_last:
                    return seen

    def wait() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    seen = asyncio.run(follow())
    waiter.join()
    stored = [row[0] for row in connection.execute("select seq from change_log order by seq")]
    assert seen == stored
    assert len(stored) == connection.execute("select count(*) from candle").fetchone()[0]
    assert len(stored) > 12


def write_with_delays(dsn: str, number: int) -> None:
    chance = random.Random(number)
    with connect(dsn) as own, own.cursor() as cursor:
        for turn in range(10):
            rows = [candle(f"NIFTY260127C{20_000 + number}", 10 * turn + n) for n in range(3)]
            with own.transaction(force_rollback=chance.random() < 0.2):
                merge(cursor, CANDLE, rows)
                cursor.execute("select pg_sleep(%s)", (chance.uniform(0, 0.03),))
                publish(cursor)
                cursor.execute("select pg_sleep(%s)", (chance.uniform(0, 0.003),))
