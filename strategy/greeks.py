"""Implied volatility and greeks of every traded option candle, from its own interval alone."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from strategy import black76
from strategy.forwards import Group, Quotes, future_forwards, parity_forwards
from strategy.frames import (
    MICROSECONDS_PER_MINUTE,
    CheckedFrame,
    Flags,
    Floats,
    Ints,
    instant,
    microseconds,
)
from strategy.rates import repo_rate
from strategy.session import session_hours, session_of

OPTION_COLUMNS = (
    *("symbol", "underlying", "expiry", "strike", "option_type", "interval_minutes"),
    *("open_time", "close", "volume", "known_at"),
)
KEY = ("symbol", "interval_minutes", "open_time", "underlying")
MICROSECONDS_PER_YEAR: Final = 365 * 24 * 60 * MICROSECONDS_PER_MINUTE

# Out of the money nothing costs less than a tick. In the money less time value than that is only
# the price being older than the forward.
LEAST_TIME_VALUE: Final = 0.05
DUST: Final = 1e-9

# What is kept: beyond these digits nothing can be told from prices on a grid of 0.05, and the same
# inputs give the same numbers whichever rows are computed together.
DIGITS: Final = {
    "forward": 4,
    "implied_volatility": 6,
    "delta": 6,
    "gamma": 9,
    "theta": 6,
    "vega": 6,
}


class Rows(NamedTuple):
    """The traded rows before their expiry, checked; `kept` are their places in the frame."""

    kept: Ints
    strike: Ints
    is_call: Flags
    price: Floats
    known: Ints
    group: Ints
    groups: list[Group]
    years: Floats
    rate: Floats


def evaluate_greeks(options: pd.DataFrame, futures: pd.DataFrame) -> pd.DataFrame:
    """Return the greeks of all options that were traded in their interval and have a forward.

    The forward is the front future's close at the interval's end where the future expires with
    the option, else the put-call-parity forward of the same interval, else there is no row. The
    greeks are per unit and of the forward; time to expiry runs from the interval's end to the
    close of the expiry's session in calendar time.

    Args:
        options: Final candles of options, each symbol's and interval's ascending: symbol,
            underlying, expiry, strike, option_type ('C', 'P'), interval_minutes, open_time, close
            (rupees), volume (units; a price without a trade in the interval is an old one, so
            zero and null give no row), known_at.
        futures: Closes of the front future, each underlying's ascending: underlying, close_time
            (of the interval), close, volume, known_at.

    Returns:
        symbol, interval_minutes, open_time, underlying, forward (rupees), forward_source
        ('future', 'parity'), implied_volatility (per year, 0.14 is 14 %), delta (per point), gamma
        (per point), theta (rupees per calendar day), vega (rupees per percentage point), known_at.
        The volatility and all greeks are NaN where the price implies none: below the intrinsic
        value, with no time value, or beyond the bounds of `strategy.black76`. Each row uses
        candles of its own interval only; `known_at` is when the last of them was known.

    Raises:
        FrameContractError: A frame lacks a column or holds values that are null, negative, naive,
            unsorted, duplicate or of a wrong type.
        CalendarUnknownError: No interest rate is known for a session.
    """
    rows = _read(options)
    growth = np.exp(rows.rate * rows.years)
    quotes = Quotes(rows.group, rows.strike, rows.is_call, rows.price, rows.known, growth)
    future = future_forwards(futures, rows.groups)
    parity = parity_forwards(quotes, len(rows.groups))
    by_future = ~np.isnan(future.price)
    price = np.where(by_future, future.price, parity.price)[rows.group]
    known = np.where(by_future, future.known, parity.known)[rows.group]
    there = np.flatnonzero(price > 0)
    # Adding zero makes the rounded -0.0 a 0.
    values = {
        name: np.round(column, DIGITS[name]) + 0.0
        for name, column in _values(rows, there, price[there]).items()
    }
    sources = np.where(by_future, "future", "parity")[rows.group[there]]
    latest = np.maximum(rows.known, known)[there]
    keys = {name: options[name].iloc[rows.kept[there]].array for name in KEY}
    return pd.DataFrame(
        keys
        | {"forward": values.pop("forward"), "forward_source": pd.array(sources, dtype="str")}
        | values
        | {"known_at": pd.to_datetime(latest, unit="us", utc=True)}
    )


def _values(rows: Rows, places: Ints, forward: Floats) -> dict[str, Floats]:
    options = black76.Options(
        forward,
        rows.strike[places].astype(np.float64),
        rows.years[places],
        rows.rate[places],
        rows.is_call[places],
    )
    price = rows.price[places]
    worth = price - black76.intrinsic(options) >= LEAST_TIME_VALUE - DUST
    volatility = black76.implied_volatility(options, np.where(worth, price, 0.0))
    greeks = black76.greeks(options, volatility)
    return {"forward": forward, "implied_volatility": volatility, **greeks._asdict()}


def _read(frame: pd.DataFrame) -> Rows:
    rows = CheckedFrame(frame, "options", OPTION_COLUMNS)
    symbols, names, expiries = rows.texts("symbol"), rows.texts("underlying"), rows.dates("expiry")
    kinds, strikes = rows.texts("option_type", ("C", "P")), rows.integers("strike")
    rows.refuse("strike", strikes <= 0, "not above zero")
    minutes, opens = rows.integers("interval_minutes"), rows.instants("open_time")
    rows.refuse("interval_minutes", minutes <= 0, "not above zero")
    prices, volumes = rows.prices("close"), rows.counts("volume")
    known = rows.instants("known_at")
    rows.ascending("open_time", symbols.codes * (minutes.max(initial=0) + 1) + minutes, opens)
    ends = opens + minutes * MICROSECONDS_PER_MINUTE
    closes = np.array([microseconds(session_hours(day)[1]) for day in expiries.distinct], np.int64)
    remaining = (closes[expiries.codes] if len(rows) else opens) - ends
    kept = np.flatnonzero(volumes.known & (volumes.numbers > 0) & (prices > 0) & (remaining > 0))
    keys = np.stack([names.codes[kept], expiries.codes[kept], minutes[kept], ends[kept]])
    distinct, group = np.unique(keys, axis=1, return_inverse=True)
    groups = [
        Group(names.distinct[name], expiries.distinct[expiry], session_of(instant(end)), width, end)
        for name, expiry, width, end in distinct.T.tolist()
    ]
    calls = np.array([kind == "C" for kind in kinds.distinct], dtype=bool)
    rates = np.array([repo_rate(each.session) for each in groups])
    group = group.reshape(-1)
    return Rows(
        kept,
        strikes[kept],
        calls[kinds.codes[kept]],
        prices[kept],
        known[kept],
        group,
        groups,
        remaining[kept] / MICROSECONDS_PER_YEAR,
        rates[group],
    )
