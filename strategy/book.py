"""Bid and ask of one contract, as far as they are stored: what was known at a moment."""

from typing import Final, NamedTuple

import numpy as np

from strategy.frames import Floats, Ints

# A price of that age is still the market's; older ones tell how wide it is, no longer where it is.
PRICE_AGE: Final = 5_000_000  # microseconds
SPREAD_AGE: Final = 360_000_000  # the five minutes of a ladder, and what it is late


class Book(NamedTuple):
    """Best bid and ask in the order in which they became known; NaN where unknown or nobody's."""

    known_at: Ints  # microseconds UTC, ascending
    moments: Ints  # what they are of, microseconds UTC
    bids: Floats
    asks: Floats

    def ask(self, moment: int) -> float | None:
        """Return what somebody asks at a moment; None where no recent quote says."""
        return self._price(self.asks, moment)

    def bid(self, moment: int) -> float | None:
        """Return what somebody pays at a moment; None where no recent quote says."""
        return self._price(self.bids, moment)

    def spread(self, moment: int) -> float | None:
        """Return ask less bid in points; None where no quote says, or bid and ask cross."""
        place = self._last(moment, SPREAD_AGE)
        if place is None:
            return None
        spread = round(float(self.asks[place] - self.bids[place]), 6)
        return spread if spread >= 0 else None

    def _price(self, prices: Floats, moment: int) -> float | None:
        place = self._last(moment, PRICE_AGE)
        if place is None or np.isnan(prices[place]):
            return None
        return float(prices[place])

    def _last(self, moment: int, age: int) -> int | None:
        place = int(np.searchsorted(self.known_at, moment, side="right")) - 1
        return place if place >= 0 and moment - self.moments[place] <= age else None
