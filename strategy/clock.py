"""Market time. The one place of this package that may look at the computer's clock.

Strategy functions never use it: they take times as data. Every process asks its `MarketClock`
"what time is it in the market", so that an accelerated simulated day works throughout.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self


class MarketClock(NamedTuple):
    """Market time as a straight line over the computer's time.

    Text form, as in the environment: `2026-01-21T03:45:00+00:00,1790000000.0,60`: the market
    stood at the first at that epoch second and runs 60 market seconds per second. A fourth part,
    another time, is where the clock stops: a simulated market has nothing to show beyond its day.
    """

    market_start: datetime
    wall_start: float
    speed: float
    stops_at: datetime | None = None

    @classmethod
    def real(cls) -> Self:
        """Return the clock of the real market."""
        return cls(datetime.fromtimestamp(0, UTC), 0.0, 1.0)

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Return the clock a text describes; the real one for None or an empty text.

        Raises:
            ValueError: The text is not of the documented form.
        """
        if not text:
            return cls.real()
        start, wall, speed, *stop = text.split(",")
        times = [datetime.fromisoformat(part) for part in (start, *stop)]
        if any(time.tzinfo is None for time in times) or len(times) > 2 or float(speed) <= 0:
            raise ValueError(f"not a market clock: {text!r}")
        moments = [time.astimezone(UTC) for time in times]
        return cls(moments[0], float(wall), float(speed), *moments[1:])

    def __str__(self) -> str:
        stop = f",{self.stops_at.isoformat()}" if self.stops_at else ""
        return f"{self.market_start.isoformat()},{self.wall_start},{self.speed:g}{stop}"

    @property
    def is_real(self) -> bool:
        """Whether this is the real market's clock."""
        return self == MarketClock.real()

    def at(self, wall: float) -> datetime:
        """Return the market time at an epoch second of the computer's clock."""
        moment = self.market_start + timedelta(seconds=(wall - self.wall_start) * self.speed)
        return min(moment, self.stops_at) if self.stops_at else moment

    def now(self) -> datetime:
        """Return the market time now, in UTC."""
        return self.at(datetime.now(UTC).timestamp())

    def line(self) -> tuple[datetime, float, float]:
        """Return market time, epoch second and speed of the line it is on now; 0 once stopped."""
        if self.stops_at is None or self.now() < self.stops_at:
            return self.market_start, self.wall_start, self.speed
        elapsed = (self.stops_at - self.market_start).total_seconds() / self.speed
        return self.stops_at, self.wall_start + elapsed, 0.0

    def seconds_until(self, moment: datetime) -> float:
        """Return how many of the computer's seconds pass until a market time; never negative."""
        if self.stops_at is not None and moment > self.stops_at:
            return math.inf
        return max(0.0, (moment - self.now()).total_seconds() / self.speed)
