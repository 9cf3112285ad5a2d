"""The write function: idempotent, logged exactly, guarded."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.server.connection import connect
from db.writing.bulk import write
from db.writing.relations import CANDLE, CHAIN_OI, CONTRACT, GREEKS, SIGNAL_REJECTION
from db.writing.rows import Candle, Contract
from tests.long import examples

START = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)


def candle(minute: int = 0, close: float = 100.0, **changes) -> Candle:
    row = Candle(
        symbol="NIFTY",
        interval_minutes=1,
        open_time=START + timedelta(minutes=minute),
        underlying="NIFTY",
        open=close,
        high=close,
        low=close,
        close=close,
        volume=None,
        open_interest=None,
        source="test",
        known_at=START + timedelta(minutes=minute + 1),
        final=True,
    )
    return row._replace(**changes)


def log_count(connection) -> int:
    return connection.execute("select count(*) from change_log").fetchone()[0]


def test_writing_the_same_rows_again_writes_and_logs_nothing(connection):
    rows = [candle(minute) for minute in range(300)]
    assert write(connection, CANDLE, rows) == 300
    later = [row._replace(known_at=row.known_at + timedelta(hours=1)) for row in rows]
    assert write(connection, CANDLE, later) == 0
    assert log_count(connection) == 300
    known_at = connection.execute("select max(known_at) from candle").fetchone()[0]
    assert known_at == rows[-1].known_at


def test_a_correction_is_written_logged_and_known_from_its_own_time(connection):
    write(connection, CANDLE, [candle()])
    corrected = candle(close=101.0, known_at=START + timedelta(minutes=9))
    assert write(connection, CANDLE, [corrected]) == 1
    assert connection.execute("select close, known_at from candle").fetchone() == (
        101.0,
        corrected.known_at,
    )
    assert log_count(connection) == 2


def test_only_a_final_candle_that_is_corrected_is_kept_as_it_was(connection):
    rows = [candle(minute) for minute in range(3)]
    write(connection, CANDLE, [candle(close=90.0, final=False), *rows[1:]])
    write(connection, CANDLE, rows)  # one final instead of forming, two as they were
    sooner = rows[1].known_at - timedelta(seconds=1)
    write(connection, CANDLE, [rows[1]._replace(known_at=sooner)])
    later = rows[2].known_at + timedelta(minutes=9)
    write(connection, CANDLE, [candle(2, close=101.0, known_at=later), candle(3)])
    kept = connection.execute(
        "select relation, symbol, interval_minutes, open_time, (replaced ->> 'close')::float,"
        " known_at, revised_at from revision"
    ).fetchall()
    assert kept == [
        ("candle", "NIFTY", 1, rows[2].open_time, 100.0, rows[2].known_at, later),
    ]
    assert connection.execute(
        "select known_at from candle where open_time = %s", (rows[1].open_time,)
    ).fetchone() == (sooner,)


def test_a_forming_candle_never_replaces_a_final_or_a_newer_one(connection):
    forming = candle(close=90.0, final=False, known_at=START + timedelta(seconds=40))
    older = candle(close=80.0, final=False, known_at=START + timedelta(seconds=20))
    assert write(connection, CANDLE, [forming]) == 1
    assert write(connection, CANDLE, [older]) == 0
    assert write(connection, CANDLE, [candle()]) == 1
    assert write(connection, CANDLE, [forming._replace(known_at=START + timedelta(hours=1))]) == 0
    assert connection.execute("select close, final from candle").fetchone() == (100.0, True)


def test_unknown_open_interest_keeps_the_known_one(connection):
    write(connection, CANDLE, [candle(open_interest=650)])
    assert write(connection, CANDLE, [candle(open_interest=None)]) == 0
    assert connection.execute("select open_interest from candle").fetchone() == (650,)


def test_a_key_twice_counts_with_its_last_row(connection):
    assert write(connection, CANDLE, [candle(close=1.0), candle(close=2.0)]) == 1
    assert connection.execute("select close from candle").fetchone() == (2.0,)


def test_a_bad_row_leaves_nothing_of_its_transaction(connection):
    rows = [candle(0), candle(1, high=1.0)]
    with pytest.raises(Exception, match="check constraint"):
        write(connection, CANDLE, rows)
    assert connection.execute("select count(*) from candle").fetchone() == (0,)
    assert log_count(connection) == 0


def test_writing_inside_a_transaction_is_refused(connection):
    with connection.transaction(), pytest.raises(RuntimeError, match="autocommit"):
        write(connection, CANDLE, [candle()])


def test_large_batches_are_cut_into_transactions(connection):
    rows = [candle(minute) for minute in range(25_000)]
    assert write(connection, CANDLE, rows) == 25_000
    assert log_count(connection) == 25_000


def test_tables_without_followers_are_not_logged(connection):
    names = ("delta_volume", "1", "NIFTY")
    row = (*names, START.date(), START, "loss_limit", "NIFTY260127C25000", {"losses": 2}, START)
    assert write(connection, SIGNAL_REJECTION, [row]) == 1
    assert write(connection, SIGNAL_REJECTION, [row]) == 0
    assert log_count(connection) == 0


def test_what_a_ladder_shows_is_logged_by_the_symbol_of_a_contract(connection):
    day = START.date()
    call = "NIFTY260127C25000"
    expiry = day.replace(day=27)
    contract = Contract(call, "NIFTY", expiry, 25000, "C", 65, day, day, "test")
    write(connection, CONTRACT, [contract])
    chain = ("NIFTY", expiry, 25000, START, 650, 1300, 65, 130, "test", START)
    greeks = (call, 1, START, "NIFTY", 25_010.0, "parity", 0.14, 0.5, 0.001, -12.5, 13.1, START)
    for _ in range(2):
        assert write(connection, CHAIN_OI, [chain]) == write(connection, GREEKS, [greeks])
    query = "select relation, underlying, symbol, moment from change_log order by seq"
    listed = START.replace(hour=0, minute=0) - timedelta(hours=5, minutes=30)
    assert connection.execute(query).fetchall() == [
        ("contract", "NIFTY", call, listed),
        ("chain_oi", "NIFTY", call, START),
        ("greeks", "NIFTY", call, START),
    ]


@settings(
    max_examples=examples(25),
    # The database is emptied in the test.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    batches=st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=8), max_size=6
    )
)
def test_the_log_replayed_gives_the_table(database: str, batches):
    with connect(database) as connection:
        connection.execute("truncate candle, change_log")
        seen: dict[datetime, float] = {}
        for batch in batches:
            before = connection.execute("select coalesce(max(seq), 0) from change_log").fetchone()
            write(connection, CANDLE, [candle(minute, float(close)) for minute, close in batch])
            changed = connection.execute(
                "select open_time, close from change_log join candle on moment = open_time"
                " where seq > %s order by seq",
                before,
            ).fetchall()
            for moment, close in changed:
                assert seen.get(moment) != close, "logged without a change"
                seen[moment] = close
        stored = dict(connection.execute("select open_time, close from candle").fetchall())
        assert stored == seen


def test_what_a_correction_replaced_is_kept_as_it_was(connection):
    forming = candle(final=False, close=99.0, known_at=START + timedelta(seconds=30))
    first = candle()
    corrected = candle(close=101.0, known_at=START + timedelta(minutes=9))
    for row in (forming, first, first, corrected, corrected):
        write(connection, CANDLE, [row])
    kept = connection.execute(
        "select relation, symbol, interval_minutes, open_time, (replaced ->> 'close')::float8,"
        " known_at, revised_at from revision"
    ).fetchall()
    assert kept == [
        ("candle", "NIFTY", 1, START, 100.0, first.known_at, corrected.known_at),
    ], "a candle that still forms is not corrected"


def test_a_refused_correction_is_no_revision(connection):
    write(connection, CANDLE, [candle()])
    write(connection, CANDLE, [candle(close=101.0, known_at=START)])
    assert connection.execute("select close from candle").fetchone() == (100.0,)
    assert connection.execute("select count(*) from revision").fetchone() == (0,)


def test_of_two_receipts_of_the_same_values_the_first_counts_in_either_order(connection):
    late, early = (candle(known_at=START + timedelta(minutes=minute)) for minute in (5, 2))
    assert write(connection, CANDLE, [late]) == 1
    assert write(connection, CANDLE, [early]) == 1
    assert write(connection, CANDLE, [late]) == 0
    assert connection.execute("select known_at from candle").fetchone() == (early.known_at,)


def test_an_import_does_not_make_a_live_row_known_earlier(connection):
    live = candle(known_at=START + timedelta(minutes=5))
    write(connection, CANDLE, [live])
    assert write(connection, CANDLE, [candle(source="import", known_at=START)]) == 0
    assert connection.execute("select known_at from candle").fetchone() == (live.known_at,)


def test_the_volume_of_a_forming_candle_is_not_the_final_ones(connection):
    write(connection, CANDLE, [candle(symbol="NIFTY1!", final=False, volume=65)])
    write(connection, CANDLE, [candle(symbol="NIFTY1!")])
    assert connection.execute("select volume from candle").fetchone() == (None,)
    write(connection, CANDLE, [candle(symbol="NIFTY1!", volume=650)])
    write(connection, CANDLE, [candle(symbol="NIFTY1!", known_at=START + timedelta(hours=1))])
    assert connection.execute("select volume from candle").fetchone() == (650,)


def test_a_contract_is_listed_from_its_earliest_answer_on_in_any_order(connection):
    day, expiry = START.date(), START.date().replace(day=27)
    row = Contract("NIFTY260127C25000", "NIFTY", expiry, 25_000, "C", 65, day, day, "test")
    first, later = START, START + timedelta(hours=1)
    told = [
        row._replace(listed_at=later, tick_size=0.05),
        row,
        row._replace(listed_at=first),
        row._replace(listed_at=later),
    ]
    changed = [write(connection, CONTRACT, [each]) for each in told]
    assert changed == [1, 0, 1, 0]
    stored = connection.execute("select listed_at, tick_size from contract").fetchone()
    assert stored == (first, 0.05)
