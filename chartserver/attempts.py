"""Wrong tokens by client: after the first few each doubles the time until the next one counts."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

FREE = 5
LONGEST_SECONDS = 900.0
FORGOTTEN_SECONDS = 3600.0
# Clients remembered; a flood of others makes the server forget the one longest quiet.
REMEMBERED = 10_000


class Wrong(NamedTuple):
    """How often in a row a client was wrong, and when last."""

    times: int
    at: float

    @property
    def wait(self) -> float:
        """Seconds from the last time on in which nothing is tried."""
        over = self.times - FREE
        return 0.0 if over < 0 else min(2.0 ** min(over, 30), LONGEST_SECONDS)


class Attempts:
    """Who was wrong of late."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, Wrong] = OrderedDict()

    def wait(self, client: str) -> float:
        """Return the seconds that a client has yet to wait; 0 when it may try."""
        wrong = self._wrong.get(client)
        return max(0.0, wrong.at + wrong.wait - self._clock()) if wrong else 0.0

    def failed(self, client: str) -> None:
        """Note a wrong token."""
        now = self._clock()
        before = self._wrong.pop(client, None)
        times = before.times if before and now - before.at < FORGOTTEN_SECONDS else 0
        self._wrong[client] = Wrong(times + 1, now)
        if len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)

    def succeeded(self, client: str) -> None:
        """Forget what a client did wrong."""
        self._wrong.pop(client, None)
