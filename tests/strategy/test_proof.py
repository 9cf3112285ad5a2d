"""The proof of strategies proved: it passes honest ones and names what others do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from option_days import DELTA_VOLUME, LADDER, QuietDay, ladder_frame, random_days

from strategy.delta_volume import Parameters, State
from strategy.errors import FrameContractError
from strategy.proof import AHEAD, FORMS, Check, Subject, differing, line, warmed_up
from strategy.proof.frames import Poison, ended_by, has_late_values, known_by
from strategy.session import interval_opens, use_overrides
from strategy.strategy import Strategy
from tests.long import examples

SESSION = date(2026, 1, 21)
DEFAULTS = DELTA_VOLUME.defaults
FIVE_MINUTES = timedelta(minutes=5)
CUT, POISONED, UNKNOWN = (
    "cut after t = full run up to t",
    "poisoned after t = full run up to t",
    "no input is known later than its row",
)
STRICT = {"losing_trades": 1, "stop_points.NIFTY": 5, "stop_points.BANKNIFTY": 5}
MOMENTS = 15
few = settings(max_examples=examples(5))


@pytest.fixture(autouse=True)
def short_session(no_overrides_left):
    """A session of an hour and a quarter, in which all moments are soon tried."""
    use_overrides([("session", SESSION, None, time(9, 15), time(10, 30), None)])


NO_CANDLES = pd.DataFrame(
    {
        **{name: pd.Series(dtype="str") for name in ("symbol", "session")},
        "interval_minutes": pd.Series(dtype="int64"),
        **{name: pd.Series(dtype="float64") for name in ("open", "high", "low", "close")},
        **{name: pd.Series(dtype="datetime64[us, UTC]") for name in ("open_time", "known_at")},
    }
)


class Frames(NamedTuple):
    build_ups: pd.DataFrame
    reference: pd.DataFrame
    contracts: pd.DataFrame


def day(seed: int, session: date | None = SESSION) -> Frames:
    """One session of both underlyings, with late rows, gaps and unknown values; or all of them."""
    return Frames(
        *(
            frame if session is None or "session" not in frame else frame[frame.session == session]
            for frame in random_days(seed, intervals=14)
        )
    )


def candles_of(frames: Frames, seed: int = 0, lateness: tuple[int, ...] = (0,)) -> pd.DataFrame:
    """Candles of all contracts that wander far enough for stops to be touched."""
    rng = np.random.default_rng(seed)
    opens = pd.DatetimeIndex(interval_opens(SESSION, 5)).as_unit("us")
    parts = []
    for symbol in sorted({*frames.build_ups["symbol"]}):
        closes = 100 + rng.integers(-12, 13, len(opens)).cumsum()
        late = pd.to_timedelta(rng.choice(lateness, len(opens)), "s").as_unit("us")
        prices = {"open": closes, "high": closes + 2.0, "low": closes - 2.0, "close": closes}
        times = {"open_time": opens, "known_at": opens + FIVE_MINUTES + late}
        about = {"symbol": symbol, "session": SESSION, "interval_minutes": 5}
        parts.append(pd.DataFrame({**about, **prices, **times}))
    return pd.concat(parts, ignore_index=True) if parts else NO_CANDLES


def checks(
    strategy: Strategy,
    frames: Frames,
    every: int = 1,
    candles: pd.DataFrame = NO_CANDLES,
    numbers: Parameters = DEFAULTS,
) -> dict[str, Check]:
    subject = Subject(strategy, numbers, SESSION, frames, candles, every)
    made = [check(subject, lambda _: None) for check in (*AHEAD, *FORMS)]
    return {check.claim: check for check in made}


def different(strategy: Strategy, frames: Frames) -> dict[str, Check]:
    found = checks(strategy, frames)
    return {claim: check for claim, check in found.items() if check.verdict == "different"}


def evaluating(change: Callable) -> Strategy:
    """Delta Volume with another batch form, made of the honest rows and the frames."""

    def evaluate(frames, numbers):
        return change(frames, *DELTA_VOLUME.evaluate(frames, numbers))

    return replace(DELTA_VOLUME, evaluate=evaluate)


@few
@given(seed=st.integers(0, 1_000_000))
def test_honest_rules_pass_on_any_day(seed: int):
    frames = day(seed)
    found = checks(DELTA_VOLUME, frames)
    assert {check.difference for check in found.values()} == {None}
    assert found[CUT].tried == found[POISONED].tried == MOMENTS
    assert found["restarted = batch"].tried >= found["step = batch"].tried > 0
    longer = warmed_up(Subject(DELTA_VOLUME, DEFAULTS, SESSION, frames, NO_CANDLES), frames)
    assert longer.verdict == "not compared"


@few
@given(seed=st.sampled_from([3, 4, 6, 25, 40]))
def test_the_daily_loss_limit_is_proved_with_the_rules_however_late_its_candles_come(seed: int):
    frames = day(seed)
    numbers = DEFAULTS.with_values(STRICT)
    candles = candles_of(frames, seed, (0, 2, 400, 1_500))
    found = checks(DELTA_VOLUME, frames, candles=candles, numbers=numbers)
    assert {check.difference for check in found.values()} == {None}


def test_a_session_with_losses_has_rows_of_the_limit():
    frames = day(6)
    subject = Subject(
        DELTA_VOLUME, DEFAULTS.with_values(STRICT), SESSION, frames, candles_of(frames, 6)
    )
    assert "daily_loss_limit" in {row.reason for row in subject.rows[1]}
    assert len(subject.rows[0]) < len(subject.candidates[0])


def later_close(frames, row):
    """The bought contract's close of the interval after the signal's, which nobody knows yet."""
    rows = frames.build_ups
    at = rows[(rows["symbol"] == row.symbol) & (rows["open_time"] == row.event_time)]
    return None if at.empty else float(at["close"].iloc[0])


def listing_without_a_time(frames):
    """The same contracts as if a day's were known from its start on, as once was the rule."""
    listing = frames.contracts
    before = listing["first_seen"] - timedelta(days=1)
    return frames._replace(contracts=listing.assign(first_seen=before))


