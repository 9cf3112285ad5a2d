"""What the minute strategies refuse, as frames and as intervals, and what they leave alone."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from minute_days import EXPIRY, QuietMinutes

from db.market.minutes import Minutes
from strategy.errors import FrameContractError
from strategy.minute_candles import State, to_tick
from strategy.pullback import PULLBACK
from strategy.session import IST
from strategy.vwap_trap import VWAP_TRAP


def evaluate(frames):
    return VWAP_TRAP.evaluate(frames, VWAP_TRAP.defaults)


def with_column(column, change):
    return lambda frame: frame.assign(**{column: change(frame[column])})


def with_value(column, row, value):
    def change(frame):
        values = frame[column].astype(object)
        values.iloc[row] = value
        return frame.assign(**{column: values})

    return change


def with_number(column, row, value):
    def change(frame):
        values = frame[column].copy()
        values.iloc[row] = value
        return frame.assign(**{column: values})

    return change


TIMES = {
    "unsorted": (lambda f: f.iloc[::-1], "open_time: unsorted, first in row"),
    "naive open_time": (
        with_column("open_time", lambda c: c.dt.tz_localize(None)),
        "open_time: naive times, first in row 0",
    ),
    "naive known_at": (
        with_column("known_at", lambda c: c.dt.tz_localize(None)),
        "known_at: naive times, first in row 0",
    ),
    "text as time": (with_column("known_at", lambda c: c.astype(str)), "known_at: not tz-aware"),
    "null open_time": (with_number("open_time", 3, pd.NaT), "open_time: null .* first in row 3"),
    "null known_at": (with_number("known_at", 4, pd.NaT), "known_at: null .* first in row 4"),
    "off the grid": (
        with_column("open_time", lambda c: c + pd.Timedelta(seconds=1)),
        "open_time: not the start of a 1-minute interval, first in row 0",
    ),
    "another day": (
        with_column("open_time", lambda c: c + pd.Timedelta(days=1)),
        "open_time: not on the row's session, first in row 0",
    ),
    "session as time": (
        with_column("session", lambda c: pd.to_datetime(c)),
        "session: not a date, first in row 0",
    ),
    "null session": (with_value("session", 3, None), "session: null .* first in row 3"),
    "unknown underlying": (
        with_value("underlying", 2, "SENSEX"),
        "underlying: not one of NIFTY, BANKNIFTY, first in row 2: 'SENSEX'",
    ),
}
PRICES = {
    "null open": (with_number("open", 2, np.nan), "open: NaN .* first in row 2"),
    "negative low": (with_number("low", 2, -0.05), "low: negative, first in row 2: .*-0.05"),
    "infinite high": (with_number("high", 3, np.inf), "high: not finite, first in row 3"),
    "text close": (with_column("close", lambda c: c.astype(str)), "close: not numbers but str"),
    "a high below the close": (
        with_number("high", 4, 1.0),
        "high: below open or close, first in row 4: .*1.0",
    ),
    "a low above the open": (
        with_number("open", 4, 1.0),
        "low: above open or close, first in row 4",
    ),
    "a price of billions": (with_number("high", 1, 1e10), "high: above 1e9 rupees, first in row 1"),
}
BROKEN_INDICES = {
    **TIMES,
    **PRICES,
    "absent column": (lambda f: f.drop(columns="low"), "low: the column is absent"),
    "duplicate": (lambda f: f.iloc[[0, 1, 1]], "open_time: duplicate, first in row 2"),
}
BROKEN_OPTIONS = {
    **TIMES,
    **PRICES,
    "absent column": (lambda f: f.drop(columns="volume"), "volume: the column is absent"),
    "duplicate": (
        lambda f: pd.concat([f.iloc[:8], f.iloc[7:]], ignore_index=True),
        "open_time: duplicate, first in row 8",
    ),
    "negative volume": (with_number("volume", 2, -1), "volume: negative, first in row 2: .*-1"),
    "half a unit": (
        with_column("volume", lambda c: c.astype(float) + 0.5),
        "volume: not a whole number, first in row 0",
    ),
    "boolean volume": (with_column("volume", lambda c: c > 0), "volume: not numbers but boolean"),
    "a volume of billions of billions": (
        with_number("volume", 2, 10**15),
        "volume: above 1e12 units, first in row 2",
    ),
    "a turnover beyond all markets": (
        with_number("volume", 2, 10**12),
        "volume: above 1e13 rupees in a minute, first in row 2",
    ),
    "null symbol": (with_value("symbol", 8, None), "symbol: null .* first in row 8"),
    "number as symbol": (with_value("symbol", 8, 7), "symbol: not text, first in row 8: 7"),
    "option type": (with_value("option_type", 1, "PE"), "option_type: not one of C, P, .* row 1"),
    "fractional strike": (
        with_column("strike", lambda c: c.astype(float)),
        "strike: not whole numbers but float64",
    ),
    "strike zero": (with_number("strike", 1, 0), "strike: not above zero, first in row 1"),
    "strike of billions": (with_number("strike", 1, 10**10), "strike: too high, first in row 1"),
    "expiry over": (
        with_column("expiry", lambda c: [date(2026, 1, 20)] * len(c)),
        "expiry: before the session, first in row 0",
    ),
}
BROKEN_LADDERS = {
    "absent column": (lambda f: f.drop(columns="strike"), "strike: the column is absent"),
    "null strike": (with_value("strike", 1, None), "strike: null .* first in row 1"),
    "negative strike": (with_number("strike", 1, -50), "strike: not above zero, first in row 1"),
    "text expiry": (with_value("expiry", 2, "2026-01-27"), "expiry: not a date, first in row 2"),
}
BROKEN = [
    pytest.param(name, change, message, id=f"{name}, {case}")
    for name, cases in (
        ("index", BROKEN_INDICES),
        ("options", BROKEN_OPTIONS),
        ("contracts", BROKEN_LADDERS),
    )
    for case, (change, message) in cases.items()
]


@pytest.mark.parametrize(("name", "change", "message"), BROKEN)
def test_broken_frames_are_refused_by_column_and_row(name, change, message):
    frames = QuietMinutes(5).frames()
    broken = frames._replace(**{name: change(getattr(frames, name))})
    with pytest.raises(FrameContractError, match=rf"^{name}\.{message}"):
        evaluate(broken)


def test_frames_without_rows_give_no_rows():
    frames = QuietMinutes(5).frames()
    empty = Minutes(*(frame.iloc[:0] for frame in frames))
    for part in (empty, frames._replace(index=empty.index), frames._replace(options=empty.options)):
        assert evaluate(part) == ([], [])


def test_a_column_may_be_categorical():
    frames = QuietMinutes(5).frames()
    day = QuietMinutes(5)
    day.put(3, "25000C", open=94.5, high=95.0, low=91.0, close=94.0)
    frames = day.frames()
    columns = dict.fromkeys(("session", "underlying", "symbol", "option_type"), "category")
    categorical = frames._replace(
        index=frames.index.astype({"session": "category"}), options=frames.options.astype(columns)
    )
    assert len(evaluate(frames)[0]) == 1
    assert evaluate(categorical) == evaluate(frames)


def test_rows_outside_the_hours_are_no_part_of_the_session():
    day = QuietMinutes(25)
    day.spot(19, 25_001.0)
    day.put(19, "25000C", open=118.0, high=120.0, low=100.0, close=104.0)
    frames = day.frames()
    (before,), _ = PULLBACK.evaluate(frames, PULLBACK.defaults)
    shift = pd.Timedelta(hours=10)
    outside = [
        frame.assign(open_time=frame["open_time"] + shift, close=frame["high"])
        for frame in frames[:2]
    ]
    wider = Minutes(
        *(pd.concat([one, two]) for one, two in zip(frames[:2], outside, strict=True)), frames[2]
    )
    assert PULLBACK.evaluate(wider, PULLBACK.defaults)[0] == [before]
    assert PULLBACK.step_through(wider, PULLBACK.defaults)[0] == [before]


def test_the_nearest_tick_is_the_higher_of_two():
    assert [to_tick(price, 5) for price in (10_000, 10_002, 10_003, 10_007, 10_008)] == [
        *(10_000, 10_000, 10_005, 10_005, 10_010)
    ]
    assert [to_tick(20_004, 5, 2), to_tick(20_005, 5, 2)] == [10_000, 10_005]


def intervals(minutes=2):
    return list(VWAP_TRAP.intervals(QuietMinutes(minutes).frames()))


def step(state, interval):
    return VWAP_TRAP.step(state, interval, VWAP_TRAP.defaults)


def changed(**values):
    """The same interval with the first option's values changed."""

    def change(interval):
        key, row = next(iter(interval.options.items()))
        return replace(interval, options={**interval.options, key: row._replace(**values)})

    return change


