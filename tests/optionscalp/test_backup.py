"""`backup` and `restore`: of the embedded server and of one that is named, whole or not at all."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

import db.server.backup
import db.server.embedded
from db.server.checksum import LENGTH, is_verified
from db.server.connection import connect, create_database
from db.server.errors import BackupError
from db.server.migrate import migrate
from db.server.programs import client_program
from db.writing.bulk import write
from db.writing.relations import CANDLE
from db.writing.rows import Candle
from optionscalp.homes import demo_database
from optionscalp.output import progress
from strategy.session import calendar_hours
from tests.live import optionscalp
from tests.long import in_full

OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
TABLES = "select tablename from pg_tables where schemaname = 'public'"


def store(connection: psycopg.Connection, *minutes: int) -> None:
    rows = []
    for minute in minutes:
        at = OPEN + timedelta(minutes=minute)
        known = at + timedelta(minutes=1)
        prices = (25000.0, 25010.0, 24990.0, 25000.0 + minute % 10)
        rows.append(Candle("NIFTY", 1, at, "NIFTY", *prices, None, None, "test", known, True))
    write(connection, CANDLE, rows)


def content(connection: psycopg.Connection) -> dict[str, list[tuple]]:
    """All rows of all tables."""
    names = [name for (name,) in connection.execute(TABLES)]
    return {
        name: sorted(map(repr, connection.execute(SQL("table {}").format(Identifier(name)))))
        for name in names
    }


@pytest.mark.parametrize("running", [False, pytest.param(True, marks=in_full)])
def test_the_embedded_server_is_backed_up_and_restored_into_a_new_home(home: Path, running: bool):
    old, new, file = home / "old", home / "new", home / "all of it.dump"
    with db.server.embedded.use(old) as dsn, connect(dsn) as connection:
        migrate(connection, calendar_hours())
        store(connection, 0, 1, 2)
        stored = content(connection)
        if running:
            made = optionscalp("backup", str(file), home=old)
    if not running:
        made = optionscalp("backup", str(file), home=old)
    assert (made.returncode, made.stderr) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.glob("*.dump*")] == [file.name]
    restored = optionscalp("restore", str(file), home=new)
    assert restored.returncode == 0, restored.stderr
    for told in (made, restored):
        rows = sum(map(len, stored.values()))
        assert f" {rows} rows of" in told.stdout.replace("\n", " ")
    assert db.server.embedded.postmaster_pid(new) is None
    with db.server.embedded.use(new) as dsn, connect(dsn) as connection:
        assert content(connection) == stored


def test_a_backup_beside_writers_is_of_one_moment(home: Path, database: str, empty_database: str):
    file = home / "dump"
    stop = threading.Event()

    def go_on_writing() -> None:
        with connect(database) as own:
            minute = 0
            while not stop.is_set():
                store(own, minute)
                minute += 1

    writer = threading.Thread(target=go_on_writing)
    writer.start()
    try:
        made = optionscalp("backup", str(file), home=home, DATABASE_URL=database)
    finally:
        stop.set()
        writer.join()
    assert made.returncode == 0, made.stderr
    put = optionscalp("restore", str(file), home=home, DATABASE_URL=empty_database)
    assert put.returncode == 0, put.stderr
    with connect(empty_database) as connection:
        minutes = connection.execute("select count(*), count(distinct open_time) from candle")
        (changes,) = connection.execute("select max(seq) from change_log").fetchone()
        assert minutes.fetchone() == (changes, changes)
        store(connection, 1_000)
        assert connection.execute("select max(seq) > %s from change_log", (changes,)).fetchone()[0]
    assert not (home / "postgres").exists()


@pytest.fixture
def dump(home: Path, connection, database: str) -> Path:
    store(connection, *range(500))
    file = home / "dump"
    made = optionscalp("backup", str(file), home=home, DATABASE_URL=database)
    assert made.returncode == 0, made.stderr
    return file


def refused(home: Path, *arguments: str, **environment: str) -> str:
    """The one line that a command ends with."""
    result = optionscalp(*arguments, home=home, **environment)
    assert result.returncode == 1
    (line,) = result.stderr.strip().splitlines()
    return line


def test_nothing_is_overwritten(home: Path, dump: Path, database: str):
    before = dump.read_bytes()
    line = refused(home, "backup", str(dump), DATABASE_URL=database)
    assert line == f"error: {dump} is there already: choose another name"
    assert dump.read_bytes() == before


def test_a_database_that_is_not_empty_is_left_as_it_is(home: Path, dump: Path, database: str):
    with connect(database) as connection:
        before = content(connection)
    line = refused(home, "restore", str(dump), DATABASE_URL=database)
    assert "is not empty: name an empty database in DATABASE_URL" in line
    password = conninfo_to_dict(database).get("password")
    assert not password or password not in line
    with connect(database) as connection:
        assert content(connection) == before


@pytest.mark.parametrize(
    "harm", ["cut", "flipped", "header", "trailer", "cut trailer", "text", "missing"]
)
def test_a_damaged_file_is_said_before_anything_is_restored(
    home: Path, dump: Path, empty_database: str, harm: str
):
    whole = dump.read_bytes()
    middle = len(whole) // 2
    if harm == "missing":
        dump.unlink()
    else:
        dump.write_bytes(
            {
                "cut": whole[:-200],
                "header": whole[:300] + bytes(6) + whole[306:],
                "trailer": whole[:-70] + bytes(4) + whole[-66:],
                "cut trailer": whole[:-30],
                "flipped": whole[:middle] + bytes(64) + whole[middle + 64 :],
                "text": b"select 1;\n",
            }[harm]
        )
    line = refused(home, "restore", str(dump), DATABASE_URL=empty_database)
    assert str(dump) in line
    with connect(empty_database) as connection:
        assert content(connection) == {}


def test_a_restore_that_fails_half_way_leaves_the_database_empty(
    home: Path, dump: Path, empty_database: str
):
    with connect(empty_database) as connection:
        connection.execute(
            "create function stop() returns event_trigger language plpgsql"
            " as $$ begin if current_query() !~* 'create extension' then"
            " raise 'no indexes today'; end if; end $$"
        )
        connection.execute(
            "create event trigger stop on ddl_command_start when tag in ('CREATE INDEX')"
            " execute function stop()"
        )
    line = refused(home, "restore", str(dump), DATABASE_URL=empty_database)
    assert "no indexes today" in line
    with connect(empty_database) as connection:
        assert content(connection) == {}
        connection.execute("drop event trigger stop")
        connection.execute("drop function stop")
    put = optionscalp("restore", str(dump), home=home, DATABASE_URL=empty_database)
    assert put.returncode == 0, put.stderr


def test_what_cannot_be_written_or_reached_is_one_clear_line(home: Path, database: str):
    file = home / "nowhere" / "dump"
    line = refused(home, "backup", str(file), DATABASE_URL=database)
    assert line.startswith(f"error: {file}.part cannot be written: No such file")
    other = "postgresql://optionscalp@127.0.0.1:1/x"
    assert "no database at 127.0.0.1:1/x" in refused(
        home, "backup", str(home / "dump"), DATABASE_URL=other
    )
    assert list(home.iterdir()) == []


def test_programs_that_are_missing_or_older_than_the_server_say_what_to_install():
    with pytest.raises(BackupError, match="pg_nothing is missing: run `make setup`, or install"):
        client_program("pg_nothing", 18)
    with pytest.raises(BackupError, match="pg_dump is of PostgreSQL 18 and the server of 99: inst"):
        client_program("pg_dump", 99)


def test_a_file_of_pg_dump_alone_is_restored_and_said_not_to_be_verified(
    home: Path, dump: Path, empty_database: str
):
    dump.write_bytes(dump.read_bytes()[:-LENGTH])
    put = optionscalp("restore", str(dump), home=home, DATABASE_URL=empty_database)
    assert put.returncode == 0, put.stderr
    assert "has no checksum" in put.stderr


def test_where_nothing_is_stored_nothing_is_backed_up_and_no_home_is_made(
    home: Path, empty_database: str
):
    missing, file = home / "missing", home / "x.dump"
    assert "nothing is stored in" in refused(missing, "backup", str(file))
    assert "no demo has kept anything" in refused(missing, "backup", "--demo", str(file))
    for migrated in (False, True):
        if migrated:
            with connect(empty_database) as connection:
                migrate(connection, calendar_hours())
        line = refused(missing, "backup", str(file), DATABASE_URL=empty_database)
        assert "holds nothing to back up" in line
    assert "no backup that can be read" in refused(missing, "restore", str(file))
    assert list(home.iterdir()) == []


def test_the_demos_rows_are_backed_up_and_restored_by_its_name(home: Path):
    with db.server.embedded.use(home / "demo") as main:
        dsn = demo_database(main)
        create_database(dsn)
        with connect(dsn) as connection:
            migrate(connection, calendar_hours())
            store(connection, 0, 1)
        file = home / "dump"
        assert "holds nothing" in refused(home / "demo", "backup", str(home / "other"))
        assert optionscalp("backup", "--demo", str(file), home=home).returncode == 0
        create_database(dsn, anew=True)
        put = optionscalp("restore", "--demo", str(file), home=home)
        assert put.returncode == 0, put.stderr
        with connect(dsn) as connection:
            assert connection.execute("select count(*) from candle").fetchone() == (2,)


def test_a_file_may_be_named_like_an_option(
    home: Path, connection, database: str, monkeypatch: pytest.MonkeyPatch
):
    store(connection, 0)
    monkeypatch.chdir(home)
    file = Path("-dash.dump")
    db.server.backup.back_up(database, file, progress)
    assert is_verified(file, progress)
