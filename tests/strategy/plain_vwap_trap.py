"""VWAP trap read rule by rule from docs/strategies.md: plain Python, minute by minute."""

from plain_minutes import (
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


def evaluate(index, options, contracts):
    """Signals and rejections as lists of dicts, from rows as lists of dicts."""
    signals, rejections = [], []
    for day, opened, atm, spots, rows in moments(index, options, contracts):
        head = base("vwap_trap", day, opened)
        for kind in "CP":
            candle = rows[kind].get(opened)
            if candle is None or candle["close"] is None or not is_trap(candle):
                continue
            minutes = minutes_between(session_open(day), opened)
            told = [rows[kind].get(minute) for minute in minutes]
            missing = [
                minute
                for minute, row in zip(minutes, told, strict=True)
                if row is None or row["volume"] is None
            ]
            found = head | {"symbol": candle["symbol"]}
            if missing:
                if surely_not_below(candle, [row for row in told if row], len(told)):
                    continue
                details = {"missing": gaps(missing)}
                row = {"reason": "missing_rows", "known_at": None, "some_details": details}
                rejections.append(found | row)
                continue
            vwap = mean_price(told)
            if exact(candle["close"]) >= vwap:
                continue
            known_at = max(spots[opened]["known_at"], *(row["known_at"] for row in told))
            entry, stop = above_high(candle)
            if on_tick(vwap) > entry:
                levels = entry, stop, on_tick(vwap), None
                signals.append(signal(head, atm, spots[opened], candle, levels, known_at))
            else:
                details = {"entry": float(entry), "target1": float(on_tick(vwap))}
                row = {"reason": "target_below_entry", "known_at": known_at}
                rejections.append(found | row | {"some_details": details})
    return signals, rejections


def surely_not_below(candle, told, wanted):
    """Whether the close is below no VWAP that the unknown volumes allow: try none, and only them.

    More of one volume moves VWAP towards that minute's price, and never past it.
    """
    if len(told) < wanted:
        return False
    known = [row for row in told if row["volume"] is not None]
    alone = [[row | {"volume": 1}] for row in told if row["volume"] is None]
    return all(exact(candle["close"]) >= mean_price(rows) for rows in (known, *alone))


def is_trap(candle):
    start, high, low, close = (exact(candle[name]) for name in ("open", "high", "low", "close"))
    if high == low or candle["volume"] is None:
        return False
    delta = ((close - low) - (high - close)) / (high - low) * candle["volume"]
    return close < start and delta > 0


def mean_price(rows):
    value = sum(
        (exact(row["high"]) + exact(row["low"]) + exact(row["close"])) / 3 * row["volume"]
        for row in rows
        if row["volume"] != 0
    )
    return value / sum(row["volume"] for row in rows)
