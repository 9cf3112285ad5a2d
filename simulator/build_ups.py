"""The 5-minute build-up rows of one contract, in Trendlyne's form."""

from datetime import UTC, datetime
from typing import Any

from simulator.forming import Candle
from simulator.market import Market
from strategy.session import IST

INTERVAL = 5
# By price not falling, open interest not falling. The source knows no fifth label.
LABELS = {
    (True, True): "Long Build Up",
    (False, True): "Short Build Up",
    (True, False): "Short Covering",
    (False, False): "Long Unwinding",
}


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
    before: tuple[float | None, int | None, int | None]
    before = (series.previous_close, series.previous_oi, None)
    for candle in market.candles(symbol, INTERVAL, now):
        if not _is_shown(candle, now.timestamp(), lag, forming):
            continue
        if candle.oi is not None and candle.volume is not None:
            rows.append(_row(candle, candle.oi, candle.volume, *before))
            before = (candle.close, candle.oi, candle.volume)
    return rows[::-1]


def _is_shown(candle: Candle, now: float, lag: float, forming: bool) -> bool:
    if candle.closed:
        return candle.close_time + lag <= now
    return forming and candle.open_time + lag <= now


def _row(
    candle: Candle,
    oi: int,
    volume: int,
    old_close: float | None,
    old_oi: int | None,
    old_volume: int | None,
) -> dict[str, Any]:
    oi_change = oi - old_oi if old_oi is not None else 0
    price_change = candle.close - old_close if old_close is not None else 0.0
    return {
        "interval": f"{_clock_time(candle.open_time)} TO {_clock_time(candle.close_time)}",
        "buildup": LABELS[price_change >= 0, oi_change >= 0],
        "close_price": candle.close,
        "price_range": f"{candle.low:g} - {candle.high:g}",
        "oi": oi,
        "oi_change": percent(oi_change, old_oi),
        "oi_change_gross": oi_change,
        "volume_gross": volume,
        "volume_change": percent(volume - (old_volume or 0), old_volume),
    }


def percent(change: float, base: float | None) -> float:
    """Return a change in percent of its base; 0 without one."""
    return 100 * change / base if base else 0.0


def _clock_time(epoch: int) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC).astimezone(IST):%H:%M}"
