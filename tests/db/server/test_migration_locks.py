"""Migrating beside others: it queues before nobody, and says whom it waits for."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

import db.server.locks
import db.server.migrate
from db.server.connection import connect
from db.server.errors import TableLockedError
from db.server.migrate import Migration, apply, migrate, migrations
from strategy.session import calendar_hours

BEYOND = Migration("9998_beyond.sql", b"alter table contract add column beyond integer")
INDEXED = Migration(
    "9999_indexed.sql",
    b"""-- Outside of a transaction.
-- Why it is made.
drop index concurrently if exists contract_by_expiry;

create index concurrently contract_by_expiry on contract (expiry);
""",
)


class Told(logging.Handler):
    """What was told, and waiting for the first line of a kind."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._told = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._told:
            self.lines.append(record.getMessage())
            self._told.notify_all()

    def line(self, part: str) -> str:
        def found() -> str | None:
            return next((line for line in self.lines if part in line), None)

        with self._told:
            self._told.wait_for(found)
            return found() or ""


@pytest.fixture
def told() -> Iterator[Told]:
    logger, handler = logging.getLogger("db.server"), Told()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(before)
    logger.removeHandler(handler)


@pytest.fixture
def holder(database: str) -> Iterator[psycopg.Connection]:
    """Somebody who has read the contracts in a transaction that has not ended."""
    with psycopg.connect(database, application_name="a long report") as opened:
        opened.execute("select from contract")
        yield opened


@pytest.fixture
def migrating(database: str) -> Iterator[Callable[[], list[str]]]:
    """Migrate beside the test; the call waits for the end and gives what was applied."""

    def run() -> list[str]:
        with connect(database) as connection:
            return migrate(connection, calendar_hours())

    with ThreadPoolExecutor(1) as pool:
        started: list = []

        def start() -> Callable[[], list[str]]:
            started.append(pool.submit(run))
            return started[0].result

        yield start


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[Migration], None]:
    """Add a migration to those that there are."""

    def add(migration: Migration) -> None:
        known = [*migrations(), migration]
        monkeypatch.setattr(db.server.migrate, "migrations", lambda: known)

    return add


def test_a_migration_says_whom_it_waits_for_readers_go_on_and_so_does_it_in_the_end(
    database: str, connection, holder, told: Told, later, migrating
):
    later(BEYOND)
    applied = migrating()
    pid = holder.info.backend_pid
    line = told.line(f"{BEYOND.name} waits for pid {pid} (a long report, ")
    assert "idle in transaction since its query of " in line
    # While it waits nobody does: who comes later than it reads the table, as often as they like.
    for _ in range(20):
        with connect(database, options="-c statement_timeout=30s") as reader:
            assert reader.execute("select count(*) from contract").fetchone() == (0,)
    holder.rollback()
    assert applied() == [BEYOND.name]
    assert connection.execute("select count(beyond) from contract").fetchone() == (0,)


def test_a_migration_that_never_gets_its_lock_ends_with_one_line_and_leaves_nothing(
    database: str, connection, holder, later, monkeypatch: pytest.MonkeyPatch
):
    later(Migration(BEYOND.name, b"create table before_it (); " + BEYOND.body))
    # Tries until somebody was seen: a busy machine may look too late.
    monkeypatch.setattr(db.server.locks, "PATIENCE_SECONDS", 4)
    with pytest.raises(TableLockedError) as stopped:
        migrate(connection, calendar_hours())
    line = str(stopped.value)
    assert f"{BEYOND.name} did not get its locks in 4 s for pid {holder.info.backend_pid}" in line
    assert "optionscalp migrate" in line
    assert "\n" not in line
    assert connection.execute("select to_regclass('before_it')").fetchone() == (None,)
    holder.rollback()
    assert migrate(connection, calendar_hours()) == [BEYOND.name]


