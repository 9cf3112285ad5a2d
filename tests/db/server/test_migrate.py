"""Migrations: once, in order, by one of many, and never silently changed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import db.server.migrate
from db.server.connection import connect
from db.server.errors import MigrationChangedError, SchemaOutdatedError
from db.server.migrate import Migration, migrate, migrations, require_current
from strategy.session import calendar_hours


def test_several_processes_may_migrate_at_once(empty_database: str):
    def run(_: int) -> list[str]:
        with connect(empty_database) as connection:
            return migrate(connection, calendar_hours())

    with ThreadPoolExecutor(4) as pool:
        applied = [name for names in pool.map(run, range(4)) for name in names]
    assert applied == [migration.name for migration in migrations()]


def test_a_changed_migration_is_refused(connection, monkeypatch: pytest.MonkeyPatch):
    changed = [Migration(m.name, m.body + b" ") for m in migrations()]
    monkeypatch.setattr(db.server.migrate, "migrations", lambda: changed)
    with pytest.raises(MigrationChangedError, match="restore the file"):
        migrate(connection, calendar_hours())


def test_an_empty_database_says_how_to_migrate(empty_database: str):
    with (
        connect(empty_database) as connection,
        pytest.raises(SchemaOutdatedError, match="optionscalp migrate"),
    ):
        require_current(connection)


def test_every_column_says_what_it_holds(connection):
    missing = connection.execute(
        """
        select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0
           and not a.attisdropped and c.relname <> 'schema_migration'
           and col_description(c.oid, a.attnum) is null
        """
    ).fetchall()
    assert missing == []


def test_a_reader_reads_but_cannot_write(connection):
    connection.execute("set role optionscalp_reader")
    assert connection.execute("select count(*) from signal").fetchone() == (0,)
    with pytest.raises(Exception, match="permission denied"):
        connection.execute("delete from signal")


def test_migrating_again_leaves_the_log_as_it_is(connection):
    before = connection.execute("select * from feed_meta").fetchall()
    migrate(connection, calendar_hours())
    assert connection.execute("select * from feed_meta").fetchall() == before


def test_hypertables_where_timescaledb_is_present(connection):
    available = connection.execute(
        "select from pg_available_extensions where name = 'timescaledb'"
    ).fetchone()
    if available is None:
        pytest.skip("this server has no TimescaleDB")
    names = connection.execute(
        "select hypertable_name from timescaledb_information.hypertables order by 1"
    ).fetchall()
    assert names == [
        *(("build_up",), ("candle",), ("chain_oi",), ("forming",), ("greeks",), ("quote",)),
    ]


def test_contracts_stored_before_are_known_since_their_first_row_and_others_since_nobody_knows(
    empty_database: str,
):
    *before, quotes = [m for m in migrations() if m.name <= "0017_quotes.sql"]
    with connect(empty_database) as connection:
        for migration in before:
            connection.execute(migration.body)
        connection.execute(
            "insert into contract select 'NIFTY260127' || kind || strike, 'NIFTY', '2026-01-27',"
            " strike, kind, 65, '2026-01-21', '2026-01-21', 'test'"
            " from unnest(array[25000, 25050]) strike, unnest(array['C', 'P']) kind"
        )
        connection.execute(
            "insert into candle values ('NIFTY260127C25000', 1, '2026-01-21 03:45Z', 'NIFTY', 1, 1,"
            " 1, 1, 65, null, 'test', '2026-01-21 03:46Z', true)"
        )
        connection.execute(
            "insert into chain_oi select 'NIFTY', '2026-01-27', strike, '2026-01-21 03:50Z', 65,"
            " nullif(strike, 25050), 0, 0, 'test', timestamptz '2026-01-21 03:53Z'"
            " from unnest(array[25000, 25050]) strike"
        )
        connection.execute(quotes.body)
        listed = connection.execute(
            "select symbol, to_char(listed_at at time zone 'UTC', 'HH24:MI') from contract"
        ).fetchall()
    assert dict(listed) == {
        "NIFTY260127C25000": "03:46",
        "NIFTY260127P25000": "03:53",
        "NIFTY260127C25050": "03:53",
        "NIFTY260127P25050": None,
    }
