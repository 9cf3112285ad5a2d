"""A PostgreSQL server of the benchmark's own, and a migrated database in it."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

import db.server.embedded
from db.server.connection import connect, create_database, with_database
from db.server.migrate import migrate
from db.writing.relations import Relation
from strategy.session import calendar_hours


@contextmanager
def fresh_database() -> Iterator[str]:
    """Start an embedded server in a temporary folder; yield a migrated database of it."""
    with (
        tempfile.TemporaryDirectory(prefix="optionscalp-bench-") as folder,
        db.server.embedded.use(Path(folder)) as server,
    ):
        dsn = with_database(server, "optionscalp_bench")
        create_database(dsn)
        with connect(dsn) as connection:
            migrate(connection, calendar_hours())
        yield dsn


def load(
    connection: Connection[Any],
    relation: Relation,
    rows: Iterable[Sequence[Any]],
    table: str | None = None,
) -> None:
    """COPY rows into a relation's table, or one of its shape: fast, not idempotent, not logged."""
    statement = SQL("copy {} ({}) from stdin (format binary)").format(
        Identifier(table or relation.name), SQL(", ").join(map(Identifier, relation.columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(relation.types.split())
        for row in rows:
            copy.write_row(row)
