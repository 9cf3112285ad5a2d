"""A database in one file, and back: one snapshot, counted on both ways, whole or not at all.

The file is of `pg_dump`'s custom format, which `pg_restore` also reads without us, and sealed.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from db.server.checksum import Progress, seal
from db.server.connection import advisory_lock, connect, describe
from db.server.errors import BackupError
from db.server.migrate import MIGRATION_LOCK
from db.server.programs import Archive, client_program, work

# Rows by table, which is named with its schema.
Counts = Mapping[str, int]

TIMESCALE = "timescaledb"
# What belongs to an extension is the extension's to restore.
SIZES = """
select format('%I.%I', schemaname, tablename), pg_table_size(format('%I.%I', schemaname, tablename))
  from pg_tables where schemaname <> 'information_schema' and schemaname !~ '^pg_'
"""
OWN_TABLE = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.oid = to_regclass(%s)
   and not exists (select from pg_depend d
                    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
"""
TABLES = "select tablename from pg_tables where schemaname = 'public'"
MIGRATED = "schema_migration"
# Without any work of the user's, or of a source's.
FILLED_BY_MIGRATING = {MIGRATED, "feed_meta", "trading_hours"}
RELATIONS = """
select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'f', 'm', 'v', 'S')
   and n.nspname <> 'information_schema' and n.nspname !~ '^(pg_|_?timescaledb)'
   and not exists (select from pg_depend d
                    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
"""


def back_up(dsn: str, file: Path, progress: Progress) -> Counts:
    """Write a database to a file while others go on writing to it; return its rows by table.

    Raises:
        BackupError: The database holds nothing of ours, the file is there already or cannot be
            written, the programs do not fit, or the file does not hold what the database held. It
            is not there then.
    """
    if file.exists():
        raise BackupError(f"{file} is there already: choose another name")
    part = file.with_name(f"{file.name}.part")
    try:
        # For nobody else: it holds what the sources sent, and the user's own work.
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as error:
        raise BackupError(f"{part} cannot be written: {error.strerror}") from error
    try:
        with connect(dsn) as connection, connection.transaction():
            counts = _dump(connection, dsn, part, progress)
        seal(part, progress)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    return counts


def _require_ours(connection: Connection[Any]) -> None:
    names = {name for (name,) in connection.execute(TABLES).fetchall()}
    for name in names - FILLED_BY_MIGRATING if MIGRATED in names else ():
        query = SQL("select exists (select from {})").format(Identifier("public", name))
        row = connection.execute(query).fetchone()
        if row and row[0]:
            return
    raise BackupError(
        f"{describe(connection.info.dsn)} holds nothing to back up: name what is meant with --demo,"
        " --home, OPTIONSCALP_HOME or DATABASE_URL"
    )


def _dump(connection: Connection[Any], dsn: str, part: Path, progress: Progress) -> Counts:
    version = connection.info.server_version // 10_000
    programs = [client_program(name, version) for name in ("pg_dump", "pg_restore")]
    connection.execute("set transaction isolation level repeatable read, read only")
    connection.execute("set local idle_in_transaction_session_timeout to 0")
    _require_ours(connection)
    row = connection.execute("select pg_export_snapshot()").fetchone()
    sizes: dict[str, int] = dict(connection.execute(SIZES).fetchall())
    arguments = ["--format=custom", f"--snapshot={row[0] if row else ''}", f"--file={part}"]
    with progress("writing", sum(sizes.values())) as told:
        work(dsn, programs[0], arguments, sizes, told)
    counts = _counted(Archive(programs[1], part), progress)
    _require_equal(counts, connection, f"{part} does not hold what is stored: try again")
    return counts


def put_back(dsn: str, file: Path, progress: Progress) -> Counts:
    """Fill an empty database from a file; return its rows by table. The schema is the file's.

    Whatever fails half-way leaves the database empty.

    Raises:
        BackupError: The database is not empty, the file is no backup or of a newer server, or the
            programs do not fit.
    """
    with connect(dsn) as connection:
        # Whoever starts meanwhile waits with its migrations.
        with advisory_lock(connection, MIGRATION_LOCK, wait=True):
            version = connection.info.server_version // 10_000
            archive = Archive(client_program("pg_restore", version), file)
            _require_restorable(connection, archive, version)
            counts = _counted(archive, progress)
            arguments = ["--single-transaction", "--exit-on-error", "--no-owner"]
            arguments += ["--no-privileges", str(file.absolute())]
            with (
                _prepared(connection, archive),
                progress("restoring", sum(counts.values())) as told,
            ):
                work(dsn, archive.program, arguments, counts, told)
            _require_equal(
                counts, connection, f"{describe(dsn)} does not hold what {file} does: drop it"
            )
        connection.execute("analyze")
    return counts


def _require_restorable(connection: Connection[Any], archive: Archive, version: int) -> None:
    if archive.version > version:
        raise BackupError(
            f"{archive.file} is of PostgreSQL {archive.version} and the server of {version}:"
            f" restore into a server of {archive.version} or newer"
        )
    row = connection.execute(RELATIONS).fetchone()
    if row and row[0]:
        raise BackupError(
            f"{describe(connection.info.dsn)} is not empty: name an empty database in DATABASE_URL,"
            " or without it a new folder in OPTIONSCALP_HOME"
        )


def _counted(archive: Archive, progress: Progress) -> Counts:
    with progress("reading the file", archive.tables) as told:
        return archive.count_rows(told)


def _require_equal(counts: Counts, connection: Connection[Any], otherwise: str) -> None:
    for name, count in counts.items():
        if table := connection.execute(OWN_TABLE, (name,)).fetchone():
            query = SQL("select count(*) from only {}").format(Identifier(*table))
            row = connection.execute(query).fetchone()
            if row is None or row[0] != count:
                raise BackupError(f"{otherwise} ({name}: {count} rows in the file, not {row})")


@contextmanager
def _prepared(connection: Connection[Any], archive: Archive) -> Iterator[None]:
    """Let TimescaleDB take its tables as they are in the file, where they are its."""
    if TIMESCALE not in archive.extensions:
        yield
        return
    query = "select from pg_available_extensions where name = %s"
    if connection.execute(query, (TIMESCALE,)).fetchone() is None:
        raise BackupError(f"{archive.file} is of TimescaleDB: restore into a server that has it")
    connection.execute("create extension if not exists timescaledb")
    connection.execute("select timescaledb_pre_restore()")
    try:
        yield
    finally:
        connection.execute("select timescaledb_post_restore()")
