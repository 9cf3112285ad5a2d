"""Market time. The one place of this package that may look at the computer's clock.

Strategy functions never use it: they take times as data. Every process asks its `MarketClock`
"what time is it in the market", so that an accelerated simulated day works throughout.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self


class MarketClock(NamedTuple):
    """Market time as a straight line over the computer's time.

    Text form, as in the environment: `2026-01-21T03:45:00+00:00,1790000000.0,60`: the market
    stood at the first at that epoch second and runs 60 market seconds per second.
    """

    market_start: datetime
    wall_start: float
    speed: float

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
        start, wall, speed = text.split(",")
        moment = datetime.fromisoformat(start)
        if moment.tzinfo is None or float(speed) <= 0:
            raise ValueError(f"not a market clock: {text!r}")
        return cls(moment.astimezone(UTC), float(wall), float(speed))

    def __str__(self) -> str:
        return f"{self.market_start.isoformat()},{self.wall_start},{self.speed:g}"

    @property
    def is_real(self) -> bool:
        """Whether this is the real market's clock."""
        return self == MarketClock.real()

    def at(self, wall: float) -> datetime:
        """Return the market time at an epoch second of the computer's clock."""
        return self.market_start + timedelta(seconds=(wall - self.wall_start) * self.speed)

    def now(self) -> datetime:
        """Return the market time now, in UTC."""
        return self.at(datetime.now(UTC).timestamp())

    def seconds_until(self, moment: datetime) -> float:
        """Return how many of the computer's seconds pass until a market time; never negative."""
        return max(0.0, (moment - self.now()).total_seconds() / self.speed)
