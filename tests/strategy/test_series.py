"""Candles by slot: the finest ones, gaps and quiet intervals told apart, bad rows refused."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from traded_days import CLOSE, EMPTY, OPEN, SESSION, SYMBOL, frame, minute, rows, series

from strategy.errors import FrameContractError
from strategy.series import series_of

FOUR = (100, 102, 99, 101)
THREE_FIVES = [FOUR] * 3


def test_slots_are_counted_from_the_open_and_end_with_the_session():
    found = series([FOUR, None, EMPTY, FOUR])
    assert (found.moment(0), found.size, found.moment(found.size)) == (OPEN, 375, CLOSE)
    assert found.gap_from(0) == 1
    assert found.gap_from(2) == 4
    assert np.isnan(found.close[:4]).tolist() == [False, True, True, False]
    assert [found.slot_from(minute(n)) for n in (-3, 0, 1, 500)] == [0, 0, 1, 375]
    assert found.slot_from(minute(1) + timedelta(microseconds=1)) == 2
    assert [found.slots_until(minute(n)) for n in (-3, 0, 1, 500)] == [0, 0, 1, 375]
    assert found.known_from(0, 1) == datetime(2026, 1, 21, 3, 46, 2, tzinfo=UTC)


def test_five_minutes_count_where_there_are_no_finer_ones():
    found = series(THREE_FIVES, minutes=5)
    assert (found.size, found.gap_from(0)) == (75, 3)
    assert found.moment(3) == minute(15)


def test_each_five_minutes_have_the_finest_candles_of_their_own():
    one = rows([None] * 5 + [(1, 1, 1, 1)] * 3, minutes=1)
    found = series_of(frame([*one, *rows(THREE_FIVES, minutes=5)]))[SYMBOL, SESSION]
    # One candle of five, three minutes of five, one candle of five, then minutes not stored.
    assert found.close[:8].tolist()[:4] == [101, 1, 1, 1]
    assert [found.moment(n) for n in range(8)] == [minute(n) for n in (0, 5, 6, 7, 8, 9, 10, 15)]
    assert (found.gap_from(0), found.gap_from(6), found.close[6]) == (4, 7, 101)
    assert [found.slots_until(minute(n)) for n in (4, 5, 6, 14, 15, 16)] == [0, 1, 2, 6, 7, 8]
    assert [found.slot_from(minute(n)) for n in (0, 1, 5, 11)] == [0, 1, 1, 7]


def test_quiet_minutes_do_not_hide_candles_of_five():
    quiet = rows([EMPTY] * 3, minutes=1)
    found = series_of(frame([*quiet, *rows(THREE_FIVES, minutes=5)]))[SYMBOL, SESSION]
    assert found.close[:3].tolist() == [101] * 3
    alone = series_of(frame(quiet))[SYMBOL, SESSION]
    assert alone.gap_from(0) == 3
    assert np.isnan(alone.close).all()


def test_no_candles_are_no_series():
    assert series_of(frame([])) == {}


def test_rows_outside_of_the_sessions_hours_are_left_out():
    early = [(*row[:3], row[3] - timedelta(hours=1), *row[4:]) for row in rows([FOUR] * 2)]
    assert series_of(frame([*early, *rows([FOUR])]))[SYMBOL, SESSION].gap_from(0) == 1


def change(column, value, row=1):
    lines = [list(line) for line in rows([FOUR] * 3)]
    lines[row][("symbol", "session", "minutes", "open_time", "open").index(column)] = value
    return frame([tuple(line) for line in lines])


@pytest.mark.parametrize(
    ("candles", "message"),
    [
        (frame(rows([FOUR])).drop(columns="high"), "candles.high: the column is absent"),
        (change("minutes", 3), "candles.interval_minutes: neither 1 nor 5, first in row 1"),
        (change("open", -1.0), "candles.open: negative, first in row 1"),
        (change("open", np.inf), "candles.open: not finite, first in row 1"),
        (change("open_time", minute(2)), "candles.open_time: duplicate, first in row 2"),
        (change("open_time", minute(9)), "candles.open_time: unsorted, first in row 2"),
        (
            change("open_time", minute(1) + timedelta(seconds=7)),
            "candles.open_time: not the start of a 1-minute interval, first in row 1",
        ),
        (change("symbol", None), "candles.symbol: null is not allowed, first in row 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rows_that_break_the_contract_are_named(candles, message):
    with pytest.raises(FrameContractError, match=message):
        series_of(candles)
