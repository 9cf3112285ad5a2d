"""Random days for any strategy, by what it reads, and what may be done to them."""

from datetime import timedelta
from typing import NamedTuple

import numpy as np
from minute_days import random_minutes
from option_days import is_listed, other_listings, random_days

from db.market.frames import Frames

# Which column says when each price was known.
PRICES = {
    **dict.fromkeys(("open", "high", "low", "close"), "known_at"),
    "spot": "spot_known_at",
    "future": "future_known_at",
}
COUNTS = ("volume", "open_interest")
WIDTHS = {"build_ups": timedelta(minutes=5), "minutes": timedelta(minutes=1)}


class AnyDays(NamedTuple):
    """The frames a strategy reads, and the length of its intervals."""

    frames: tuple
    width: timedelta

    @classmethod
    def of(cls, strategy, seed):
        made = Frames(*random_days(seed)) if strategy.reads == "build_ups" else random_minutes(seed)
        return cls(made, WIDTHS[strategy.reads])

    def moments(self):
        """The end of every interval, ascending."""
        times = {time for frame in self._timed() for time in frame["open_time"]}
        return [time + self.width for time in sorted(times)]

    def known(self):
        """Every moment at which something became known, ascending."""
        columns = [
            frame[name].dropna()
            for frame in self.frames
            for name in {*PRICES.values(), "listed_at"}
            if name in frame
        ]
        return sorted({time for column in columns for time in column})

    def _timed(self):
        return [frame for frame in self.frames if "open_time" in frame]

    def until(self, moment):
        """Only what the intervals that ended by then left."""
        return self._each(
            lambda frame: frame[frame["open_time"] + self.width <= moment],
            lambda contracts: contracts[is_listed(contracts, moment)],
        )

    def until_known(self, moment):
        """Only what was known by then."""

        def known(frame):
            frame = frame.copy()
            columns = {PRICES[name] for name in PRICES if name in frame}
            for price, column in PRICES.items():
                if price in frame and len(columns) > 1:
                    frame[price] = frame[price].where(frame[column] <= moment)
            for column in columns if len(columns) > 1 else ():
                frame[column] = frame[column].where(frame[column] <= moment)
            return frame[(frame[[*columns]] <= moment).any(axis=1)]

        return self._each(known, lambda contracts: contracts[is_listed(contracts, moment)])

    def one_day(self, session, underlying):
        """Only the rows of one underlying in one session."""
        return self._each(
            lambda frame: frame[(frame["session"] == session) & (frame["underlying"] == underlying)]
        )

    def poisoned_after(self, moment, seed):
        """All that lies in later intervals, changed."""
        return self._poisoned(
            lambda frame, _: frame["open_time"] + self.width > moment, moment, seed
        )

    def poisoned_unknown(self, moment, seed):
        """All that was not known by then, changed."""
        return self._poisoned(lambda frame, column: frame[column] > moment, moment, seed)

    def _poisoned(self, later, moment, seed):
        rng = np.random.default_rng(seed)

        def change(frame):
            frame = frame.copy()
            factors = rng.uniform(0.5, 1.5, len(frame))
            for price, column in PRICES.items():
                if price in frame:
                    other = (frame[price] * factors * 20).round() / 20
                    frame[price] = frame[price].where(~later(frame, column), other)
            for count in COUNTS:
                if count in frame:
                    rows = later(frame, "known_at")
                    # What tells that nothing was traded has no price.
                    rows &= frame["close"].notna() if "close" in frame else True
                    frame.loc[rows, count] = rng.integers(0, 9_000, int(rows.sum()))
            return frame

        return self._each(change, lambda contracts: other_listings(contracts, moment, seed))

    def _each(self, change, listed=lambda contracts: contracts):
        parts = [change(frame) if "open_time" in frame else listed(frame) for frame in self.frames]
        return type(self.frames)(*parts)
