"""A made-up Muhurat hour, recorded but for five minutes of everything: an outage of the recorder.

Two calls and a put cover. The first trade loses before the outage; the second is entered in it, if
at all, and its price is far below its stop after it. Who takes the outage for a quiet market has
two losing trades and rejects the third, by the daily loss limit.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pandas as pd

from strategy.contract import Contract
from strategy.session import interval_opens

DAY = date(2025, 10, 21)
EXPIRY = date(2025, 10, 28)
LOT = 75
ATM = 25_000
OUTAGE = 6  # which interval of the hour's twelve
FIRST, SECOND, THIRD = (
    Contract("NIFTY", EXPIRY, strike, kind).symbol
    for strike, kind in ((ATM, "C"), (ATM - 50, "C"), (ATM, "P"))
)
# The interval a contract covers in, and its closes from there on; the last one stays.
COVERS = {FIRST: (3, [110.0, 86.0]), SECOND: (5, [110.0, 82.0]), THIRD: (9, [110.0])}
OPENS = interval_opens(DAY, 5)
RECORDED = [place for place in range(len(OPENS)) if place != OUTAGE]


def recording() -> pd.DataFrame:
    """Rows of five minutes in the columns of recorded days."""
    index = {"open": 25_000.0, "high": 25_001.0, "low": 24_999.0, "close": 25_000.0}
    rows = [_fixed("NIFTY", place) | index for place in RECORDED]
    for strike in range(ATM - 150, ATM + 151, 50):
        for kind in "CP":
            option = Contract("NIFTY", EXPIRY, strike, kind)
            terms = {"expiry": EXPIRY, "strike": strike, "option_type": kind}
            rows += [_fixed(option.symbol, *row) | terms for row in _prices(option.symbol)]
    return pd.DataFrame(rows)


def _fixed(symbol: str, place: int, values: dict[str, float] | None = None) -> dict[str, Any]:
    moment = pd.Timestamp(OPENS[place])
    row = {"ts": moment, "interval_minutes": 5, "symbol": symbol, "underlying": "NIFTY"}
    return row | (values or {"volume": None, "oi": None})


def _prices(symbol: str) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield a contract's intervals: quiet before it covers, and then as it is told above."""
    first, closes = COVERS.get(symbol, (len(OPENS), []))
    told = iter(closes)
    close = 100.0
    for place in RECORDED:
        before, close = close, next(told, close) if place >= first else close
        prices = {"open": before, "high": max(before, close), "low": min(before, close)}
        counts = {
            "volume": LOT * (60 if place == first else 20),
            "oi": LOT * (195 if place >= first else 200),
        }
        yield place, prices | {"close": close} | counts
