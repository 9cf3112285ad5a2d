"""One minute of one underlying: as stored, with its checks, and as a strategy's step takes it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import isfinite
from typing import NamedTuple

from strategy.contract import STRIKE_STEPS, UNDERLYINGS, cluster_strikes
from strategy.errors import FrameContractError
from strategy.frames import microseconds
from strategy.ladders import OPTION_TYPES
from strategy.minute_candles.candle import (
    HIGHEST_STRIKE,
    MINUTE,
    PROBLEMS,
    Atm,
    Candle,
    paise,
    rupees,
)
from strategy.session import IST, session_hours, spot_is_reliable
from strategy.signals import Moment


class Row(NamedTuple):
    """One final candle: prices in rupees; a null volume is unknown, as an index's always is."""

    symbol: str
    open: float
    high: float
    low: float
    close: float
    volume: int | None
    known_at: datetime

    def problem(self) -> str | None:
        """Return what `days_of` would refuse."""
        volume = self.volume or 0
        if not all(map(isfinite, self[1:5])) or min(*self[1:5], volume) < 0:
            return "negative or NaN"
        if self.known_at.tzinfo is None:
            return "naive times"
        row = self._replace(volume=volume)
        return next((f"{name} {text}" for name, text, broken in PROBLEMS if broken(row)), None)

    def candle(self) -> Candle:
        """Return the same in exact numbers."""
        known = self.volume is not None
        known_at = microseconds(self.known_at)
        prices = map(paise, self[1:5])
        return Candle._make((self.symbol, *prices, self.volume or 0, known, known_at))


class Minute(NamedTuple):
    """What a step looks at: everything stored of one minute.

    `options` are by symbol, of all expiries; `quiet` are the contracts of which it is stored that
    nothing was traded, each with when that was known. `atm` is None where nothing places it.
    """

    slot: int  # minutes from the open to the candles' start
    spot: Candle | None  # of the index
    options: Mapping[str, Candle]
    quiet: Mapping[str, int]  # by symbol; microseconds since 1970 UTC
    atm: Atm | None


@dataclass(frozen=True)
class Interval:
    """All that is stored for one underlying in one minute.

    `expiry` is the nearest among the contracts known by the minute's end, `listed` strike and type
    of those contracts; None and nothing where none is known. `options` are of all expiries, as is
    `quiet`: the symbols of which it is stored that nothing was traded, and when that was known.
    """

    session: date
    underlying: str
    expiry: date | None
    open_time: datetime
    listed: Collection[tuple[int, str]]
    index: Row | None
    options: Mapping[tuple[date, int, str], Row]  # by expiry, strike and type
    quiet: Mapping[str, datetime] = field(default_factory=dict)

    def minute(self, strategy: str, version: str) -> Minute | None:
        """Return it as that strategy looks at it; None outside the session's hours."""
        first, close = session_hours(self.session)
        if not first <= self.open_time < close:
            return None
        slot = (self.open_time - first) // MINUTE
        spot = self.index and self.index.candle()
        options = {row.symbol: row.candle() for row in self.options.values()}
        end = (self.open_time + MINUTE).astimezone(UTC)
        atm = None
        if spot and spot_is_reliable(end):
            moment = Moment(strategy, version, self.underlying, self.session, end)
            ladder = sorted({strike for strike, _ in self.listed})
            step = STRIKE_STEPS[self.underlying]
            (strike,) = cluster_strikes(rupees(spot.close), ladder, step, wings=0)
            if strike is not None:
                atm = Atm(moment, slot, strike, spot, *self._at(strike, options))
        quiet = {symbol: microseconds(known_at) for symbol, known_at in self.quiet.items()}
        return Minute(slot, spot, options, quiet, atm)

    def _at(self, strike: int, options: Mapping[str, Candle]) -> list[Candle | None]:
        """Return the candles of a strike's call and put, where they are known and stored."""
        rows = [
            self.options.get((self.expiry, strike, kind))
            if self.expiry and (strike, kind) in self.listed
            else None
            for kind in OPTION_TYPES
        ]
        return [options[row.symbol] if row else None for row in rows]

    def check(self) -> None:
        """Raise FrameContractError for what `days_of` would refuse in its frames."""
        if self.underlying not in UNDERLYINGS:
            raise FrameContractError(f"interval.underlying: unknown: {self.underlying}")
        self._check_times()
        if self.index and (problem := self.index.problem()):
            raise FrameContractError(f"interval.index: {problem}: {self.index}")
        if self.expiry is not None and self.expiry < self.session:
            raise FrameContractError(f"interval.expiry: before the session: {self.expiry}")
        if any(known_at.tzinfo is None for known_at in self.quiet.values()):
            raise FrameContractError(f"interval.quiet: naive times: {self.quiet}")
        self._check_options()

    def _check_options(self) -> None:
        for (expiry, strike, kind), row in self.options.items():
            listed = 0 < strike <= HIGHEST_STRIKE and kind in OPTION_TYPES
            if listed and expiry < self.session:
                raise FrameContractError(f"interval.options: expiry before the session: {row}")
            if problem := row.problem() if listed else "no such contract":
                raise FrameContractError(f"interval.options: {problem}: {row}")

    def _check_times(self) -> None:
        if self.open_time.tzinfo is None:
            raise FrameContractError(f"interval.open_time: naive times: {self.open_time!r}")
        midnight = datetime.combine(self.session, time(), IST)
        if not timedelta() <= self.open_time - midnight < timedelta(days=1):
            raise FrameContractError(f"interval.open_time: not on the session: {self.open_time!r}")
        if (self.open_time - midnight) % MINUTE:
            raise FrameContractError(f"interval.open_time: off the grid: {self.open_time!r}")
