"""Every way in and out of a trade, by hand: entry 100, stop 80, target 130 unless told."""

import pytest
from traded_days import EMPTY, series

from strategy.trade import Entry, Exit, Order, enter, leave

CALM = (100, 105, 95, 100)
MARKET = Order("market", 100.0, 80.0, 130.0)
STOP = Order("stop", 110.0, 80.0, 130.0)
LAST = series([CALM] * 375)


@pytest.mark.parametrize(
    ("order", "prices", "start", "expected"),
    [
        (MARKET, [CALM, (102, 103, 101, 102)], 1, Entry(1, 102.0)),
        (MARKET, [CALM, EMPTY, (97, 98, 96, 97)], 1, Entry(2, 97.0)),  # nothing traded: the next
        (MARKET, [CALM, None, CALM], 1, None),  # who knows what was missed
        (MARKET, [CALM, EMPTY], 1, None),  # it may still come
        (STOP, [CALM, (105, 112, 104, 111)], 0, Entry(1, 110.0)),
        (STOP, [CALM, (105, 110, 104, 106)], 0, Entry(1, 110.0)),  # touched is filled
        (STOP, [CALM, (115, 116, 112, 113)], 0, Entry(1, 115.0)),  # a gap up costs more
        (STOP, [(100, 109, 80, 85), (100, 120, 99, 119)], 0, Entry(0, None)),  # stop came first
        (STOP, [CALM, (100, 110, 80, 90)], 0, Entry(1, 110.0)),  # both: filled
        (STOP, [(100, 120, 99, 119), CALM, CALM], 1, None),  # not reached since it stands
        (STOP, [CALM, None, (105, 112, 104, 111)], 0, None),
    ],
)
def test_entries(order, prices, start, expected):
    assert enter(series(prices), order, start) == expected


def test_what_is_not_bought_by_the_sessions_end_is_no_trade():
    assert enter(LAST, STOP, 0) == Entry(375, None)
    assert enter(LAST, MARKET, 375) == Entry(375, None)
    assert enter(LAST, MARKET, 999) == Entry(375, None)
    assert enter(LAST, MARKET, 374) == Entry(374, 100.0)


@pytest.mark.parametrize(
    ("order", "prices", "price", "expected"),
    [
        (MARKET, [CALM, CALM], 100.0, None),
        (MARKET, [CALM, (100, 130, 99, 129)], 100.0, Exit(1, 130.0, "target1")),
        (MARKET, [CALM, (100, 101, 80, 90)], 100.0, Exit(1, 80.0, "stop")),
        (MARKET, [CALM, (100, 130, 80, 129)], 100.0, Exit(1, 80.0, "stop")),  # both: the stop
        (MARKET, [CALM, (75, 90, 70, 90)], 100.0, Exit(1, 75.0, "stop")),  # opened below it
        (MARKET, [CALM, (140, 150, 139, 145)], 100.0, Exit(1, 130.0, "target1")),  # not 140
        (MARKET, [(100, 131, 99, 130)], 100.0, Exit(0, 130.0, "target1")),  # in its own candle
        (MARKET, [(78, 90, 77, 90)], 78.0, Exit(0, 78.0, "stop")),  # bought below the stop
        (MARKET, [(135, 136, 134, 135)], 135.0, Exit(0, 135.0, "target1")),  # above the target
        (MARKET, [CALM, EMPTY, (100, 130, 99, 129)], 100.0, Exit(2, 130.0, "target1")),
        (STOP, [(70, 112, 69, 111)], 110.0, Exit(0, 80.0, "stop")),  # 70 came before 110
        (STOP, [(105, 131, 104, 130)], 110.0, Exit(0, 130.0, "target1")),
        (STOP, [(105, 111, 104, 110), (70, 90, 69, 90)], 110.0, Exit(1, 70.0, "stop")),
    ],
)
def test_exits(order, prices, price, expected):
    assert leave(series(prices), order, 0, price) == expected


def test_what_came_before_the_entry_is_no_exit():
    touched = series([(100, 130, 80, 100), CALM, CALM])
    assert leave(touched, MARKET, 1, 100.0) is None
