"""What strategies on 1-minute candles share: checked inputs, ATM, both forms, orders.

docs/strategies.md shows a whole strategy made of it.
"""

from strategy.minute_candles.candle import Atm, Candle, paise, rupees
from strategy.minute_candles.day import Candles, Day
from strategy.minute_candles.forms import Outcomes
from strategy.minute_candles.interval import Interval, Minute, Row
from strategy.minute_candles.intervals import intervals_of
from strategy.minute_candles.orders import (
    Order,
    OrderParameters,
    above_high,
    rejection,
    signal,
    to_tick,
)
from strategy.minute_candles.state import State
from strategy.minute_candles.strategy import minute_strategy

__all__ = [
    "Atm",
    "Candle",
    "Candles",
    "Day",
    "Interval",
    "Minute",
    "Order",
    "OrderParameters",
    "Outcomes",
    "Row",
    "State",
    "above_high",
    "intervals_of",
    "minute_strategy",
    "paise",
    "rejection",
    "rupees",
    "signal",
    "to_tick",
]
