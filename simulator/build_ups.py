"""The 5-minute build-up rows of one contract, in Trendlyne's form.

Order of columns, roundings and nulls are those of rows of a future recorded on 21 January 2026, in
which `volume_gross` is the day's running total and `volume_change` its growth in percent.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from simulator.forming import Candle
from simulator.market import Market
from strategy.session import IST

INTERVAL = 5
# By price rising, open interest rising. Where either stands still there is no verdict.
LABELS = {
    (True, True): "Long Build Up",
    (False, True): "Short Build Up",
    (True, False): "Short Covering",
    (False, False): "Long Unwinding",
}
# Three columns are always null; nobody told their names.
NAMELESS = ("column_10", "column_11", "column_12")


def build_up_rows(
    market: Market, symbol: str, now: datetime, lag: float, forming: bool
) -> list[dict[str, Any]]:
    """Return the rows to be seen at a market time, newest first.

    A finished interval appears `lag` market seconds after its end. From then on the forming one
    is shown as it stands; when it ends it is gone until it appears finished. Intervals without data
    and those of unknown volume or open interest have no row; an unlisted symbol has none at all.
    """
    if symbol not in market.series:
        return []
    series = market.series[symbol]
    rows: list[dict[str, Any]] = []
    before = _Told(series.previous_close, series.previous_oi, 0)
    for candle in market.candles(symbol, INTERVAL, now):
        if not _is_shown(candle, now.timestamp(), lag, forming):
            continue
        if candle.oi is not None and candle.volume is not None:
            total = before.total + candle.volume
            rows.append(_row(candle, float(candle.oi), total, before))
            before = _Told(candle.close, candle.oi, total)
    return rows[::-1]


class _Told(NamedTuple):
    """What a row tells: price, open interest, and the volume of the day so far."""

    close: float | None
    oi: int | None
    total: int


def _is_shown(candle: Candle, now: float, lag: float, forming: bool) -> bool:
    if candle.closed:
        return candle.close_time + lag <= now
    return forming and candle.open_time + lag <= now


def _row(candle: Candle, oi: float, total: int, before: _Told) -> dict[str, Any]:
    oi_change = oi - before.oi if before.oi is not None else 0.0
    price_change = candle.close - before.close if before.close is not None else 0.0
    verdict = LABELS[price_change > 0, oi_change > 0] if price_change and oi_change else None
    grown = percent(total - before.total, before.total) if before.total else None
    return {
        "interval": f"{_clock_time(candle.open_time)} TO {_clock_time(candle.close_time)}",
        "buildup": verdict,
        "price_range": f"{candle.low:.3f} - {candle.high:.3f}",
        "oi_change": round(percent(oi_change, before.oi), 2),
        "volume_change": None if grown is None else round(grown, 2),
        "close_price": candle.close,
        "open_interest": oi,
        "oi_change_gross": oi_change,
        "volume_gross": float(total),
        **dict.fromkeys(NAMELESS),
        "oi": oi,
    }


def percent(change: float, base: float | None) -> float:
    """Return a change in percent of its base; 0 without one."""
    return 100 * change / base if base else 0.0


def _clock_time(epoch: int) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC).astimezone(IST):%H:%M}"
