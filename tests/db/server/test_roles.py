"""Logins: what each may do, and what a reader cannot do whatever it tries."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from db.pages.change_log import prune
from db.server.connection import connect, database_name, with_database
from db.server.errors import DatabaseUnavailableError
from db.server.migrate import migrate
from db.server.reader import reader_pool
from db.server.readers import Limits, end_long_readers
from db.server.roles import Role, hand_over, is_ready, login_of, prepared
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT
from db.writing.rows import Candle, Contract
from strategy.session import calendar_hours

DAY = date(2026, 1, 21)
CALL = Contract(
    *("NIFTY260127C25000", "NIFTY", date(2026, 1, 27), 25_000, "C", 65, DAY, DAY, "test")
)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
MINUTE = Candle(
    *("NIFTY", 1, OPEN, "NIFTY", 1.0, 1.0, 1.0, 1.0, None, None, "test"),
    *(OPEN + timedelta(minutes=1), True),
)
FREE = (
    "set default_transaction_read_only to off; set statement_timeout to 0;"
    " set idle_in_transaction_session_timeout to 0"
)
LOGINS = ("optionscalp_writer", "optionscalp_chart", "optionscalp_reader")
Opened = Callable[[Role], psycopg.Connection]


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

        def opened(who: Role) -> psycopg.Connection:
            return stack.enter_context(connect(prepared(migrated, who)))

        yield opened


def test_each_part_has_a_login_of_its_own_which_stays_as_it_is(migrated: str, log_in: Opened):
    users = [log_in(who).execute("select session_user").fetchone()[0] for who in Role]
    owner = conninfo_to_dict(migrated)["user"]
    assert users == [f"{owner}_reader", f"{owner}_writer", f"{owner}_chart"]
    passwords = "select rolname, rolpassword from pg_authid where rolname = any(%s)"
    with connect(migrated) as connection:
        before = connection.execute(passwords, (users,)).fetchall()
        for who in Role:
            assert prepared(migrated, who) == login_of(migrated, who)
            assert is_ready(connection, login_of(migrated, who))
        assert connection.execute(passwords, (users,)).fetchall() == before
    assert conninfo_to_dict(migrated)["password"] not in prepared(migrated, Role.READER)


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
    reader = log_in(Role.READER)
    assert reader.execute("select count(*) from candle").fetchone() == (0,)
    reader.execute(FREE)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(attack)


@pytest.mark.parametrize(
    "change",
    [
        *("password null", "password 'mine'", "reset all", "set search_path to pg_catalog"),
        *("set default_transaction_read_only to off", "set local_preload_libraries to 'nothing'"),
        "in database {} set local_preload_libraries to 'nothing'",
    ],
)
def test_what_a_reader_changes_of_its_role_is_put_right_for_the_next_one(
    migrated: str, log_in: Opened, change: str
):
    reader = log_in(Role.READER)
    login = login_of(migrated, Role.READER)
    reader.execute(FREE)
    reader.execute(f"alter role current_user {change.format(database_name(migrated))}")
    with connect(migrated) as connection:
        assert not is_ready(connection, login)
        with connect(prepared(migrated, Role.READER)) as following:
            assert following.info.user == conninfo_to_dict(login)["user"]
            assert following.execute("select count(*) from candle").fetchone() == (0,)
            assert following.execute("show default_transaction_read_only").fetchone() == ("on",)
        assert is_ready(connection, login)


def test_readers_leave_room_for_the_others(migrated: str, log_in: Opened):
    login = prepared(migrated, Role.READER)
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(connect(login))
        with pytest.raises(DatabaseUnavailableError, match="too many connections"):
            connect(login)
        assert log_in(Role.WRITER).execute("select 1").fetchone() == (1,)
        assert log_in(Role.CHART).execute("select 1").fetchone() == (1,)
        assert prepared(migrated, Role.READER) == login, "never the owner's instead"


def test_the_writer_stores_rows_and_makes_nothing(log_in: Opened):
    writer = log_in(Role.WRITER)
    assert write(writer, CONTRACT, [CALL]) == write(writer, CANDLE, [MINUTE]) == 1
    assert prune(writer, keep=1) == 1
    for refused in ("create table mine ()", "drop table candle", "create role mine"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(refused)


def test_the_chart_server_changes_logins_and_nothing_else(migrated: str, log_in: Opened):
    with connect(migrated) as connection:
        connection.execute("create table if not exists login (token_hash bytea, made timestamptz)")
        migrate(connection, calendar_hours())
    chart = log_in(Role.CHART)
    chart.execute("set default_transaction_read_only to off")
    chart.execute("delete from login")
    for who in (Role.READER, Role.WRITER):
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
    sessions = {who: log_in(who) for who in Role}
    owner = connect(migrated)
    for session in (*sessions.values(), owner):
        session.execute(does)
    reader = sessions.pop(Role.READER)

    async def end(limits: Limits) -> list[tuple[int, str, str]]:
        async with reader_pool(prepared(migrated, Role.CHART)) as pool, pool.connection() as chart:
            return await end_long_readers(chart, limits)

    assert asyncio.run(end(Limits())) == []
    ended = asyncio.run(end(Limits(**limits)))
    assert [user for _, user, _ in ended] == [f"{conninfo_to_dict(migrated)['user']}_reader"]
    with pytest.raises(psycopg.OperationalError):
        reader.execute("select 1")
    for session in (*sessions.values(), owner):
        assert session.execute("select 1").fetchone() == (1,)
    owner.close()


def test_a_reader_who_stays_long_in_another_database_is_ended_as_well(
    migrated: str, empty_database: str
):
    login = with_database(prepared(migrated, Role.READER), database_name(empty_database))
    with connect(login) as reader:

        async def end() -> list[tuple[int, str, str]]:
            async with (
                reader_pool(prepared(migrated, Role.CHART)) as pool,
                pool.connection() as one,
            ):
                return await end_long_readers(one, Limits(idle=timedelta()))

        assert [pid for pid, *_ in asyncio.run(end())] == [reader.info.backend_pid]


@pytest.mark.skipif("TEST_DATABASE_URL" in os.environ, reason="its databases are not ours")
@pytest.mark.parametrize("name", ["postgres", "template1", "optionscalp"])
def test_a_reader_is_let_into_no_database_beside_ours(migrated: str, name: str):
    with pytest.raises(DatabaseUnavailableError, match="CONNECT privilege"):
        connect(with_database(prepared(migrated, Role.READER), name))


def test_roles_are_let_into_a_migrated_database_that_is_closed_to_the_public(migrated: str):
    with connect(migrated) as connection:
        name = Identifier(database_name(migrated))
        connection.execute(SQL("revoke connect on database {} from public").format(name))
    for who in Role:
        with connect(prepared(migrated, who)) as connection:
            assert connection.execute("select count(*) from candle").fetchone() == (0,)


def test_a_database_that_is_kept_for_others_is_handed_over_with_what_is_in_it(
    empty_database: str, migrated: str
):
    with connect(empty_database) as connection:
        connection.execute("create table run (id bigint generated always as identity, at date)")
        connection.execute("create sequence other; create view now_runs as select * from run")
    writer = prepared(migrated, Role.WRITER)
    with connect(hand_over(empty_database, writer)) as own:
        assert own.info.dbname == database_name(empty_database)
        own.execute("alter table run add column state text")
        own.execute("insert into run (at) values ('2026-01-21')")
        own.execute("select nextval('other'); drop view now_runs; create table more ()")
    with pytest.raises(DatabaseUnavailableError, match="CONNECT privilege"):
        connect(with_database(prepared(migrated, Role.READER), database_name(empty_database)))
    assert hand_over(empty_database, writer) == with_database(writer, database_name(empty_database))
    assert hand_over(empty_database, migrated) == empty_database


def test_an_owner_that_is_no_superuser_makes_roles_and_takes_what_it_may(
    migrated: str, server_dsn: str
):
    """What only a superuser may take is left, and told by nobody but the documents."""
    name = f"owner_{uuid4().hex[:8]}"
    base = f"{name}_base"
    with connect(server_dsn) as admin:
        user = SQL("create role {} login createrole createdb password 'secret-2'")
        admin.execute(user.format(Identifier(name)))
        for group in ("reader", "writer", "owner", "chart"):
            grant = SQL("grant {} to {} with admin option")
            admin.execute(grant.format(Identifier(f"optionscalp_{group}"), Identifier(name)))
        admin.execute(SQL("create database {} owner {}").format(Identifier(base), Identifier(name)))
        try:
            dsn = with_database(make_conninfo(server_dsn, user=name, password="secret-2"), base)
            with connect(dsn) as connection:
                migrate(connection, calendar_hours())
            with connect(prepared(dsn, Role.READER)) as reader:
                assert reader.execute("select session_user").fetchone() == (f"{name}_reader",)
                reader.execute(FREE)
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute("create temp table mine ()")
            with connect(prepared(dsn, Role.WRITER)) as writer:
                assert write(writer, CONTRACT, [CALL]) == 1
            with connect(prepared(dsn, Role.CHART)) as chart:
                assert chart.execute("select count(*) from contract").fetchone() == (1,)
        finally:
            admin.execute(SQL("drop database {} with (force)").format(Identifier(base)))
            for one in (*(f"{name}_{role}" for role in Role), name):
                admin.execute(SQL("drop owned by {}").format(Identifier(one)))
                admin.execute(SQL("drop role {}").format(Identifier(one)))


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
            assert [prepared(plain, who) for who in Role] == [plain] * 3
        finally:
            admin.execute(SQL("drop owned by {}").format(Identifier(name)))
            admin.execute(SQL("drop role {}").format(Identifier(name)))


def test_the_writer_may_use_temporary_tables_also_where_nobody_else_may(empty_database: str):
    """As in the embedded server's own database, which is closed before it is migrated."""
    with connect(empty_database) as connection:
        name = Identifier(database_name(empty_database))
        connection.execute(SQL("revoke connect, temporary on database {} from public").format(name))
        migrate(connection, calendar_hours())
        may = "select has_database_privilege(%s, current_database(), 'temp')"
        told = {role: connection.execute(may, (role,)).fetchone() for role in LOGINS}
    assert told == {role: (role == "optionscalp_writer",) for role in LOGINS}
