"""From the state after each migration that there was, with rows, to the newest.

`rows/NAME` holds rows for what migration NAME adds. They are stored when it has been applied, so
that all later ones meet them.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from db.server.connection import connect, database_name, service_file, with_database
from db.server.embedded import tool
from db.server.migrate import CREATE_RECORD, apply, migrate, migrations
from strategy.session import calendar_hours

ROWS = Path(__file__).parent / "rows"
NAMES = [migration.name for migration in migrations()]
# Written anew by whoever migrates, whatever was there: the program's calendar, and what is applied.
WRITTEN_ANEW = {"trading_hours", "schema_migration"}


class Loss(NamedTuple):
    """Rows that a migration deletes on purpose."""

    migration: str
    table: str
    which: str
    why: str


LOSSES = (
    Loss(
        *("0002_archive.sql", "raw_payload"),
        "exists (select from raw_payload first where first.payload_id < r.payload_id and"
        " (first.session, first.source, first.request, first.sha256)"
        " = (r.session, r.source, r.request, r.sha256))",
        "each distinct answer is stored once, with a receipt for each time that it came",
    ),
    Loss(
        *("0019_outages.sql", "empty_interval"),
        "symbol = 'NIFTY' or open_time = '2026-01-21 03:46Z'",
        "without a row of the index it is an outage, of which nobody knows whether there was trade",
    ),
    Loss(
        *("0021_statistics.sql", "signal_outcome"),
        "true",
        "bought at last prices: `optionscalp outcomes` computes all of it again",
    ),
    Loss(
        *("0021_statistics.sql", "random_outcome"),
        "true",
        "drawn anywhere in the session: `optionscalp outcomes` draws again",
    ),
)

TABLES = """
select relname from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname
"""
NOT_VALID = """
select conrelid::regclass || ' ' || conname from pg_constraint
 where connamespace = 'public'::regnamespace and not convalidated
union all
select indexrelid::regclass::text from pg_index where not indisvalid
"""


@pytest.fixture(scope="module")
def states(server_dsn: str) -> Iterator[dict[str, str]]:
    """A database for each migration: as it and the rows made for it left the one before."""
    made: dict[str, str] = {}
    prefix = f"optionscalp_upgrade_{uuid4().hex[:8]}"
    with connect(server_dsn) as admin:
        try:
            original = "template0"
            for migration in migrations():
                name = f"{prefix}_{migration.name[:4]}"
                copy(admin, original, name)
                made[migration.name] = dsn = with_database(server_dsn, original := name)
                with connect(dsn) as connection:
                    connection.execute(CREATE_RECORD)
                    apply(connection, migration)
                    file = ROWS / migration.name
                    if file.exists():
                        connection.execute(file.read_bytes())
            yield made
        finally:
            drop = SQL("drop database if exists {} with (force)")
            for dsn in made.values():
                admin.execute(drop.format(Identifier(database_name(dsn))))


def copy(admin: psycopg.Connection, original: str, name: str) -> None:
    allow = SQL("alter database {} allow_connections {}")
    if mine := original != "template0":
        # TimescaleDB's worker would come back as soon as it is ended.
        admin.execute(allow.format(Identifier(original), SQL("false")))
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (original,)
        )
    made = SQL("create database {} template {} strategy file_copy")
    admin.execute(made.format(Identifier(name), Identifier(original)))
    if mine:
        admin.execute(allow.format(Identifier(original), SQL("true")))


@pytest.fixture(scope="module")
def installed(fresh_database: Callable[[], AbstractContextManager[str]]) -> list[str]:
    """The schema of a database that never had another one."""
    with fresh_database() as dsn:
        return schema(dsn)


def schema(dsn: str) -> list[str]:
    with service_file(dsn) as environment:
        dump = subprocess.run(
            [tool("pg_dump"), "--schema-only", "--schema=public", "--no-owner"],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    # Each dump has a word of its own in these, and an order by what came first.
    dump = re.sub(r"^\\(un)?restrict .*$", "", dump, flags=re.MULTILINE)
    return sorted(re.split(r"^--\n(?=-- Name: )", dump, flags=re.MULTILINE))


def tables(connection: psycopg.Connection) -> list[str]:
    return [name for (name,) in connection.execute(TABLES) if name not in WRITTEN_ANEW]


def rows(
    connection: psycopg.Connection, table: str, lost: Iterable[Loss] = ()
) -> list[dict[str, Any]]:
    query = SQL("select to_jsonb(r) from {} r").format(Identifier(table))
    for number, loss in enumerate(lost):
        query += SQL("{} not ({})").format(SQL("and" if number else " where"), SQL(loss.which))
    return [row for (row,) in connection.execute(query)]


def in_columns(rows: list[dict[str, Any]], columns: Iterable[str]) -> list[str]:
    return sorted(json.dumps([row[column] for column in sorted(columns)]) for row in rows)


@pytest.mark.parametrize("state", NAMES)
def test_all_rows_reach_the_newest_schema_and_it_is_that_of_a_fresh_database(
    state: str, states: dict[str, str], installed: list[str]
):
    with connect(states[state]) as connection:
        empty = [table for table in tables(connection) if not rows(connection, table)]
        assert empty == [], f"tests/db/upgrade/rows/{state} fills what {state} adds"
        before = {
            table: rows(
                connection,
                table,
                [loss for loss in LOSSES if loss.table == table and loss.migration > state],
            )
            for table in tables(connection)
        }
        assert migrate(connection, calendar_hours(), move_rows=True) == [
            n for n in NAMES if n > state
        ]
        for table, expected in before.items():
            found = rows(connection, table)
            both = expected[0].keys() & found[0].keys() if expected and found else set()
            assert in_columns(found, both) == in_columns(expected, both), table
        assert connection.execute(NOT_VALID).fetchall() == []
    assert schema(states[state]) == installed


def test_every_column_has_a_value_in_some_row(states: dict[str, str]):
    with connect(states[NAMES[-1]]) as connection:
        found = {table: rows(connection, table) for table in tables(connection)}
    assert [
        f"{table}.{column}"
        for table, values in found.items()
        for column in values[0]
        if all(row[column] is None for row in values)
    ] == []
