"""Frames that break the contract are refused by column and row."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from option_days import QuietDay, as_lines, random_days

from strategy.delta_volume import evaluate
from strategy.errors import FrameContractError
from strategy.frames import NO_TIME, CheckedFrame


def with_value(column, row, value):
    """A good frame's column, as objects, with one value replaced."""

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


def with_column(column, values):
    return lambda frame: frame.assign(**{column: values(frame[column])})


SHARED = ("session", "underlying", "symbol", "expiry", "option_type")


def as_read(frame):
    """What many rows share is categorical in the frames that come from the database."""
    shared = [name for name in SHARED if name in frame]
    return frame.astype(dict.fromkeys(shared, "category"))


FORMS = {"plain": lambda frame: frame, "categorical": as_read}

BROKEN_BUILD_UPS = {
    "absent column": (lambda f: f.drop(columns="volume"), "volume: the column is absent"),
    "unsorted": (lambda f: f.iloc[::-1], "open_time: unsorted, first in row 6"),
    "duplicate": (
        lambda f: pd.concat([f.iloc[:8], f.iloc[7:]], ignore_index=True),
        "open_time: duplicate, first in row 8",
    ),
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
        "open_time: not the start of a 5-minute interval, first in row 0",
    ),
    "another day": (
        with_column("open_time", lambda c: c + pd.Timedelta(days=1)),
        "open_time: not on the row's session, first in row 0",
    ),
    "null close": (with_number("close", 5, np.nan), "close: NaN .* first in row 5"),
    "negative close": (with_number("close", 5, -0.05), "close: negative, first in row 5: .*-0.05"),
    "infinite close": (with_number("close", 6, np.inf), "close: not finite, first in row 6"),
    "text close": (with_column("close", lambda c: c.astype(str)), "close: not numbers but str"),
    "negative volume": (with_number("volume", 2, -1), "volume: negative, first in row 2: .*-1"),
    "negative oi": (with_number("open_interest", 9, -5), "open_interest: negative, first in row 9"),
    "half a unit": (
        with_column("volume", lambda c: c.astype(float) + 0.5),
        "volume: not a whole number, first in row 0",
    ),
    "infinite volume": (
        with_column("volume", lambda c: c.astype(float) * np.inf),
        "volume: not a whole number",
    ),
    "boolean volume": (with_column("volume", lambda c: c > 0), "volume: not numbers but boolean"),
    "session as time": (
        with_column("session", lambda c: pd.to_datetime(c)),
        "session: not a date, first in row 0",
    ),
    "null session": (with_value("session", 8, None), "session: null .* first in row 8"),
    "null symbol": (with_value("symbol", 8, None), "symbol: null .* first in row 8"),
    "number as symbol": (with_value("symbol", 8, 7), "symbol: not text, first in row 8: 7"),
    "null underlying": (with_value("underlying", 2, None), "underlying: null .* first in row 2"),
    "null expiry": (with_value("expiry", 3, None), "expiry: null .* first in row 3"),
    "null option type": (with_value("option_type", 4, None), "option_type: null .* first in row 4"),
    "text as session": (
        with_value("session", 7, "2026-01-21"),
        "session: not a date, first in row 7: '2026-01-21'",
    ),
    "text volume": (with_column("volume", lambda c: c.astype(str)), "volume: not numbers but str"),
    "text strike": (with_column("strike", lambda c: c.astype(str)), "strike: not whole numbers"),
    "duplicate of a strike that is not listed": (
        lambda f: pd.concat([f, f.iloc[-1:]], ignore_index=True).assign(
            strike=lambda g: g["strike"].where(g.index < len(f) - 1, 99_000)
        ),
        "open_time: duplicate, first in row 30",
    ),
    "unknown underlying": (
        with_value("underlying", 2, "SENSEX"),
        "underlying: not one of NIFTY, BANKNIFTY, first in row 2: 'SENSEX'",
    ),
    "option type": (with_value("option_type", 1, "PE"), "option_type: not one of C, P, .* row 1"),
    "fractional strike": (
        with_column("strike", lambda c: c.astype(float)),
        "strike: not whole numbers but float64",
    ),
    "strike zero": (with_number("strike", 1, 0), "strike: not above zero, first in row 1"),
    "null strike": (
        lambda f: with_number("strike", 1, pd.NA)(f.astype({"strike": "Int64"})),
        "strike: null .* first in row 1",
    ),
    "expiry over": (
        with_column("expiry", lambda c: [QuietDay().session - timedelta(days=1)] * len(c)),
        "expiry: before the session, first in row 0",
    ),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("change", "message"), BROKEN_BUILD_UPS.values(), ids=BROKEN_BUILD_UPS)
