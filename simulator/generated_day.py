"""One underlying's generated day: index, then option prices, then volume and open interest.

Planted short-covering episodes move the index, so that put-call parity always holds.
"""

import zlib
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from simulator.activity import (
    Covering,
    IntArray,
    open_interest,
    option_volume,
    previous_open_interest,
    quiet_volume,
)
from simulator.forming import Candle
from simulator.market import Episode, Series, units_per_lot
from simulator.pricing import MINUTE_IN_YEARS, FloatArray, forward, option_prices, to_tick
from simulator.profile import INTERVAL, PROFILES, TYPES, plan_episodes
from simulator.spot import Bars, Move, spot_bars
from strategy.contract import (
    STRIKE_STEPS,
    Contract,
    OptionType,
    atm_strike,
    expiries,
    future_symbol,
    monthly_expiry,
    nearest_expiry,
)
from strategy.errors import CalendarUnknownError
from strategy.session import session_hours

STRIKES_EACH_SIDE = 25


class Ending(NamedTuple):
    """What the next day fixes of a session: the index's last price, and the expiries traded."""

    spot: float
    expiries: tuple[date, ...]


class GeneratedDay:
    """One underlying's day; the order of the draws is part of what a seed means.

    With an ending it is the session before another one.
    """

    def __init__(self, day: date, seed: int, underlying: str, ending: Ending | None = None) -> None:
        self.underlying = underlying
        self.profile = PROFILES[underlying]
        self.rng = np.random.default_rng([seed, day.toordinal(), zlib.crc32(underlying.encode())])
        self.open, self.close = session_hours(day)
        self.minutes = int((self.close - self.open).total_seconds()) // 60
        self.expiries = ending.expiries if ending else _listed_expiries(underlying, day)
        self.expiry = self.expiries[0]
        self.future_expiry = monthly_expiry(underlying, day)
        planned = plan_episodes(self.rng, underlying, self.open, expires=day == self.expiry)
        last = self.close - timedelta(minutes=2 * INTERVAL)
        # An evening session has room for fewer of them.
        self.episodes = [episode for episode in planned if episode.open_time <= last]
        self.spot = self._draw_spot(ending.spot if ending else None)
        self.previous_spot = to_tick(self.spot.open[:1] / (1 + self.rng.normal(0, 0.002)))
        step = STRIKE_STEPS[underlying]
        middle = round(float(self.spot.open[0]) / step) * step
        ladder = range(-STRIKES_EACH_SIDE, STRIKES_EACH_SIDE + 1)
        self.strikes = np.array([middle + step * n for n in ladder], float)

    def _minute_of(self, episode: Episode) -> int:
        return int((episode.open_time - self.open).total_seconds()) // 60

    def _draw_spot(self, close: float | None) -> Bars:
        moves = [
            Move(
                self._minute_of(episode),
                INTERVAL,
                self.profile.episode_share * (1 if episode.option_type == "C" else -1),
            )
            for episode in self.episodes
        ]
        start = self.profile.spot + self.rng.uniform(-1, 1) * self.profile.spread
        trend = float(self.rng.choice([-1, 1])) * self.rng.uniform(0.005, 0.0075)
        return spot_bars(self.rng, self.minutes, start, trend, moves, close)

    def contracts(self) -> Iterator[Contract]:
        """The listed options: the nearest expiry's strikes around the opening price."""
        for kind in TYPES:
            for strike in self.strikes:
                yield Contract(self.underlying, self.expiry, int(strike), kind)

    def series(self) -> Iterator[Series]:
        """Index, front future and options."""
        previous = float(self.previous_spot[0])
        noise = self.rng.normal(0, 0.2, self.minutes)
        constituents = self.profile.index_volume * np.exp(noise)
        volume = np.rint(constituents).astype(np.int64)
        yield self._series(self.underlying, self.spot, volume, None, (previous, None), 1)
        yield self._future()
        yield from self._options()

    def _future(self) -> Series:
        years = self._years(self.future_expiry)
        drag = self.rng.normal(0, 0.00003, self.minutes + 1).cumsum() * 0.3
        carry: FloatArray = forward(np.ones_like(years), years) + drag
        prices = to_tick(np.append(self.spot.open, self.spot.close[-1]) * carry)
        start, end = prices[:-1], prices[1:]
        high = np.maximum(np.maximum(start, end), to_tick(self.spot.high * carry[:-1]))
        low = np.minimum(np.minimum(start, end), to_tick(self.spot.low * carry[:-1]))
        lots = quiet_volume(self.rng, self.minutes, self.profile.future_lots)
        for episode in self.episodes:
            minute = self._minute_of(episode)
            lots[minute : minute + INTERVAL] *= 1.5
        before = np.array([self.profile.future_open_lots])
        held = open_interest(self.rng, before, self.minutes, [])
        unit = units_per_lot(Contract(self.underlying, self.future_expiry, 0, "C"))
        previous = (float(to_tick(self.previous_spot * carry[0])[0]), int(before[0]) * unit)
        volume = np.rint(lots).astype(np.int64) * unit
        bars = Bars(start, high, low, end)
        symbol = future_symbol(self.underlying)
        return self._series(symbol, bars, volume, held[:, 0] * unit, previous, unit)

    def _options(self) -> Iterator[Series]:
        bars = self._option_bars()
        step = STRIKE_STEPS[self.underlying]
        previous_years = self._years(self.expiry)[:1] + 1 / 365
        level = np.array([self.profile.volatility])
        yesterday = option_prices(self.previous_spot, level, previous_years, self.strikes)
        for place, kind in enumerate(TYPES):
            sign = 1 if kind == "C" else -1
            coverings = self._coverings(kind)
            distance = sign * (self.strikes - self.spot.open[:, None]) / step
            lots = option_volume(self.rng, distance, self.profile.option_lots, coverings)
            before = previous_open_interest(
                self.rng, distance[0], self.strikes, self.profile.option_open_lots
            )
            held = open_interest(self.rng, before, self.minutes, coverings)
            for column, strike in enumerate(self.strikes):
                contract = Contract(self.underlying, self.expiry, int(strike), kind)
                unit = units_per_lot(contract)
                previous = (float(yesterday[place][0, column]), int(before[column]) * unit)
                mine = Bars._make(prices[:, column] for prices in bars[place])
                volume, oi = lots[:, column] * unit, held[:, column] * unit
                yield self._series(contract.symbol, mine, volume, oi, previous, unit)

    def _option_bars(self) -> tuple[Bars, Bars]:
        """Prices per minute and strike: of the calls, of the puts."""
        years = self._years(self.expiry)
        boundary = np.append(self.spot.open, self.spot.close[-1])
        wander = np.zeros(self.minutes + 1)
        for minute, shock in enumerate(self.rng.normal(0, 0.0015, self.minutes), start=1):
            wander[minute] = 0.98 * wander[minute - 1] + shock
        leverage = -1.5 * np.log(boundary / boundary[0])
        level = self.profile.volatility * (1 + wander + leverage)
        at_boundary = option_prices(boundary, level, years, self.strikes)
        upper = option_prices(self.spot.high, level[:-1], years[:-1], self.strikes)
        lower = option_prices(self.spot.low, level[:-1], years[:-1], self.strikes)
        calls, puts = at_boundary
        return _envelope(calls, upper[0], lower[0]), _envelope(puts, upper[1], lower[1])

    def _coverings(self, kind: OptionType) -> list[Covering]:
        found = []
        for episode in self.episodes:
            if episode.option_type == kind:
                minute = self._minute_of(episode)
                last = float(self.spot.close[minute + INTERVAL - 1])
                atm = atm_strike(last, [int(strike) for strike in self.strikes])
                place = int(np.searchsorted(self.strikes, atm))
                found.append(Covering(slice(minute, minute + INTERVAL), place))
        return found

    def _years(self, expiry: date) -> FloatArray:
        """Time to an expiry's close at each minute's start and at the end, in years."""
        left = (session_hours(expiry)[1] - self.open).total_seconds() / 60
        minutes: FloatArray = np.maximum(left - np.arange(self.minutes + 1), 1.0)
        return minutes * MINUTE_IN_YEARS

    def _series(
        self,
        symbol: str,
        bars: Bars,
        volume: IntArray,
        oi: IntArray | None,
        previous: tuple[float, int | None],
        unit: int,
    ) -> Series:
        start = int(self.open.timestamp())
        opens = range(start, start + 60 * self.minutes, 60)
        closes = range(start + 60, start + 60 * self.minutes + 60, 60)
        held: list[int] | list[None] = [None] * self.minutes if oi is None else oi.tolist()
        prices = (column.tolist() for column in bars)
        candles = list(map(Candle, opens, closes, *prices, volume.tolist(), held))
        return Series(symbol, 1, candles, *previous, unit)


def _envelope(boundary: FloatArray, one: FloatArray, other: FloatArray) -> Bars:
    """Return candles from the prices at the minutes' ends and at the index's extremes."""
    start, end = boundary[:-1], boundary[1:]
    high = np.maximum(np.maximum(start, end), np.maximum(one, other))
    low = np.minimum(np.minimum(start, end), np.minimum(one, other))
    return Bars(start, high, low, end)


def _listed_expiries(underlying: str, day: date) -> tuple[date, ...]:
    """Return up to three expiries, fewer where the calendar ends."""
    for count in (3, 2):
        try:
            return tuple(expiries(underlying, day, count))
        except CalendarUnknownError:
            continue
    return (nearest_expiry(underlying, day),)
