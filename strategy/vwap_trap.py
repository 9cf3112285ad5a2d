"""VWAP trap: sellers pressed a price below its mean, buyers answered. Rules: docs/strategies.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from strategy.frames import Ints
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
    rejection,
    rupees,
    signal,
    to_tick,
)
from strategy.signals import Rejection, Signal

_ANY: Final = np.iinfo(np.int64).max  # what a price that is not stored may have been
_NOTHING: Final = (0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class VwapTrapParameters(OrderParameters):
    """Every number the rules use; points are option premium points."""


class _Traded(NamedTuple):
    """What a contract traded from the open to the end of a minute."""

    missing: list[int]  # slots of which the volume is unknown
    highest: int | None  # high + low + close of any of these; None where one has no row
    value: int  # sum of high + low + close in paise, times volume: thrice the turnover
    volume: int
    known_at: int


def _is_trap(candle: Any) -> Any:
    """Tell of one candle, or of many at once: red, but its delta is positive."""
    return (
        (candle.close < candle.open)
        & (2 * candle.close > candle.high + candle.low)
        & (candle.volume > 0)
    )


def _value(candle: Any) -> Any:
    return (candle.high + candle.low + candle.close) * candle.volume


def batch(day: Day, numbers: VwapTrapParameters) -> Outcomes:
    """Yield the rows of a whole day."""
    for side, lines in ((day.calls, day.call_lines), (day.puts, day.put_lines)):
        chosen, places = np.unique(lines, return_inverse=True)
        candles, quiet = day.contracts[chosen], day.quiet[chosen]
        missing = ~candles.volume_known & ~quiet.stored
        thrice = candles.high + candles.low + candles.close
        unknown = np.where(missing, np.where(candles.stored, thrice, _ANY), 0)
        highest = np.maximum.accumulate(unknown, axis=1)
        value = np.cumsum(_value(candles), axis=1)
        volume = np.cumsum(candles.volume, axis=1)
        known_at = np.maximum(candles.known_at, quiet.known_at)
        latest = np.maximum.accumulate(known_at, axis=1)
        for slot in np.flatnonzero(_is_trap(side)).tolist():
            at = places[slot], slot
            gaps: Ints = np.flatnonzero(missing[places[slot], : slot + 1])
            most = int(highest[at])
            traded = _Traded(
                *(gaps.tolist(), most if most < _ANY else None),
                *(int(value[at]), int(volume[at]), int(latest[at])),
            )
            atm, candle = day.at(slot), side.candle(slot)
            if atm and candle:
                yield from _judge(atm, candle, traded, numbers)


def step(
    memory: Mapping[str, list[int]] | None, minute: Minute, numbers: VwapTrapParameters
) -> tuple[Mapping[str, list[int]], Outcomes]:
    """Take one minute; what is remembered is what each contract traded.

    By symbol: which minutes have a volume, one bit each, and which lack no more than that; the
    highest price of the latter, value, volume, known_at.
    """
    after = dict(memory or {})
    for symbol, candle in minute.options.items():
        told, stored, highest, value, volume, known_at = after.get(symbol, _NOTHING)
        price = 0 if candle.volume_known else candle.high + candle.low + candle.close
        after[symbol] = [
            told | candle.volume_known << minute.slot,
            stored | 1 << minute.slot,
            max(highest, price),
            value + _value(candle),
            volume + candle.volume,
            max(known_at, candle.known_at),
        ]
    for symbol, at in minute.quiet.items():
        told, stored, *sums, known_at = after.get(symbol, _NOTHING)
        bit = 1 << minute.slot
        after[symbol] = [told | bit, stored | bit, *sums, max(known_at, at)]
    rows: list[Signal | Rejection] = []
    if atm := minute.atm:
        for option in (atm.call, atm.put):
            if option and _is_trap(option):
                told, stored, highest, *sums = after[option.symbol]
                missing = [slot for slot in range(atm.slot + 1) if not told >> slot & 1]
                bounded = all(stored >> slot & 1 for slot in missing)
                traded = _Traded(missing, highest if bounded else None, *sums)
                rows += _judge(atm, option, traded, numbers)
    return after, rows


def _judge(atm: Atm, candle: Candle, traded: _Traded, numbers: VwapTrapParameters) -> Outcomes:
    """Yield the row, if any, of a red candle with positive delta."""
    size = candle.high - candle.low
    delta = (2 * candle.close - candle.high - candle.low) * candle.volume
    details = {
        "contract": candle.prices() | {"volume": candle.volume},
        "delta_volume": delta / size,
        "index_close": rupees(atm.spot.close),
    }
    thrice = 3 * traded.volume
    if traded.missing:
        # Whatever was traded in them, VWAP lies between that of the others and their own prices.
        bounded = traded.highest is not None and 3 * candle.close >= traded.highest
        if bounded and candle.close * thrice >= traded.value:
            return
        minutes = {"atm_strike": atm.strike, "missing": atm.gaps(traded.missing)}
        yield rejection(atm, candle, "missing_rows", details | minutes, None)
        return
    if candle.close * thrice >= traded.value:
        return
    entry, stop = above_high(candle, numbers)
    target = to_tick(traded.value, numbers.tick, thrice)
    known_at = max(atm.spot.known_at, traded.known_at)
    reasons = details | {
        "vwap": traded.value / (100 * thrice),
        "vwap_volume": traded.volume,
        "vwap_minutes": atm.slot + 1,
    }
    if target > entry:
        order = Order(candle, "stop", entry, stop, target, None)
        yield signal(atm, "vwap_trap", order, reasons, known_at, numbers)
        return
    levels = {"entry": rupees(entry), "stop": rupees(stop), "target1": rupees(target)}
    details = reasons | levels | {"atm_strike": atm.strike}
    yield rejection(atm, candle, "target_below_entry", details, known_at)


VWAP_TRAP = minute_strategy("vwap_trap", "2", VwapTrapParameters(), batch, step)