TIMELESS = replace(
    DELTA_VOLUME,
    evaluate=lambda frames, numbers: DELTA_VOLUME.evaluate(listing_without_a_time(frames), numbers),
    intervals=lambda frames: DELTA_VOLUME.intervals(listing_without_a_time(frames)),
)


def day_with_a_nearer_expiry(minutes: int) -> Frames:
    """A signal in the sixth interval; a nearer expiry is first listed so long after the open."""
    quiet = QuietDay(intervals=10)
    quiet.cover(5, "25000C")
    build_ups, reference, contracts = quiet.frames()
    moment = quiet.opens[0] + timedelta(minutes=minutes)
    nearer = [("NIFTY", SESSION + timedelta(days=1), strike) for strike in LADDER]
    listing = pd.concat([contracts, ladder_frame(nearer, SESSION, moment)], ignore_index=True)
    return Frames(build_ups, reference, listing)


def test_a_rule_whose_ladder_has_no_time_of_day_is_caught_by_cutting():
    frames = day_with_a_nearer_expiry(40)
    assert {check.difference for check in checks(DELTA_VOLUME, frames).values()} == {None}
    first = different(TIMELESS, frames)[CUT].difference
    # Cut, a day is what it was before anybody knew of the nearer expiry.
    assert (first.row, first.column) == ("rejection missing_rows", "row")
    assert (first.expected, first.found) == ("such a row", "no such row")


def test_a_rule_whose_ladder_has_no_time_of_day_is_caught_by_poison_on_any_day():
    quiet = QuietDay(intervals=10)
    quiet.cover(5, "25000C")
    found = different(TIMELESS, Frames(*quiet.frames()))
    assert {POISONED, UNKNOWN} <= found.keys()
    assert CUT not in found


def test_a_strategy_that_asks_the_next_interval_is_caught_by_cutting_and_by_poison():
    def peek(frames, signals, rejections):
        wins = [row for row in signals if (later_close(frames, row) or 0) > row.entry]
        return wins, rejections

    found = different(evaluating(peek), day(6))
    assert {CUT, POISONED} <= found.keys()
    first = found[CUT].difference
    assert (first.row, first.column, first.found) == ("signal", "row", "no such row")
    assert found[CUT].tried < MOMENTS
    honest = DELTA_VOLUME.evaluate(day(6), DEFAULTS)[0]
    assert (first.event_time, first.symbol) in {(row.event_time, row.symbol) for row in honest}


def test_a_strategy_that_writes_down_the_future_is_caught_with_the_column():
    def peek(frames, signals, rejections):
        told = [row._replace(target2=later_close(frames, row)) for row in signals]
        return told, rejections

    first = different(evaluating(peek), day(6))[POISONED].difference
    assert (first.row, first.column) == ("signal", "target2")
    assert first.expected != first.found


def test_a_row_known_before_its_inputs_is_caught():
    def hurry(frames, signals, rejections):
        return [row._replace(known_at=row.event_time) for row in signals], rejections

    found = different(evaluating(hurry), day(6))
    assert UNKNOWN in found
    assert not found.keys() & {CUT, POISONED}
    assert "in order of known_at = batch" in found


