"""Answers made to break whoever reads them, of every source, against runs of the schedule.

Each ends in an error of ours, its bytes are kept and its words are few. The other source goes on,
and the next good answers bring what was missing. In the long form every kind of each comes.
"""

import asyncio
from pathlib import Path

import pytest

from db.archive.words import LONGEST_BYTES
from db.server.connection import connect
from pipelines.ingest.candles import ingest_candles
from pipelines.ingest.positions import ingest_positions
from pipelines.ingest.rebuild import rebuild
from pipelines.sources.errors import SourceError
from simulator import poison
from simulator.bad_bars import LENGTHS
from simulator.faults import Fault
from tests.broker import broker_desk
from tests.faulty import (
    AFTER,
    DAY,
    LATEST,
    UNTIL,
    WITHIN,
    Tables,
    assert_nothing_invented,
    at,
    fault,
    run,
    tables,
)
from tests.long import runs_in_full

STREAMED = len(poison.KINDS) + len(LENGTHS) + 1
FIRST_KINDS = range(0, STREAMED, 3) if runs_in_full() else (0, 5, 19)
FIRST_ANSWERS = range(0, len(poison.KINDS) + 5, 6) if runs_in_full() else (0, 15)
DUE = at(LATEST)
FINAL = {"candle": " where final", "chain_oi": "", "contract": ""}
BROKER = {
    "candle": "symbol, open_time, open, high, low, close, volume, open_interest",
    "chain_oi": "expiry, strike, observed_at, call_oi, put_oi, call_prev_oi, put_prev_oi",
    "contract": "symbol, expiry, strike, lot_size, tick_size",
}
LONGEST_WORDS = """
select greatest(
    (select max(octet_length(parser_error)) from raw_payload),
    (select max(octet_length(error)) from source_status),
    (select max(octet_length(last_error)) from source_budget)),
    (select max(octet_length(body)) from raw_payload where about ->> 'kind' = 'malformed')
"""


def assert_kept_and_told_in_few_words(dsn: str, source: str) -> None:
    """Check that bytes were kept and marked in few words, and that a rebuild finds no more."""
    with connect(dsn) as connection:
        (words, body) = connection.execute(LONGEST_WORDS).fetchone()
        (marked,) = connection.execute(
            "select count(*) from raw_payload where parser_error is not null"
            " and about ->> 'source' = %s",
            (source,),
        ).fetchone()
        assert words is None or words <= LONGEST_BYTES
        assert body is None or body <= 2**20
        assert marked > 0
        found = rebuild(connection, DAY, write=False)
        assert (found.changes, found.unexplained) == (0, 0)


def assert_the_other_goes_on(
    dsn: str, faultless: Tables, sent: Fault, source: str, others: set[tuple], table: str
) -> None:
    """Check that a source that sends poison is down alone, and that all is there after it."""
    within = run(dsn, WITHIN, sent)
    assert set(within.down) == {source}
    assert_nothing_invented(dsn, faultless)
    assert_kept_and_told_in_few_words(dsn, source)
    assert others <= tables(dsn, LATEST)[table]
    after = run(dsn, AFTER)
    assert (after.errors, after.down) == (set(), {})
    assert tables(dsn, UNTIL) == faultless


@pytest.mark.parametrize("first", FIRST_KINDS)
def test_no_message_of_tradingview_stops_the_other_source_or_comes_into_a_table(
    ten: str, faultless: Tables, first: int
):
    due = {row for row in faultless["chain_oi"] if row[3] < DUE}
    sent = fault("poison", amount=first)
    assert_the_other_goes_on(ten, faultless, sent, "tradingview", due, "chain_oi")


@pytest.mark.parametrize("first", FIRST_ANSWERS)
def test_no_answer_of_trendlyne_stops_the_other_source_or_comes_into_a_table(
    ten: str, faultless: Tables, first: int
):
    due = {row for row in faultless["candle"] if row[2] < DUE}
    sent = fault("http-poison", amount=first)
    assert_the_other_goes_on(ten, faultless, sent, "trendlyne", due, "candle")


def broker_rows(dsn: str) -> dict[str, set]:
    """Return what a broker told, without when."""
    with connect(dsn) as connection:
        return {
            name: set(connection.execute(f"select {columns} from {name}{FINAL[name]}").fetchall())
            for name, columns in BROKER.items()
        }


def ask_broker(
    dsn: str, folder: Path, moment: str, *faults: Fault, others: bool = False
) -> set[type]:
    """Ask a broker for all that is due at a time, once; return the errors."""

    async def asked() -> set[type]:
        errors: set[type] = set()
        sources = ("upstox", "tradingview", "trendlyne") if others else ("upstox",)
        async with broker_desk(
            dsn, at(moment), folder, others=others, sources=sources, faults=faults
        ) as desk:
            for ingest in (ingest_positions, ingest_candles, ingest_positions):
                try:
                    await ingest(desk, DAY)
                except SourceError as error:
                    errors.add(type(error))
        return errors

    return asyncio.run(asked())


@pytest.fixture(scope="module")
def brokers(fresh_database, tmp_path_factory) -> dict[str, set]:
    """What the broker tells where nothing goes wrong."""
    folder = tmp_path_factory.mktemp("broker")
    with fresh_database() as dsn:
        assert ask_broker(dsn, folder, "10:00:30") == set()
        assert ask_broker(dsn, folder, "10:07") == set()
        rows = broker_rows(dsn)
    assert all(rows.values())
    return rows


@pytest.mark.parametrize("first", FIRST_ANSWERS)
def test_no_answer_of_the_broker_comes_into_a_table_and_the_next_ones_bring_all(
    database: str, brokers: dict[str, set], tmp_path: Path, first: int
):
    assert ask_broker(database, tmp_path, "10:00:30") == set()
    assert ask_broker(database, tmp_path, "10:05:30", fault("upstox-poison", amount=first))
    for name, rows in broker_rows(database).items():
        assert rows <= brokers[name], name
    assert_kept_and_told_in_few_words(database, "upstox")
    assert ask_broker(database, tmp_path, "10:07") == set()
    assert broker_rows(database) == brokers


def test_while_the_broker_answers_poison_the_other_sources_are_asked(database: str, tmp_path: Path):
    spoiled = fault("upstox-poison", amount=5)
    assert ask_broker(database, tmp_path, "10:05:30", spoiled, others=True) == set()
    with connect(database) as connection:
        states = connection.execute("select source, state from source_status order by 1").fetchall()
        assert states == [("tradingview", "up"), ("trendlyne", "up"), ("upstox", "down")]
        for table in ("candle", "chain_oi", "contract"):
            assert connection.execute(f"select count(*) >= 50 from {table}").fetchone() == (True,)
