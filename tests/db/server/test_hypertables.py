"""Hypertables: of empty tables at once, of full ones as a step of its own that says how long."""

import logging
from collections.abc import Iterator

import psycopg
import pytest

from db.server.connection import connect
from db.server.hypertables import HYPERTABLES, IS_THERE, THERE_ARE
from db.server.migrate import migrate, migrations
from strategy.session import calendar_hours

ROWS = 30_000
CANDLES = f"""
insert into candle (symbol, interval_minutes, open_time, underlying, open, high, low, close, source,
                    known_at, final)
select 'NIFTY', 1, timestamptz '2025-12-01 03:45Z' + make_interval(mins => minute), 'NIFTY', 1, 1,
       1, 1, 'test', '2026-01-21 03:46Z', true
  from generate_series(1, {ROWS}) minute
"""


@pytest.fixture
def filled(empty_database: str) -> Iterator[psycopg.Connection]:
    """A database whose candles were stored before TimescaleDB came."""
    with connect(empty_database) as opened:
        if opened.execute(IS_THERE).fetchone() == (False,):
            pytest.skip("this server has no TimescaleDB")
        opened.execute(b"\n".join(migration.body for migration in migrations()))
        opened.execute(CANDLES.encode())
        opened.execute(
            "create table schema_migration (name text primary key, sha256 text not null,"
            " applied_at timestamptz not null default now())"
        )
        for migration in migrations():
            opened.execute(
                "insert into schema_migration values (%s, %s)", (migration.name, migration.sha256)
            )
        yield opened


def hypertables(connection: psycopg.Connection) -> set[str]:
    return {name for (name,) in connection.execute(THERE_ARE)}


def test_a_full_table_waits_for_its_own_step_and_every_program_says_so(
    filled: psycopg.Connection, caplog: pytest.LogCaptureFixture
):
    everything = {table.name for table in HYPERTABLES}
    with caplog.at_level(logging.INFO, "db.server"):
        migrate(filled, calendar_hours())
    assert hypertables(filled) == everything - {"candle"}
    (told,) = (line for line in caplog.messages if line.startswith("candle "))
    assert "holds rows and is no hypertable: `optionscalp migrate` makes it one" in told

    caplog.clear()
    before = filled.execute("select * from candle order by open_time").fetchall()
    with caplog.at_level(logging.INFO, "db.server"):
        migrate(filled, calendar_hours(), move_rows=True)
    assert hypertables(filled) == everything
    assert filled.execute("select * from candle order by open_time").fetchall() == before
    first, last = (line for line in caplog.messages if line.startswith("candle: "))
    assert f"making a hypertable of {ROWS:,} rows takes about " in first
    assert "nobody can read or write it" in first
    assert "a hypertable now, after " in last
    # What the estimate was made with is gone.
    assert filled.execute("select to_regclass('candle_sample')").fetchone() == (None,)


def test_nothing_is_said_where_all_are_hypertables(
    connection: psycopg.Connection, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "db.server"):
        migrate(connection, calendar_hours(), move_rows=True)
    assert caplog.messages == []
