"""Derive tables apart from the stored ones, then compare and take over.

Temporary tables of the same names stand before the real ones in the search path, so that the
very functions that ingest live rows write here, into empty tables, and nobody sees it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from db.market.frames import Range
from db.market.gaps import LOG_EMPTY
from db.writing.bulk import CREATE_CHANGED, publish, statement_parts
from db.writing.relations import (
    BUILD_UP,
    CANDLE,
    CHAIN_OI,
    CONTRACT,
    QUOTE,
    SOURCE_VERSION,
    Relation,
)

SCRATCH = (
    *("contract", "candle", "build_up", "chain_oi", "quote", "source_version"),
    *("empty_interval", "revision", "change_log"),
)
# What a row's session is told by; a contract's belongs to many.
MOMENTS = {
    "candle": "open_time",
    "build_up": "open_time",
    "chain_oi": "observed_at",
    "quote": "moment",
    "source_version": "moment",
}
OF_A_SESSION = (CANDLE, BUILD_UP, CHAIN_OI, QUOTE, SOURCE_VERSION)
DERIVED = (CONTRACT, *OF_A_SESSION)
IMPORT = "import"

# Also what replaced what, and what is known to be empty; both only grow.
TAKE_EMPTY = SQL("""
with noted as (
    insert into public.empty_interval as kept select * from pg_temp.empty_interval
        on conflict (relation, symbol, interval_minutes, open_time) do update
       set confirmed_at = excluded.confirmed_at
     where kept.confirmed_at is null and excluded.confirmed_at is not null
    returning *, xmax = 0 as is_new
) {}
""").format(LOG_EMPTY)
TAKE_REVISIONS = b"""
insert into public.revision (relation, underlying, symbol, interval_minutes, open_time, replaced,
                             known_at, revised_at)
select relation, underlying, symbol, interval_minutes, open_time, replaced, known_at, revised_at
  from pg_temp.revision fresh
 where not exists (
       select from public.revision old
        where (old.relation, old.symbol, old.interval_minutes, old.open_time, old.revised_at)
              = (fresh.relation, fresh.symbol, fresh.interval_minutes, fresh.open_time,
                 fresh.revised_at))
"""


class Difference(NamedTuple):
    """How the derived rows of one table differ from the stored ones.

    `unexplained` rows are stored, and nothing in the archive tells why.
    """

    derived: int
    new: int
    changed: int
    unexplained: int


@contextmanager
def scratch_tables(connection: Connection[Any]) -> Iterator[None]:
    """Give a connection empty tables of its own instead of the derived ones.

    Args:
        connection: In autocommit mode; nobody else may use it meanwhile.
    """
    try:
        for name in SCRATCH:
            statement = "create temp table {} (like public.{} including all)"
            connection.execute(SQL(statement).format(Identifier(name), Identifier(name)))
        yield
    finally:
        for name in SCRATCH:
            connection.execute(SQL("drop table if exists pg_temp.{}").format(Identifier(name)))


def compare(
    connection: Connection[Any], session: Range, seen_to: datetime
) -> dict[str, Difference]:
    """Return how the scratch tables differ from the stored ones, by table.

    Args:
        connection: Inside `scratch_tables`.
        session: Whose rows.
        seen_to: Receipt of the newest answer derived from; rows known later are left alone.
    """
    found = {}
    for relation in DERIVED:
        query = SQL(
            "select count(*) filter (where {ready}),"
            " count(*) filter (where {table} is null and {ready}),"
            " count(*) filter (where {replaces}), count(*) filter (where {unexplained})"
            " from {both_sides}"
        ).format(**_parts(relation))
        row = connection.execute(query, _parameters(session, seen_to)).fetchone()
        found[relation.name] = Difference(*row) if row else Difference(0, 0, 0, 0)
    return found


def take_over(
    connection: Connection[Any], session: Range, seen_to: datetime, *, only_missing: bool = False
) -> None:
    """Make the stored rows equal the scratch tables', and tell the readers.

    Args:
        connection: Inside `scratch_tables`.
        session: Whose rows.
        seen_to: As for `compare`.
        only_missing: Write rows that are not there, and leave the others.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(CREATE_CHANGED)
        changed = 0
        for relation in DERIVED:
            cursor.execute(_take(relation, only_missing), _parameters(session, seen_to))
            changed += cursor.rowcount
        cursor.execute(TAKE_EMPTY)
        changed += cursor.rowcount
        cursor.execute(TAKE_REVISIONS)
        if changed:
            # Before the scratch log, which would hide the real one.
            cursor.execute("set local search_path to public, pg_temp")
            publish(cursor)


