"""Pullback read rule by rule from docs/strategies.md: plain Python, minute by minute."""

from fractions import Fraction

from plain_minutes import (
    MINUTE,
    above_high,
    base,
    exact,
    gaps,
    minutes_between,
    moments,
    on_tick,
    session_open,
    signal,
)

RANGES = {"NIFTY": (15, 25), "BANKNIFTY": (30, 45)}


def evaluate(index, options, contracts):
    """Signals and rejections as lists of dicts, from rows as lists of dicts."""
    signals, rejections = [], []
    for day, opened, atm, spots, rows in moments(index, options, contracts):
        head = base("pullback", day, opened)
        window = minutes_between(opened - 19 * MINUTE, opened)
        stored = [spots[minute] for minute in window if minute in spots]
        above = exact(spots[opened]["close"]) - Fraction(
            sum(exact(row["close"]) for row in stored), len(stored)
        )
        for kind, with_trend in (("C", above > 0), ("P", above < 0)):
            candle = rows[kind].get(opened)
            if candle is None or candle["close"] is None or not is_pullback(candle, day[1]):
                continue
            if len(stored) < 20:
                missing = [
                    minute
                    for minute in window
                    if minute >= session_open(day) and minute not in spots
                ]
                details = {"stored_minutes": len(stored), "missing": gaps(missing)}
                row = {"reason": "missing_rows", "symbol": candle["symbol"], "known_at": None}
                rejections.append(head | row | {"some_details": details})
            elif with_trend:
                entry, stop = above_high(candle)
                levels = entry, stop, on_tick(entry + 30), on_tick(entry + 60)
                known_at = max(candle["known_at"], *(row["known_at"] for row in stored))
                signals.append(signal(head, atm, spots[opened], candle, levels, known_at))
    return signals, rejections


def is_pullback(candle, underlying):
    start, high, low, close = (exact(candle[name]) for name in ("open", "high", "low", "close"))
    least, most = RANGES[underlying]
    size = high - low
    return close < start and least <= size <= most and start - close >= Fraction(7, 10) * size
