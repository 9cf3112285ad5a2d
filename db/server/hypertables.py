"""Which tables are hypertables where TimescaleDB is there, and making them."""

import logging
import time
from functools import partial
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from db.server.locks import in_short_tries

logger = logging.getLogger(__name__)

# Enough that the time per row counts more than the time to begin; a second or less.
SAMPLE_ROWS = 20_000

CREATE_EXTENSION = "create extension if not exists timescaledb"
IS_THERE = "select exists (select from pg_available_extensions where name = 'timescaledb')"
IS_INSTALLED = "select exists (select from pg_extension where extname = 'timescaledb')"
THERE_ARE = """
select hypertable_name from timescaledb_information.hypertables
 where hypertable_schema = 'public'
"""
CREATE_SAMPLE = SQL("""
create table {sample} (like {table} including all);
insert into {sample} select * from {table} limit {rows};
""")
CREATE_HYPERTABLE = """
select create_hypertable(%(name)s::regclass, by_range(%(time)s, %(chunk)s::interval),
                         migrate_data => true)
"""


class Hypertable(NamedTuple):
    """A table that is one, the column of its time, and how much of it lies in a chunk."""

    name: str
    time: str
    chunk: str


# A week of one-minute rows and of quotes, a month of five-minute rows, a day of forming candles'
# states.
HYPERTABLES = (
    Hypertable("candle", "open_time", "7 days"),
    Hypertable("build_up", "open_time", "1 month"),
    Hypertable("greeks", "open_time", "7 days"),
    Hypertable("forming", "open_time", "1 day"),
    Hypertable("quote", "moment", "7 days"),
    Hypertable("chain_oi", "observed_at", "1 month"),
)


def make_hypertables(connection: Connection[Any], *, move_rows: bool) -> None:
    """Make those that are missing; where TimescaleDB or nothing is missing nothing happens.

    Without rows it takes no time. With rows nobody reads or writes a table while they are moved.

    Args:
        connection: Of the owner.
        move_rows: Of tables with rows too, telling before each how long it will take; else these
            are named, and stay as they are.

    Raises:
        TableLockedError: Somebody holds on to one of them.
    """
    for table in _missing(connection):
        empty = SQL("select not exists (select from {})").format(Identifier(table.name))
        if _value(connection, empty):
            in_short_tries(connection, table.name, partial(_make, connection, table))
        elif move_rows:
            _move(connection, table)
        else:
            logger.warning(
                "%s holds rows and is no hypertable: `optionscalp migrate` makes it one, and says"
                " first how long nobody can read it; until then it works as it is",
                table.name,
            )


def _move(connection: Connection[Any], table: Hypertable) -> None:
    rows = _value(connection, SQL("select count(*) from {}").format(Identifier(table.name)))
    told = _words(_estimate(connection, table, rows))
    logger.info(
        "%s: making a hypertable of %s rows takes about %s; nobody can read or write it then",
        *(table.name, f"{rows:,}", told),
    )
    took = in_short_tries(connection, table.name, partial(_make, connection, table))
    logger.info("%s: a hypertable now, after %s", table.name, _words(took))


def _missing(connection: Connection[Any]) -> list[Hypertable]:
    if not _value(connection, IS_THERE):
        return []
    if not _value(connection, IS_INSTALLED):
        in_short_tries(connection, "timescaledb", partial(_run, connection, CREATE_EXTENSION))
    made = {name for (name,) in connection.execute(THERE_ARE)}
    return [table for table in HYPERTABLES if table.name not in made]


def _make(connection: Connection[Any], table: Hypertable) -> float:
    began = time.monotonic()
    _run(connection, CREATE_HYPERTABLE, table._asdict())
    return time.monotonic() - began


def _estimate(connection: Connection[Any], table: Hypertable, rows: int) -> float:
    """Return seconds, by how long some of the rows take on this server; nothing of them stays."""
    sample = table._replace(name=f"{table.name}_sample")
    names = {"sample": Identifier(sample.name), "table": Identifier(table.name)}
    with connection.transaction(force_rollback=True):
        connection.execute(CREATE_SAMPLE.format(**names, rows=SAMPLE_ROWS))
        return _make(connection, sample) * max(rows / SAMPLE_ROWS, 1)


def _run(
    connection: Connection[Any], query: LiteralString, values: dict[str, str] | None = None
) -> None:
    # What TimescaleDB notices about the moving of rows is told by us.
    connection.execute("set local client_min_messages to warning")
    connection.execute(query, values)


def _value(connection: Connection[Any], query: LiteralString | Composed) -> Any:
    row = connection.execute(query).fetchone()
    return row and row[0]


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
