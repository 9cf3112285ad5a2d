"""Numbered, forward-only migrations under an advisory lock, recorded with their checksums."""

import hashlib
import logging
import secrets
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, NamedTuple

from psycopg import Connection

from db.server.connection import advisory_lock, load_sql
from db.server.errors import MigrationChangedError, SchemaOutdatedError
from db.server.hours import HoursRow, write_hours

logger = logging.getLogger(__name__)

MIGRATION_LOCK = 7_346_001

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


def migrations() -> list[Migration]:
    """Return all migrations in order."""
    folder = files("db") / "migrations"
    entries = (entry for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return sorted(Migration(entry.name, entry.read_bytes()) for entry in entries)


def migrate(connection: Connection[Any], hours: Iterable[HoursRow]) -> list[str]:
    """Bring the schema up to date; return the names newly applied.

    Safe to call from several processes at once. Roles and TimescaleDB's part are rerun each time,
    and the hours written: no schema is ever without them.

    Args:
        connection: Of the owner.
        hours: The calendar's, as `strategy.session.calendar_hours` gives them.

    Raises:
        MigrationChangedError: A file differs from what was applied.
        SchemaOutdatedError: The database is newer than this program.
    """
    with (
        advisory_lock(connection, MIGRATION_LOCK, wait=True),
        connection.transaction(),
    ):
        connection.execute("set local client_min_messages to warning")
        connection.execute(CREATE_RECORD)
        applied = _applied(connection)
        fresh = [migration for migration in migrations() if migration.name not in applied]
        for migration in fresh:
            _run(connection, migration.body)
            connection.execute(
                "insert into schema_migration (name, sha256) values (%s, %s)",
                (migration.name, migration.sha256),
            )
        _run(connection, load_sql("timescale.sql"))
        _run(connection, load_sql("roles.sql"))
        write_hours(connection, hours)
        connection.execute(BEGIN_LOG, {"epoch": secrets.token_hex(4)})
    for migration in fresh:
        logger.info("applied %s", migration.name)
    return [migration.name for migration in fresh]


def _run(connection: Connection[Any], script: bytes) -> None:
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
