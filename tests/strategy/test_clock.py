"""The market's clock: a line over the computer's time, up to where it stops."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from strategy.clock import MarketClock

OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
STOP = OPEN + timedelta(hours=1)


@pytest.mark.parametrize(
    "clock", [MarketClock(OPEN, 1_000.5, 60.0), MarketClock(OPEN, 1_000.5, 0.5, STOP)]
)
def test_its_text_form_gives_the_same_clock(clock: MarketClock):
    assert MarketClock.parse(str(clock)) == clock


@pytest.mark.parametrize(
    "text",
    [
        "noon,1,1",
        "2026-01-21T09:15:00,1,1",
        f"{OPEN},1,0",
        f"{OPEN},1",
        f"{OPEN},1,1,{OPEN},{OPEN}",
    ],
)
def test_other_texts_are_refused(text: str):
    with pytest.raises(ValueError, match=r".+"):
        MarketClock.parse(text)


def test_it_runs_at_its_speed_and_stands_still_where_it_stops():
    clock = MarketClock(OPEN, 1_000.0, 60.0, STOP)
    assert clock.at(1_001.0) == OPEN + timedelta(minutes=1)
    assert clock.at(1_060.0) == clock.at(9_999.0) == STOP
    assert clock.now() == STOP
    assert clock.line() == (STOP, 1_060.0, 0.0)
    assert clock.seconds_until(STOP + timedelta(seconds=1)) == math.inf
    assert clock.seconds_until(OPEN) == 0


def test_without_a_text_it_is_the_real_one():
    assert MarketClock.parse(None).is_real
    assert MarketClock.parse("").line() == MarketClock.real()[:3]
    assert not MarketClock(OPEN, 0.0, 1.0).is_real
