"""A candle in exact numbers: whole paise, so that no binary dust decides a comparison.

A price off the paisa grid counts as the nearest whole paisa.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from strategy.signals import Moment

MINUTE = timedelta(minutes=1)
HIGHEST_STRIKE = 1_000_000_000


class Candle(NamedTuple):
    """One final minute of the index or of a contract."""

    symbol: str
    open: int  # paise, as the next three
    high: int
    low: int
    close: int
    volume: int  # units; 0 where unknown, as an index's always is
    volume_known: bool
    known_at: int  # microseconds since 1970 UTC

    def prices(self) -> dict[str, Any]:
        """Return symbol and prices in rupees, as stored in reasons."""
        names = ("open", "high", "low", "close")
        return {"symbol": self.symbol} | {name: rupees(getattr(self, name)) for name in names}


class Atm(NamedTuple):
    """What is at the money in one minute; None for a contract whose candle is not stored."""

    moment: Moment
    slot: int  # minutes from the open to the candles' start
    strike: int
    spot: Candle  # of the index; its close placed ATM
    call: Candle | None
    put: Candle | None

    def gaps(self, slots: Iterable[int]) -> list[list[str]]:
        """Return slots as stored in details: first and last minute of each run, UTC starts."""
        runs: list[list[int]] = []
        for slot in slots:
            if runs and runs[-1][1] == slot - 1:
                runs[-1][1] = slot
            else:
                runs.append([slot, slot])
        opens = self.moment.event_time - MINUTE * (self.slot + 1)
        return [[(opens + MINUTE * slot).isoformat() for slot in run] for run in runs]


def paise(price: float) -> int:
    """Return a price or a number of points as whole paise."""
    return round(price * 100)


def rupees(price: int) -> float:
    """Return paise as rupees."""
    return price / 100


# What no candle may be, asked of arrays and of plain numbers. The last three keep the sums of a
# session exact in 64 bits.
PROBLEMS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("high", "below open or close", lambda row: (row.high < row.open) | (row.high < row.close)),
    ("low", "above open or close", lambda row: (row.low > row.open) | (row.low > row.close)),
    ("high", "above 1e9 rupees", lambda row: row.high > 1e9),
    ("volume", "above 1e12 units", lambda row: row.volume > 1e12),
    ("volume", "above 1e13 rupees in a minute", lambda row: row.high * row.volume > 1e13),
)
