"""Greeks of option candles: forwards, what gives no row, what implies no volatility, no future."""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import plain_greeks
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.contract import Contract
from strategy.errors import FrameContractError
from strategy.greeks import OPTION_COLUMNS, evaluate_greeks
from strategy.rates import repo_rate
from strategy.session import session_hours

SESSION = date(2026, 1, 21)
EXPIRY = date(2026, 1, 27)  # weekly and monthly: the future's too
CLOSE = datetime(2026, 1, 27, 10, 0, tzinfo=UTC)  # 15:30 in India
OPEN = datetime(2026, 1, 21, 4, 0, tzinfo=UTC)
NO_FUTURES = {
    "underlying": "str",
    "close_time": "datetime64[us, UTC]",
    "close": "float64",
    "volume": "Int64",
    "known_at": "datetime64[us, UTC]",
}


def option(strike, kind, close, *, minute=0, expiry=EXPIRY, late=0, volume=65, minutes=1):
    """One candle of a NIFTY option that became known so many seconds after its end."""
    contract = Contract("NIFTY", expiry, strike, kind)
    opens = OPEN + timedelta(minutes=minute)
    known = opens + timedelta(minutes=minutes, seconds=late)
    return (contract.symbol, *contract, minutes, opens, close, volume, known)


def options(*rows):
    """The candles as a frame, each contract's ascending."""
    columns = ("symbol", "underlying", "expiry", "strike", "option_type", "interval_minutes")
    frame = pd.DataFrame(
        sorted(rows, key=lambda row: (row[0], row[5], row[6])),
        columns=[*columns, "open_time", "close", "volume", "known_at"],
    )
    return frame.astype({"volume": "Int64", "close": "float64"})


def futures(*rows):
    """Closes of the future: minute of its start, close, seconds it came late, volume."""
    ends = [OPEN + timedelta(minutes=row[0] + 1) for row in rows]
    frame = pd.DataFrame(
        {
            "underlying": "NIFTY",
            "close_time": ends,
            "close": [row[1] for row in rows],
            "volume": [row[3] if len(row) > 3 else 65 for row in rows],
            "known_at": [
                end + timedelta(seconds=row[2] if len(row) > 2 else 0)
                for end, row in zip(ends, rows, strict=True)
            ],
        },
    )
    return frame.astype(NO_FUTURES)


def chain(forward=25_010.0, volatility=0.14, *, expiry=EXPIRY, minute=0, strikes=None, spoil=None):
    """The calls and puts of a minute as the formula prices them, plus what is added to some."""
    years = (session_hours(expiry)[1] - OPEN - timedelta(minutes=minute + 1)) / plain_greeks.YEAR
    rows = []
    for strike in strikes or range(24_800, 25_250, 50):
        for kind in "CP":
            price = plain_greeks.price(
                forward, strike, years, repo_rate(SESSION), kind, volatility
            ) + (spoil or {}).get((strike, kind), 0.0)
            rows.append(option(strike, kind, price, minute=minute, expiry=expiry))
    return rows


def by_symbol(found):
    return found.set_index("symbol")


def test_the_forward_and_the_volatility_come_back_from_a_chain_without_a_future():
    found = evaluate_greeks(options(*chain(forward=25_013.7, volatility=0.143)), futures())
    assert len(found) == 18
    assert set(found["forward_source"]) == {"parity"}
    assert found["forward"].to_numpy() == pytest.approx(25_013.7, abs=1e-4)
    assert found["implied_volatility"].to_numpy() == pytest.approx(0.143, abs=2e-6)


def test_a_call_by_hand():
    # Five pairs agree on 25,000. The call expires in 6 days, 5 hours and 59 minutes: T = 8,999
    # minutes / 525,600 = 0.0171214 years, its root 0.130849. At 15 %: s = 0.0196274, d1 = s / 2,
    # N(d1) = 0.503915, and the discount at 5.25 % is 0.999102: C = 0.999102 x 25,000 x 0.007830.
    strikes = range(24_900, 25_101, 50)
    found = by_symbol(
        evaluate_greeks(options(*chain(25_000.0, 0.15, strikes=strikes)), futures())
    ).loc["NIFTY260127C25000"]
    assert found["delta"] == pytest.approx(0.999102 * 0.503915, abs=2e-6)
    density = 0.398942 * math.exp(-(0.0098137**2) / 2)
    assert found["gamma"] == pytest.approx(0.999102 * density / (25_000 * 0.0196274), rel=1e-5)
    assert found["vega"] == pytest.approx(0.999102 * 25_000 * density * 0.130849 / 100, rel=1e-5)
    price = 0.999102 * 25_000 * (2 * 0.503915 - 1)
    decay = 0.999102 * 25_000 * density * 0.15 / (2 * 0.130849) - 0.0525 * price
    assert found["theta"] == pytest.approx(-decay / 365, rel=1e-4)


