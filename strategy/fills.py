"""What orders pay beyond the last price: spread, slippage and latency, by date.

All of it was measured on recorded books; docs/outcomes.md says on which.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from strategy.book import Book
from strategy.contract import STRIKE_STEPS, Contract

SPREADS: Final = (0, 1, 2)  # what is swept
USUAL_SPREADS: Final = 1
TICK: Final = 0.05


class Filling(NamedTuple):
    """What is assumed of orders from a date on; points of premium.

    `spreads` are by underlying, each from so many strikes out of the money on, ascending; the first
    holds for everything further in the money.
    """

    since: date
    latency: timedelta  # between a signal and its order
    slippage: float  # of an order that a stop triggers, on average
    spreads: Mapping[str, tuple[tuple[int, float], ...]]

    def spread(self, contract: Contract, atm_strike: int) -> float | None:
        """Return ask less bid of a contract in points; None for an unknown underlying."""
        bands = self.spreads.get(contract.underlying)
        if bands is None:
            return None
        strikes = (contract.strike - atm_strike) / STRIKE_STEPS[contract.underlying]
        out = strikes if contract.option_type == "C" else -strikes
        return next((points for start, points in reversed(bands) if out >= start), bands[0][1])


# Ascending. As charges, nothing is known before the first date, so nothing is computed.
FILLINGS = (
    Filling(
        date(2023, 4, 1),
        timedelta(seconds=1),
        0.44,
        {
            # Measured at the money only.
            "NIFTY": ((0, 0.20),),
            "BANKNIFTY": ((-4, 2.00), (-3, 1.55), (-1, 1.15), (2, 0.90), (4, 0.70)),
        },
    ),
)


def filling_on(session: date) -> Filling | None:
    """Return what is assumed in a session; None where nothing is known."""
    return next((one for one in reversed(FILLINGS) if one.since <= session), None)


class Fills(NamedTuple):
    """What one contract's orders pay in a session, by stored bid and ask where there are any.

    Prices are rupees of premium, moments microseconds UTC. Of no spreads everything is bought and
    sold at the last price.
    """

    spread: float  # points, where the book has none
    slippage: float
    latency: timedelta
    book: Book | None = None

    def bought(self, price: float, moment: int, spreads: int, *, by_stop: bool) -> float:
        """Return what a purchase costs; by a stop order it happens somewhere in a candle.

        Args:
            price: The last price there.
            moment: The start of its candle.
            spreads: How many are paid in a round trip.
            by_stop: Whether a stop order bought.
        """
        if not spreads:
            return price
        half = self._half(moment)
        if by_stop:
            return price + spreads * (half + self.slippage)
        ask = self.book and self.book.ask(moment)
        return (price + half if ask is None else ask) + (spreads - 1) * half

    def sold(self, price: float, moment: int, spreads: int, reason: str) -> float:
        """Return what a sale brings, at least one tick.

        Args:
            price: The last price there, a level that was touched or a close.
            moment: The end of its candle.
            spreads: How many are paid in a round trip.
            reason: Why it is sold, as `Outcome.exit_reason`.
        """
        if not spreads:
            return price
        half = self._half(moment)
        if reason == "stop":
            paid = price - spreads * (half + self.slippage)
        elif reason == "target1":
            paid = price - spreads * half
        else:
            bid = self.book and self.book.bid(moment)
            paid = (price - half if bid is None else bid) - (spreads - 1) * half
        return max(paid, min(price, TICK))

    def _half(self, moment: int) -> float:
        told = self.book and self.book.spread(moment)
        return (self.spread if told is None else told) / 2