def remove_unexplained(connection: Connection[Any], session: Range, seen_to: datetime) -> None:
    """Delete stored rows that the scratch tables lack, and tell the readers."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(CREATE_CHANGED)
        removed = 0
        for relation in OF_A_SESSION:
            statement = SQL(
                "delete from public.{table} where ({key}) in"
                " (select {key} from {both_sides} where {unexplained})"
            ).format(**_parts(relation))
            if relation.log is not None:
                statement = SQL(
                    "with gone as ({} returning *) insert into changed select {}, {} from gone"
                ).format(statement, Literal(relation.name), relation.log)
            cursor.execute(statement, _parameters(session, seen_to))
            removed += cursor.rowcount
        if removed:
            cursor.execute("set local search_path to public, pg_temp")
            publish(cursor)


def _parameters(session: Range, seen_to: datetime) -> dict[str, Any]:
    return {**session.parameters(()), "seen_to": seen_to}


def _parts(relation: Relation) -> dict[str, Composable]:
    """Return the pieces of the statements; a derived row is `excluded`, as in an upsert."""
    parts = statement_parts(relation)
    moment = MOMENTS.get(relation.name)
    # What was still forming when the answer came explains a stored row, and replaces none.
    final = "final" in relation.columns
    parts["ready"] = SQL("excluded.final" if final else "not (excluded is null)")
    parts["window"] = SQL("true")
    parts["imported"] = Literal(IMPORT)
    replaces = SQL("({stored}) is distinct from ({incoming})")
    unexplained = SQL("false")
    if moment is not None:
        parts["window"] = SQL(
            "{moment} >= %(first)s::timestamptz and {moment} < %(last)s::timestamptz"
        ).format(moment=Identifier(moment))
        # Live writers go on meanwhile, and an import has no place in the archive.
        replaces = SQL(
            "(({stored}) is distinct from ({incoming}) or {table}.source <> {imported}"
            " and ({table}.known_at, {table}.source)"
            " is distinct from (excluded.known_at, excluded.source))"
            " and {table}.known_at <= %(seen_to)s"
        )
        unexplained = SQL(
            "excluded is null and {table}.source <> {imported} and {table}.known_at <= %(seen_to)s"
        )
    parts["unexplained"] = unexplained.format(**parts)
    parts["replaces"] = SQL("not ({table} is null) and {ready} and {replaces}").format(
        replaces=replaces.format(**parts), **parts
    )
    parts["both_sides"] = SQL(
        "pg_temp.{table} excluded"
        " full join (select * from public.{table} where {window}) {table} using ({key})"
    ).format(**parts)
    return parts


def _take(relation: Relation, only_missing: bool) -> Composed:
    parts = _parts(relation)
    if only_missing:
        parts["replaces"] = SQL("false")
    write = SQL(
        "insert into public.{table} ({columns})"
        " select {columns} from pg_temp.{table} excluded where {ready} and ({key}) in"
        " (select {key} from {both_sides} where {table} is null or {replaces}) order by {key}"
        " on conflict ({key}) do update set {assignments}"
    ).format(**parts)
    if relation.log is None:
        return write
    return SQL(
        "with merged as ({write} returning {log}) insert into changed select {name}, * from merged"
    ).format(write=write, log=relation.log, **parts)
