"""Signals as PostgreSQL has them: what is stored, what computed rows would be, what was proved."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from db.signals.store import Scope
from db.writing.relations import SIGNAL, SIGNAL_REJECTION, Relation
from db.writing.rows import Signal, SignalRejection

Record = dict[str, Any]  # a row: values by column

# How often a row was corrected follows from its history, not from the data.
STORED_SIGNALS: LiteralString = """
select to_jsonb(s) - 'revision' from signal s
 where strategy = %(strategy)s and version = %(version)s and underlying = any(%(underlyings)s)
   and session between %(first)s and %(last)s and withdrawn_at is null
"""
NOTE_PROOF = """
insert into strategy_proof (strategy, version, session, proof, equal, digest, proved_at)
values (%(strategy)s, %(version)s, %(session)s, %(proof)s, %(equal)s, %(digest)s, %(proved_at)s)
on conflict (strategy, version, session, proof) do update
   set equal = excluded.equal, digest = excluded.digest, proved_at = excluded.proved_at
"""
STORED_REJECTIONS: LiteralString = """
select to_jsonb(r) from signal_rejection r
 where strategy = %(strategy)s and version = %(version)s and underlying = any(%(underlyings)s)
   and session between %(first)s and %(last)s
"""


class Proving(NamedTuple):
    """What was found of a version in a session; `proof` is parity or lookahead."""

    strategy: str
    version: str
    session: date
    proof: str
    equal: bool
    digest: str
    proved_at: datetime


def note_proof(connection: Connection[Any], proving: Proving) -> None:
    """Keep what was found last, for whoever reads statistics of the version."""
    connection.execute(NOTE_PROOF, proving._asdict())


def stored_records(connection: Connection[Any], scope: Scope) -> list[Record]:
    """Return the standing signals and the rejections of a scope, without `revision`."""
    return [
        record
        for query in (STORED_SIGNALS, STORED_REJECTIONS)
        for (record,) in connection.execute(query, scope.parameters())
    ]


def as_stored(
    connection: Connection[Any], signals: Sequence[Signal], rejections: Sequence[SignalRejection]
) -> list[Record]:
    """Return what `stored_records` would for these rows, which are not stored.

    They go through tables of the same types, inside the caller's transaction.
    """
    return _through(connection, SIGNAL, signals, "revision") + _through(
        connection, SIGNAL_REJECTION, rejections, ""
    )


def _through(
    connection: Connection[Any], relation: Relation, rows: Iterable[Sequence[Any]], left_out: str
) -> list[Record]:
    table = Identifier(f"proof_{relation.name}")
    kinds = relation.types.split()
    columns: Composed = SQL(", ").join(map(Identifier, relation.columns))
    create = SQL("create temp table if not exists {} (like {}) on commit delete rows")
    with connection.cursor() as cursor:
        cursor.execute(create.format(table, Identifier(relation.name)))
        cursor.execute(SQL("truncate {}").format(table))
        statement = SQL("copy {} ({}) from stdin (format binary)").format(table, columns)
        with cursor.copy(statement) as copy:
            copy.set_types(kinds)
            for row in rows:
                values = zip(kinds, row, strict=True)
                copy.write_row(
                    [Jsonb(value) if kind == "jsonb" else value for kind, value in values]
                )
        cursor.execute(SQL("select to_jsonb(t) - %s from {} t").format(table), (left_out,))
        return [record for (record,) in cursor]