def test_the_future_is_the_forward_where_it_expires_with_the_options():
    found = evaluate_greeks(options(*chain(25_010.0)), futures((0, 25_030.0)))
    assert set(found["forward_source"]) == {"future"}
    assert set(found["forward"]) == {25_030.0}


def test_a_future_of_another_expiry_or_interval_or_without_a_trade_is_no_forward():
    later = date(2026, 2, 3)
    for expiry, future in (
        (later, futures((0, 25_030.0))),
        (EXPIRY, futures((1, 25_030.0))),
        (EXPIRY, futures((0, 25_030.0, 0, 0))),
    ):
        found = evaluate_greeks(options(*chain(25_010.0, expiry=expiry)), future)
        assert set(found["forward_source"]) == {"parity"}
        assert found["forward"].to_numpy() == pytest.approx(25_010.0, abs=1e-4)


def test_one_old_price_does_not_move_the_parity_forward():
    found = evaluate_greeks(options(*chain(spoil={(25_000, "C"): 40.0})), futures())
    assert found["forward"].to_numpy() == pytest.approx(25_010.0, abs=1e-4)


def test_fewer_than_three_pairs_give_no_greeks():
    rows = chain(strikes=(24_950, 25_000))
    lonely = option(25_050, "C", 150.0)
    assert evaluate_greeks(options(*rows, lonely), futures()).empty
    found = evaluate_greeks(options(*rows, lonely), futures((0, 25_010.0)))
    assert len(found) == 5


def test_pairs_of_another_interval_or_width_do_not_count():
    rows = chain(strikes=(24_950, 25_000))
    other_minute = chain(strikes=(25_050,), minute=1)
    wide = [option(25_050, kind, 150.0, minute=-4, minutes=5) for kind in "CP"]
    assert evaluate_greeks(options(*rows, *other_minute, *wide), futures()).empty


def test_a_candle_without_a_trade_has_an_old_price_and_gets_no_greeks():
    rows = chain()
    silent = [option(25_500, "C", 9.0, volume=0), option(25_550, "C", 8.0, volume=None)]
    found = evaluate_greeks(options(*rows, *silent), futures())
    assert set(found["symbol"]) == {row[0] for row in rows}


def test_prices_below_intrinsic_or_without_time_value_imply_no_volatility():
    # Discounted, 1,000 points of intrinsic value are 999.10 and 950 are 949.15.
    prices = {24_000: 999.14, 24_050: 949.25, 24_100: 890.0}
    rows = [option(strike, "C", price) for strike, price in prices.items()]
    found = by_symbol(evaluate_greeks(options(*chain(25_000.0), *rows), futures()))
    for strike, some in ((24_000, False), (24_050, True), (24_100, False)):
        row = found.loc[f"NIFTY260127C{strike}"]
        assert row["forward"] == pytest.approx(25_000.0)
        values = row[["implied_volatility", "delta", "gamma", "theta", "vega"]]
        assert values.notna().tolist() == [some] * 5


def test_there_are_no_greeks_at_or_after_the_expiry():
    rows = chain(expiry=SESSION)  # no contract of NIFTY, but the rules do not ask
    end = session_hours(SESSION)[1]
    shift = int((end - OPEN) / timedelta(minutes=1))
    for minute, some in ((shift - 2, True), (shift - 1, False), (shift, False)):
        moved = [(*row[:6], OPEN + timedelta(minutes=minute), *row[7:]) for row in rows]
        assert evaluate_greeks(options(*moved), futures()).empty != some


def test_known_at_is_when_the_last_input_was_known():
    rows = chain(strikes=range(24_900, 25_101, 50))
    late = option(25_000, "P", rows[5][7], late=9)
    own = option(24_000, "C", 1_020.0, late=20)
    rows[5] = late
    found = by_symbol(evaluate_greeks(options(*rows, own), futures()))
    end = OPEN + timedelta(minutes=1)
    assert found.loc["NIFTY260127C25100", "known_at"] == end + timedelta(seconds=9)
    assert found.loc["NIFTY260127C24000", "known_at"] == end + timedelta(seconds=20)
    found = by_symbol(evaluate_greeks(options(*rows, own), futures((0, 25_010.0, 4))))
    assert found.loc["NIFTY260127C25100", "known_at"] == end + timedelta(seconds=4)
    assert found.loc["NIFTY260127P25000", "known_at"] == end + timedelta(seconds=9)


