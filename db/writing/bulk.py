"""The one way rows are written: stage with COPY, upsert what differs, log what really changed.

In one transaction: binary COPY into a temporary table, an upsert that touches only rows that
differ, then, last, the publish lock, the change-log entries and a notification. Sequence numbers
are allocated under that lock, which is held until the commit is visible, so that any snapshot
that sees a number sees all committed numbers below it. Nothing else may be locked after it.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from psycopg import Connection, Cursor
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from psycopg.types.json import Jsonb

from db.writing import rows as row_types
from db.writing.opinions import Contest, Opinions, keep_opinions

PUBLISH_LOCK = 7_346_002
CHUNK_ROWS = 10_000


def _columns(names: Iterable[str], prefix: str = "") -> Composed:
    parts = [Identifier(prefix, name) if prefix else Identifier(name) for name in names]
    return SQL(", ").join(parts)


def _told(row_type: Any, *key: str) -> tuple[str, ...]:
    """Return the columns that a source tells of a row."""
    own = {*key, "source", "known_at"}
    return tuple(name for name in row_type._fields if name not in own)


class Revised(NamedTuple):
    """When replacing a stored row is a revision, and where it is kept as it was.

    Attributes:
        condition: On the stored row.
        into: The table and its columns.
        values: Expressions for them; the stored row has its table's name, the incoming one is
            called `excluded`.
    """

    condition: SQL | Composed
    into: SQL | Composed
    values: SQL | Composed


def _market_revision(table: str, condition: SQL, interval_minutes: SQL) -> Revised:
    return Revised(
        condition,
        SQL(
            "revision (relation, underlying, symbol, interval_minutes, open_time, replaced,"
            " known_at, revised_at)"
        ),
        SQL(
            "{name}, {table}.underlying, {table}.symbol, {interval}, {table}.open_time,"
            " to_jsonb({table}), {table}.known_at, excluded.known_at"
        ).format(name=Literal(table), table=Identifier(table), interval=interval_minutes),
    )


class Relation(NamedTuple):
    """How one table is written.

    Attributes:
        name: The table.
        columns: In the order of the row type.
        types: PostgreSQL type names of the columns, for binary COPY, one after the other.
        key: Columns of the conflict target.
        ignored: Columns that alone make no change: a value keeps its first `known_at`.
        merged: Columns whose new value comes from both the stored and the incoming row.
        guard: Further condition on an update.
        revised: Which replaced rows are kept, of a table that readers follow; None for none.
        log: Expressions for the change log's columns (underlying, symbol, interval_minutes,
            moment, signal_id); none where readers do not follow the table.
        kept: A further insert of what was written, called `merged`; None for none.
        opinions: What is done where two sources have told the same row; None where rows are made
            by ourselves.
    """

    name: str
    columns: tuple[str, ...]
    types: str
    key: tuple[str, ...]
    ignored: tuple[str, ...] = ("known_at", "source")
    merged: Mapping[str, SQL] = MappingProxyType({})
    guard: SQL = SQL("true")
    revised: Revised | None = None
    log: SQL | None = None
    kept: SQL | None = None
    opinions: Opinions | None = None


CONTRACT = Relation(
    "contract",
    row_types.Contract._fields,
    "text text date int4 text int4 date date text timestamptz float8",
    ("symbol",),
    ignored=("source",),
    merged={
        "first_seen": SQL("least(excluded.first_seen, contract.first_seen)"),
        "last_seen": SQL("greatest(excluded.last_seen, contract.last_seen)"),
        # Null where one does not tell.
        "listed_at": SQL("least(excluded.listed_at, contract.listed_at)"),
        "tick_size": SQL("coalesce(excluded.tick_size, contract.tick_size)"),
    },
    log=SQL(
        "underlying, symbol, null::smallint,"
        " first_seen::timestamp at time zone 'Asia/Kolkata', null::uuid"
    ),
)
CANDLE = Relation(
    "candle",
    row_types.Candle._fields,
    "text int2 timestamptz text float8 float8 float8 float8 int8 int8 text timestamptz bool bool",
    ("symbol", "interval_minutes", "open_time"),
    # TradingView's candles carry no open interest, and sometimes no volume: what is known stays.
    merged={
        # But what was traded while it formed is not all that was.
        "volume": SQL(
            "case when candle.final then coalesce(excluded.volume, candle.volume)"
            " else excluded.volume end"
        ),
        "open_interest": SQL(
            "case when candle.final and excluded.source = candle.source"
            " then coalesce(excluded.open_interest, candle.open_interest)"
            " else excluded.open_interest end"
        ),
    },
    # A forming candle never replaces a final one; of two equals the one known later counts, and of
    # two sources' the preferred one. Two final ones of two sources are opinions.
    guard=SQL(
        "case when excluded.source = candle.source then (excluded.final > candle.final"
        " or excluded.final = candle.final and excluded.known_at >= candle.known_at)"
        " else not candle.final and (excluded.final"
        " or source_place(excluded.source) < source_place(candle.source)"
        " or source_place(excluded.source) = source_place(candle.source)"
        " and excluded.known_at >= candle.known_at) end"
    ),
    revised=_market_revision("candle", SQL("candle.final"), SQL("candle.interval_minutes")),
    log=SQL("underlying, symbol, interval_minutes, open_time, null::uuid"),
    opinions=Opinions(
        "open_time",
        _told(row_types.Candle, "symbol", "interval_minutes", "open_time"),
        ("volume", "open_interest"),
        ready="final",
        keeps=True,
    ),
)
# The live feed's: what viewers saw of a candle before it was final is kept for replays. From
# what was really written, in the same statement, so that both are there or neither.
LIVE_CANDLE = CANDLE._replace(
    kept=SQL(
        "insert into forming (symbol, interval_minutes, open_time, underlying, open, high, low,"
        " close, volume, source, known_at) select symbol, interval_minutes, open_time, underlying,"
        " open, high, low, close, volume, source, known_at from merged where not final"
        " on conflict do nothing"
    )
)
BUILD_UP = Relation(
    "build_up",
    row_types.BuildUp._fields,
    "text timestamptz text timestamptz float8 int8 int8 int8 text text timestamptz text bool",
    ("symbol", "open_time"),
    guard=SQL("excluded.known_at >= build_up.known_at"),  # an import never replaces live rows
    revised=_market_revision("build_up", SQL("true"), SQL("5")),
    log=SQL("underlying, symbol, null::smallint, open_time, null::uuid"),
)
CHAIN_OI = Relation(
    "chain_oi",
    row_types.ChainOi._fields,
    "text date int4 timestamptz int8 int8 int8 int8 text timestamptz",
    ("underlying", "expiry", "strike", "observed_at"),
    guard=SQL("excluded.source = chain_oi.source"),
    opinions=Opinions(
        "observed_at",
        _told(row_types.ChainOi, "underlying", "expiry", "strike", "observed_at"),
        ("call_oi", "put_oi", "call_prev_oi", "put_prev_oi"),
    ),
    # A strike goes by the symbol of its call, as everything else in the log by its own.
    log=SQL(
        "underlying, underlying || to_char(expiry, 'YYMMDD') || 'C' || strike,"
        " null::smallint, observed_at, null::uuid"
    ),
)
QUOTE = Relation(
    "quote",
    row_types.Quote._fields,
    "text timestamptz float8 float8 int8 int8 text timestamptz",
    ("symbol", "moment"),
    guard=SQL("excluded.source = quote.source"),
    opinions=Opinions("moment", _told(row_types.Quote, "symbol", "moment"), ()),
)
# Written where rows of two sources meet, never by itself.
SOURCE_VERSION = Relation(
    "source_version",
    ("relation", "key", "source", "moment", "values", "known_at"),
    "text jsonb text timestamptz jsonb timestamptz",
    ("relation", "key", "source"),
    ignored=("known_at",),
)
GREEKS = Relation(
    "greeks",
    row_types.Greeks._fields,
    "text int2 timestamptz text float8 text float8 float8 float8 float8 float8 timestamptz",
    ("symbol", "open_time", "interval_minutes"),
    log=SQL("underlying, symbol, interval_minutes, open_time, null::uuid"),
)
SIGNAL = Relation(
    "signal",
    row_types.Signal._fields,
    (
        "uuid text text text date timestamptz text text text int4 float8 int8 int4[]"
        " float8 float8 float8 float8 text jsonb text timestamptz timestamptz timestamptz int4"
    ),
    ("signal_id",),
    # `known_at` counts: what is stored equals what would be computed now, byte for byte.
    ignored=("revision",),
    merged={"revision": SQL("signal.revision + 1")},
    revised=Revised(
        SQL("true"),
        SQL("signal_revision ({}, revised_at)").format(_columns(row_types.Signal._fields)),
        SQL("{}, excluded.known_at").format(_columns(row_types.Signal._fields, "signal")),
    ),
    log=SQL("underlying, symbol, null::smallint, event_time, signal_id"),
)
SIGNAL_REJECTION = Relation(
    "signal_rejection",
    row_types.SignalRejection._fields,
    "text text text date timestamptz text text jsonb timestamptz",
    ("strategy", "version", "underlying", "event_time", "reason", "symbol"),
)

# The changed keys wait here between the upsert and the publish lock.
CREATE_CHANGED = b"""
create temp table if not exists changed (
    relation text, underlying text, symbol text, interval_minutes smallint, moment timestamptz,
    signal_id uuid) on commit delete rows
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
        stored=_columns(values, relation.name), incoming=_columns(values, "excluded")
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
        "columns": _columns(relation.columns),
        "key": _columns(relation.key),
        "stage": _stage(relation),
        "assignments": SQL(", ").join(
            SQL("{} = {}").format(Identifier(name), incoming(name)) for name in values
        ),
        "stored": _columns(compared, relation.name),
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
        stage, _columns(relation.columns)
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
    cursor.execute("select pg_advisory_xact_lock(%s)", (PUBLISH_LOCK,))
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
