"""Numbered, forward-only migrations under an advisory lock, recorded with their checksums."""

import hashlib
import logging
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.resources import files
from typing import Any, NamedTuple

from psycopg import Connection

from db.server.connection import advisory_lock, load_sql
from db.server.errors import MigrationChangedError, SchemaOutdatedError
from db.server.hours import HoursRow, write_hours
from db.server.hypertables import make_hypertables
from db.server.locks import in_one_wait, in_short_tries

logger = logging.getLogger(__name__)

MIGRATION_LOCK = 7_346_001
OUTSIDE_TRANSACTION = b"-- Outside of a transaction."

CREATE_RECORD = b"""
create table if not exists schema_migration (
    name text primary key, sha256 text not null, applied_at timestamptz not null default now())
"""
BEGIN_LOG = """
insert into feed_meta (epoch, place) values (%(epoch)s, log_place())
on conflict (only_row) do nothing
"""


class Migration(NamedTuple):
    """One file of db/migrations."""

    name: str
    body: bytes

    @property
    def sha256(self) -> str:
        """Checksum of the file."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def outside_transaction(self) -> bool:
        """Whether its statements, with an empty line between each two, are run one by one."""
        return self.body.startswith(OUTSIDE_TRANSACTION)


def migrations() -> list[Migration]:
    """Return all migrations in order."""
    folder = files("db") / "migrations"
    entries = (entry for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return sorted(Migration(entry.name, entry.read_bytes()) for entry in entries)


def migrate(
    connection: Connection[Any], hours: Iterable[HoursRow], *, move_rows: bool = False
) -> list[str]:
    """Bring the schema up to date; return the names newly applied.

    Safe to call from several processes at once. Each migration is a transaction of its own, so that
    no lock outlasts it. Roles are rerun each time, and the hours written: no schema is ever without
    them. Hypertables are made last.

    Args:
        connection: Of the owner.
        hours: The calendar's, as `strategy.session.calendar_hours` gives them.
        move_rows: Make hypertables of tables that hold rows too, which may take long.

    Raises:
        MigrationChangedError: A file differs from what was applied.
        SchemaOutdatedError: The database is newer than this program.
        TableLockedError: Somebody holds on to a table; what was applied before that one stays.
    """
    with _alone(connection):
        in_short_tries(connection, "migrating", partial(_run, connection, CREATE_RECORD))
        applied = _applied(connection)
        fresh = [migration for migration in migrations() if migration.name not in applied]
        for migration in fresh:
            apply(connection, migration)
            logger.info("applied %s", migration.name)
        in_short_tries(connection, "granting to roles", partial(_finish, connection, list(hours)))
        make_hypertables(connection, move_rows=move_rows)
    return [migration.name for migration in fresh]


def apply(connection: Connection[Any], migration: Migration) -> None:
    """Apply one migration and record it.

    Raises:
        TableLockedError: Somebody holds on to what it needs.
    """
    if migration.outside_transaction:
        in_one_wait(connection, migration.name, partial(_apply_outside, connection, migration))
    else:
        in_short_tries(connection, migration.name, partial(_apply_inside, connection, migration))


@contextmanager
def _alone(connection: Connection[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        if not stack.enter_context(advisory_lock(connection, MIGRATION_LOCK)):
            logger.info("another program migrates this database: waiting until it has ended")
            stack.enter_context(advisory_lock(connection, MIGRATION_LOCK, wait=True))
        yield


def _apply_inside(connection: Connection[Any], migration: Migration) -> None:
    _run(connection, migration.body)
    _record(connection, migration)


def _apply_outside(connection: Connection[Any], migration: Migration) -> None:
    # Stopped before it is recorded it runs again from its first statement.
    for statement in migration.body.split(b"\n\n"):
        connection.execute(statement)
    _record(connection, migration)


def _record(connection: Connection[Any], migration: Migration) -> None:
    query = "insert into schema_migration (name, sha256) values (%s, %s)"
    connection.execute(query, (migration.name, migration.sha256))


def _finish(connection: Connection[Any], hours: Iterable[HoursRow]) -> None:
    _run(connection, load_sql("roles.sql"))
    write_hours(connection, hours)
    connection.execute(BEGIN_LOG, {"epoch": secrets.token_hex(4)})


def _run(connection: Connection[Any], script: bytes) -> None:
    connection.execute("set local client_min_messages to warning")
    # Several statements in one go need the simple protocol, so no parameters.
    connection.execute(script)


def _applied(connection: Connection[Any]) -> dict[str, str]:
    rows = connection.execute("select name, sha256 from schema_migration order by name").fetchall()
    applied: dict[str, str] = dict(rows)
    known = {migration.name: migration.sha256 for migration in migrations()}
    for name, sha256 in applied.items():
        if name not in known:
            raise SchemaOutdatedError(
                f"the database has migration {name}, which this program lacks: update OptionScalp"
            )
        if known[name] != sha256:
            raise MigrationChangedError(
                f"migration {name} differs from what was applied: restore the file"
            )
    return applied


def require_current(connection: Connection[Any]) -> None:
    """Check that every migration is applied.

    Raises:
        SchemaOutdatedError: Some are missing.
    """
    exists = connection.execute("select to_regclass('schema_migration')").fetchone()
    applied = _applied(connection) if exists and exists[0] else {}
    missing = [m.name for m in migrations() if m.name not in applied]
    if missing:
        raise SchemaOutdatedError(f"{len(missing)} migrations to apply: run `optionscalp migrate`")
