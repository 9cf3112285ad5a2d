"""Labels of contracts: hand-computed tables, and no look into the future."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.build_up import build_up, label_build_ups
from strategy.errors import FrameContractError

OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)


def frame(rows):
    """Rows of (symbol, minutes after the open, close, open interest)."""
    table = pd.DataFrame(rows, columns=["symbol", "minute", "close", "open_interest"])
    opens = [OPEN + timedelta(minutes=minute) for minute in table.pop("minute")]
    opens = pd.to_datetime(pd.Series(opens, dtype=object), utc=True).dt.as_unit("us")
    return table.assign(open_time=opens).astype({"open_interest": "Int64", "close": "float64"})


def labelled(rows):
    result = label_build_ups(frame(rows))
    changes = [None if pd.isna(change) else int(change) for change in result["oi_change"]]
    return list(zip(changes, result["label"], strict=True))


@pytest.mark.parametrize(
    ("close", "interest", "expected"),
    [
        (101.0, 1_100, (100, "long_build_up")),
        (99.0, 1_100, (100, "short_build_up")),
        (101.0, 900, (-100, "short_covering")),
        (99.0, 900, (-100, "long_unwinding")),
        (100.0, 900, (-100, "none")),
        (101.0, 1_000, (0, "none")),
        (100.0, 1_000, (0, "none")),
        (101.0, None, (None, "none")),
    ],
)
def test_price_and_open_interest_name_the_build_up(close, interest, expected):
    assert labelled([("A", 0, 100.0, 1_000), ("A", 5, close, interest)]) == [
        (None, "none"),
        expected,
    ]
    change = None if interest is None else interest - 1_000
    assert build_up(close - 100.0, change) == expected[1]


def test_unknown_open_interest_before_gives_no_verdict():
    assert labelled([("A", 0, 100.0, None), ("A", 5, 101.0, 900)])[1] == (None, "none")


def test_the_row_of_five_minutes_before_is_needed_and_no_other():
    rows = [("A", 0, 100.0, 1_000), ("A", 10, 101.0, 900), ("A", 15, 102.0, 800)]
    assert labelled(rows) == [(None, "none"), (None, "none"), (-100, "short_covering")]


def test_the_first_row_of_a_session_has_no_verdict():
    day = 24 * 60
    rows = [("A", 370, 100.0, 1_000), ("A", day, 101.0, 900), ("A", day + 5, 100.0, 800)]
    assert labelled(rows) == [(None, "none"), (None, "none"), (-100, "long_unwinding")]


def test_contracts_do_not_mix_in_either_arrangement_and_the_index_stays():
    by_time = [
        ("A", 0, 100.0, 1_000),
        ("B", 0, 50.0, 500),
        ("A", 5, 101.0, 900),
        ("B", 5, 49.0, 600),
    ]
    assert labelled(by_time) == [
        (None, "none"),
        (None, "none"),
        (-100, "short_covering"),
        (100, "short_build_up"),
    ]
    by_contract = frame(by_time).sort_values("symbol", kind="stable")
    result = label_build_ups(by_contract)
    assert result.index.tolist() == [0, 2, 1, 3]
    assert result["label"].tolist() == ["none", "short_covering", "none", "short_build_up"]


def test_the_added_columns_have_their_types_even_without_rows():
    for result in (label_build_ups(frame([])), label_build_ups(frame([("A", 0, 1.0, 1)]))):
        assert result.dtypes[["oi_change", "label"]].astype(str).to_dict() == {
            "oi_change": "Int64",
            "label": "str",
        }


@pytest.mark.parametrize(
    ("minutes", "problem"), [([5, 0], "unsorted"), ([0, 0], "duplicate")], ids=["back", "twice"]
)
def test_rows_out_of_order_are_refused(minutes, problem):
    rows = [("B", 0, 1.0, 1), *(("A", minute, 1.0, 1) for minute in minutes)]
    with pytest.raises(FrameContractError, match=rf"^build_ups\.open_time: {problem}.* row 2"):
        label_build_ups(frame(rows))


@given(
    rows=st.lists(
        st.tuples(st.sampled_from("AB"), st.integers(1, 3), st.none() | st.integers(1, 3)),
        min_size=1,
        max_size=30,
    ),
    cut=st.integers(1, 30),
)
def test_labels_never_change_when_the_future_arrives(rows, cut):
    table = [(symbol, 5 * place, *rest) for place, (symbol, *rest) in enumerate(rows)]
    assert labelled(table)[:cut] == labelled(table[:cut])
