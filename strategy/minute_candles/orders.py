"""Orders on the tick grid, and the signals that name them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from strategy.errors import ParameterError
from strategy.frames import instant
from strategy.minute_candles.candle import Atm, Candle, paise, rupees
from strategy.parameters import Parameters
from strategy.signals import Rejection, Signal, signal_id


@dataclass(frozen=True)
class OrderParameters(Parameters):
    """Numbers of orders; points are option premium points.

    An order to buy above a candle's high lies `entry_points` above it, on the grid of
    `tick_size`.
    """

    entry_points: float = 1.0
    tick_size: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        # Two ticks keep the entry above the stop after both were put on the grid.
        if not 1 <= self.tick <= paise(self.entry_points) / 2:
            raise ParameterError(f"entry_points must be two ticks of a paisa or more: {self}")

    @property
    def tick(self) -> int:
        """The price step in paise."""
        return paise(self.tick_size)


class Order(NamedTuple):
    """What to buy, and its levels in paise."""

    bought: Candle
    entry_order: str  # 'market', or 'stop': bought when the price rises to `entry`
    entry: int
    stop: int
    target1: int
    target2: int | None


def to_tick(price: int, tick: int, divisor: int = 1) -> int:
    """Return the multiple of the tick nearest to `price / divisor`; a tie goes up."""
    step = tick * divisor
    return (2 * price + step) // (2 * step) * tick


def above_high(candle: Candle, numbers: OrderParameters) -> tuple[int, int]:
    """Return entry above a candle's high and stop at its low, which is never below one tick."""
    entry = to_tick(candle.high + paise(numbers.entry_points), numbers.tick)
    return entry, max(to_tick(candle.low, numbers.tick), numbers.tick)


def signal(
    atm: Atm,
    kind: str,
    order: Order,
    reasons: dict[str, Any],
    known_at: int,
    numbers: Parameters,
) -> Signal:
    """Return the signal to buy a contract at the money.

    Args:
        atm: The minute.
        kind: What triggered it.
        order: What to buy; its contract is the minute's call or put.
        reasons: Every value that led to it, as JSON values.
        known_at: The latest one of all rows used, in microseconds.
        numbers: Of the strategy.
    """
    symbol = order.bought.symbol
    return Signal(
        signal_id(atm.moment, symbol),
        *atm.moment,
        symbol,
        "BULLISH" if order.bought == atm.call else "BEARISH",
        kind,
        atm.strike,
        rupees(atm.spot.close),
        None,
        [atm.strike],
        rupees(order.entry),
        rupees(order.stop),
        rupees(order.target1),
        None if order.target2 is None else rupees(order.target2),
        order.entry_order,
        reasons,
        numbers.params_hash(),
        atm.moment.event_time,
        instant(known_at),
    )


def rejection(
    atm: Atm, candle: Candle, reason: str, details: dict[str, Any], known_at: int | None
) -> Rejection:
    """Return why a contract at the money is not bought; `known_at` is None where rows lack."""
    known = None if known_at is None else instant(known_at)
    return Rejection(*atm.moment, reason, candle.symbol, details, known)
