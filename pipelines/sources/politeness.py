"""How often a host may be asked, in market time: a token bucket and a circuit breaker. Pure.

Both take the time as data, so that an accelerated day is throttled like a real one.
"""

from datetime import datetime, timedelta


class TokenBucket:
    """At most `per_second` requests a second in the long run, `burst` at once."""

    def __init__(self, per_second: float, burst: int = 1) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError("a token bucket needs a positive rate and burst")
        self._spacing = timedelta(seconds=1 / per_second)
        self._ahead = self._spacing * (burst - 1)
        self._next: datetime | None = None

    def reserve(self, now: datetime) -> timedelta:
        """Take the next place and return how long to wait for it."""
        earliest = now - self._ahead
        place = earliest if self._next is None else max(self._next, earliest)
        self._next = place + self._spacing
        return max(place - now, timedelta())


class CircuitBreaker:
    """Stop asking after `limit` refusals in a row; each further one doubles the pause."""

    def __init__(
        self,
        limit: int = 3,
        pause: timedelta = timedelta(minutes=5),
        longest: timedelta = timedelta(hours=1),
    ) -> None:
        self._limit = limit
        self._pause = pause
        self._longest = longest
        self._refusals = 0
        self._closed_until: datetime | None = None

    def paused_until(self, now: datetime) -> datetime | None:
        """Return until when nobody may ask; None when one may."""
        until = self._closed_until
        return until if until is not None and now < until else None

    def refused(self, now: datetime) -> None:
        """Note a refusal."""
        self._refusals += 1
        doublings = self._refusals - self._limit
        if doublings >= 0:
            self._closed_until = now + min(self._pause * 2 ** min(doublings, 20), self._longest)

    def answered(self) -> None:
        """Note an answer: refusals are counted from zero again."""
        self._refusals = 0
        self._closed_until = None