def some_minutes():
    """Minutes of a moving market, with a future in some, a hole and prices on the grid."""
    rows = []
    for minute in range(8):
        forward = 25_000 + 17 * math.sin(minute) * minute
        for row in chain(forward, 0.12 + minute / 200, minute=minute):
            close = round(row[7] * 20) / 20
            if (minute + row[3] // 50) % 5:
                rows.append((*row[:7], close, *row[8:]))
    return options(*rows), futures((2, 25_020.0), (5, 24_990.0))


@settings(max_examples=20)
@given(cut=st.integers(0, 8), poison=st.floats(0.5, 2))
def test_a_minute_s_greeks_use_nothing_later_and_nothing_earlier(cut, poison):
    rows, future = some_minutes()
    whole = evaluate_greeks(rows, future)
    moment = pd.Timestamp(OPEN + timedelta(minutes=cut))
    before, after = rows["open_time"] < moment, rows["open_time"] >= moment
    known = future["close_time"] <= moment
    pd.testing.assert_frame_equal(
        evaluate_greeks(rows[before], future[known]),
        whole[whole["open_time"] < moment].reset_index(drop=True),
    )
    pd.testing.assert_frame_equal(
        evaluate_greeks(rows[after], future[~known]),
        whole[whole["open_time"] >= moment].reset_index(drop=True),
    )
    poisoned = rows.assign(close=np.where(after, rows["close"] * poison, rows["close"]))
    changed = evaluate_greeks(poisoned, future)
    pd.testing.assert_frame_equal(
        changed[changed["open_time"] < moment].reset_index(drop=True),
        whole[whole["open_time"] < moment].reset_index(drop=True),
    )


def test_all_rows_are_those_of_the_plain_reading():
    rows, future = some_minutes()
    found = evaluate_greeks(rows, future)
    plain = plain_greeks.evaluate(
        *(plain_greeks.records(frame) for frame in (rows, future)),
        closes={EXPIRY: CLOSE},
        rate=0.0525,
        front_expiry=EXPIRY,
    )
    assert len(plain) == len(found) > 100
    for row in plain_greeks.records(found):
        forward, source, volatility = plain[row["symbol"], row["open_time"]]
        assert (row["forward"], row["forward_source"]) == (pytest.approx(forward, abs=1e-4), source)
        assert row["implied_volatility"] == pytest.approx(volatility, abs=1e-6)


def test_no_rows_give_no_rows():
    found = evaluate_greeks(options(*chain())[:0], futures())
    assert found.empty
    assert found["known_at"].dtype == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("open_time", OPEN.replace(tzinfo=None), "naive times"),
        ("close", -1.0, "negative"),
        ("close", math.nan, "NaN is not allowed"),
        ("option_type", "CE", "not one of C, P"),
        ("strike", 0, "not above zero"),
        ("interval_minutes", 0, "not above zero"),
        ("volume", -65, "negative"),
        ("expiry", OPEN, "not a date"),
    ],
)
def test_wrong_options_are_refused_by_column_and_row(column, value, problem):
    frame = options(*chain())
    frame[column] = [value] * len(frame)
    with pytest.raises(FrameContractError, match=rf"options\.{column}: .*{problem}.* row 0"):
        evaluate_greeks(frame, futures())


@pytest.mark.parametrize("column", OPTION_COLUMNS)
def test_a_column_that_is_absent_is_named(column):
    with pytest.raises(FrameContractError, match=rf"options\.{column}: the column is absent"):
        evaluate_greeks(options(*chain()).drop(columns=column), futures())


def test_unsorted_and_duplicate_rows_are_refused():
    frame = options(*chain(), *chain(minute=1))
    with pytest.raises(FrameContractError, match="open_time: unsorted, first in row"):
        evaluate_greeks(frame[::-1], futures())
    with pytest.raises(FrameContractError, match="open_time: duplicate, first in row"):
        evaluate_greeks(pd.concat([frame[:1], frame]), futures())
    with pytest.raises(FrameContractError, match="close_time: duplicate, first in row 1"):
        evaluate_greeks(frame, futures((0, 25_000.0), (0, 25_000.0)))


def test_the_interest_rate_is_that_of_the_date():
    assert repo_rate(date(2023, 2, 7)) == pytest.approx(0.0625)
    assert repo_rate(date(2023, 2, 8)) == pytest.approx(0.065)
    assert repo_rate(date(2026, 1, 21)) == pytest.approx(0.0525)
    with pytest.raises(LookupError, match="no interest rate known for 2019-01-01"):
        repo_rate(date(2019, 1, 1))
