"""One session of one underlying as arrays by minute, as a strategy's batch form takes it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from strategy.frames import Flags, Ints
from strategy.minute_candles.candle import MINUTE, Atm, Candle
from strategy.signals import Moment


class Source(NamedTuple):
    """The candles of a frame by row number; one entry is appended, which -1 picks: no candle."""

    symbol: npt.NDArray[np.object_]
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    volume_known: Flags
    known_at: Ints


class Candles:
    """Candles in the shape of `rows`; the last axis is the minute, counted from the open.

    `open`, `high`, `low`, `close` (paise), `volume`, `volume_known` and `known_at` are arrays of
    that shape, zero where nothing is stored: what is written for one `Candle` takes them too.
    """

    def __init__(self, rows: Ints, source: Source) -> None:
        self.rows = rows  # -1 where no candle is stored
        self._source = source

    def __getitem__(self, place: Any) -> "Candles":
        return Candles(self.rows[place], self._source)

    def __getattr__(self, name: str) -> npt.NDArray[Any]:
        if name not in Source._fields:
            raise AttributeError(name)
        found: npt.NDArray[Any] = getattr(self._source, name)[self.rows]
        return found

    @property
    def stored(self) -> Flags:
        """Where there is a candle."""
        return self.rows >= 0

    def candle(self, place: Any) -> Candle | None:
        """Return the candle at a place; None where none is stored."""
        row = int(self.rows[place])
        return None if row < 0 else Candle._make(column.item(row) for column in self._source)


@dataclass(frozen=True)
class Day:
    """One session of one underlying, as one strategy looks at it.

    Attributes:
        strategy: Its name.
        version: Of its rules and numbers.
        session: Trading date.
        underlying: NIFTY or BANKNIFTY.
        opens: The session's open, UTC.
        spot: The index's candles by minute.
        strikes: The strike at the money by minute; -1 where the index is not stored or not to be
            relied on, or no strike is listed.
        contracts: Candles by line (one contract each) and minute; line -1 has none.
        quiet: By the same, where it is stored that nothing was traded: of volume 0, without prices.
        call_lines: By minute the line of the call at the money.
        put_lines: And of the put.
    """

    strategy: str
    version: str
    session: date
    underlying: str
    opens: datetime
    spot: Candles
    strikes: Ints
    contracts: Candles
    quiet: Candles
    call_lines: Ints
    put_lines: Ints

    @property
    def calls(self) -> Candles:
        """The candles at the money by minute: of the calls."""
        return self.contracts[self.call_lines, np.arange(len(self.strikes))]

    @property
    def puts(self) -> Candles:
        """And of the puts."""
        return self.contracts[self.put_lines, np.arange(len(self.strikes))]

    def at(self, slot: int) -> Atm | None:
        """Return what is at the money in a minute; None where nothing places ATM."""
        spot = self.spot.candle(slot)
        if spot is None or self.strikes[slot] < 0:
            return None
        end = self.opens + MINUTE * (slot + 1)
        return Atm(
            Moment(self.strategy, self.version, self.underlying, self.session, end),
            slot,
            int(self.strikes[slot]),
            spot,
            self.contracts.candle((self.call_lines[slot], slot)),
            self.contracts.candle((self.put_lines[slot], slot)),
        )
