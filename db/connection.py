"""Connections, and the clear line when there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from db.errors import DatabaseUnavailableError

CONNECT_TIMEOUT_SECONDS = 5


def load_sql(name: str) -> bytes:
    """Return a file of this package, e.g. `roles.sql`; bytes satisfy psycopg's query type."""
    return (files("db") / name).read_bytes()


def describe(dsn: str) -> str:
    """Return where a connection string points, without its password."""
    known = conninfo_to_dict(dsn)
    return f"{known.get('host', 'localhost')}:{known.get('port', 5432)}/{known.get('dbname', '')}"


def with_database(dsn: str, database: str) -> str:
    """Return the same server's connection string for another database."""
    return make_conninfo(dsn, dbname=database)


def connect(dsn: str, **options: Any) -> Connection[Any]:
    """Open an autocommit connection; times come back in UTC.

    Raises:
        DatabaseUnavailableError: Nothing answers there, or it refuses.
    """
    options.setdefault("connect_timeout", CONNECT_TIMEOUT_SECONDS)
    try:
        connection = psycopg.connect(dsn, autocommit=True, **options)
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        raise DatabaseUnavailableError(
            f"no database at {describe(dsn)}: {reason}. Start it or correct DATABASE_URL."
        ) from error
    connection.execute("set timezone to 'UTC'")
    return connection


@contextmanager
def advisory_lock(connection: Connection[Any], key: int) -> Iterator[bool]:
    """Hold a session advisory lock; yield whether it was free (it is never waited for)."""
    row = connection.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone()
    held = bool(row and row[0])
    try:
        yield held
    finally:
        if held and not connection.broken and not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", (key,))
