"""Every question ends: each kind of connection has its limits, and waiting for our own has none."""

import threading
from datetime import timedelta

import psycopg
import pytest
from psycopg.errors import LockNotAvailable, QueryCanceled

from db.server.connection import advisory_lock, connect
from db.server.reader import connect_reader, read, reader_pool
from db.server.timeouts import BATCH, PAGES, STATUS, WRITES, Timeouts

SHORT = Timeouts(timedelta(milliseconds=300), timedelta(milliseconds=100))
LOCK = 42
SETTINGS = "select current_setting('statement_timeout'), current_setting('lock_timeout')"


@pytest.mark.parametrize(
    ("kind", "told"),
    [(BATCH, ("30min", "5min")), (WRITES, ("1min", "20s")), (PAGES, ("20s", "5s"))],
)
def test_a_connection_has_the_limits_of_its_kind(database: str, kind: Timeouts, told: tuple):
    with connect(database, kind) as opened:
        assert opened.execute(SETTINGS).fetchone() == told


def test_whoever_says_nothing_has_those_of_batch_work(connection: psycopg.Connection):
    assert connection.execute(SETTINGS).fetchone() == ("30min", "5min")


@pytest.mark.anyio
async def test_readers_have_those_of_pages(database: str):
    async with await connect_reader(database) as opened:
        assert await (await opened.execute(SETTINGS)).fetchone() == ("20s", "5s")


@pytest.mark.anyio
async def test_a_question_that_was_given_up_is_not_asked_again(database: str):
    asked = []

    async def ask(opened: psycopg.AsyncConnection) -> None:
        asked.append(True)
        await opened.execute("set local statement_timeout = 50")
        await opened.execute("select pg_sleep(60)")

    async with reader_pool(database) as pool:
        with pytest.raises(QueryCanceled):
            await read(pool, ask)
    assert len(asked) == 1


def test_a_locked_table_ends_a_question_early(database: str, connection: psycopg.Connection):
    with connect(database, SHORT) as hasty, connection.transaction():
        connection.execute("lock table candle in access exclusive mode")
        with pytest.raises(LockNotAvailable):
            hasty.execute("select count(*) from candle")


def test_who_waits_for_a_lock_of_ours_waits_and_is_limited_again(
    database: str, connection: psycopg.Connection
):
    waited = threading.Event()

    def wait() -> None:
        with connect(database, SHORT) as hasty, advisory_lock(hasty, LOCK, wait=True) as held:
            assert held
            assert hasty.execute(SETTINGS).fetchone() == ("300ms", "100ms")
            waited.set()

    waiting = (
        "select clock_timestamp() - min(query_start) > interval '1 second' from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
    )
    with advisory_lock(connection, LOCK):
        thread = threading.Thread(target=wait)
        thread.start()
        while not connection.execute(waiting).fetchone()[0]:
            assert thread.is_alive()
        assert not waited.is_set()
    thread.join()
    assert waited.is_set()


def test_the_state_is_told_before_pages_give_up():
    assert STATUS.lock < PAGES.lock
    assert STATUS.statement < PAGES.statement
