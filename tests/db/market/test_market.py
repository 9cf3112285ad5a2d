"""Stored rows as frames: packed on the way, the same rows on arrival."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import psycopg
import pytest
from psycopg.sql import SQL

from db.market.frames import Range, read_frames
from db.market.packed import Packed, PackedRowsError
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CONTRACT
from db.writing.rows import BuildUp, Candle, Contract
from strategy.contract import UNDERLYINGS
from strategy.delta_volume import evaluate_rows
from strategy.session import session_hours

MONDAY, TUESDAY, WEDNESDAY = date(2026, 1, 19), date(2026, 1, 20), date(2026, 1, 21)
WEEK = Range(MONDAY, WEDNESDAY)
NEAR, NEXT = date(2026, 1, 20), date(2026, 1, 27)
FIVE_MINUTES = timedelta(minutes=5)
MORNING = session_hours(MONDAY)[0] - timedelta(minutes=30)
KINDS = {
    **dict.fromkeys(("session", "underlying", "symbol", "expiry"), "category"),
    "strike": "int64",
    "option_type": "category",
    "open_time": "datetime64[us, UTC]",
    "close": "float64",
    "open_interest": "Int64",
    "volume": "Int64",
    "known_at": "datetime64[us, UTC]",
}

LISTED = {
    **dict.fromkeys(("underlying", "expiry", "option_type", "first_seen"), "category"),
    "strike": "int64",
    "listed_at": "datetime64[us, UTC]",
}


def contract(expiry, strike, kind, first_seen=MONDAY, listed_at=MORNING):
    symbol = f"NIFTY{expiry:%y%m%d}{kind}{strike}"
    seen = first_seen, expiry
    return Contract(symbol, "NIFTY", expiry, strike, kind, 65, *seen, "test", listed_at)


def build_ups(listed, session, *, places=(0, 1, 2)):
    first = session_hours(session)[0]
    for place in places:
        start = first + place * FIVE_MINUTES
        close, known_at = 100 + place / 3, start + FIVE_MINUTES + timedelta(microseconds=place)
        counts = (None if place == 1 else 650 * place, None, None if place == 2 else 65 * place)
        yield BuildUp(
            *(listed.symbol, start, "NIFTY", start + FIVE_MINUTES, close, *counts),
            *("none", "test", known_at),
        )


def candles(symbol, session, *, places=(0, 1, 2), price=25_000.0):
    first = session_hours(session)[0]
    for place in places:
        start = first + place * FIVE_MINUTES
        yield Candle(
            *(symbol, 5, start, "NIFTY", *[price + place] * 4),
            *(None, None, "test", start + FIVE_MINUTES, True),
        )


@pytest.fixture
def week(connection: psycopg.Connection) -> psycopg.Connection:
    """Three sessions: an expiry changes, a future and a whole session's index are missing."""
    near, following = contract(NEAR, 25_000, "C"), contract(NEXT, 25_050, "P")
    far = contract(NEXT, 28_000, "C")
    unlisted = contract(date(2026, 1, 21), 25_000, "C", first_seen=date(2026, 1, 22))
    write(connection, CONTRACT, [near, following, far, unlisted])
    rows = [*build_ups(near, MONDAY), *build_ups(following, MONDAY), *build_ups(near, TUESDAY)]
    rows += [*build_ups(following, WEDNESDAY, places=(0, 2)), *build_ups(far, WEDNESDAY)]
    write(connection, BUILD_UP, [*rows, *build_ups(unlisted, WEDNESDAY)])
    prices = [*candles("NIFTY", MONDAY), *candles("NIFTY1!", MONDAY, places=(1, 3))]
    write(connection, CANDLE, [*prices, *candles("NIFTY1!", WEDNESDAY)])
    return connection


def plain(frame):
    """Rows as tuples of plain Python values."""
    columns = [frame[name].astype(object) for name in frame]
    rows = zip(*(column.where(column.notna(), None) for column in columns), strict=True)
    return list(rows)


def test_build_ups_arrive_as_they_are_stored(week: psycopg.Connection):
    frame = read_frames(week, WEEK, UNDERLYINGS).build_ups
    assert frame.dtypes.astype(str).to_dict() == KINDS
    stored = week.execute(
        "select (b.open_time at time zone 'Asia/Kolkata')::date, b.underlying, b.symbol, c.expiry,"
        " c.strike, c.option_type, b.open_time, b.close, b.open_interest, b.volume, b.known_at"
        " from build_up b join contract c using (symbol)"
        " where (c.expiry = '2026-01-20' and b.open_time < '2026-01-21')"
        " or (c.strike = 25050 and b.open_time > '2026-01-21') order by 1, 2, 3, 7"
    ).fetchall()
    assert plain(frame[[*KINDS]]) == [tuple(row) for row in stored]
    assert len(stored) == 8
    assert frame["open_interest"].isna().tolist() == [False, True, False] * 2 + [False, False]
    assert frame["volume"].isna().tolist() == [False, False, True] * 2 + [False, True]


