"""One day of a market, and what of it can be seen at a market time.

Everything the two servers tell is asked here with a market time, so that nobody sees the future:
closed candles, and the forming one as far as it has come.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from simulator.errors import ResolutionUnavailable, SymbolUnknown
from simulator.forming import Candle, aggregate, partial
from strategy.contract import Contract, OptionType, lot_size
from strategy.session import session_hours


class Episode(NamedTuple):
    """A planted short covering: in this 5-minute interval the ATM cluster's shorts buy back."""

    underlying: str
    option_type: OptionType
    open_time: datetime


@dataclass(frozen=True, eq=False)
class Series:
    """All candles of one instrument for the day, ascending and not overlapping.

    `previous_close` and `previous_oi` are of the session before, None where they are not known.
    """

    symbol: str
    interval_minutes: int
    candles: list[Candle] = field(repr=False)
    previous_close: float | None = None
    previous_oi: int | None = None
    unit: int = 1

    @cached_property
    def _opens(self) -> list[int]:
        return [candle.open_time for candle in self.candles]

    @cached_property
    def _closes(self) -> list[int]:
        return [candle.close_time for candle in self.candles]

    @cached_property
    def _totals(self) -> list[int]:
        return list(accumulate((candle.volume or 0 for candle in self.candles), initial=0))

    def last_closed(self, at: float) -> Candle | None:
        """Return the newest candle that has closed at an epoch second."""
        closed = bisect_right(self._closes, at)
        return self.candles[closed - 1] if closed else None

    def forming(self, at: float) -> Candle | None:
        """Return the candle that is forming at an epoch second, as far as it has come."""
        closed = bisect_right(self._closes, at)
        if closed == len(self.candles) or self.candles[closed].open_time > at:
            return None
        return partial(self.candles[closed], at, self.open_interest(at), self.unit)

    def visible(self, at: float, since: float) -> list[Candle]:
        """Return the candles that opened at or after `since`; the last one may be forming."""
        closed = bisect_right(self._closes, at)
        rows = self.candles[bisect_left(self._opens, since) : closed]
        forming = self.forming(at)
        return [*rows, forming] if forming and forming.open_time >= since else rows

    def open_interest(self, at: float) -> int | None:
        """Return the last open interest known at an epoch second, at first the previous day's."""
        for index in range(bisect_right(self._closes, at) - 1, -1, -1):
            if (known := self.candles[index].oi) is not None:
                return known
        return self.previous_oi

    def reference_oi(self, at: float) -> int | None:
        """Return what the day's changes are measured from, if it can be known by then."""
        if self.previous_oi is not None:
            return self.previous_oi
        seen = self.candles[: bisect_right(self._closes, at)]
        return next((candle.oi for candle in seen if candle.oi is not None), None)

    def total_volume(self, at: float) -> int | None:
        """Return the day's running volume; None while no candle has told any."""
        closed = bisect_right(self._closes, at)
        newest = self.forming(at) or self.last_closed(at)
        if newest is None or newest.volume is None:
            return self._totals[closed] or None
        return self._totals[closed] + (0 if newest.closed else newest.volume)


@dataclass(frozen=True, eq=False)
class Market:
    """One day of data: what is listed, and its candles with volume and open interest.

    `expiries` are those listed, nearest first; some may have no contracts in the data.
    """

    day: date
    underlyings: tuple[str, ...]
    series: Mapping[str, Series] = field(repr=False)
    contracts: tuple[Contract, ...] = field(repr=False)
    expiries: Mapping[str, tuple[date, ...]]
    episodes: tuple[Episode, ...] = ()

    @cached_property
    def hours(self) -> tuple[int, int]:
        """Open and close of the session in epoch seconds."""
        start, end = session_hours(self.day)
        return int(start.timestamp()), int(end.timestamp())

    def find(self, symbol: str) -> Series:
        """Return a symbol's series.

        Raises:
            SymbolUnknown: It is not listed in this market.
        """
        try:
            return self.series[symbol]
        except KeyError:
            raise SymbolUnknown(f"no such symbol: {symbol}") from None

    def candles(
        self, symbol: str, minutes: int, at: datetime, since: int | None = None
    ) -> list[Candle]:
        """Return a symbol's candles as seen at a market time, oldest first.

        Args:
            symbol: Canonical symbol.
            minutes: Interval; coarser than the stored one is aggregated, anchored at the open.
            at: Market time; the candle it falls in is the last one, not closed.
            since: Leave out intervals that ended before this epoch second.

        Raises:
            SymbolUnknown: The symbol is not listed in this market.
            ResolutionUnavailable: The stored candles can't make that interval.
        """
        series = self.find(symbol)
        if minutes % series.interval_minutes:
            raise ResolutionUnavailable(
                f"{symbol} has {series.interval_minutes}-minute candles, not {minutes}-minute ones"
            )
        start, end = self.hours
        moment = at.timestamp()
        first = start if since is None else start + (since - start) // (minutes * 60) * minutes * 60
        visible = series.visible(moment, first)
        if minutes == series.interval_minutes:
            return visible
        return aggregate(visible, minutes * 60, start, end, moment)

    def last(self, symbol: str, at: datetime) -> Candle | None:
        """Return the newest stored candle seen at a market time, forming or closed."""
        series = self.find(symbol)
        return series.forming(at.timestamp()) or series.last_closed(at.timestamp())

    def strikes(self, underlying: str, expiry: date) -> list[int]:
        """Return the listed strikes of an expiry, ascending."""
        return sorted({c.strike for c in self.contracts if c[:2] == (underlying, expiry)})

    @cached_property
    def _snapshot_ends(self) -> Mapping[tuple[str, date | None], list[int]]:
        ends: dict[tuple[str, date | None], set[int]] = {}
        start = self.hours[0]
        for underlying, expiry, strike, kind in self.contracts:
            candles = self.find(Contract(underlying, expiry, strike, kind).symbol).candles
            found = {start + -(-(row.close_time - start) // 300) * 300 for row in candles}
            for key in ((underlying, expiry), (underlying, None)):
                ends.setdefault(key, set()).update(found)
        return {key: sorted(found) for key, found in ends.items()}

    def snapshot_end(self, underlying: str, expiry: date, at: float) -> int | None:
        """Return the end of the last complete 5-minute interval with data of that expiry.

        For an expiry without contracts in the data, of the underlying's others.
        """
        ends = self._snapshot_ends
        mine = ends.get((underlying, expiry)) or ends.get((underlying, None), [])
        place = bisect_right(mine, at)
        return mine[place - 1] if place else None


def units_per_lot(contract: Contract) -> int:
    """Return a contract's lot size; 1 where it is not known."""
    return lot_size(contract.underlying, contract.expiry) or 1


def sorted_contracts(contracts: Iterable[Contract]) -> tuple[Contract, ...]:
    """Return contracts in the order of underlying, expiry, strike, type."""
    return tuple(sorted(set(contracts)))
