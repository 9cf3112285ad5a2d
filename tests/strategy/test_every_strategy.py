"""What must hold of every strategy of the registry, and of the one that docs/strategies.md shows.

A new strategy is held to it without a line of its own.
"""

import json
import re
from itertools import chain
from pathlib import Path

import pytest
from any_days import AnyDays
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.registry import STRATEGIES
from strategy.session import spot_is_reliable
from tests.long import examples

DOCUMENT = Path(__file__).parents[2] / "docs" / "strategies.md"


def documented():
    """The strategy that the document shows, made of the code as it stands there."""
    code = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)[0]
    names = {"__name__": "strategy.jump"}
    exec(compile(code, DOCUMENT, "exec"), names)
    return names["JUMP"]


EVERY = [*STRATEGIES.values(), documented()]
every_strategy = pytest.mark.parametrize("strategy", EVERY, ids=lambda strategy: strategy.name)
every_minute_strategy = pytest.mark.parametrize(
    "strategy",
    [strategy for strategy in EVERY if strategy.reads == "minutes"],
    ids=lambda strategy: strategy.name,
)
seeds = st.integers(0, 1_000_000)
places = st.floats(0, 1)
few = settings(max_examples=examples(8))


def lines(rows):
    """Each row as the JSON text that would be stored."""
    return [json.dumps(row._asdict(), default=str) for row in rows]


def evaluated(strategy, frames):
    return [lines(rows) for rows in strategy.evaluate(frames, strategy.defaults)]


def evaluated_until(strategy, frames, moment, column="event_time"):
    """The lines of the rows whose column is not null and not later than the moment."""
    return [
        lines(row for row in rows if getattr(row, column) and getattr(row, column) <= moment)
        for rows in strategy.evaluate(frames, strategy.defaults)
    ]


def at(moments, place):
    return moments[int(place * (len(moments) - 1))]


@every_strategy
def test_random_days_give_signals_of_both_underlyings(strategy):
    found = [
        row
        for seed in range(14)
        for row in strategy.evaluate(AnyDays.of(strategy, seed).frames, strategy.defaults)[0]
    ]
    assert {row.underlying for row in found} == {"NIFTY", "BANKNIFTY"}
    assert {row.strategy for row in found} == {strategy.name}
    assert {row.version for row in found} == {strategy.version}
    assert {row.params_hash for row in found} == {strategy.defaults.params_hash()}
    for row in found:
        assert 0 < row.stop < row.entry < row.target1
        assert row.target2 is None or row.target2 > row.target1
        assert row.event_time == row.input_watermark <= row.known_at
    keys = [(row.underlying, row.event_time, row.symbol) for row in found]
    assert len({row.signal_id for row in found}) == len({*keys})


@every_strategy
@few
@given(seed=seeds, saved=st.sets(st.integers(0, 120)))
def test_steps_give_the_bytes_of_the_batch_with_the_state_saved_anywhere(strategy, seed, saved):
    frames = AnyDays.of(strategy, seed).frames
    stepped = strategy.step_through(frames, strategy.defaults, saved.__contains__)
    assert evaluated(strategy, frames) == [lines(rows) for rows in stepped]


@every_strategy
def test_a_step_leaves_the_state_it_was_given_as_it_was(strategy):
    states = {}
    for interval in strategy.intervals(AnyDays.of(strategy, 5).frames):
        key = interval.session, interval.underlying
        state = states.get(key) or strategy.state(*key)
        text = json.dumps(state.to_json())
        states[key], _, _ = strategy.step(state, interval, strategy.defaults)
        assert json.dumps(state.to_json()) == text
        saved = json.loads(json.dumps(states[key].to_json()))
        assert strategy.state.from_json(saved).to_json() == saved


@every_strategy
def test_cutting_the_data_after_any_interval_leaves_the_rows_before(strategy):
    days = AnyDays.of(strategy, 3)
    for moment in days.moments():
        cut = evaluated(strategy, days.until(moment))
        assert cut == evaluated_until(strategy, days.frames, moment)


@every_strategy
@few
@given(seed=seeds, place=places)
def test_truncation_never_changes_the_past(strategy, seed, place):
    days = AnyDays.of(strategy, seed)
    moment = at(days.moments(), place)
    cut = evaluated(strategy, days.until(moment))
    assert cut == evaluated_until(strategy, days.frames, moment)


@every_strategy
@few
@given(seed=seeds, place=places, poison=seeds)
def test_poisoning_all_later_intervals_never_changes_the_past(strategy, seed, place, poison):
    days = AnyDays.of(strategy, seed)
    moment = at(days.moments(), place)
    other = days.poisoned_after(moment, poison)
    assert evaluated_until(strategy, other, moment) == evaluated_until(
        strategy, days.frames, moment
    )


@every_strategy
@few
@given(seed=seeds, place=places, poison=seeds)
def test_poisoning_all_that_was_not_yet_known_never_changes_what_was(strategy, seed, place, poison):
    days = AnyDays.of(strategy, seed)
    moment = at(days.known(), place)
    other = days.poisoned_unknown(moment, poison)
    assert evaluated_until(strategy, other, moment, "known_at") == evaluated_until(
        strategy, days.frames, moment, "known_at"
    )


@every_strategy
@few
@given(seed=seeds, place=places)
def test_taking_away_all_that_was_not_yet_known_leaves_what_was(strategy, seed, place):
    days = AnyDays.of(strategy, seed)
    moment = at(days.known(), place)
    there = {*chain(*evaluated_until(strategy, days.until_known(moment), moment, "known_at"))}
    assert there.issuperset(chain(*evaluated_until(strategy, days.frames, moment, "known_at")))


@every_strategy
@few
@given(seed=seeds)
def test_sessions_and_underlyings_do_not_touch_each_other(strategy, seed):
    days = AnyDays.of(strategy, seed)
    keys = {
        key
        for frame in days.frames[:2]
        for key in zip(frame["session"], frame["underlying"], strict=True)
    }
    parts = [evaluated(strategy, days.one_day(*key)) for key in sorted(keys)]
    joined = [[*chain.from_iterable(rows)] for rows in zip(*parts, strict=True)]
    assert evaluated(strategy, days.frames) == joined


@every_strategy
def test_other_numbers_make_another_version(strategy):
    numbers = strategy.defaults.with_values({"tick_size": 0.1})
    frames = AnyDays.of(strategy, 2).frames
    found = strategy.evaluate(frames, numbers)
    version = f"{strategy.version}+{numbers.params_hash()[:8]}"
    assert {row.version for row in chain(*found)} == {version}
    assert {row.params_hash for row in found[0]} == {numbers.params_hash()}
    assert [*map(lines, found)] == [*map(lines, strategy.step_through(frames, numbers))]


@every_minute_strategy
def test_no_strategy_reads_the_index_in_the_closing_auction(strategy):
    ends = [
        row.event_time
        for seed in range(12)
        for rows in strategy.evaluate(AnyDays.of(strategy, seed).frames, strategy.defaults)
        for row in rows
    ]
    assert all(map(spot_is_reliable, ends))
