"""Candles, how one comes into being, and how fine ones make a coarse one."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

TICK = 0.05


class Candle(NamedTuple):
    """One interval [open_time, close_time) in epoch seconds; volume and oi in units or None."""

    open_time: int
    close_time: int
    open: float
    high: float
    low: float
    close: float
    volume: int | None
    oi: int | None
    closed: bool = True


def partial(candle: Candle, at: float, oi: int | None, unit: int) -> Candle:
    """Return a candle as far as it had come at an epoch second inside it.

    The price walks from the open to the nearer extreme, to the other one, to the close, so that
    what is shown never leaves the final high and low and ends exactly in them.

    Args:
        candle: The final candle.
        at: Epoch second in [open_time, close_time).
        oi: The open interest known so far; the candle's own comes with its close.
        unit: Volume grows in multiples of it.
    """
    share = (at - candle.open_time) / (candle.close_time - candle.open_time)
    rising = candle.close >= candle.open
    extremes = (candle.low, candle.high) if rising else (candle.high, candle.low)
    stations = (candle.open, *extremes, candle.close)
    leg = min(int(share * 3), 2)
    price = stations[leg] + (stations[leg + 1] - stations[leg]) * (share * 3 - leg)
    price = min(max(round(round(price / TICK) * TICK, 2), candle.low), candle.high)
    passed = (*stations[: leg + 1], price)
    return candle._replace(
        high=max(passed),
        low=min(passed),
        close=price,
        volume=None if candle.volume is None else int(candle.volume * share) // unit * unit,
        oi=oi,
        closed=False,
    )


def aggregate(
    candles: Sequence[Candle], seconds: int, start: int, end: int, at: float
) -> list[Candle]:
    """Merge ascending candles into intervals of `seconds`, anchored at the session's start.

    An interval is closed when its time is over at `at`; the last one ends with the session.
    """
    merged = []
    for bucket, group in groupby(candles, lambda candle: (candle.open_time - start) // seconds):
        opened = start + bucket * seconds
        closes = min(opened + seconds, end)
        merged.append(_merge(list(group), opened, closes, closed=closes <= at))
    return merged


def _merge(rows: list[Candle], open_time: int, close_time: int, *, closed: bool) -> Candle:
    # A volume of which a part is unknown is unknown.
    volumes = [row.volume for row in rows if row.volume is not None]
    known = [row.oi for row in rows if row.oi is not None]
    return Candle(
        open_time,
        close_time,
        rows[0].open,
        max(row.high for row in rows),
        min(row.low for row in rows),
        rows[-1].close,
        sum(volumes) if len(volumes) == len(rows) else None,
        known[-1] if known else None,
        closed,
    )
