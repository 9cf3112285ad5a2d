"""Step by step: the state goes through JSON, and wrong intervals are refused."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from option_days import SESSION, STRIKES, QuietDay, as_lines

from strategy.delta_volume import State, intervals_of, step
from strategy.errors import FrameContractError
from strategy.session import IST
from strategy.signals import signal_frame


def stepped(day):
    state = State(day.session, day.underlying)
    for interval in intervals_of(*day.frames()):
        state, _, _ = step(state, interval)
    return state


def test_the_state_survives_json():
    day = QuietDay(12)
    day.put(11, "25000C", open_interest=None, volume=None)
    state = stepped(day)
    assert State.from_json(json.loads(json.dumps(state.to_json()))) == state
    fresh = State(SESSION, "NIFTY")
    assert State.from_json(json.loads(json.dumps(fresh.to_json()))) == fresh


def test_the_state_keeps_no_more_than_the_window_of_each_contract():
    state = stepped(QuietDay(12))
    wanted = [f"2026-01-27{kind}{strike}" for kind in "CP" for strike in STRIKES]
    assert sorted(state.contracts) == wanted
    assert {len(stored.window) for stored in state.contracts.values()} == {9}


def test_a_step_leaves_the_state_it_was_given_as_it_was():
    first, second = intervals_of(*QuietDay(2).frames())
    state, _, _ = step(State(SESSION, "NIFTY"), first)
    text = json.dumps(state.to_json())
    step(state, second)
    assert json.dumps(state.to_json()) == text


def test_whole_numbers_and_other_zones_give_the_same_rows():
    day = QuietDay()
    day.cover(4, "25000C")
    states = [State(SESSION, "NIFTY"), State(SESSION, "NIFTY")]
    found = [[], []]
    for interval in intervals_of(*day.frames()):
        rows = [row._replace(close=int(row.close)) for row in interval.rows]
        other = replace(
            interval,
            open_time=interval.open_time.astimezone(IST),
            spot=int(interval.spot),
            spot_known_at=interval.spot_known_at.astimezone(IST),
            rows=[row._replace(known_at=row.known_at.astimezone(IST)) for row in rows],
        )
        for place, one in enumerate((interval, other)):
            states[place], signals, _ = step(states[place], one)
            found[place] += signals
    assert len(found[0]) == 1
    assert as_lines(signal_frame(found[1])) == as_lines(signal_frame(found[0]))
    assert str(found[1][0].known_at) == str(found[0][0].known_at)


def test_an_interval_outside_the_hours_changes_nothing():
    (interval,) = intervals_of(*QuietDay(1).frames())
    state = State(SESSION, "NIFTY")
    early = replace(interval, open_time=interval.open_time - timedelta(minutes=5))
    assert step(state, early) == (state, [], [])


def changed_row(**values):
    def change(interval):
        first, *others = interval.rows
        return replace(interval, rows=[first._replace(**values), *others])

    return change


WRONG = {
    "earlier": (
        lambda i: replace(i, open_time=i.open_time - timedelta(minutes=5)),
        "open_time: not after",
    ),
    "naive": (lambda i: replace(i, open_time=i.open_time.replace(tzinfo=None)), "open_time: naive"),
    "off the grid": (
        lambda i: replace(i, open_time=i.open_time + timedelta(seconds=1)),
        "open_time: off the grid",
    ),
    "another day": (
        lambda i: replace(i, open_time=i.open_time + timedelta(days=1)),
        "open_time: not on the session",
    ),
    "another underlying": (lambda i: replace(i, underlying="BANKNIFTY"), "session: .* continue"),
    "expiry over": (lambda i: replace(i, expiry=date(2026, 1, 20)), "expiry: before the session"),
    "row over": (changed_row(expiry=date(2026, 1, 20)), "expiry: before the session"),
    "duplicate": (lambda i: replace(i, rows=[*i.rows, i.rows[0]]), "rows: duplicate"),
    "option type": (changed_row(option_type="CE"), "rows: no such contract, first in row 0"),
    "strike": (changed_row(strike=0), "rows: no such contract, first in row 0"),
    "NaN": (changed_row(close=float("nan")), "rows: negative or NaN, first in row 0"),
    "price": (changed_row(close=-1.0), "rows: negative or NaN, first in row 0"),
    "volume": (changed_row(volume=-1), "rows: negative or NaN, first in row 0"),
    "interest": (changed_row(open_interest=-1), "rows: negative or NaN, first in row 0"),
    "naive known_at": (
        lambda i: changed_row(known_at=i.rows[0].known_at.replace(tzinfo=None))(i),
        "rows: naive",
    ),
    "spot": (lambda i: replace(i, spot=-1.0), "spot: negative"),
    "future": (lambda i: replace(i, future=float("inf")), "future: negative or not finite"),
    "undated spot": (lambda i: replace(i, spot_known_at=None), "spot_known_at: null or naive"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_wrong_intervals_are_refused(change, message):
    first, second = intervals_of(*QuietDay(2).frames())
    state, _, _ = step(State(SESSION, "NIFTY"), first)
    with pytest.raises(FrameContractError, match=rf"^interval\.{message}"):
        step(state, change(second))


def test_an_underlying_without_a_stop_is_refused():
    (interval,) = intervals_of(*QuietDay(1).frames())
    with pytest.raises(FrameContractError, match=r"^interval\.underlying: no stop for SENSEX"):
        step(State(SESSION, "SENSEX"), replace(interval, underlying="SENSEX"))
