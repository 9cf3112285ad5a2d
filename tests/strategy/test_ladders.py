"""The ladder is what was listed by the session, never what was listed later."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from option_days import EXPIRY, QuietDay, as_lines, ladder_frame

from strategy.delta_volume import evaluate
from strategy.errors import FrameContractError
from strategy.ladders import Ladders

TODAY = date(2026, 1, 21)
TOMORROW = TODAY + timedelta(days=1)


def listed(*rows) -> pd.DataFrame:
    columns = ["underlying", "expiry", "strike", "first_seen"]
    return pd.DataFrame(rows, columns=columns)


def test_strikes_are_listed_from_their_first_session_on_each_once():
    ladders = Ladders(
        listed(
            ("NIFTY", EXPIRY, 25_100, TOMORROW),
            ("NIFTY", EXPIRY, 25_000, TODAY),
            ("NIFTY", EXPIRY, 24_900, TOMORROW),
            ("NIFTY", EXPIRY, 24_900, TODAY),
            ("BANKNIFTY", EXPIRY, 58_000, TODAY),
        )
    )
    assert ladders.at("NIFTY", EXPIRY, TODAY).tolist() == [24_900, 25_000]
    assert ladders.at("NIFTY", EXPIRY, TOMORROW).tolist() == [24_900, 25_000, 25_100]
    assert ladders.at("NIFTY", EXPIRY, TODAY - timedelta(days=1)).tolist() == []
    assert ladders.at("NIFTY", None, TODAY).tolist() == []
    assert ladders.at("NIFTY", TODAY, TODAY).tolist() == []


def test_a_strike_listed_tomorrow_changes_nothing_today():
    day = QuietDay(8)
    day.cover(5, "25000C")
    build_ups, reference, contracts = day.frames()
    between = ladder_frame([("NIFTY", EXPIRY, 25_050)]).assign(first_seen=TOMORROW)
    later = pd.concat([contracts, between], ignore_index=True)
    today = [as_lines(frame) for frame in evaluate(build_ups, reference, contracts)]
    assert [as_lines(frame) for frame in evaluate(build_ups, reference, later)] == today
    known = later.assign(first_seen=TODAY)
    assert [as_lines(frame) for frame in evaluate(build_ups, reference, known)] != today


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("underlying", 1, "not text"),
        ("underlying", None, "null is not allowed"),
        ("expiry", "2026-01-27", "not a date"),
        ("strike", 0, "not above zero"),
        ("strike", -50, "not above zero"),
        ("strike", np.nan, "null is not allowed"),
        ("first_seen", None, "null is not allowed"),
        ("first_seen", "today", "not a date"),
    ],
)
def test_what_is_no_listed_strike_is_refused_with_its_row(column, value, problem):
    frame = ladder_frame([("NIFTY", EXPIRY, 25_000), ("NIFTY", EXPIRY, 25_050)]).astype(object)
    frame.loc[1, column] = value
    if column == "strike" and value == value:
        frame["strike"] = frame["strike"].astype("int64")
    with pytest.raises(FrameContractError, match=f"contracts.{column}: {problem}, first in row 1"):
        Ladders(frame)
