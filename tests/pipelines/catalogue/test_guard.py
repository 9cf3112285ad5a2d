"""Strategies under guard: each wrong one is named with what it did, in one line."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from signal import ITIMER_REAL, getitimer

import pytest

from pipelines.catalogue.catalogue import find
from pipelines.catalogue.fault import StrategyFault
from pipelines.catalogue.guard import guarded
from strategy.made_day import made_day
from strategy.minute_candles import Day, Order, Outcomes, minute_strategy, signal
from strategy.pullback import PULLBACK
from strategy.rule import RuleParameters
from strategy.strategy import Strategy
from tests.rules import write_rule

RISING = [25_000.0, 25_003.0, 25_010.0, 25_011.0, 25_020.0, 25_021.0, 25_015.0, 25_030.0]
FRAMES = made_day(RISING)


def written(folder: Path, line: str = "pass") -> Strategy:
    write_rule(folder, "rise", line)
    found = find(folder)
    assert found.faults == []
    return found.entries["rise"].strategy


def problem(strategy: Strategy, **changes: object) -> str:
    with pytest.raises(StrategyFault) as told:
        strategy.evaluate(FRAMES, strategy.defaults.with_values(changes))
    with pytest.raises(StrategyFault):
        strategy.step_through(FRAMES, strategy.defaults.with_values(changes))
    assert str(told.value) == f"strategy rise: {told.value.problem}"
    assert "\n" not in told.value.problem
    return told.value.problem


def test_a_sound_rule_passes_with_its_signals(tmp_path: Path):
    rise = written(tmp_path)
    signals, rejections = rise.evaluate(FRAMES, rise.defaults)
    assert [one.event_time.minute for one in signals] == [48, 50, 53]
    assert rise.step_through(FRAMES, rise.defaults) == (signals, rejections) == (signals, [])


def test_an_error_is_told_with_its_line(tmp_path: Path):
    rise = written(tmp_path, "raise KeyError('gone')")
    assert problem(rise) == "KeyError: 'gone' (rise.py, line 23)"


def test_a_number_that_is_divided_by_is_named_where_it_is_zero(tmp_path: Path):
    told = problem(written(tmp_path), divisor=0)
    assert told.startswith("ZeroDivisionError: ")
    assert told.endswith(" (rise.py, line 24); 0 is divisor")


@pytest.mark.parametrize("line", ["import time; time.sleep(60)", "while True: pass"])
def test_what_takes_too_long_is_interrupted(
    tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch
):
    for name in ("BATCH_SECONDS", "STEP_SECONDS"):
        monkeypatch.setattr(f"pipelines.catalogue.guard.{name}", 0.2)
    assert problem(written(tmp_path, line)) == "took longer than 0.2 seconds"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("yield Buy(minute.call, 300, 400)", "levels must ascend from above zero"),
        ("yield Buy(minute.call, 100, 150)", "levels must ascend from above zero"),
        ("yield Buy(minute.option(24_900, 'P'), 1, 400)", "buys what is not at the money"),
        ("yield Buy(minute.call, 1, 400, reasons={'x': minute.time})", "written as JSON"),
        ("yield Buy(minute.call, 1, 400, reasons={'x': float('nan')})", "written as JSON"),
        ("yield from [Buy(minute.call, 1, 400)] * 2", "is given twice"),
        ("memory['x'] = {1, 2}; yield 5", "AttributeError"),
    ],
)
def test_rows_against_the_contract_are_refused(tmp_path: Path, line: str, told: str):
    assert told in problem(written(tmp_path, line))


def _always(memory, minute, numbers):
    if minute.atm is None or minute.atm.call is None:
        return None, []
    call = minute.atm.call
    order = Order(call, "market", call.close, call.close - 500, call.close + 500, None)
    return None, [signal(minute.atm, "rise", order, {}, call.known_at, numbers)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda row: row._replace(strategy="pullback"), "is of pullback 1 instead of rise 1"),
        (lambda row: row._replace(version="2"), "is of rise 2 instead of rise 1"),
        (lambda row: row._replace(underlying="GOLD"), "no session of GOLD"),
        (lambda row: row._replace(known_at=None), "nobody knows when it is known"),
        (
            lambda row: row._replace(known_at=row.event_time - timedelta(seconds=1)),
            "is known before its interval's end",
        ),
        (
            lambda row: row._replace(event_time=row.event_time + timedelta(seconds=1)),
            "not the end of an interval",
        ),
        (lambda row: row._replace(event_time=row.event_time.replace(tzinfo=None)), "no time zone"),
        (lambda row: row._replace(symbol="NIFTY"), "no option of NIFTY"),
        (lambda row: row._replace(direction="UP"), "no direction or order: UP, market"),
        (lambda row: row._replace(stop=float("nan")), "levels must ascend"),
        (lambda row: row._replace(stop=None), "TypeError"),
        (lambda row: row._replace(params_hash="x"), "params_hash is not that of its parameters"),
        (lambda row: row._replace(signal_id=row.input_watermark), "its signal_id is not made"),
        (lambda row: tuple(row), "gives tuple as a signal"),
    ],
)
def test_every_value_of_a_row_is_looked_at(change, told: str):
    sound = minute_strategy("rise", "1", RuleParameters(), None, _always)

    def evaluate(frames, numbers):
        signals, rejections = sound.evaluate(frames, numbers)
        return [change(row) for row in signals], rejections

    wrong = guarded(replace(sound, evaluate=evaluate))
    with pytest.raises(StrategyFault) as found:
        wrong.evaluate(FRAMES, wrong.defaults)
    assert told in found.value.problem


def test_a_batch_that_looks_into_the_future_is_found():
    def batch(day: Day, numbers: RuleParameters) -> Outcomes:
        highest = day.spot.close.max()
        for row in _bought(day, numbers):
            if row.spot * 100 < highest:
                yield row

    def _bought(day: Day, numbers: RuleParameters):
        for slot in day.spot.stored.nonzero()[0].tolist():
            atm = day.at(slot)
            call = atm.call
            order = Order(call, "market", call.close, call.close - 500, call.close + 500, None)
            yield signal(atm, "rise", order, {}, call.known_at, numbers)

    told = problem_of_batch(batch)
    assert told.startswith("looks into the future: without what came after 2026-01-21 ")
    assert problem_of_batch(_bought) == ""


def problem_of_batch(batch) -> str:
    strategy = guarded(minute_strategy("rise", "1", RuleParameters(), batch, None))
    try:
        strategy.evaluate(FRAMES, strategy.defaults)
    except StrategyFault as fault:
        return fault.problem
    return ""


def test_a_limit_leaves_the_limit_around_it_and_the_time_that_is_left():
    before = getitimer(ITIMER_REAL)[0]
    strategy = guarded(PULLBACK, ours=True)
    strategy.evaluate(FRAMES, strategy.defaults)
    after = getitimer(ITIMER_REAL)[0]
    assert (after > 0) == (before > 0)
    assert after <= before
