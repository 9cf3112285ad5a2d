"""Growing pauses between tries, so that a dead database is neither hammered nor forgotten."""

import asyncio
import random

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 2.0


class Backoff:
    """Doubles from 50 ms to 2 s, with jitter so that many clients do not come at once."""

    def __init__(self) -> None:
        self._seconds = FIRST_SECONDS

    def reset(self) -> None:
        """Begin with the short pause again."""
        self._seconds = FIRST_SECONDS

    async def wait(self) -> None:
        """Pause, and make the next pause longer."""
        await asyncio.sleep(self._seconds * random.uniform(0.5, 1.0))  # noqa: S311 - not a secret
        self._seconds = min(2 * self._seconds, LONGEST_SECONDS)
