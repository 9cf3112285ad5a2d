"""Pullback entry: buy the rise after a pause, with the index's trend. Rules: docs/strategies.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from strategy.contract import UNDERLYINGS
from strategy.errors import ParameterError
from strategy.minute_candles import (
    Atm,
    Candle,
    Day,
    Minute,
    Order,
    OrderParameters,
    Outcomes,
    above_high,
    minute_strategy,
    paise,
    rejection,
    rupees,
    signal,
    to_tick,
)
from strategy.parameters import LARGEST
from strategy.risk import TargetParameters
from strategy.signals import Signal

_SHARES = 10_000  # shares count to four decimals, so that whole numbers decide


@dataclass(frozen=True)
class PullbackParameters(TargetParameters, OrderParameters):
    """Every number the rules use; points are option premium points.

    The trend is against the mean of `trend_minutes` closes. A pullback candle's range lies in
    [`least_range`, `most_range`], and its body is at least `body_share` of it. Where the
    `level_unit` is the range, it is that candle's.
    """

    trend_minutes: int = 20
    least_range: Mapping[str, float] = field(
        default_factory={"NIFTY": 15.0, "BANKNIFTY": 30.0}.copy
    )
    most_range: Mapping[str, float] = field(default_factory={"NIFTY": 25.0, "BANKNIFTY": 45.0}.copy)
    body_share: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        limits = (self.least_range, self.most_range)
        ranges = all(set(UNDERLYINGS) <= one.keys() for one in limits) and all(
            0 <= self.least_range[name] <= self.most_range[name] < LARGEST for name in UNDERLYINGS
        )
        if not ranges or not 0 <= self.body_share <= 1 or self.trend_minutes < 1:
            raise ParameterError(f"ranges, body_share or trend_minutes make no sense: {self}")


def _is_pullback(candle: Any, underlying: str, numbers: PullbackParameters) -> Any:
    """Tell of one candle, or of many at once, whether it is shaped like a pullback."""
    size, body = candle.high - candle.low, candle.open - candle.close
    return (
        (body > 0)
        & (size >= paise(numbers.least_range[underlying]))
        & (size <= paise(numbers.most_range[underlying]))
        & (body * _SHARES >= round(numbers.body_share * _SHARES) * size)
    )


Close = list[int]  # slot, close in paise, known_at


def batch(day: Day, numbers: PullbackParameters) -> Outcomes:
    """Yield the rows of a whole day."""
    calls, puts = (_is_pullback(side, day.underlying, numbers) for side in (day.calls, day.puts))
    for slot in np.flatnonzero(calls | puts).tolist():
        slots = range(max(0, slot + 1 - numbers.trend_minutes), slot + 1)
        candles = [(other, day.spot.candle(other)) for other in slots]
        closes = [[other, one.close, one.known_at] for other, one in candles if one]
        yield from _judge(day.at(slot), closes, numbers)


def step(
    memory: list[Close] | None, minute: Minute, numbers: PullbackParameters
) -> tuple[list[Close], Outcomes]:
    """Take one minute; what is remembered are the index's last closes."""
    closes = [one for one in memory or [] if one[0] > minute.slot - numbers.trend_minutes]
    if minute.spot:
        closes.append([minute.slot, minute.spot.close, minute.spot.known_at])
    return closes, _judge(minute.atm, closes, numbers)


def _judge(atm: Atm | None, closes: list[Close], numbers: PullbackParameters) -> Outcomes:
    """Yield the rows of one minute, given the closes stored of those that make its trend."""
    if atm is None:
        return
    above = atm.spot.close * len(closes) - sum(close for _, close, _ in closes)
    for candle, with_trend in ((atm.call, above > 0), (atm.put, above < 0)):
        if candle is None or not _is_pullback(candle, atm.moment.underlying, numbers):
            continue
        if len(closes) < numbers.trend_minutes:
            details = _untold(atm, candle, closes, numbers)
            yield rejection(atm, candle, "missing_rows", details, None)
        elif with_trend:
            yield _signal(atm, candle, closes, numbers)


def _untold(
    atm: Atm, candle: Candle, closes: list[Close], numbers: PullbackParameters
) -> dict[str, Any]:
    """Return the details of a candle without a trend; minutes before the open are no gap."""
    stored = {slot for slot, _, _ in closes}
    wanted = range(max(0, atm.slot + 1 - numbers.trend_minutes), atm.slot + 1)
    return {
        "contract": candle.prices(),
        "atm_strike": atm.strike,
        "index_close": rupees(atm.spot.close),
        "trend_minutes": numbers.trend_minutes,
        "stored_minutes": len(closes),
        "missing": atm.gaps(slot for slot in wanted if slot not in stored),
    }


def _signal(atm: Atm, candle: Candle, closes: list[Close], numbers: PullbackParameters) -> Signal:
    entry, stop = above_high(candle, numbers)
    size, body = candle.high - candle.low, candle.open - candle.close
    distances = numbers.target_distances(rupees(entry), rupees(size))
    targets = (
        to_tick(entry + max(paise(points), numbers.tick), numbers.tick) for points in distances
    )
    reasons = {
        "contract": candle.prices(),
        "range_points": rupees(size),
        "body_points": rupees(body),
        "body_share": body / size,
        "index_close": rupees(atm.spot.close),
        "index_mean": sum(close for _, close, _ in closes) / (100 * len(closes)),
        "trend_minutes": len(closes),
    }
    known_at = max(candle.known_at, *(at for _, _, at in closes))
    order = Order(candle, "stop", entry, stop, *targets)
    return signal(atm, "pullback", order, reasons, known_at, numbers)


PULLBACK = minute_strategy("pullback", "2", PullbackParameters(), batch, step)
