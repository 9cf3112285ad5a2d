"""Connections, and the clear line when there is none."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from db.server.errors import DatabaseUnavailableError
from db.server.timeouts import BATCH, NONE, Timeouts

# A server that vanishes without a word is noticed within half a minute.
PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}

OPEN_TO_ALL = """
select datname from pg_database
 where datname = any(%s) and has_database_privilege('public', oid, 'connect, temporary')
"""


def load_sql(name: str) -> bytes:
    """Return a file of this package, e.g. `roles.sql`; bytes satisfy psycopg's query type."""
    return (files("db") / name).read_bytes()


def describe(dsn: str) -> str:
    """Return where a connection string points, without its password."""
    known = conninfo_to_dict(dsn)
    return f"{known.get('host', 'localhost')}:{known.get('port', 5432)}/{known.get('dbname', '')}"


def database_name(dsn: str) -> str:
    """Return the database a connection string names."""
    return str(conninfo_to_dict(dsn).get("dbname") or conninfo_to_dict(dsn).get("user") or "")


def with_database(dsn: str, database: str) -> str:
    """Return the URL of another database of the same server.

    A URL, because Dagster's storage takes no other form.
    """
    known = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    user, password = quote(known.pop("user", ""), safe=""), known.pop("password", None)
    host, port = known.pop("host", "localhost"), known.pop("port", "5432")
    known.pop("dbname", None)
    account = f"{user}:{quote(password, safe='')}" if password else user
    name = f"[{host}]" if ":" in host else host
    place = f":{port}" if host.startswith("/") else f"{name}:{port}"
    if host.startswith("/"):
        known["host"] = host
    query = f"?{urlencode(known)}" if known else ""
    return f"postgresql://{account}@{place}/{quote(database, safe='')}{query}"


@contextmanager
def service_file(dsn: str) -> Iterator[dict[str, str]]:
    """Yield the environment that leads libpq's programs to a database.

    Through a private file: arguments, and so passwords in them, are seen by every user.
    """
    lines = [f"{key}={value}\n" for key, value in conninfo_to_dict(dsn).items()]
    with tempfile.NamedTemporaryFile("w", prefix="optionscalp-", suffix=".conf") as file:
        file.writelines(["[optionscalp]\n", *lines])
        file.flush()
        yield {"PGSERVICEFILE": file.name, "PGSERVICE": "optionscalp"}


def create_database(dsn: str, *, anew: bool = False) -> bool:
    """Create the database a connection string names, where it is missing; tell whether it was.

    Args:
        dsn: Of the new database; the server's `postgres` database must be open to its user.
        anew: Drop an existing one first, with everything in it.
    """
    name = database_name(dsn)
    with connect(with_database(dsn, "postgres")) as admin:
        if anew:
            admin.execute(SQL("drop database if exists {} with (force)").format(Identifier(name)))
        if missing := not _exists(admin, name):
            admin.execute(SQL("create database {}").format(Identifier(name)))
    return missing


def database_exists(dsn: str) -> bool:
    """Tell whether the server has the database a connection string names."""
    with connect(with_database(dsn, "postgres")) as admin:
        return _exists(admin, database_name(dsn))


def close_to_public(dsn: str, *names: str) -> None:
    """Let only those into databases of a server who were granted it, and their owner.

    What a migrated database denies to readers is open to them in any other.
    """
    with connect(with_database(dsn, "postgres")) as admin:
        for (name,) in admin.execute(OPEN_TO_ALL, (list(names),)).fetchall():
            revoke = SQL("revoke connect, temporary on database {} from public")
            admin.execute(revoke.format(Identifier(name)))


def _exists(admin: Connection[Any], name: str) -> bool:
    query = "select from pg_database where datname = %s"
    return admin.execute(query, (name,)).fetchone() is not None


def connect(dsn: str, timeouts: Timeouts = BATCH, **options: Any) -> Connection[Any]:
    """Open an autocommit connection; times come back in UTC.

    Args:
        dsn: Where.
        timeouts: How long each question may take.
        options: Of psycopg.

    Raises:
        DatabaseUnavailableError: Nothing answers there, or it refuses.
    """
    try:
        connection = psycopg.connect(dsn, autocommit=True, **(PATIENCE | options))
    except psycopg.ProgrammingError:
        # Not its own words: they repeat the text with its password.
        raise DatabaseUnavailableError("DATABASE_URL is no address of a database") from None
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        raise DatabaseUnavailableError(
            f"no database at {describe(dsn)}: {reason}. Start it or correct DATABASE_URL."
        ) from error
    connection.execute(b"set timezone to 'UTC'; " + timeouts.commands)
    return connection


@contextmanager
def advisory_lock(connection: Connection[Any], key: int, *, wait: bool = False) -> Iterator[bool]:
    """Hold a session advisory lock; yield whether we have it, which is certain after waiting."""
    held = _wait_for(connection, key) if wait else _try(connection, key)
    try:
        yield held
    finally:
        if held and not connection.broken and not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", (key,))


def _try(connection: Connection[Any], key: int) -> bool:
    row = connection.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone()
    return bool(row and row[0])


def _wait_for(connection: Connection[Any], key: int) -> bool:
    with connection.transaction():  # the lock is the session's and outlives it
        connection.execute(NONE.local_commands)
        connection.execute("select pg_advisory_lock(%s)", (key,))
    return True