# So slow that it is in the way for longer than a migration is patient.
SLOW_VACUUM = """
insert into contract
select 'NIFTY260127C' || n, 'NIFTY', '2026-01-27', n, 'C', 65, '2026-01-21', '2026-01-21', 'test'
  from generate_series(1, 60000) n;
delete from contract where strike % 2 = 0;
alter table contract set (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_cost_delay = 100,
                          autovacuum_vacuum_cost_limit = 1)
"""
VACUUMED = """
select exists (select from pg_stat_activity a join pg_locks l using (pid)
                where a.backend_type = 'autovacuum worker' and l.granted
                  and l.relation = 'contract'::regclass and l.mode = 'ShareUpdateExclusiveLock')
"""


def until_vacuumed(connection: psycopg.Connection) -> None:
    while connection.execute(VACUUMED).fetchone() == (False,):
        time.sleep(0.05)


@pytest.fixture
def vacuuming(server_dsn: str, connection) -> Iterator[None]:
    """The contracts are being vacuumed by the server itself."""
    with connect(server_dsn) as admin:
        admin.execute("alter system set autovacuum_naptime = 1")
        admin.execute("select pg_reload_conf()")
        connection.execute(SLOW_VACUUM)
        until_vacuumed(connection)
        yield
        admin.execute("alter system reset autovacuum_naptime")
        admin.execute("select pg_reload_conf()")


@pytest.mark.usefixtures("vacuuming")
def test_an_autovacuum_gives_way_to_a_migration(connection, later):
    later(BEYOND)
    assert migrate(connection, calendar_hours()) == [BEYOND.name]


@pytest.mark.usefixtures("vacuuming")
def test_an_autovacuum_gives_way_to_an_owner_who_cannot_hurry_it(connection):
    role = f"optionscalp_test_{uuid4().hex[:8]}"
    connection.execute(f"create role {role}; grant create on schema public to {role}")
    for table in ("contract", "schema_migration"):
        connection.execute(f"alter table {table} owner to {role}")
    try:
        # The change of owner ended it.
        until_vacuumed(connection)
        connection.execute(f"set role {role}")
        apply(connection, BEYOND)
    finally:
        connection.execute(f"reset role; drop owned by {role}; drop role {role}")


def test_limits_of_the_connection_are_as_they_were_after_migrating(connection, later):
    later(INDEXED)
    connection.execute("set lock_timeout = '7s'; set statement_timeout = '1min'")
    assert migrate(connection, calendar_hours()) == [INDEXED.name]
    shown = connection.execute(db.server.locks.LIMITS).fetchone()
    assert shown == ("7s", "1min")


def test_an_index_is_made_beside_writers_and_whom_it_waits_for_is_told(
    database: str, connection, told: Told, later, migrating
):
    later(INDEXED)
    contract = (
        "insert into contract values (%s, 'NIFTY', '2026-01-27', 1, 'C', 65, now(), now(), '')"
    )
    with psycopg.connect(database, application_name="an open write") as writer:
        writer.execute(contract, ("first",))
        applied = migrating()
        told.line(f"{INDEXED.name} waits for pid {writer.info.backend_pid} (an open write, ")
        connection.execute("set lock_timeout = '30s'")
        connection.execute(contract, ("second",))
    assert applied() == [INDEXED.name]
    valid = "select indisvalid from pg_index where indexrelid = 'contract_by_expiry'::regclass"
    assert connection.execute(valid).fetchone() == (True,)


def test_an_index_that_was_not_finished_is_made_anew(connection, later):
    later(INDEXED)
    connection.execute("create index contract_by_expiry on contract (expiry)")
    connection.execute(
        "update pg_index set indisvalid = false where indexrelid = 'contract_by_expiry'::regclass"
    )
    assert migrate(connection, calendar_hours()) == [INDEXED.name]
    valid = "select indisvalid from pg_index where indexrelid = 'contract_by_expiry'::regclass"
    assert connection.execute(valid).fetchone() == (True,)


def test_who_comes_second_says_that_another_migrates(
    database: str, connection, told: Told, migrating
):
    with db.server.migrate.advisory_lock(connection, db.server.migrate.MIGRATION_LOCK):
        applied = migrating()
        told.line("another program migrates this database")
    assert applied() == []
