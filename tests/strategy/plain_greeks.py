"""The rules of docs/greeks.md in plain Python, one option at a time; shares nothing with ours.

Prices by the textbook's formula, volatility by bisection, greeks by differences of prices.
"""

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from statistics import NormalDist, median

CDF = NormalDist().cdf
YEAR = timedelta(days=365)


def price(forward, strike, years, rate, kind, volatility):
    deviation = volatility * math.sqrt(years)
    d1 = (math.log(forward / strike) + deviation**2 / 2) / deviation
    d2 = d1 - deviation
    discount = math.exp(-rate * years)
    if kind == "C":
        return discount * (forward * CDF(d1) - strike * CDF(d2))
    return discount * (strike * CDF(-d2) - forward * CDF(-d1))


def implied_volatility(forward, strike, years, rate, kind, wanted):
    low, high = 0.001, 10.0
    if not (
        price(forward, strike, years, rate, kind, low)
        < wanted
        < price(forward, strike, years, rate, kind, high)
    ):
        return None
    while high - low > 1e-9:
        middle = (low + high) / 2
        if price(forward, strike, years, rate, kind, middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def greeks(forward, strike, years, rate, kind, volatility):
    """Delta, gamma, theta and vega as differences of prices around the point."""

    def at(point=0.0, day=0.0, volatility_point=0.0):
        return price(
            forward + point,
            strike,
            years - day / 365,
            rate,
            kind,
            volatility + volatility_point / 100,
        )

    step = forward * volatility * math.sqrt(years) * 1e-3
    day = years * 365 * 1e-4
    up, down = at(point=step), at(point=-step)
    return {
        "delta": (up - down) / (2 * step),
        "gamma": (up - 2 * at() + down) / step**2,
        "theta": (at(day=day) - at(day=-day)) / (2 * day),
        "vega": (at(volatility_point=0.01) - at(volatility_point=-0.01)) / 0.02,
    }


def evaluate(options, futures, closes, rate, front_expiry):
    """Rows by (symbol, open_time): forward, its source and, where the price implies one, the IV.

    `closes` tells when an expiry's session ends, `front_expiry` when the future expires.
    """
    at_end = {
        (row["underlying"], row["close_time"]): row["close"] for row in futures if row["volume"]
    }
    groups = defaultdict(list)
    for row in options:
        end = row["open_time"] + timedelta(minutes=row["interval_minutes"])
        if row["volume"] and row["close"] > 0 and end < closes[row["expiry"]]:
            key = row["underlying"], row["expiry"], row["interval_minutes"], end
            groups[key].append(row)
    found = {}
    for (underlying, expiry, _, end), rows in groups.items():
        years = (closes[expiry] - end) / YEAR
        forward, source = None, None
        if front_expiry == expiry:
            forward, source = at_end.get((underlying, end)), "future"
        if forward is None:
            forward, source = parity(rows, years, rate), "parity"
        if forward is None:
            continue
        for row in rows:
            about = forward, row["strike"], years, rate, row["option_type"]
            sign = 1 if row["option_type"] == "C" else -1
            worth = math.exp(-rate * years) * max(sign * (forward - row["strike"]), 0)
            volatility = (
                implied_volatility(*about, row["close"]) if row["close"] - worth >= 0.05 else None
            )
            found[row["symbol"], row["open_time"]] = (forward, source, volatility)
    return found


def parity(rows, years, rate):
    calls = {row["strike"]: row["close"] for row in rows if row["option_type"] == "C"}
    puts = {row["strike"]: row["close"] for row in rows if row["option_type"] == "P"}
    pairs = sorted(
        (abs(calls[strike] - puts[strike]), strike) for strike in calls.keys() & puts.keys()
    )[:5]
    if len(pairs) < 3:
        return None
    return median(
        strike + math.exp(rate * years) * (calls[strike] - puts[strike]) for _, strike in pairs
    )


def records(frame):
    """Rows of a frame as dicts with plain datetimes in UTC."""
    return [
        {
            name: value.to_pydatetime().astimezone(UTC)
            if isinstance(value, datetime) and hasattr(value, "to_pydatetime")
            else value
            for name, value in row.items()
        }
        for row in frame.to_dict("records")
    ]
