"""How each table is written: keys, what replaces what, what readers are told."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from psycopg.sql import SQL, Composed, Identifier, Literal

from db.writing import rows as row_types
from db.writing.opinions import Opinions


def column_list(names: Iterable[str], prefix: str = "") -> Composed:
    """Return names as SQL lists them, each with its table's where one is given."""
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
        SQL("signal_revision ({}, revised_at)").format(column_list(row_types.Signal._fields)),
        SQL("{}, excluded.known_at").format(column_list(row_types.Signal._fields, "signal")),
    ),
    log=SQL("underlying, symbol, null::smallint, event_time, signal_id"),
)
SIGNAL_REJECTION = Relation(
    "signal_rejection",
    row_types.SignalRejection._fields,
    "text text text date timestamptz text text jsonb timestamptz",
    ("strategy", "version", "underlying", "event_time", "reason", "symbol"),
    ignored=(),  # as of a signal
)
