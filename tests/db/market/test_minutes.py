"""The frames of the minute strategies, as they come out of PostgreSQL."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import psycopg
import pytest

from db.market.frames import Range
from db.market.gaps import EmptySeries, note_empty
from db.market.minutes import read_minutes
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT
from db.writing.rows import Candle, Contract

DAY = date(2026, 1, 21)
NEXT = date(2026, 1, 22)
EXPIRY = date(2026, 1, 27)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def contract(strike, kind="C", expiry=EXPIRY, first_seen=DAY):
    symbol = f"NIFTY{expiry:%y%m%d}{kind}{strike}"
    seen = first_seen, EXPIRY, "import", OPEN
    return Contract(symbol, "NIFTY", expiry, strike, kind, 65, *seen)


def candle(symbol, minute, close=100.0, volume=65, final=True, width=1, day=0):
    opened = OPEN + timedelta(days=day) + minute * MINUTE
    known_at = opened + width * MINUTE + timedelta(microseconds=7)
    prices = (close - 1, close + 2, close - 3, close)
    return Candle(
        *(symbol, width, opened, symbol[:5], *prices, volume, None, "import", known_at, final)
    )


CALL, PUT, FAR, LATE = (
    contract(25_000),
    contract(25_000, "P"),
    contract(25_600),
    contract(25_100, first_seen=NEXT),
)
SOON = contract(25_000, expiry=date(2026, 1, 22), first_seen=NEXT)
SOON = SOON._replace(listed_at=OPEN + timedelta(days=1, hours=3))


@pytest.fixture
def stored(connection: psycopg.Connection) -> psycopg.Connection:
    write(connection, CONTRACT, [CALL, PUT, FAR, LATE, contract(25_000, expiry=date(2026, 2, 3))])
    write(
        connection,
        CANDLE,
        [
            candle("NIFTY", 1, 25_010.5, None),
            candle("NIFTY", 0, 25_000.0, None),
            candle("NIFTY", 2, 25_020.0, None, final=False),
            candle("NIFTY", 0, 25_030.0, None, width=5),
            candle("NIFTY1!", 0, 25_100.0),
            candle("NIFTY", 0, 24_990.0, None, day=1),
            candle(CALL.symbol, 1, 101.0),
            candle(CALL.symbol, 0, 100.0, None),
            candle(CALL.symbol, 2, final=False),
            candle(CALL.symbol, 0, width=5),
            candle(CALL.symbol, 0, 90.0, 0, day=1),
            candle(PUT.symbol, 0, 80.0),
            candle(FAR.symbol, 0, 5.0),
            candle("NIFTY260203C25000", 0, 200.0),
            candle(LATE.symbol, 0, 70.0),
        ],
    )
    return connection


def columns(frame: pd.DataFrame, *names: str) -> list[tuple]:
    return list(zip(*(frame[name].tolist() for name in names), strict=True))


def test_final_minutes_of_the_nearest_expiry_near_the_days_range_are_read(stored):
    index, options, contracts = read_minutes(stored, Range(DAY, DAY), ("NIFTY", "BANKNIFTY"))
    assert columns(index, "session", "underlying", "open_time", "close", "known_at") == [
        (DAY, "NIFTY", OPEN, 25_000.0, OPEN + MINUTE + timedelta(microseconds=7)),
        (DAY, "NIFTY", OPEN + MINUTE, 25_010.5, OPEN + 2 * MINUTE + timedelta(microseconds=7)),
    ]
    assert columns(options, "symbol", "open_time", "open", "high", "low", "close") == [
        (CALL.symbol, OPEN, 99.0, 102.0, 97.0, 100.0),
        (CALL.symbol, OPEN + MINUTE, 100.0, 103.0, 98.0, 101.0),
        # First seen a day later: whether it counts is the ladder's to say.
        (LATE.symbol, OPEN, 69.0, 72.0, 67.0, 70.0),
        (PUT.symbol, OPEN, 79.0, 82.0, 77.0, 80.0),
    ]
    assert columns(options, "session", "underlying", "expiry", "strike", "option_type")[-1] == (
        *(DAY, "NIFTY", EXPIRY, 25_000, "P"),
    )
    assert options["volume"].tolist() == [pd.NA, 65, 65, 65]
    assert columns(contracts, "expiry", "strike", "option_type", "listed_at")[:3] == [
        (EXPIRY, 25_000, "C", OPEN),
        (EXPIRY, 25_600, "C", OPEN),
        (EXPIRY, 25_000, "P", OPEN),
    ]


def test_of_each_session_every_expiry_is_read_that_was_the_nearest_at_some_time(stored):
    write(stored, CONTRACT, [SOON])
    rows = [candle(symbol, 0, 60.0, day=1) for symbol in (SOON.symbol, "NIFTY260203C25000")]
    write(stored, CANDLE, rows)
    index, options, _ = read_minutes(stored, Range(DAY, NEXT), ("NIFTY",))
    assert index["session"].tolist() == [DAY, DAY, NEXT]
    found = columns(options[options["session"] == NEXT], "symbol", "expiry")
    assert found == [(SOON.symbol, SOON.expiry), (CALL.symbol, EXPIRY)]


def test_a_minute_in_which_nothing_was_traded_has_no_price_and_no_volume(stored):
    series = EmptySeries("candle", PUT.symbol, 1, "test")
    known_at = OPEN + 5 * MINUTE
    note_empty(stored, series, [OPEN, OPEN + MINUTE], known_at)
    _, options, _ = read_minutes(stored, Range(DAY, DAY), ("NIFTY",))
    quiet = options[options["symbol"] == PUT.symbol]
    assert columns(quiet, "open_time", "volume") == [(OPEN, 65), (OPEN + MINUTE, 0)]
    assert quiet[["open", "high", "low", "close"]].isna().sum().tolist() == [1] * 4
    assert quiet["known_at"].tolist()[1] == known_at


def test_nothing_stored_gives_frames_without_rows(stored):
    for frame in read_minutes(stored, Range(date(2026, 1, 19), date(2026, 1, 20)), ("NIFTY",))[:2]:
        assert frame.empty
        assert {"session", "underlying", "open_time", "known_at"} <= {*frame.columns}
