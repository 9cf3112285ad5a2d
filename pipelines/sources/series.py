"""What a history source is asked, and what it answers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from pipelines.sources.errors import SourceError


class Bar(NamedTuple):
    """One candle as the source sent it: UTC start; volume None where the source has none."""

    open_time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float | None


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """The newest `count` candles of a canonical symbol."""

    symbol: str
    minutes: int
    count: int


class History(NamedTuple):
    """The answer to a request: ascending bars, the newest of which may still be forming.

    `raw` holds the frames of the answer's own chart session, untouched, one a line. The two times
    are epoch seconds of this computer; `MarketClock.at` turns them into market time.
    """

    symbol: str
    minutes: int
    bars: list[Bar]
    raw: bytes
    chart_session: str
    asked_at_wall: float
    received_at_wall: float


def ignore(_history: History) -> None:
    """Do nothing with a history that came: it is returned in the end."""


class HistorySource(Protocol):
    """A way to candles of the past."""

    async def histories(
        self, requests: Iterable[HistoryRequest], taken: Callable[[History], None] = ignore
    ) -> dict[str, History | SourceError]:
        """Return each symbol's history, or why there is none; each symbol is asked for once.

        Args:
            requests: In the order they are asked.
            taken: Called with each history when it comes; must neither wait nor fail.
        """
        ...


class BarUpdate(NamedTuple):
    """Changed or new bars of a streaming series, with the frame that carried them."""

    symbol: str
    minutes: int
    bars: list[Bar]
    raw: bytes
    chart_session: str
    received_at_wall: float


class Quote(NamedTuple):
    """Last known values of one symbol; None where none was sent yet.

    `volume` is the running total of the day, `change_percent` is against the previous close.
    """

    symbol: str
    price: float | None = None
    volume: float | None = None
    change: float | None = None
    change_percent: float | None = None
