"""Candles of single contracts for the tests of trades: by hand, and random ones."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from strategy.series import COLUMNS, series_of
from strategy.session import interval_opens, session_hours
from strategy.signals import Moment, Signal, signal_id

SESSION = date(2026, 1, 21)
OPEN, CLOSE = session_hours(SESSION)
SYMBOL = "NIFTY260127C25000"
EMPTY = (np.nan,) * 4
LAG = timedelta(seconds=2)


def minute(number):
    return OPEN + timedelta(minutes=number)


def rows(prices, symbol=SYMBOL, minutes=1, session=SESSION, first=0):
    """One row per interval from the `first` on: (open, high, low, close), EMPTY, or None."""
    opens = interval_opens(session, minutes)[first:]
    width = timedelta(minutes=minutes)
    return [
        (symbol, session, minutes, open_time, *map(float, four), open_time + width + LAG)
        for open_time, four in zip(opens, prices, strict=False)
        if four is not None
    ]


def frame(lines):
    candles = pd.DataFrame(lines, columns=list(COLUMNS))
    for column in ("open_time", "known_at"):
        candles[column] = pd.to_datetime(candles[column], utc=True).dt.as_unit("us")
    prices = dict.fromkeys(("open", "high", "low", "close"), "float64")
    return candles.astype({"interval_minutes": "int64", **prices})


def series(prices, **options):
    """The series of one contract."""
    (found,) = series_of(frame(rows(prices, **options))).values()
    return found


def signal(at=5, symbol=SYMBOL, session=SESSION, known=20, **changes):
    """A signal of the interval that ended at a minute, known some seconds later; 100, 80, 130."""
    event_time = session_hours(session)[0] + timedelta(minutes=at)
    moment = Moment("test", "1", "NIFTY", session, event_time)
    values = {
        "signal_id": signal_id(moment, symbol),
        **moment._asdict(),
        "symbol": symbol,
        "direction": "BULLISH",
        "kind": "test",
        "atm_strike": 25_000,
        "spot": 25_000.0,
        "net_delta_volume": None,
        "strikes": [25_000],
        "entry": 100.0,
        "stop": 80.0,
        "target1": 130.0,
        "target2": None,
        "entry_order": "market",
        "reasons": {},
        "params_hash": "0" * 16,
        "input_watermark": event_time,
        "known_at": event_time + timedelta(seconds=known),
    }
    return Signal(**{**values, **changes})


def random_prices(rng, count, gaps=0.0, empties=0.0):
    """A walk of candles around 100 on a grid of one point, so that levels are often met.

    `rng` is a `random.Random`.
    """
    price, found = 100, []
    for _ in range(count):
        opened = max(price + rng.randint(-3, 3), 1)
        closed = max(opened + rng.randint(-12, 12), 1)
        high = max(opened, closed) + rng.randint(0, 7)
        low = max(min(opened, closed) - rng.randint(0, 7), 0)
        price = closed
        kind = rng.random()
        traded = (opened, high, low, closed)
        found.append(None if kind < gaps else EMPTY if kind < gaps + empties else traded)
    return found
