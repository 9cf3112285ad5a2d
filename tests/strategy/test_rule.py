"""Rules in rupees: what they are shown, what they buy, and since when it is known."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from any_days import AnyDays
from minute_days import SESSION, QuietMinutes

from strategy.rule import Bar, Buy, RuleParameters, rule
from strategy.session import IST


@dataclass(frozen=True)
class Rise(RuleParameters):
    """Points of the index."""

    points: float = 10.0


def rise(minute, memory, numbers):
    before = memory.get("close")
    memory["close"] = minute.index.close
    if minute.call and before is not None and minute.index.close - before >= numbers.points:
        close = minute.call.close
        yield Buy(minute.call, close - 10, close + 15.02, reasons={"before": before})


def evaluated(decide, day, numbers=None):
    made = rule("rise", "1", numbers or Rise(), decide)
    return made.evaluate(day.frames(), made.defaults)[0]


def test_a_signal_lies_on_the_tick_grid_and_says_what_led_to_it():
    day = QuietMinutes(5)
    day.spot(3, 25_010.0)
    day.put(3, "25000C", open=99.0, high=101.0, low=98.0, close=100.5)
    (found,) = evaluated(rise, day)
    assert "C25000" in found.symbol
    assert (found.entry, found.stop, found.target1, found.target2) == (100.5, 90.5, 115.5, None)
    assert (found.direction, found.kind, found.entry_order) == ("BULLISH", "rise", "market")
    assert found.event_time == day.opens[3] + timedelta(minutes=1)
    assert found.known_at == found.event_time + timedelta(seconds=2)
    contract = {"open": 99.0, "high": 101.0, "low": 98.0, "close": 100.5, "symbol": found.symbol}
    assert found.reasons == {"contract": contract, "index_close": 25_010.0, "before": 25_000.0}


def test_a_rule_sees_rupees_and_the_time_in_india():
    seen = []

    def look(minute, memory, numbers):
        seen.append(minute)

    day = QuietMinutes(2)
    day.put(1, "25000P", close=80.05, volume=None)
    evaluated(look, day)
    assert [one.number for one in seen] == [0, 1]
    last = seen[-1]
    assert last.index == Bar("NIFTY", 25_000.0, 25_000.0, 25_000.0, 25_000.0, None)
    assert last.put == Bar(last.put.symbol, 80.05, 80.05, 80.05, 80.05, None)
    assert (last.strike, last.call.volume) == (25_000, 100)
    assert last.option(24_950, "C").close == 100.0
    assert last.option(26_000, "C") is None
    assert last.time == day.opens[1].astimezone(IST) + timedelta(minutes=1)
    assert last.time.date() == SESSION


def test_what_came_late_and_may_be_remembered_makes_later_signals_late():
    day = QuietMinutes(5)
    late = day.opens[1] + timedelta(minutes=30)
    day.spot(1, 25_000.0, known_at=late)
    day.spot(3, 25_010.0)
    (found,) = evaluated(rise, day)
    assert found.known_at == late


def test_an_option_counts_only_where_it_was_asked_for():
    def wide(minute, memory, numbers):
        if minute.number == 2:
            minute.option(24_950, "P")
        yield from rise(minute, memory, numbers)

    day = QuietMinutes(5)
    late = day.opens[2] + timedelta(minutes=9)
    day.put(2, "24950P", close=100.0, known_at=late)
    day.spot(3, 25_010.0)
    assert [found.known_at for found in evaluated(wide, day)] == [late]
    assert [found.known_at for found in evaluated(rise, day)] != [late]


def test_an_order_above_the_market_has_two_targets():
    def above(minute, memory, numbers):
        if minute.number == 1:
            yield Buy(minute.put, 90, 120, 130.01, above=110)

    (found,) = evaluated(above, QuietMinutes(3))
    assert (found.entry_order, found.direction) == ("stop", "BEARISH")
    assert (found.entry, found.stop, found.target1, found.target2) == (110.0, 90.0, 120.0, 130.0)


def test_what_a_rule_remembers_is_never_shared_between_states():
    made = rule("rise", "1", Rise(), rise)
    frames = AnyDays.of(made, 4).frames
    every = made.step_through(frames, made.defaults, lambda _: True)
    assert every == made.evaluate(frames, made.defaults)
    assert every[0]


def test_buying_what_is_not_at_the_money_is_an_error():
    def far(minute, memory, numbers):
        yield Buy(minute.option(24_950, "C"), 90, 120)

    with pytest.raises(ValueError, match="buys what is not at the money"):
        evaluated(far, QuietMinutes(2))
