"""Frames that break the contract are refused by column and row."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from option_days import QuietDay

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
    "second expiry": (
        with_value("expiry", 11, QuietDay().expiry + timedelta(days=7)),
        "expiry: a second one in the session, first in row 11",
    ),
    "expiry over": (
        with_column("expiry", lambda c: [QuietDay().session - timedelta(days=1)] * len(c)),
        "expiry: before the session, first in row 0",
    ),
}


@pytest.mark.parametrize(("change", "message"), BROKEN_BUILD_UPS.values(), ids=BROKEN_BUILD_UPS)
def test_broken_build_ups_are_refused_by_column_and_row(change, message):
    build_ups, reference, contracts = QuietDay().frames()
    with pytest.raises(FrameContractError, match=rf"^build_ups\.{message}"):
        evaluate(change(build_ups), reference, contracts)


BROKEN_REFERENCES = {
    "absent column": (lambda f: f.drop(columns="future"), "future: the column is absent"),
    "unsorted": (lambda f: f.iloc[::-1], "open_time: unsorted, first in row 1"),
    "duplicate": (lambda f: f.iloc[[0, 1, 1]], "open_time: duplicate, first in row 2"),
    "negative spot": (with_number("spot", 2, -1.0), "spot: negative, first in row 2"),
    "undated spot": (with_number("spot_known_at", 3, pd.NaT), "spot_known_at: null .* row 3"),
    "undated future": (with_number("future_known_at", 3, pd.NaT), "future_known_at: null .* row 3"),
    "naive": (
        with_column("spot_known_at", lambda c: c.dt.tz_localize(None)),
        "spot_known_at: naive times, first in row 0",
    ),
}


@pytest.mark.parametrize(("change", "message"), BROKEN_REFERENCES.values(), ids=BROKEN_REFERENCES)
def test_broken_references_are_refused_by_column_and_row(change, message):
    build_ups, reference, contracts = QuietDay().frames()
    with pytest.raises(FrameContractError, match=rf"^reference\.{message}"):
        evaluate(build_ups, change(reference), contracts)


BROKEN_LADDERS = {
    "absent column": (lambda f: f.drop(columns="strike"), "strike: the column is absent"),
    "null strike": (with_value("strike", 1, None), "strike: null .* first in row 1"),
    "negative strike": (with_number("strike", 1, -50), "strike: not above zero, first in row 1"),
    "text expiry": (with_value("expiry", 2, "2026-01-27"), "expiry: not a date, first in row 2"),
}


@pytest.mark.parametrize(("change", "message"), BROKEN_LADDERS.values(), ids=BROKEN_LADDERS)
def test_broken_ladders_are_refused_by_column_and_row(change, message):
    build_ups, reference, contracts = QuietDay().frames()
    with pytest.raises(FrameContractError, match=rf"^contracts\.{message}"):
        evaluate(build_ups, reference, change(contracts))


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
