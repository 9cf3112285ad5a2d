"""From a source's bars to candle rows: what is final, what is refused."""

import math
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from db.rows import Candle
from pipelines.sources.series import Bar
from strategy.contract import UNDERLYINGS, underlying_of
from strategy.session import session_hours

# Clocks differ a little: a bar counts as ended only so long after its end.
GRACE = timedelta(seconds=2)


class Series(NamedTuple):
    """Whose bars they are and how they are stored."""

    symbol: str
    minutes: int
    session: date
    source: str


class Rows(NamedTuple):
    """Candles of the session, and a reason for every bar that is not one."""

    candles: list[Candle]
    refused: list[str]


def candle_rows(
    series: Series, bars: Iterable[Bar], asked_at: datetime, received_at: datetime
) -> Rows:
    """Turn one answer's bars into candles.

    A bar is final when the answer holds a newer one or it had ended before we asked. Bars of
    other sessions are left out; bars that cannot be prices are refused, with the reason.
    """
    start, end = session_hours(series.session)
    ordered = sorted(bar for bar in bars if start <= bar.open_time < end)
    length = timedelta(minutes=series.minutes)
    rows = Rows([], [])
    for place, bar in enumerate(ordered):
        if fault := bar_fault(bar, start, length):
            rows.refused.append(f"{series.symbol} {bar.open_time:%H:%M}: {fault}")
            continue
        ended = bar.open_time + length + GRACE <= asked_at
        final = place + 1 < len(ordered) or ended
        rows.candles.append(candle(series, bar, received_at, final=final))
    return rows


def candle(series: Series, bar: Bar, known_at: datetime, *, final: bool) -> Candle:
    """Return one bar's row; an index has no volume of its own, so none is stored."""
    index = series.symbol in UNDERLYINGS
    return Candle(
        symbol=series.symbol,
        interval_minutes=series.minutes,
        open_time=bar.open_time,
        underlying=underlying_of(series.symbol),
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=None if index or bar.volume is None else round(bar.volume),
        open_interest=None,
        source=series.source,
        known_at=known_at,
        final=final,
    )


def bar_fault(bar: Bar, session_open: datetime, length: timedelta) -> str | None:
    """Return why a bar cannot be stored, None if it can."""
    prices = (bar.open, bar.high, bar.low, bar.close)
    if not all(math.isfinite(price) and price >= 0 for price in prices):
        return f"prices {prices} are not all finite and above zero"
    if bar.high < max(bar.open, bar.close) or bar.low > min(bar.open, bar.close):
        return f"high {bar.high} or low {bar.low} lie within open and close"
    if (bar.open_time - session_open) % length:
        return f"starts off the {length} grid"
    return None
