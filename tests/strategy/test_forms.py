"""One form is enough: of a step the batch is made, and of a batch the steps."""

import json

import pytest
from any_days import AnyDays
from hypothesis import given, settings
from hypothesis import strategies as st
from minute_days import QuietMinutes

from strategy import pullback, vwap_trap
from strategy.errors import FrameContractError
from strategy.minute_candles import minute_strategy
from strategy.pullback import PULLBACK, PullbackParameters
from strategy.vwap_trap import VWAP_TRAP, VwapTrapParameters
from tests.long import examples

RULES = {
    "pullback": (PULLBACK, PullbackParameters(), pullback.batch, pullback.step),
    "vwap_trap": (VWAP_TRAP, VwapTrapParameters(), vwap_trap.batch, vwap_trap.step),
}
every_rule = pytest.mark.parametrize("name", RULES)
few = settings(max_examples=examples(6))
seeds = st.integers(0, 1_000_000)


def lines(rows):
    return [[json.dumps(row._asdict(), default=str) for row in part] for part in rows]


@every_rule
@few
@given(seed=seeds)
def test_the_batch_made_of_steps_gives_the_bytes_of_the_written_one(name, seed):
    written, numbers, _, step = RULES[name]
    made = minute_strategy(name, written.version, numbers, None, step)
    frames = AnyDays.of(written, seed).frames
    assert lines(made.evaluate(frames, numbers)) == lines(written.evaluate(frames, numbers))


@every_rule
@few
@given(seed=seeds, saved=st.sets(st.integers(0, 120)))
def test_the_steps_made_of_a_batch_give_its_bytes_with_the_state_saved_anywhere(name, seed, saved):
    written, numbers, batch, _ = RULES[name]
    made = minute_strategy(name, written.version, numbers, batch, None)
    frames = AnyDays.of(written, seed).frames
    stepped = made.step_through(frames, numbers, saved.__contains__)
    assert lines(stepped) == lines(written.evaluate(frames, numbers))


def test_the_batch_made_of_steps_refuses_what_the_written_one_refuses():
    made = minute_strategy("pullback", "1", PullbackParameters(), None, pullback.step)
    frames = QuietMinutes().frames()
    unsorted = frames._replace(index=frames.index[::-1])
    with pytest.raises(FrameContractError, match="index"):
        made.evaluate(unsorted, made.defaults)


def test_neither_form_is_an_error():
    with pytest.raises(TypeError, match="idle: neither a batch nor a step function"):
        minute_strategy("idle", "1", PullbackParameters(), None, None)