def test_that_build_ups_came_without_a_price_is_told(week: psycopg.Connection):
    frames = read_frames(week, Range(TUESDAY, TUESDAY), UNDERLYINGS)
    signals, rejections = evaluate_rows(*frames)
    assert signals == []
    assert [(row.reason, row.event_time) for row in rejections] == [
        ("no_reference", session_hours(TUESDAY)[0] + n * FIVE_MINUTES) for n in (2, 3)
    ]


def test_reference_prices_that_are_not_stored_arrive_as_unknown(week: psycopg.Connection):
    frame = read_frames(week, WEEK, UNDERLYINGS).reference
    assert frame["session"].tolist() == [MONDAY] * 4 + [WEDNESDAY] * 3
    assert frame["spot"].isna().tolist() == [False] * 3 + [True] * 4
    assert frame["spot_known_at"].isna().tolist() == [False] * 3 + [True] * 4
    assert frame["future"].isna().tolist() == [True, False, True, False] + [False] * 3
    assert frame["future"].dropna().tolist() == [25_001, 25_003, 25_000, 25_001, 25_002]
    known = frame["future_known_at"] - frame["open_time"]
    assert (known.dropna() == FIVE_MINUTES).all()


def test_only_intervals_from_a_moment_on_are_read_of_all_strikes(week: psycopg.Connection):
    since = session_hours(WEDNESDAY)[0] + 2 * FIVE_MINUTES
    frames = read_frames(week, Range(WEDNESDAY, WEDNESDAY), UNDERLYINGS, since)
    assert set(frames.build_ups["strike"]) == {25_050, 28_000}
    assert set(frames.build_ups["open_time"]) == set(frames.reference["open_time"]) == {since}


def test_nothing_stored_gives_empty_frames_of_the_same_types(week: psycopg.Connection):
    later = Range(date(2026, 1, 22), date(2026, 1, 23))
    frames = read_frames(week, later, UNDERLYINGS)
    assert frames.build_ups.dtypes.astype(str).to_dict() == KINDS
    assert [len(frame) for frame in frames] == [0, 0, 2]
    assert frames.contracts.dtypes.astype(str).to_dict() == LISTED
    assert evaluate_rows(*frames) == ([], [])


@pytest.mark.parametrize("value", ["null", "'infinity'"])
def test_what_would_arrive_as_another_value_is_refused(connection: psycopg.Connection, value: str):
    moments = SQL("""
    select count(*) as rows, string_agg(timestamptz_send(moment), '') as moment
      from (values (now()), ({}::timestamptz)) v (moment)
    """).format(SQL(value))
    packed = Packed(connection, moments, {})
    with pytest.raises(PackedRowsError, match="moment"):
        packed.instants("moment")


def test_packed_times_keep_their_microseconds(connection: psycopg.Connection):
    moments = [datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC), datetime(2026, 1, 1, tzinfo=UTC)]
    query = SQL("""
    select 'x' as name, count(*) as rows, string_agg(timestamptz_send(m), '' order by m) as moment
      from unnest(%(moments)s || '-infinity'::timestamptz) m
    """)
    packed = Packed(connection, query, {"moments": moments})
    assert packed.instants("moment").tolist() == [pd.NaT, *map(pd.Timestamp, moments)]
    assert packed.categories("name").tolist() == ["x"] * 3
    assert np.array_equal(packed.categories("name").codes, [0, 0, 0])


def test_each_expiry_that_is_the_nearest_at_some_time_of_a_session_is_read(
    connection: psycopg.Connection,
):
    noon = session_hours(MONDAY)[0] + timedelta(hours=3)
    days = [NEAR + n * timedelta(days=7) for n in range(4)]
    sooner, first, second, later = (contract(day, 25_000, "C") for day in days)
    sooner = sooner._replace(listed_at=noon)
    late = contract(days[1], 25_050, "C", listed_at=None)
    listed = [sooner, first, second._replace(listed_at=MORNING - FIVE_MINUTES), later, late]
    write(connection, CONTRACT, listed)
    rows = [row for each in listed for row in build_ups(each, MONDAY)]
    write(connection, BUILD_UP, [*rows, *build_ups(first, TUESDAY), *build_ups(sooner, TUESDAY)])
    frames = read_frames(connection, WEEK, UNDERLYINGS)
    found = frames.build_ups
    assert {*zip(found["session"], found["expiry"], strict=True)} == {
        (MONDAY, days[0]),
        (MONDAY, days[1]),
        (TUESDAY, days[0]),  # known from the start, as it was listed the day before
    }
    assert {*found["symbol"]} == {sooner.symbol, first.symbol, late.symbol}
    contracts = frames.contracts
    moments = [None if pd.isna(value) else value for value in contracts["listed_at"]]
    assert {*zip(contracts["expiry"], contracts["strike"], moments, strict=True)} == {
        (each.expiry, each.strike, each.listed_at) for each in listed
    }
