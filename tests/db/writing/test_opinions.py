"""Two sources of the same rows: the preferred one's values count, whoever came first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.server.connection import connect
from db.writing.bulk import write
from db.writing.opinions import prefer_sources
from db.writing.relations import CANDLE, CHAIN_OI, QUOTE
from db.writing.rows import Candle, ChainOi, Quote
from tests.long import examples

START = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CALL = "NIFTY260127C25000"
OPINIONS = (
    "select relation, key ->> 'open_time', source, values, preferred_source, difference, known_at"
    " from second_opinion order by 1, 2, 3"
)


@pytest.fixture
def preferring(connection: psycopg.Connection) -> psycopg.Connection:
    prefer_sources(connection, ["first", "second", "third"])
    return connection


def candle(source: str, close: float = 100.0, minute: int = 0, **changes) -> Candle:
    opened = START + minute * MINUTE
    prices = (100.0, max(close, 100.0), min(close, 100.0), close)
    row = Candle(
        *(CALL, 1, opened, "NIFTY", *prices, 650, None, source, opened + MINUTE, True),
    )
    return row._replace(**changes)


def stored(connection: psycopg.Connection, *columns: str) -> tuple:
    (row,) = connection.execute(f"select {', '.join(columns)} from candle").fetchall()
    return row


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_preferred_sources_values_count_in_either_order(preferring, order):
    told = [candle("first"), candle("second", 104.0, known_at=START + 3 * MINUTE)]
    for place in order:
        write(preferring, CANDLE, [told[place]])
    assert stored(preferring, "close", "source", "known_at") == (100.0, "first", START + MINUTE)
    ((relation, _, source, values, preferred, difference, known_at),) = preferring.execute(
        OPINIONS
    ).fetchall()
    assert (relation, source, preferred) == ("candle", "second", "first")
    assert (values["close"], known_at) == (104.0, START + 3 * MINUTE)
    assert difference == {"close": 4.0, "high": 4.0}


def test_what_differs_by_less_than_the_tolerance_is_kept_and_no_opinion(preferring):
    write(preferring, CANDLE, [candle("first"), candle("first", 100.0, 1, symbol="NIFTY")])
    write(
        preferring,
        CANDLE,
        [candle("second", 102.9, volume=680), candle("second", 100.04, 1, symbol="NIFTY")],
    )
    assert preferring.execute("select count(*) from source_version").fetchone() == (4,)
    assert preferring.execute(OPINIONS).fetchall() == []
    write(
        preferring,
        CANDLE,
        [
            candle("second", 103.1, volume=690, known_at=START + 9 * MINUTE),
            candle("second", 100.06, 1, symbol="NIFTY", known_at=START + 9 * MINUTE),
        ],
    )
    found = preferring.execute("select difference from second_opinion order by key ->> 'symbol'")
    names = [sorted(difference) for (difference,) in found.fetchall()]
    assert names == [["close", "high"], ["close", "high", "volume"]]


def test_a_count_that_the_preferred_source_lacks_is_the_next_ones_and_says_so(preferring):
    write(preferring, CANDLE, [candle("second", 101.0, open_interest=6_500)])
    write(preferring, CANDLE, [candle("first", known_at=START + 9 * MINUTE)])
    names = ("close", "open_interest", "source", "known_at")
    assert stored(preferring, *names) == (100.0, 6_500, "first+second", START + 9 * MINUTE)
    newer = candle("second", 101.0, open_interest=7_150, known_at=START + 12 * MINUTE)
    write(preferring, CANDLE, [newer])
    assert stored(preferring, *names) == (100.0, 7_150, "first+second", START + 12 * MINUTE)
    own = candle("first", open_interest=5_850, known_at=START + 15 * MINUTE)
    write(preferring, CANDLE, [own])
    assert stored(preferring, *names) == (100.0, 5_850, "first", START + 15 * MINUTE)


def test_the_same_values_were_known_when_anybody_told_them_first(preferring):
    write(preferring, CANDLE, [candle("second")])
    later = candle("first", known_at=START + 9 * MINUTE)
    write(preferring, CANDLE, [later])
    assert stored(preferring, "source", "known_at") == ("first", START + MINUTE)
    logged = preferring.execute("select count(*) from change_log").fetchone()
    for row in (later, candle("second"), later):
        assert write(preferring, CANDLE, [row]) == 0
    assert preferring.execute("select count(*) from change_log").fetchone() == logged


def test_what_nobody_saw_when_it_happened_does_not_replace_what_somebody_did(preferring):
    write(preferring, CANDLE, [candle("second", 101.0, known_at=START + 2 * MINUTE)])
    write(preferring, CANDLE, [candle("first", backfilled=True)])
    assert stored(preferring, "close", "source", "backfilled") == (101.0, "second", False)
    assert preferring.execute("select source from second_opinion").fetchone() is None
    write(preferring, CANDLE, [candle("first", 90.0, backfilled=True, known_at=START + MINUTE)])
    assert preferring.execute("select source, preferred_source from second_opinion").fetchone() == (
        "first",
        "second",
    )


def test_a_candle_that_forms_is_nobodys_opinion(preferring):
    forming = {"final": False, "known_at": START + timedelta(seconds=30)}
    write(preferring, CANDLE, [candle("second", 95.0, **forming)])
    write(preferring, CANDLE, [candle("first", 96.0, **forming)])
    assert stored(preferring, "close", "source") == (96.0, "first")
    write(preferring, CANDLE, [candle("second", 97.0, **forming)])
    assert stored(preferring, "close", "source") == (96.0, "first")
    write(preferring, CANDLE, [candle("second", 98.0)])
    assert stored(preferring, "close", "source") == (98.0, "second")
    assert preferring.execute("select count(*) from source_version").fetchone() == (0,)


def test_ladders_and_quotes_have_opinions_too(preferring):
    expiry = date(2026, 1, 27)
    for source, put in (("second", 1_950), ("first", None)):
        counts = (650 if source == "first" else 1_300, put, None, None)
        row = ChainOi("NIFTY", expiry, 25_000, START, *counts, source, START)
        write(preferring, CHAIN_OI, [row])
        quote = Quote(CALL, START, 9.0 if source == "first" else 10.0, 11.0, 65, 65, source, START)
        write(preferring, QUOTE, [quote])
    assert preferring.execute("select call_oi, put_oi, source from chain_oi").fetchall() == [
        (650, 1_950, "first+second")
    ]
    assert preferring.execute("select bid, source from quote").fetchall() == [(9.0, "first")]
    told = preferring.execute("select relation, difference from second_opinion order by 1")
    assert told.fetchall() == [("chain_oi", {"call_oi": 650}), ("quote", {"bid": 1})]


def test_another_order_of_preference_counts_from_then_on(preferring):
    write(preferring, CANDLE, [candle("first")])
    prefer_sources(preferring, ["second", "first"])
    write(preferring, CANDLE, [candle("second", 104.0)])
    assert stored(preferring, "close", "source") == (104.0, "second")
    names = "select source from source_preference order by place"
    assert preferring.execute(names).fetchall() == [("second",), ("first",)]


VALUES = st.tuples(
    st.integers(0, 2),  # minute
    st.sampled_from([100.0, 101.0, 110.0]),
    st.sampled_from([None, 650, 1_300]),
    st.sampled_from([None, 6_500]),
    st.booleans(),  # final
)
EVERYTHING = (
    "select symbol, open_time, open, high, low, close, volume, open_interest, source, known_at,"
    " final from candle order by open_time",
    "select relation, key, source, values, known_at from source_version order by key, source",
    OPINIONS,
)


@settings(
    max_examples=examples(30),
    # The database is emptied in the test.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_interleaving_of_two_sources_gives_the_same_rows_and_opinions(database: str, data):
    told = {}
    for source in ("first", "second"):
        number = st.lists(VALUES, min_size=1, max_size=4)
        told[source] = [
            candle(
                *(source, close, minute),
                volume=volume,
                open_interest=interest,
                final=final,
                # Each receives its own in this order; both have the same clock.
                known_at=START + (10 + place) * MINUTE + timedelta(seconds=source == "first"),
            )
            for place, (minute, close, volume, interest, final) in enumerate(data.draw(number))
        ]
    turns = [source for source, rows in told.items() for _ in rows]
    ends = []
    with connect(database) as connection:
        prefer_sources(connection, list(told))
        for order in (turns, turns[::-1], data.draw(st.permutations(turns))):
            connection.execute("truncate candle, source_version, change_log, revision")
            waiting = {source: iter(rows) for source, rows in told.items()}
            for source in order:
                write(connection, CANDLE, [next(waiting[source])])
            ends.append([connection.execute(query).fetchall() for query in EVERYTHING])
    assert ends[0] == ends[1] == ends[2]


def test_a_row_has_one_key_in_every_time_zone(preferring):
    for zone, source in (
        ("Asia/Kolkata", "second"),
        ("UTC", "first"),
        ("America/New_York", "third"),
    ):
        preferring.execute(f"set time zone '{zone}'")
        write(preferring, CANDLE, [candle(source, known_at=START + 3 * MINUTE)])
    keys = preferring.execute("select distinct key ->> 'open_time' from source_version").fetchall()
    assert keys == [("2026-01-21T03:45:00.000000Z",)]
    assert stored(preferring, "source", "open_time") == ("first", START)


def test_two_processes_that_write_at_once_leave_what_each_source_said_last(
    database: str, preferring: psycopg.Connection
):
    minutes = range(40)

    def tell(source: str) -> None:
        with connect(database) as connection:
            for turn in range(6):
                rows = [
                    candle(source, 100.0 + turn, n, known_at=START + (60 + turn) * MINUTE)
                    for n in minutes
                ]
                write(connection, CANDLE, rows)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(tell, ["first", "second"]))
    ended = preferring.execute("select distinct close, source from candle").fetchall()
    assert ended == [(105.0, "first")]
    told = (
        "select source, count(*), min((values ->> 'close')::float8) from source_version group by 1"
    )
    assert sorted(preferring.execute(told).fetchall()) == [
        ("first", len(minutes), 105.0),
        ("second", len(minutes), 105.0),
    ]