def test_broken_build_ups_are_refused_by_column_and_row(change, message, form):
    build_ups, reference, contracts = QuietDay().frames()
    with pytest.raises(FrameContractError, match=rf"^build_ups\.{message}"):
        evaluate(form(change(build_ups)), reference, contracts)


BROKEN_REFERENCES = {
    "absent column": (lambda f: f.drop(columns="future"), "future: the column is absent"),
    "unsorted": (lambda f: f.iloc[::-1], "open_time: unsorted, first in row 1"),
    "duplicate": (lambda f: f.iloc[[0, 1, 1]], "open_time: duplicate, first in row 2"),
    "null session": (with_value("session", 1, None), "session: null .* first in row 1"),
    "null underlying": (with_value("underlying", 1, None), "underlying: null .* first in row 1"),
    "unknown underlying": (
        with_value("underlying", 4, "SENSEX"),
        "underlying: not one of NIFTY, BANKNIFTY, first in row 4: 'SENSEX'",
    ),
    "null open_time": (with_number("open_time", 2, pd.NaT), "open_time: null .* first in row 2"),
    "off the grid": (
        with_column("open_time", lambda c: c + pd.Timedelta(seconds=1)),
        "open_time: not the start of a 5-minute interval, first in row 0",
    ),
    "another day": (
        with_column("open_time", lambda c: c - pd.Timedelta(days=1)),
        "open_time: not on the row's session, first in row 0",
    ),
    "infinite future": (with_number("future", 2, np.inf), "future: not finite, first in row 2"),
    "text future": (with_column("future", lambda c: c.astype(str)), "future: not numbers but str"),
    "naive open_time": (
        with_column("open_time", lambda c: c.dt.tz_localize(None)),
        "open_time: naive times, first in row 0",
    ),
    "naive future_known_at": (
        with_column("future_known_at", lambda c: c.dt.tz_localize(None)),
        "future_known_at: naive times, first in row 0",
    ),
    "negative spot": (with_number("spot", 2, -1.0), "spot: negative, first in row 2"),
    "undated spot": (with_number("spot_known_at", 3, pd.NaT), "spot_known_at: null .* row 3"),
    "undated future": (with_number("future_known_at", 3, pd.NaT), "future_known_at: null .* row 3"),
    "naive": (
        with_column("spot_known_at", lambda c: c.dt.tz_localize(None)),
        "spot_known_at: naive times, first in row 0",
    ),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("change", "message"), BROKEN_REFERENCES.values(), ids=BROKEN_REFERENCES)
def test_broken_references_are_refused_by_column_and_row(change, message, form):
    build_ups, reference, contracts = QuietDay().frames()
    with pytest.raises(FrameContractError, match=rf"^reference\.{message}"):
        evaluate(build_ups, form(change(reference)), contracts)


