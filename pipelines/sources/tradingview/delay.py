"""How late a connection's data is, by what the source itself tells. Pure.

Three things tell: the quote field `update_mode` (`streaming` or `delayed_streaming_900`, seen in
December 2025), a symbol that resolves to `NSE_DLY:` (as charts without a subscription show in
2026), and `lp_time`, the time of a price that has just changed.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.sources.errors import PayloadInvalid

DELAYED_EXCHANGE = "NSE_DLY:"
# What an announced delay is where no number says so.
USUAL_SECONDS = 900
# Less is no delay: seconds on the way, and of this computer where the market's clock runs fast.
LEAST_MARKET = timedelta(seconds=60)
LEAST_WALL_SECONDS = 5.0

_SECONDS = re.compile(r"delayed\w*?_([0-9]{1,5})$")
# What was priced longer ago than this is not late: its market was closed.
LONGEST = timedelta(days=1)


class Delay:
    """What one connection told so far."""

    def __init__(self, speed: float = 1.0) -> None:
        """Begin with nothing known; `speed` is the market clock's, in market seconds a second."""
        self._least = max(LEAST_MARKET, timedelta(seconds=LEAST_WALL_SECONDS * speed))
        self._announced: int | None = None
        self._mode = ""
        self._twin = False
        self._measured = timedelta()
        self._newest: datetime | None = None

    @property
    def seconds(self) -> int | None:
        """How late the data is; 0 in real time, None while nothing tells.

        What is measured counts where it is plainly more than what is announced.
        """
        told = self._announced
        if told is None and self._twin:
            told = USUAL_SECONDS
        if self._measured - timedelta(seconds=told or 0) > self._least:
            return round(self._measured.total_seconds())
        return told

    @property
    def told_by(self) -> str | None:
        """What tells how late the data is, in words; None while nothing does."""
        if self.seconds is None:
            return None
        if self.seconds not in {self._announced, USUAL_SECONDS if self._twin else None}:
            return "the time of a price that had just changed"
        return f"update_mode {self._mode}" if self._announced is not None else DELAYED_EXCHANGE

    @property
    def newest(self) -> datetime | None:
        """The newest time of a price: so far the source has come, by its own clock."""
        return self._newest

    def quoted(self, values: Mapping[str, Any], received_at: datetime) -> None:
        """Take what a quote changed, by `Quote`'s names, and when it came, in market time.

        Raises:
            PayloadInvalid: Its price is of a time that is still far ahead.
        """
        if "update_mode" in values:
            self._mode = values["update_mode"]
            self._announced = announced_seconds(self._mode)
        if "price_time" in values:
            self._priced(datetime.fromtimestamp(values["price_time"], UTC), received_at)

    def resolved(self, described: Mapping[str, Any]) -> None:
        """Take what `symbol_resolved` tells of a symbol."""
        self._twin = is_delayed_twin(described)

    def _priced(self, price_time: datetime, received_at: datetime) -> None:
        if price_time > received_at + LONGEST:
            raise PayloadInvalid(f"a price of {price_time} was received at {received_at}")
        before, self._newest = self._newest, max(price_time, self._newest or price_time)
        changed = before is not None and price_time > before  # just now
        if changed and received_at - price_time <= LONGEST:
            self._measured = received_at - price_time


def announced_seconds(update_mode: str) -> int | None:
    """Return the delay in seconds that an `update_mode` names; None for one that is unknown."""
    if update_mode == "streaming":
        return 0
    if match := _SECONDS.fullmatch(update_mode):
        return int(match[1])
    return USUAL_SECONDS if update_mode.startswith("delayed") else None


def is_delayed_twin(described: Mapping[str, Any]) -> bool:
    """Tell whether a symbol stands for its delayed twin; one may also only have such a twin."""
    bases = described.get("base_name")
    names = [described.get("full_name"), *(bases if isinstance(bases, list) else [])]
    return any(isinstance(name, str) and name.startswith(DELAYED_EXCHANGE) for name in names)