WRONG = {
    "earlier": (
        lambda i: replace(i, open_time=i.open_time - timedelta(minutes=1)),
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
    "unknown underlying": (lambda i: replace(i, underlying="SENSEX"), "underlying: unknown"),
    "expiry over": (lambda i: replace(i, expiry=date(2026, 1, 20)), "expiry: before the session"),
    "strike": (
        lambda i: replace(i, options={(EXPIRY, 0, "C"): next(iter(i.options.values()))}),
        "options: no such contract",
    ),
    "option type": (
        lambda i: replace(i, options={(EXPIRY, 25_000, "CE"): next(iter(i.options.values()))}),
        "options: no such contract",
    ),
    "options over": (
        lambda i: replace(
            i, options={(date(2026, 1, 20), 25_000, "C"): next(iter(i.options.values()))}
        ),
        "options: expiry before the session",
    ),
    "NaN": (changed(close=float("nan")), "options: negative or NaN"),
    "infinite": (changed(high=float("inf")), "options: negative or NaN"),
    "price": (changed(low=-1.0), "options: negative or NaN"),
    "volume": (changed(volume=-1), "options: negative or NaN"),
    "high": (changed(high=99.0), "options: high below open or close"),
    "low": (changed(low=101.0), "options: low above open or close"),
    "turnover": (changed(volume=10**12), "options: volume above 1e13 rupees"),
    "naive known_at": (
        lambda i: changed(known_at=i.index.known_at.replace(tzinfo=None))(i),
        "options: naive times",
    ),
    "index": (lambda i: replace(i, index=i.index._replace(close=-1.0)), "index: negative"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_wrong_intervals_are_refused(change, message):
    first, second = intervals()
    state, _, _ = step(State(first.session, first.underlying), first)
    with pytest.raises(FrameContractError, match=rf"^interval\.{message}"):
        step(state, change(second))


def test_an_interval_outside_the_hours_changes_nothing():
    (interval,) = intervals(1)
    state = State(interval.session, interval.underlying)
    early = replace(interval, open_time=interval.open_time - timedelta(minutes=1))
    assert step(state, early) == (state, [], [])


def test_whole_numbers_and_other_zones_give_the_same_rows():
    day = QuietMinutes(4)
    day.put(3, "25000C", open=95.0, high=95.0, low=90.0, close=94.0)
    states = [State(day.session, day.underlying)] * 2
    found = [[], []]
    for interval in VWAP_TRAP.intervals(day.frames()):
        rows = {
            key: row._replace(
                **{name: int(getattr(row, name)) for name in ("open", "high", "low", "close")},
                known_at=row.known_at.astimezone(IST),
            )
            for key, row in interval.options.items()
        }
        other = replace(interval, open_time=interval.open_time.astimezone(IST), options=rows)
        for place, one in enumerate((interval, other)):
            states[place], signals, _ = step(states[place], one)
            found[place] += signals
    texts = [json.dumps([row._asdict() for row in rows], default=str) for rows in found]
    assert len(found[0]) == 1
    assert texts[0] == texts[1]