BROKEN_LADDERS = {
    "absent column": (lambda f: f.drop(columns="strike"), "strike: the column is absent"),
    "null strike": (with_value("strike", 1, None), "strike: null .* first in row 1"),
    "negative strike": (with_number("strike", 1, -50), "strike: not above zero, first in row 1"),
    "fractional strike": (
        with_column("strike", lambda c: c.astype(float)),
        "strike: not whole numbers but float64",
    ),
    "null underlying": (with_value("underlying", 2, None), "underlying: null .* first in row 2"),
    "number as underlying": (with_value("underlying", 2, 7), "underlying: not text, .* row 2: 7"),
    "null expiry": (with_value("expiry", 2, None), "expiry: null .* first in row 2"),
    "text expiry": (with_value("expiry", 2, "2026-01-27"), "expiry: not a date, first in row 2"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("change", "message"), BROKEN_LADDERS.values(), ids=BROKEN_LADDERS)
def test_broken_ladders_are_refused_by_column_and_row(change, message, form):
    build_ups, reference, contracts = QuietDay().frames()
    with pytest.raises(FrameContractError, match=rf"^contracts\.{message}"):
        evaluate(build_ups, reference, form(change(contracts)))


# Any of these in any one row of the frame is refused, with that row.
BAD_CELLS = [
    *(("build_ups", "session", value) for value in (None, 20_260_121, "2026-01-21")),
    *(("build_ups", "underlying", value) for value in (None, "SENSEX", 7)),
    *(("build_ups", "symbol", value) for value in (None, 7)),
    *(("build_ups", "expiry", value) for value in (None, "2026-01-27")),
    *(("build_ups", "option_type", value) for value in (None, "CE", 1)),
    *(("build_ups", "strike", value) for value in (0, -50)),
    *(("build_ups", "open_time", pd.NaT), ("build_ups", "known_at", pd.NaT)),
    *(("build_ups", "close", value) for value in (np.nan, -0.05, np.inf, -np.inf)),
    *(("build_ups", "open_interest", -1), ("build_ups", "volume", -1)),
    *(("reference", "session", value) for value in (None, "2026-01-21")),
    *(("reference", "underlying", value) for value in (None, "SENSEX", 7)),
    *(("reference", "open_time", pd.NaT), ("reference", "spot_known_at", pd.NaT)),
    ("reference", "future_known_at", pd.NaT),
    *(("reference", "spot", value) for value in (-1.0, np.inf)),
    *(("reference", "future", value) for value in (-1.0, np.inf)),
    *(("contracts", "underlying", value) for value in (None, 7)),
    *(("contracts", "expiry", value) for value in (None, "2026-01-27")),
    *(("contracts", "strike", value) for value in (0, -50)),
]


@given(st.sampled_from(BAD_CELLS), st.integers(0, 6), st.sampled_from(sorted(FORMS)))
@settings(max_examples=150)
def test_no_bad_cell_is_ever_accepted(cell, place, form):
    name, column, value = cell
    frames = dict(zip(("build_ups", "reference", "contracts"), QuietDay().frames(), strict=True))
    row = place % len(frames[name])
    change = with_value if column in SHARED else with_number
    frames[name] = change(column, row, value)(frames[name])
    frames = {key: FORMS[form](frame) for key, frame in frames.items()}
    with pytest.raises(FrameContractError, match=rf"^{name}\.{column}: .*first in row {row}:"):
        evaluate(**frames)


@pytest.mark.parametrize("seed", range(4))
def test_categorical_columns_change_no_result(seed):
    frames = random_days(seed)
    plain, read = evaluate(*frames), evaluate(*map(as_read, frames))
    assert len(plain.signals) + len(plain.rejections) > 10
    assert as_lines(read.signals) == as_lines(plain.signals)
    assert as_lines(read.rejections) == as_lines(plain.rejections)


def test_categories_that_no_row_uses_do_no_harm():
    """A part of a frame keeps the categories of the whole."""
    frames = random_days(0)
    others = {"underlying": "SENSEX", "option_type": "X", "symbol": 7, "expiry": "never"}
    session = frames[0]["session"].iloc[-1]
    whole = [as_read(frame) for frame in frames]
    for frame in whole:
        for column, other in others.items():
            if column in frame:
                frame[column] = frame[column].cat.set_categories(
                    [other, *frame[column].cat.categories]
                )
    parts = [frame[frame["session"] == session] for frame in frames[:2]]
    read = [frame[frame["session"] == session] for frame in whole[:2]]
    expected, found = evaluate(*parts, frames[2]), evaluate(*read, whole[2])
    assert as_lines(found.signals) == as_lines(expected.signals) != []
    assert as_lines(found.rejections) == as_lines(expected.rejections)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_instants_are_microseconds_whatever_unit_and_zone_the_column_has(unit, zone):
    moment = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
    times = pd.Series([moment, None]).dt.tz_convert(zone).dt.as_unit(unit)
    found = CheckedFrame(times.to_frame("at"), "frame", ["at"]).instants("at", optional=True)
    assert found.tolist() == [int(moment.timestamp()) * 1_000_000, NO_TIME]


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([5, None], dtype="Int64"),
        pd.Series([5, None], dtype="Int32"),
        pd.Series([5.0, None]),
        pd.Series([5.0, None], dtype="Float64"),
        pd.Series([5, None], dtype="int64[pyarrow]"),
    ],
    ids=lambda values: str(values.dtype),
)
def test_unknown_counts_may_come_as_nullable_integers_or_nan(values):
    numbers, known = CheckedFrame(values.to_frame("volume"), "frame", ["volume"]).counts("volume")
    assert numbers.tolist() == [5, 0]
    assert known.tolist() == [True, False]


def test_a_column_in_which_nothing_is_known_may_have_any_type():
    frame = CheckedFrame(pd.DataFrame({"x": [None, None]}), "frame", ["x"])
    assert frame.counts("x").known.tolist() == [False, False]
    assert np.isnan(frame.prices("x", optional=True)).all()
    assert frame.instants("x", optional=True).tolist() == [NO_TIME, NO_TIME]