def test_a_row_known_before_its_interval_ends_is_caught():
    def hurry(frames, signals, rejections):
        return [row._replace(known_at=row.event_time - FIVE_MINUTES) for row in signals], rejections

    first = different(evaluating(hurry), day(6))["event_time <= known_at"].difference
    assert first.column == "known_at"
    assert first.expected.startswith("not before ")


def test_a_strategy_that_leans_on_earlier_sessions_is_caught():
    def lean(frames, signals, rejections):
        first = frames.build_ups["session"].min()
        return [row for row in signals if row.session > first], rejections

    frames = day(6, None)
    alone = Frames(
        *(frame[frame.session == SESSION] if "session" in frame else frame for frame in frames)
    )
    longer = Frames(*(pd.concat([earlier(frame), frame]) for frame in alone))
    for strategy, verdict in ((DELTA_VOLUME, "equal"), (evaluating(lean), "different")):
        check = warmed_up(Subject(strategy, DEFAULTS, SESSION, alone, NO_CANDLES), longer)
        assert (check.verdict, check.tried) == (verdict, 1)


def earlier(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows a day before."""
    if "session" not in frame:
        return frame.iloc[:0]
    times = {
        name: frame[name] - timedelta(days=1) for name in frame if frame[name].dtype.kind == "M"
    }
    return frame.assign(session=SESSION - timedelta(days=1), **times)


def test_a_step_that_differs_from_its_batch_is_caught_with_the_column():
    def step(state, interval, numbers):
        state, signals, rejections = DELTA_VOLUME.step(state, interval, numbers)
        return state, [row._replace(stop=row.stop - 0.05) for row in signals], rejections

    found = different(replace(DELTA_VOLUME, step=step), day(6))
    assert found.keys() == {"step = batch", "restarted = batch"}
    first = found["step = batch"].difference
    assert (first.row, first.column) == ("signal", "stop")
    assert float(first.expected) - float(first.found) == pytest.approx(0.05)


def test_a_step_that_gives_its_rows_late_is_caught():
    held = []

    def step(state, interval, numbers):
        state, signals, rejections = DELTA_VOLUME.step(state, interval, numbers)
        given, held[:] = list(held), signals  # one interval later
        return state, given, rejections

    first = different(replace(DELTA_VOLUME, step=step), day(6))["step = batch"].difference
    assert first.column == "event_time"
    assert first.expected != first.found


class Forgetful(State):
    """A state whose JSON has each contract's last volume only."""

    def to_json(self):
        values = super().to_json()
        return values | {
            "contracts": {
                name: one | {"window": one["window"][-1:]}
                for name, one in values["contracts"].items()
            }
        }


def test_a_state_that_forgets_is_caught_by_restarting():
    found = different(replace(DELTA_VOLUME, state=Forgetful), day(6))
    assert found.keys() == {"restarted = batch"}


def test_fewer_moments_are_tried_where_told_and_said():
    frames = day(6)
    found = checks(DELTA_VOLUME, frames, every=10)
    assert (found[CUT].tried, found[CUT].total) == (2, MOMENTS)
    assert found[UNKNOWN].tried < found[UNKNOWN].total


def test_signals_that_late_values_changed_are_counted():
    quiet = QuietDay(intervals=6)
    quiet.cover(5, "25000C")
    quiet.put(1, "25000C", known_at=quiet.opens[5] + timedelta(minutes=30))
    found = checks(DELTA_VOLUME, Frames(*quiet.frames()))["in order of known_at = batch"]
    assert found.verdict == "equal"
    assert found.remark == "1 signals stood otherwise until later values came"


def test_nothing_stored_is_not_a_pass():
    empty = Frames(*(frame.iloc[:0] for frame in day(6)))
    subject = Subject(DELTA_VOLUME, DEFAULTS, SESSION, empty, NO_CANDLES)
    assert subject.is_empty
    assert checks(DELTA_VOLUME, empty)["step = batch"].verdict == "not compared"


@few
@given(seed=st.integers(0, 1_000_000), place=st.integers(0, MOMENTS - 1))
def test_cutting_and_poisoning_touch_what_came_later_and_nothing_else(seed: int, place: int):
    frames = day(seed)
    moment = Subject(DELTA_VOLUME, DEFAULTS, SESSION, frames, NO_CANDLES).ends[place]
    build_ups = frames.build_ups
    later = build_ups["open_time"] + FIVE_MINUTES > moment
    unknown = build_ups["known_at"] > moment
    assert ended_by(frames, moment, FIVE_MINUTES)[0].equals(build_ups[~later])
    assert known_by(frames, moment)[0].equals(build_ups[~unknown])
    contracts = frames.contracts
    known = (contracts["first_seen"] < SESSION) | (contracts["listed_at"] <= moment)
    assert ended_by(frames, moment, FIVE_MINUTES)[2].equals(contracts[known])
    assert known_by(frames, moment)[2].equals(contracts[known])
    reference = known_by(frames, moment)[1]
    assert (reference[["spot_known_at", "future_known_at"]].max().dropna() <= moment).all()
    assert reference["spot"].count() == (frames.reference["spot_known_at"] <= moment).sum()
    poison = Poison(frames, seed)
    for found, mask in (
        (poison.after(moment, FIVE_MINUTES)[0], later),
        (poison.unknown_at(moment)[0], unknown),
    ):
        assert found[~mask].equals(build_ups[~mask])
        assert (found.dtypes == build_ups.dtypes).all()
        assert found["symbol"].equals(build_ups["symbol"])
        if mask.sum() > 5:
            assert not found.loc[mask, "close"].equals(build_ups.loc[mask, "close"])
    for listing in (poison.after(moment, FIVE_MINUTES)[2], poison.unknown_at(moment)[2]):
        there = (listing["first_seen"] < SESSION) | (listing["listed_at"] <= moment)
        assert listing[there].reset_index(drop=True).equals(contracts[known].reset_index(drop=True))
        assert (listing.dtypes == contracts.dtypes).all()
        assert (~there).sum() > (~known).sum()
        assert {*listing.loc[~there, "expiry"]} >= {SESSION}
    DELTA_VOLUME.evaluate(Frames(*poison.after(moment, FIVE_MINUTES)), DEFAULTS)  # allowed values
    assert has_late_values(frames, moment, FIVE_MINUTES) >= bool((later != unknown).any())


def minutes(count: int) -> Frames:
    opens = pd.date_range("2026-01-21 03:45", periods=count, freq="min", tz="UTC").as_unit("us")
    prices = {"open": 100.0, "high": 110.05, "low": 90.1, "close": 105.35}
    rows = pd.DataFrame({"open_time": opens, **prices, "known_at": opens + timedelta(minutes=1)})
    return Frames(rows, rows.assign(volume=pd.array([65] * count, "Int64")), pd.DataFrame())


def test_poisoned_candles_stay_candles():
    frames = minutes(300)
    moment = datetime(2026, 1, 21, 3, 50, tzinfo=UTC)
    for frame in Poison(frames, 1).after(moment, timedelta(minutes=1))[:2]:
        assert (frame["high"] >= frame[["open", "close"]].max(axis=1)).all()
        assert (frame["low"] <= frame[["open", "close"]].min(axis=1)).all()
        assert (frame["low"] > 0).all()
        assert frame["close"].iloc[:5].eq(105.35).all()
        assert frame["close"].iloc[5:].nunique() > 250


def test_a_column_that_nobody_can_poison_is_refused():
    frames = minutes(3)
    odd = frames._replace(build_ups=frames.build_ups.assign(implied_volatility=0.2))
    with pytest.raises(FrameContractError, match="implied_volatility"):
        known_by(odd, datetime(2026, 1, 21, tzinfo=UTC))


def test_a_table_that_nobody_can_cut_is_refused():
    frames = minutes(3)._replace(contracts=pd.DataFrame({"symbol": ["NIFTY"], "margin": [1.0]}))
    moment = datetime(2026, 1, 21, tzinfo=UTC)
    for cut in (known_by, lambda *given: ended_by(*given, FIVE_MINUTES)):
        with pytest.raises(FrameContractError, match="symbol, margin: a frame without a time"):
            cut(frames, moment)


def test_rows_are_told_apart_by_what_they_are_about_and_duplicates_are_seen():
    signals, rejections = DELTA_VOLUME.evaluate(day(6), DEFAULTS)
    lines = [line(row._asdict()) for row in (*signals, *rejections)]
    assert differing(lines, lines[::-1]) is None
    twice = differing(lines, [*lines, lines[0]])
    assert (twice.expected, twice.column) == ("no such row", "row")
    assert differing(lines, [*lines, lines[0]], more_allowed=True) is None
    whole = line({**signals[0]._asdict(), "stop": 80})
    dotted = line({**signals[0]._asdict(), "stop": 80.0})
    assert differing([whole], [dotted]).column == "stop"
    reason = differing(lines, [row for row in lines if "reason" not in row])
    assert reason.row.startswith("rejection ")
    assert reason.found == "no such row"
