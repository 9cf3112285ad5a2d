"""What must hold on any day: no look ahead, one engine whichever way it runs, and the rules."""

import numpy as np
import pandas as pd
import plain_delta_volume as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from option_days import as_lines, is_listed, other_listings, random_days, run_steps
from plain_check import listing_of

from strategy.delta_volume import Parameters, State, evaluate, intervals_of, step
from strategy.signals import rejection_frame, signal_frame
from tests.long import examples

FIVE_MINUTES = pd.Timedelta(minutes=5)
seeds = st.integers(0, 1_000_000)
few = settings(max_examples=examples(25))


def lines_until(result, moment, column):
    """The lines of both frames whose column is not later than the moment."""
    return [as_lines(frame[frame[column] <= moment]) for frame in result]


def cut_after(frames, moment):
    """Only what the intervals that ended by then left."""
    build_ups, reference, contracts = frames
    return (
        build_ups[build_ups["open_time"] + FIVE_MINUTES <= moment],
        reference[reference["open_time"] + FIVE_MINUTES <= moment],
        contracts[is_listed(contracts, moment)],
    )


def test_random_days_show_every_outcome():
    results = [evaluate(*random_days(seed)) for seed in range(20)]
    signals = pd.concat([result.signals for result in results])
    rejections = pd.concat([result.rejections for result in results])
    assert set(signals["direction"]) == {"BULLISH", "BEARISH"}
    assert {reasons["reference"] for reasons in signals["reasons"]} == {"spot", "future"}
    assert set(rejections["reason"]) == {"against_net_delta", "missing_rows", "no_reference"}


def test_cutting_the_data_after_any_interval_leaves_the_signals_before():
    frames = random_days(3)
    full = evaluate(*frames)
    moments = sorted({*(frames[0]["open_time"] + FIVE_MINUTES)})
    for moment in moments:
        cut = evaluate(*cut_after(frames, moment))
        assert [as_lines(frame) for frame in cut] == lines_until(full, moment, "event_time")


@few
@given(seed=seeds, place=st.floats(0, 1))
def test_truncation_never_changes_the_past(seed, place):
    frames = random_days(seed)
    ends = frames[0]["open_time"] + FIVE_MINUTES
    moment = ends.iloc[int(place * (len(ends) - 1))]
    cut = evaluate(*cut_after(frames, moment))
    assert [as_lines(frame) for frame in cut] == lines_until(
        evaluate(*frames), moment, "event_time"
    )


def poisoned(frames, moment, later, seed):
    """The same rows, with every value of the chosen ones replaced by another."""
    rng = np.random.default_rng(seed)
    build_ups, reference, contracts = (frame.copy() for frame in frames)
    rows = later(build_ups, "known_at")
    count = int(rows.sum())
    build_ups.loc[rows, "close"] = rng.integers(1, 9_000, count) / 20
    build_ups.loc[rows, "open_interest"] = rng.integers(0, 9_000, count)
    build_ups.loc[rows, "volume"] = rng.integers(0, 90_000, count)
    for name in ("spot", "future"):
        rows = later(reference, f"{name}_known_at")
        reference.loc[rows, name] *= rng.uniform(0.9, 1.1, int(rows.sum()))
    return build_ups, reference, other_listings(contracts, moment, seed)


@few
@given(seed=seeds, place=st.floats(0, 1), poison=seeds)
def test_poisoning_all_later_intervals_never_changes_the_past(seed, place, poison):
    frames = random_days(seed)
    ends = frames[0]["open_time"] + FIVE_MINUTES
    moment = ends.iloc[int(place * (len(ends) - 1))]
    other = poisoned(
        frames, moment, lambda frame, _: frame["open_time"] + FIVE_MINUTES > moment, poison
    )
    assert lines_until(evaluate(*other), moment, "event_time") == lines_until(
        evaluate(*frames), moment, "event_time"
    )


@few
@given(seed=seeds, place=st.floats(0, 1), poison=seeds)
def test_poisoning_all_that_was_not_yet_known_never_changes_what_was(seed, place, poison):
    frames = random_days(seed)
    known = frames[0]["known_at"].sort_values()
    moment = known.iloc[int(place * (len(known) - 1))]
    other = poisoned(frames, moment, lambda frame, column: frame[column] > moment, poison)
    assert lines_until(evaluate(*other), moment, "known_at") == lines_until(
        evaluate(*frames), moment, "known_at"
    )


