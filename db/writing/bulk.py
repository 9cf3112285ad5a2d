"""The one way rows are written: stage with COPY, upsert what differs, log what really changed.

In one transaction: binary COPY into a temporary table, an upsert that touches only rows that
differ, then, last, the publish lock, the change-log entries and a notification. Sequence numbers
are allocated under that lock, which is held until the commit is visible, so that any snapshot
that sees a number sees all committed numbers below it. Nothing else may be locked after it (but
the one row of `feed_meta`, whose other writer, pruning, waits for nothing).
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from psycopg import Connection, Cursor
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from psycopg.types.json import Jsonb

from db.writing.opinions import Contest, keep_opinions
from db.writing.relations import Relation, Revised, column_list

PUBLISH_LOCK = 7_346_002
CHUNK_ROWS = 10_000


# The changed keys wait here between the upsert and the publish lock.
CREATE_CHANGED = b"""
create temp table if not exists changed (
    relation text, underlying text, symbol text, interval_minutes smallint, moment timestamptz,
    signal_id uuid) on commit delete rows
"""
# A commit that others see must outlive the server: numbers they have seen would be given again.
LOCK = b"""
select pg_advisory_xact_lock(%s),
       case current_setting('synchronous_commit')
           when 'off' then set_config('synchronous_commit', 'local', true) end
"""
# Before the first number that a copy of the log, or the log itself after a loss, would give too.
BEGIN_STRETCH = b"""
with ended as (
    select f.stretch, s.newest from feed_meta f, change_log_state(null) s
     where f.place is distinct from log_place()
), kept as (
    insert into past_stretch (stretch, last_seq) select stretch, newest from ended
)
update feed_meta
   set place = log_place(), stretch = left(replace(gen_random_uuid()::text, '-', ''), 12)
 where exists (select from ended)
"""
PUBLISH = b"""
insert into change_log (relation, underlying, symbol, interval_minutes, moment, signal_id)
select relation, underlying, symbol, interval_minutes, moment, signal_id
  from changed
 order by moment, symbol, interval_minutes
