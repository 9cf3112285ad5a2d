"""Candles in Upstox's form, newest first, and the ranges that may be asked for. Pure."""

import re
from datetime import UTC, date, datetime
from typing import Any

from simulator.errors import ResolutionUnavailable
from simulator.forming import Candle
from simulator.market import Market
from simulator.upstox.answers import Refusal
from strategy.session import IST

FIRST_DAY = date(2022, 1, 1)
LONGEST_MONTH, LONGEST_QUARTER = 31, 92
FINE_MINUTES, MOST_MINUTES = 15, 300
EXPIRED_INTERVALS = {"1minute": 1, "3minute": 3, "5minute": 5, "15minute": 15, "30minute": 30}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
Row = list[Any]


def candle_rows(market: Market, symbol: str, minutes: int, at: datetime) -> list[Row]:
    """Return a session's rows as seen at a market time, newest first; the newest may form.

    An index has no volume and no open interest here: both are 0.

    Raises:
        Refusal: The stored candles can't make that interval.
    """
    try:
        candles = market.candles(symbol, minutes, at)
    except ResolutionUnavailable:
        raise Refusal("UDAPI1147") from None
    index = symbol in market.underlyings
    return [_row(candle, index=index) for candle in reversed(candles)]


def minute_interval(unit: str, interval: str) -> int:
    """Return an interval in minutes.

    Raises:
        Refusal: Another unit, or no such number of minutes.
    """
    if unit != "minutes":  # the others are documented, and nobody here asks for them
        raise Refusal("UDAPI1146")
    if not interval.isdecimal() or not 1 <= int(interval) <= MOST_MINUTES:
        raise Refusal("UDAPI1147")
    return int(interval)


def date_range(to: str, since: str, minutes: int) -> tuple[date, date]:
    """Return first and last day of a range, both included.

    Raises:
        Refusal: No dates, in the wrong order, before 2022, or more than one request may ask for.
    """
    try:
        if not (_DAY.fullmatch(to) and _DAY.fullmatch(since)):
            raise Refusal("UDAPI1015")
        first, last = date.fromisoformat(since), date.fromisoformat(to)
    except ValueError:
        raise Refusal("UDAPI1015") from None
    if last < first:
        raise Refusal("UDAPI1015")
    longest = LONGEST_MONTH if minutes <= FINE_MINUTES else LONGEST_QUARTER
    if first < FIRST_DAY or (last - first).days > longest:
        raise Refusal("UDAPI1148")
    return first, last


def _row(candle: Candle, *, index: bool) -> Row:
    opened = datetime.fromtimestamp(candle.open_time, UTC).astimezone(IST)
    counts = (0, 0) if index else (candle.volume, candle.oi)
    return [opened.isoformat(), candle.open, candle.high, candle.low, candle.close, *counts]
