"""Build-ups made of candles and strike ladders: what is known, when, and of whom."""

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from db.market.gaps import EmptySeries, note_empty
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CHAIN_OI, CONTRACT
from db.writing.rows import BuildUp, Candle, ChainOi, Contract
from pipelines.ingest.build_ups import make_build_ups

DAY = date(2026, 1, 21)
EXPIRY = date(2026, 1, 27)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CALL, PUT = "NIFTY260127C25000", "NIFTY260127P25000"


@pytest.fixture
def listed(connection: psycopg.Connection) -> psycopg.Connection:
    contracts = [(CALL, "C"), (PUT, "P")]
    rows = [
        Contract(name, "NIFTY", EXPIRY, 25_000, kind, 65, DAY, DAY, "t") for name, kind in contracts
    ]
    write(connection, CONTRACT, rows)
    return connection


def minutes(
    connection, numbers, close=100.0, volume=65, interest=None, symbol=CALL, late=timedelta(0)
):
    """Store a candle of each minute of the session."""
    rows = [
        Candle(
            *(symbol, 1, OPEN + number * MINUTE, "NIFTY", *[close + number] * 4),
            *(volume, interest, "candles", OPEN + (number + 1) * MINUTE + late, True),
        )
        for number in numbers
    ]
    write(connection, CANDLE, rows)


def ladder(connection, interval, call_oi, put_oi=1_300, known_after=4 * MINUTE):
    """Store the ladder of an interval's end."""
    moment = OPEN + 5 * (interval + 1) * MINUTE
    counts = (call_oi, put_oi, 650, 650)
    row = ChainOi("NIFTY", EXPIRY, 25_000, moment, *counts, "ladders", moment + known_after)
    write(connection, CHAIN_OI, [row])


def made(connection, *columns):
    make_build_ups(connection, DAY, ["NIFTY"])
    query = f"select {', '.join(columns)} from build_up where symbol = %s order by open_time"
    return connection.execute(query, (CALL,)).fetchall()


def test_price_and_volume_are_the_candles_and_open_interest_is_the_ladders(listed):
    minutes(listed, range(10))
    ladder(listed, 0, 6_500)
    ladder(listed, 1, 6_435)
    columns = ("close", "volume", "open_interest", "oi_change", "label", "source", "made_from")
    assert made(listed, *columns) == [
        (104.0, 325, 6_500, None, "none", "ladders+candles", "ladders"),
        (109.0, 325, 6_435, -65, "short_covering", "ladders+candles", "ladders"),
    ]


def test_a_row_is_known_with_the_last_of_what_it_is_made_of(listed):
    minutes(listed, range(5))
    minutes(listed, range(5, 10), late=9 * MINUTE)
    minutes(listed, range(10, 15))
    for interval in range(3):
        ladder(listed, interval, 6_500)
    end = OPEN + 5 * MINUTE
    # The third one's verdict rests on the second, whose candles came late.
    second = end + 5 * MINUTE + 9 * MINUTE
    assert made(listed, "known_at") == [(end + 4 * MINUTE,), (second,), (second,)]


def test_an_interval_without_its_ladder_or_a_minute_has_no_row(listed):
    minutes(listed, [*range(4), *range(5, 15)])
    ladder(listed, 0, 6_500)
    ladder(listed, 2, 6_500)
    assert made(listed, "open_time", "oi_change") == [(OPEN + 10 * MINUTE, None)]


def test_a_minute_that_is_known_to_be_empty_is_no_gap(listed):
    minutes(listed, range(4))
    minutes(listed, range(5), volume=None, symbol="NIFTY")
    ladder(listed, 0, 6_500)
    series = EmptySeries("candle", CALL, 1, "candles")
    note_empty(listed, series, [OPEN + 4 * MINUTE], OPEN + 6 * MINUTE)
    assert made(listed, "close") == []
    note_empty(listed, series, [OPEN + 4 * MINUTE], OPEN + 12 * MINUTE)
    assert made(listed, "close", "known_at") == [(103.0, OPEN + 12 * MINUTE)]


def test_a_minute_without_its_index_is_a_gap_whatever_a_source_left_out(listed):
    minutes(listed, range(4))
    minutes(listed, range(4), volume=None, symbol="NIFTY")
    ladder(listed, 0, 6_500)
    series = EmptySeries("candle", CALL, 1, "candles")
    for known in (6, 12):
        note_empty(listed, series, [OPEN + 4 * MINUTE], OPEN + known * MINUTE)
    assert made(listed, "close") == []


def test_a_volume_that_is_unknown_in_part_is_unknown(listed):
    minutes(listed, range(4))
    minutes(listed, [4], volume=None)
    ladder(listed, 0, 6_500)
    assert made(listed, "volume", "open_interest") == [(None, 6_500)]


def test_candles_that_carry_open_interest_need_no_ladder(listed):
    minutes(listed, range(5), interest=1_950)
    ladder(listed, 0, 6_500)
    assert made(listed, "open_interest", "source", "made_from") == [(1_950, "candles", "candles")]


def test_a_ladder_of_another_moment_belongs_to_no_interval(listed):
    minutes(listed, range(5))
    moment = OPEN + 5 * MINUTE + timedelta(seconds=37)
    write(listed, CHAIN_OI, [ChainOi("NIFTY", EXPIRY, 25_000, moment, 65, 65, 0, 0, "t", moment)])
    assert made(listed, "close") == []


def test_a_sources_own_rows_stay(listed):
    minutes(listed, range(5))
    ladder(listed, 0, 6_500)
    end = OPEN + 5 * MINUTE
    write(
        listed,
        BUILD_UP,
        [BuildUp(CALL, OPEN, "NIFTY", end, 104.0, 65, None, 65, "none", "rows", end)],
    )
    assert made(listed, "open_interest", "made_from") == [(65, "rows")]


def test_making_them_again_changes_nothing_and_a_correction_does(listed):
    minutes(listed, range(10))
    ladder(listed, 0, 6_500)
    ladder(listed, 1, 6_500)
    assert make_build_ups(listed, DAY, ["NIFTY"]) == 2
    assert make_build_ups(listed, DAY, ["NIFTY"]) == 0
    assert make_build_ups(listed, DAY, ["NIFTY"], since=OPEN + 5 * MINUTE) == 0
    minutes(listed, [9], close=120.0, late=MINUTE)
    assert make_build_ups(listed, DAY, ["NIFTY"], since=OPEN + 5 * MINUTE) == 1
    assert made(listed, "close") == [(104.0,), (129.0,)]