@few
@given(seed=seeds, saved=st.sets(st.integers(0, 90)))
def test_steps_give_the_bytes_of_the_batch_with_the_state_saved_anywhere(seed, saved):
    frames = random_days(seed)
    assert [as_lines(frame) for frame in evaluate(*frames)] == [
        as_lines(frame) for frame in run_steps(frames, saved.__contains__)
    ]


@pytest.mark.parametrize(
    "parameters",
    [
        Parameters(wings=0),
        Parameters(wings=2, spike_factor=1.5),
        Parameters(spike_window=3, spike_minimum=1),
        Parameters(stop_points={"NIFTY": 12.5, "BANKNIFTY": 200}, first_target_points=7),
        Parameters(level_unit="premium"),
        Parameters(level_unit="range", spike_window=5),
    ],
    ids=["narrow", "wide", "short", "risk", "premium", "range"],
)
def test_steps_give_the_bytes_of_the_batch_with_other_parameters(parameters):
    frames = random_days(11)
    states, signals, rejections = {}, [], []
    for interval in intervals_of(*frames):
        key = interval.session, interval.underlying
        states[key], more, less = step(states.get(key, State(*key)), interval, parameters)
        signals += more
        rejections += less
    result = evaluate(*frames, parameters)
    assert signals
    assert as_lines(result.signals) == as_lines(signal_frame(signals))
    assert as_lines(result.rejections) == as_lines(rejection_frame(rejections))


@few
@given(seed=seeds)
def test_sessions_and_underlyings_do_not_touch_each_other(seed):
    build_ups, reference, contracts = random_days(seed)
    whole = evaluate(build_ups, reference, contracts)
    parts = [
        evaluate(*(frame[_is(frame, *key)] for frame in (build_ups, reference)), contracts)
        for key in sorted({*zip(build_ups["session"], build_ups["underlying"], strict=True)})
    ]
    for place, frame in enumerate(whole):
        assert as_lines(frame) == [line for part in parts for line in as_lines(part[place])]


def _is(frame, session, underlying):
    return (frame["session"] == session) & (frame["underlying"] == underlying)


def assert_as_plainly_read(frames):
    result = evaluate(*frames)
    expected = plain.evaluate(*map(plain.records, frames))
    for frame, wanted in zip(result, expected, strict=True):
        found = plain.records(frame)
        assert len(found) == len(wanted)
        for row, plain_row in zip(found, wanted, strict=True):
            assert {name: row[name] for name in plain_row} == plain_row


@few
@given(seed=seeds)
def test_the_vectorised_rules_are_the_rules_as_read_plainly(seed):
    assert_as_plainly_read(random_days(seed))


@pytest.fixture(scope="module")
def recorded(shared_data):
    """Recorded sessions as the frames that evaluate takes."""
    rows = pd.read_parquet(shared_data / "nifty_banknifty_5m_2026-01-22_2026-02-02.parquet")
    rows = rows.rename(columns={"ts": "open_time", "oi": "open_interest"})
    rows["known_at"] = rows["open_time"] + FIVE_MINUTES
    rows["session"] = rows["open_time"].dt.tz_convert("Asia/Kolkata").dt.date
    options = rows[rows["option_type"].notna()].astype({"strike": "int64"})
    index = rows[rows["option_type"].isna()]
    reference = index.rename(columns={"close": "spot", "known_at": "spot_known_at"})
    reference = reference.assign(future=float("nan"), future_known_at=pd.NaT)
    return options, reference, listing_of(options)


def test_recorded_sessions_give_the_signals_that_the_plain_reading_gives(recorded):
    assert not evaluate(*recorded).signals.empty
    assert_as_plainly_read(recorded)


def test_recorded_sessions_stepped_through_give_the_bytes_of_the_batch(recorded):
    assert [as_lines(frame) for frame in evaluate(*recorded)] == [
        as_lines(frame) for frame in run_steps(recorded, lambda place: place % 50 == 0)
    ]
