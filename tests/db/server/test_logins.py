"""Logins: what each may do, and what a reader cannot do whatever it tries."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from db.server.connection import connect, database_name
from db.server.errors import DatabaseUnavailableError
from db.server.logins import Login, is_ready, login_of, prepared
from db.server.migrate import migrate
from db.server.reader import reader_pool
from db.server.readers import Limits, end_long_readers
from db.writing.bulk import write
from db.writing.relations import CONTRACT
from db.writing.rows import Contract
from strategy.session import calendar_hours

FREE = (
    "set default_transaction_read_only to off; set statement_timeout to 0;"
    " set idle_in_transaction_session_timeout to 0"
)
Opened = Callable[[Login], psycopg.Connection]


@pytest.fixture
def migrated(database: str) -> str:
    """A database with what a copy of the template lacks: rights of the database itself."""
    if not conninfo_to_dict(database).get("password"):
        pytest.skip("the server's user has no password that others could follow from")
    with connect(database) as connection:
        migrate(connection, calendar_hours())
    return database


@pytest.fixture
def log_in(migrated: str) -> Iterator[Opened]:
    with ExitStack() as stack:

        def opened(who: Login) -> psycopg.Connection:
            return stack.enter_context(connect(prepared(migrated, who)))

        yield opened


def test_each_part_has_a_login_of_its_own_which_stays_as_it_is(migrated: str, log_in: Opened):
    users = [log_in(who).execute("select session_user").fetchone()[0] for who in Login]
    owner = conninfo_to_dict(migrated)["user"]
    assert users == [f"{owner}_reader", f"{owner}_writer", f"{owner}_chart"]
    passwords = "select rolname, rolpassword from pg_authid where rolname = any(%s)"
    with connect(migrated) as connection:
        before = connection.execute(passwords, (users,)).fetchall()
        for who in Login:
            assert prepared(migrated, who) == login_of(migrated, who)
            assert is_ready(connection, login_of(migrated, who))
        assert connection.execute(passwords, (users,)).fetchall() == before
    assert conninfo_to_dict(migrated)["password"] not in prepared(migrated, Login.READER)


@pytest.mark.parametrize(
    "attack",
    [
        *("set role optionscalp_writer", "set session authorization optionscalp"),
        *("reset session authorization; delete from signal", "reset role; delete from signal"),
        *(
            "insert into past_stretch values ('mine', 1)",
            "update feed_meta set epoch = ''",
        ),
        *("create table mine ()", "create temp table mine ()", "create schema mine"),
        *("select * from candle for update", "begin; lock table candle in access exclusive mode"),
        *("begin; lock table change_log in row exclusive mode", "truncate candle"),
        *("select pg_advisory_lock(7346002)", "select pg_advisory_xact_lock(7346002)"),
        *("select pg_try_advisory_lock_shared(7346, 2)", "select pg_advisory_unlock_all()"),
        *("select lo_create(0)", "select lo_from_bytea(0, 'x')"),
        *("select pg_logical_emit_message(false, 'x', 'y')", "set temp_file_limit to -1"),
        *(
            "copy candle to program 'cat'",
            "copy (select 1) to '/tmp/mine'",
            "alter role current_user superuser",
        ),
        *(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'optionscalp'",
            "checkpoint",
        ),
    ],
)
def test_a_reader_reads_and_nothing_else_whatever_it_sets(log_in: Opened, attack: str):
    reader = log_in(Login.READER)
    assert reader.execute("select count(*) from candle").fetchone() == (0,)
    reader.execute(FREE)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(attack)


def test_readers_leave_room_for_the_others(migrated: str, log_in: Opened):
    login = prepared(migrated, Login.READER)
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connect(login))
        with pytest.raises(DatabaseUnavailableError, match="too many connections"):
            connect(login)
        assert log_in(Login.WRITER).execute("select 1").fetchone() == (1,)
        assert log_in(Login.CHART).execute("select 1").fetchone() == (1,)
        assert prepared(migrated, Login.READER) == login, "never the owner's instead"


def test_the_writer_stores_rows_and_makes_nothing(log_in: Opened):
    writer = log_in(Login.WRITER)
    day, expiry = date(2026, 1, 21), date(2026, 1, 27)
    row = Contract("NIFTY260127C25000", "NIFTY", expiry, 25_000, "C", 65, day, day, "test")
    assert write(writer, CONTRACT, [row]) == 1
    for refused in ("create table mine ()", "drop table candle", "create role mine"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(refused)


def test_the_chart_server_changes_logins_and_nothing_else(migrated: str, log_in: Opened):
    with connect(migrated) as connection:
        connection.execute("create table if not exists login (token_hash bytea, made timestamptz)")
        migrate(connection, calendar_hours())
    chart = log_in(Login.CHART)
    chart.execute("set default_transaction_read_only to off")
    chart.execute("delete from login")
    for who in (Login.READER, Login.WRITER):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            log_in(who).execute("select * from login")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        chart.execute("delete from candle")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        chart.execute("set role optionscalp_writer")


@pytest.mark.parametrize(
    ("limits", "does"),
    [
        ({"transaction": timedelta()}, "begin; select 1"),
        ({"waiting": timedelta()}, "begin; select 1"),
        ({"idle": timedelta()}, "select 1"),
        ({"queue": -1.0}, "select 1"),
    ],
)
def test_sessions_of_readers_end_when_they_are_too_long_and_no_others(
    migrated: str, log_in: Opened, limits: dict, does: str
):
    sessions = {who: log_in(who) for who in Login}
    owner = connect(migrated)
    for session in (*sessions.values(), owner):
        session.execute(does)
    reader = sessions.pop(Login.READER)

    async def end(limits: Limits) -> list[tuple[int, str, str]]:
        async with reader_pool(prepared(migrated, Login.CHART)) as pool, pool.connection() as chart:
            return await end_long_readers(chart, limits)

    assert asyncio.run(end(Limits())) == []
    ended = asyncio.run(end(Limits(**limits)))
    assert [user for _, user, _ in ended] == [f"{conninfo_to_dict(migrated)['user']}_reader"]
    with pytest.raises(psycopg.OperationalError):
        reader.execute("select 1")
    for session in (*sessions.values(), owner):
        assert session.execute("select 1").fetchone() == (1,)
    owner.close()


def test_who_may_not_make_roles_works_as_before(migrated: str):
    name, password = f"plain_{uuid4().hex[:8]}", "secret-1"
    with connect(migrated) as admin:
        database = Identifier(database_name(migrated))
        admin.execute(
            SQL("create role {} login password {}").format(Identifier(name), Literal(password))
        )
        admin.execute(SQL("grant all on database {} to {}").format(database, Identifier(name)))
        try:
            plain = make_conninfo(migrated, user=name, password=password)
            assert [prepared(plain, who) for who in Login] == [plain] * 3
        finally:
            admin.execute(SQL("drop owned by {}").format(Identifier(name)))
            admin.execute(SQL("drop role {}").format(Identifier(name)))
