"""What was received once is never lost: tables from the archive alone, and gaps filled from it."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta

import psycopg
import pytest

from db.archive.raw_payloads import count_receipts
from db.archive.rebuild import Difference
from db.server.connection import connect
from pipelines.ingest.heal import heal
from pipelines.ingest.rebuild import ArchiveEmptyError, fill_from_archive, rebuild
from simulator.faults import Fault
from tests.faulty import DAY, at, copied, desk_at, fault, follow, run, tables

# With known_at, unlike tests of faults: the moment a value became known is rebuilt too.
EVERYTHING = {
    "contract": "select * from contract order by symbol",
    "candle": "select * from candle order by symbol, interval_minutes, open_time",
    "build_up": "select * from build_up order by symbol, open_time",
    "chain_oi": "select * from chain_oi order by underlying, expiry, strike, observed_at",
    # Not from the archive: what viewers saw is neither made again nor changed.
    "forming": "select * from forming order by symbol, open_time, known_at",
}
NO_FAULTS: tuple[Fault, ...] = ()


def everything(connection: psycopg.Connection) -> dict[str, list]:
    return {name: connection.execute(query).fetchall() for name, query in EVERYTHING.items()}


def log_count(connection: psycopg.Connection) -> int:
    return connection.execute("select count(*) from change_log").fetchone()[0]


def marked(connection: psycopg.Connection) -> int:
    query = "select count(*) from raw_payload where parser_error is not null"
    return connection.execute(query).fetchone()[0]


@pytest.fixture(scope="module")
def followed(fresh_database) -> Iterator[str]:
    """A database after the live feed followed the last minutes of a session with many faults."""
    with fresh_database() as dsn:
        follow(
            dsn,
            fault("wrong-close", "15:20", "15:22"),
            fault("cut", "15:22:20", "15:24", times=1),
            fault("malformed-json", "15:24:30", "15:29:30", times=1),
            fault("html", "15:20", "15:26", times=2),
            fault("critical-session", "15:20:30", "15:22:20", times=2),
            fault("silence", "15:26:30", "15:27:20"),
        )
        yield dsn


@pytest.fixture
def copy(server_dsn: str, followed: str) -> Iterator[psycopg.Connection]:
    """A connection to a copy of it."""
    with copied(server_dsn, followed) as dsn, connect(dsn) as connection:
        yield connection


def test_the_archive_gives_the_same_rows_again(copy: psycopg.Connection):
    before, logged = everything(copy), log_count(copy)
    assert before["forming"]
    report = rebuild(copy, DAY)
    assert report.receipts == count_receipts(copy, DAY) > 100
    assert report.unusable == marked(copy) >= 1
    assert (report.changes, report.unexplained) == (0, 0)
    assert everything(copy) == before
    assert log_count(copy) == logged


def test_tables_that_are_gone_come_back_as_they_were(copy: psycopg.Connection):
    before = everything(copy)
    for name in EVERYTHING.keys() - {"forming"}:
        copy.execute(f"delete from {name}")
    report = rebuild(copy, DAY)
    assert everything(copy) == before
    assert report.tables["candle"].new == len(before["candle"])
    assert rebuild(copy, DAY).changes == 0


def test_any_rows_deleted_are_filled_as_they_were_and_a_second_time_nothing_is_written(
    copy: psycopg.Connection,
):
    before = everything(copy)
    copy.execute("delete from candle where extract(minute from open_time)::int % 7 = 3")
    copy.execute("delete from build_up where right(symbol, 2) = '50' and close > 0")
    copy.execute("delete from chain_oi where strike % 200 = 0")
    copy.execute("delete from contract where option_type = 'P'")
    missing = sum(map(len, before.values())) - sum(map(len, everything(copy).values()))
    logged = log_count(copy)
    assert fill_from_archive(copy, DAY) == missing
    assert everything(copy) == before
    assert log_count(copy) > logged, "readers of the stream are told"
    logged = log_count(copy)
    assert fill_from_archive(copy, DAY) == 0
    assert log_count(copy) == logged


def test_a_value_that_was_changed_is_told_and_set_right(copy: psycopg.Connection):
    before = everything(copy)
    copy.execute("update candle set close = high where symbol = 'NIFTY' and close < high")
    copy.execute("update build_up set open_interest = open_interest + 65")
    check = rebuild(copy, DAY, write=False)
    assert check.tables["build_up"].changed == len(before["build_up"])
    assert check.tables["candle"].changed > 0
    assert everything(copy) != before, "only looked"
    rebuild(copy, DAY)
    assert everything(copy) == before


def test_a_row_that_nobody_sent_is_told_and_deleted_only_when_wanted(copy: psycopg.Connection):
    before = everything(copy)
    row = copy.execute(
        "insert into candle select symbol, 5, open_time, underlying, open, high, low, close,"
        " volume, open_interest, source, known_at, final from candle"
        " where symbol = 'NIFTY' order by open_time limit 1 returning open_time"
    ).fetchone()
    assert row is not None
    assert rebuild(copy, DAY).tables["candle"].unexplained == 1
    assert everything(copy) != before
    rebuild(copy, DAY, remove=True)
    assert everything(copy) == before


def test_imported_rows_are_not_judged_by_the_archive(copy: psycopg.Connection):
    copy.execute("delete from candle where symbol = 'NIFTY' and open_time < %s", (at("15:00"),))
    copy.execute(
        "insert into candle values ('NIFTY', 5, %s, 'NIFTY', 1, 1, 1, 1, null, null, 'import', %s,"
        " true)",
        (at("10:00"), at("10:05")),
    )
    imported = "select count(*) from candle where source = 'import'"
    report = rebuild(copy, DAY, remove=True)
    assert report.unexplained == 0
    assert copy.execute(imported).fetchone() == (1,)


def test_what_can_be_parsed_by_now_is_not_marked_any_more(copy: psycopg.Connection):
    before = marked(copy)
    copy.execute(
        "update raw_payload set parser_error = 'by an older parser'"
        " where about ->> 'kind' = 'build_ups' and parser_error is null"
    )
    rebuild(copy, DAY)
    assert marked(copy) == before


def test_a_session_without_an_archive_cannot_be_rebuilt(connection: psycopg.Connection):
    with pytest.raises(ArchiveEmptyError, match="nothing is archived for 2026-01-20"):
        rebuild(connection, date(2026, 1, 20))
    assert fill_from_archive(connection, date(2026, 1, 20)) == 0


def test_scratch_tables_leave_the_real_ones_alone(connection: psycopg.Connection, ten: str):
    with connect(ten) as reader, connect(ten) as rebuilder:
        rows = reader.execute("select count(*) from candle").fetchone()
        report = rebuild(rebuilder, DAY, write=False)
        assert report.tables["contract"] == Difference(report.tables["contract"].derived, 0, 0, 0)
        assert rebuilder.execute("select count(*) from candle").fetchone() == rows


def test_a_rebuild_begins_no_stretch_of_the_log(copy: psycopg.Connection):
    """Whoever follows the stream would be told to read everything again."""
    ended = "select count(*) from past_stretch"
    copy.execute("delete from build_up where open_time > '2026-01-21 09:50Z'")
    rebuild(copy, DAY)
    assert copy.execute(ended).fetchone() == (1,), "the copy's own"
    rebuild(copy, DAY)
    copy.execute("delete from build_up where open_time > '2026-01-21 09:50Z'")
    rebuild(copy, DAY)
    assert copy.execute(ended).fetchone() == (1,)


def test_while_a_session_is_on_the_archive_is_read_only_for_a_hole(ten: str):
    asyncio.run(assert_only_a_hole_is_filled(ten))


async def assert_only_a_hole_is_filled(dsn: str) -> None:
    async with desk_at(dsn, "10:00:40", 1, NO_FAULTS) as desk:
        assert heal(desk, DAY) == 0
        edge = at("10:00") - timedelta(minutes=2)
        desk.connection.execute("delete from chain_oi")
        desk.connection.execute("delete from candle where open_time >= %s", (edge,))
        assert heal(desk, DAY) == 0, "the newest rows may be on their way"
        hole = (at("09:30"), at("09:40"))
        desk.connection.execute("delete from candle where open_time between %s and %s", hole)
        assert heal(desk, DAY) > 11


def test_runs_after_deletions_give_the_tables_of_runs_without(ten: str, server_dsn: str):
    with copied(server_dsn, ten) as untouched, connect(ten) as connection:
        connection.execute("delete from candle where extract(minute from open_time)::int % 4 = 1")
        connection.execute("delete from build_up where extract(minute from open_time)::int = 50")
        connection.execute("delete from chain_oi")
        for dsn in (ten, untouched):
            run(dsn, "10:05:30")
        logged = log_count(connection)
        run(ten, "10:05:45")
        assert log_count(connection) == logged, "a second run writes nothing"
        assert tables(ten, "10:05") == tables(untouched, "10:05")