"""


def _stage(relation: Relation) -> Identifier:
    return Identifier(f"stage_{relation.name}")


def _merge_statement(relation: Relation) -> Composed:
    parts = statement_parts(relation)
    incoming = SQL(
        "select distinct on ({key}) {columns} from {stage} order by {key}, ctid desc"
    ).format(**parts)
    replaces = SQL("{differs} or {sooner}").format(**parts)
    if relation.opinions is not None:  # the same values, of a source that is preferred
        replaces = SQL("{} or excluded.source <> {table}.source and {guard}").format(
            replaces, **parts
        )
    return _upsert(relation, parts, incoming, replaces)


def _made_statement(relation: Relation, contest: Contest) -> Composed:
    """Return the upsert of rows that are made of what two sources say."""
    parts = statement_parts(relation)
    values = [name for name in relation.columns if name not in relation.key]
    parts["assignments"] = SQL(", ").join(
        SQL("{0} = excluded.{0}").format(Identifier(name)) for name in values
    )
    parts["differs"] = SQL("({stored}) is distinct from ({incoming})").format(
        stored=column_list(values, relation.name), incoming=column_list(values, "excluded")
    )
    return _upsert(relation, parts, contest.rows(), parts["differs"])


_CONTESTS: dict[str, Contest] = {}  # composing a statement takes longer than running it


def _contest(relation: Relation) -> Contest | None:
    if relation.opinions is None:
        return None
    if relation.name not in _CONTESTS:
        _CONTESTS[relation.name] = Contest(
            relation.name, relation.columns, relation.key, relation.opinions
        )
    return _CONTESTS[relation.name]


def _upsert(
    relation: Relation, parts: dict[str, Composable], incoming: Composed, replaces: Composable
) -> Composed:
    merge = SQL(
        "insert into {table} ({columns}) select {columns} from incoming "
        "on conflict ({key}) do update set {assignments} where {replaces}"
    ).format(replaces=replaces, **parts)
    steps = [
        SQL("incoming ({columns}) as materialized ({incoming})").format(
            **{**parts, "incoming": incoming}
        )
    ]
    if relation.log is not None:
        steps.append(SQL("merged as ({} returning *)").format(merge))
        if relation.revised is not None:
            steps.append(_revision_step(relation.revised, parts))
        if relation.kept is not None:
            steps.append(SQL("kept as ({})").format(relation.kept))
        merge = SQL("insert into changed select {name}, {log} from merged").format(
            log=relation.log, **parts
        )
    return SQL("with {} {}").format(SQL(", ").join(steps), merge)


def statement_parts(relation: Relation) -> dict[str, Composable]:
    """Return the pieces of an upsert by name; incoming rows are called `excluded` in them."""
    values = [name for name in relation.columns if name not in relation.key]
    compared = [name for name in values if name not in relation.ignored]

    def incoming(name: str) -> SQL | Composed:
        return relation.merged.get(name) or SQL("excluded.{}").format(Identifier(name))

    parts: dict[str, Composable] = {
        "name": Literal(relation.name),
        "table": Identifier(relation.name),
        "columns": column_list(relation.columns),
        "key": column_list(relation.key),
        "stage": _stage(relation),
        "assignments": SQL(", ").join(
            SQL("{} = {}").format(Identifier(name), incoming(name)) for name in values
        ),
        "stored": column_list(compared, relation.name),
        "incoming": SQL(", ").join(incoming(name) for name in compared),
        "guard": relation.guard,
    }
    parts["differs"] = SQL("({stored}) is distinct from ({incoming}) and {guard}").format(**parts)
    # Two processes may write what they received in the other order: the first receipt counts.
    # The cheap conditions come first: most rows that come again are known later.
    sooner = SQL(
        "excluded.known_at < {table}.known_at and excluded.source = {table}.source"
        " and ({stored}) is not distinct from ({incoming})"
    )
    first_receipt = {"known_at", "source"} <= set(relation.columns)
    parts["sooner"] = sooner.format(**parts) if first_receipt else SQL("false")
    return parts


def _revision_step(revised: Revised, parts: dict[str, Composable]) -> Composed:
    # The same statement's upsert is not seen yet: the table has the rows as they were. Only what
    # it changed is looked up, which for rows that come again is nothing.
    return SQL(
        "revised as (insert into {into} select {values}"
        " from merged excluded join {table} using ({key}) where {condition} and {differs})"
    ).format(into=revised.into, values=revised.values, condition=revised.condition, **parts)


def _with_json(kinds: Sequence[str], row: Sequence[Any]) -> Sequence[Any]:
    pairs = zip(kinds, row, strict=True)
    return [Jsonb(value) if kind == "jsonb" else value for kind, value in pairs]


def merge(cursor: Cursor[Any], relation: Relation, rows: Iterable[Sequence[Any]]) -> int:
    """Upsert rows inside the caller's transaction; return how many really changed.

    A key given twice counts with its last row. The caller publishes afterwards.
    """
    stage = _stage(relation)
    cursor.execute(
        SQL("create temp table if not exists {} (like {}) on commit delete rows").format(
            stage, Identifier(relation.name)
        )
    )
    cursor.execute(SQL("truncate {}").format(stage))
    if relation.log is not None:
        cursor.execute(CREATE_CHANGED)
    copy_statement = SQL("copy {} ({}) from stdin (format binary)").format(
        stage, column_list(relation.columns)
    )
    kinds = relation.types.split()
    if "jsonb" in kinds:
        rows = (_with_json(kinds, row) for row in rows)
    staged = list(rows)
    with cursor.copy(copy_statement) as copy:
        copy.set_types(kinds)
        for row in staged:
            copy.write_row(row)
    cursor.execute(_merge_statement(relation))
    changed = cursor.rowcount
    if staged and (contest := _contest(relation)):
        told = keep_opinions(cursor, contest, staged)
        if told is not None:
            cursor.execute(_made_statement(relation, contest), told)
            changed += cursor.rowcount
    return changed


def publish(cursor: Cursor[Any]) -> None:
    """Log and announce what `merge` changed; the last thing before the commit."""
    cursor.execute(LOCK, (PUBLISH_LOCK,))
    cursor.execute(BEGIN_STRETCH)
    cursor.execute(PUBLISH)
    cursor.execute("select pg_notify('feed', '')")


def require_idle(connection: Connection[Any]) -> None:
    """Refuse to run inside the caller's transaction, which would hold the publish lock longer.

    Raises:
        RuntimeError: The connection is in a transaction or not in autocommit mode.
    """
    idle = connection.info.transaction_status == TransactionStatus.IDLE
    if not (connection.autocommit and idle):
        raise RuntimeError("writes need an autocommit connection outside of a transaction")


def write(connection: Connection[Any], relation: Relation, rows: Iterable[Sequence[Any]]) -> int:
    """Write rows of one relation; return how many were new or changed.

    Writing the same rows again writes nothing and logs nothing. At most 10,000 rows go into one
    transaction; each is complete or absent.

    Args:
        connection: In autocommit mode, outside of a transaction.
        relation: Where to.
        rows: Of the relation's row type, in any order.
    """
    require_idle(connection)
    # One order of keys for all writers, so that two upserts never wait for each other in a ring.
    places = [relation.columns.index(name) for name in relation.key]
    pending = iter(sorted(rows, key=lambda row: tuple(row[place] for place in places)))
    changed = 0
    while chunk := list(islice(pending, CHUNK_ROWS)):
        with connection.transaction(), connection.cursor() as cursor:
            count = merge(cursor, relation, chunk)
            if count and relation.log is not None:
                publish(cursor)
        changed += count
    return changed
