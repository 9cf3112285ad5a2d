"""What a history source is asked, and what it answers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from pipelines.sources.errors import SourceError


class Bar(NamedTuple):
    """One candle as the source sent it: UTC start; None where the source does not tell a count."""

    open_time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    open_interest: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Candles of a canonical symbol: the newest `count`, or those of a session.

    A source that can be asked for a session takes `session`, and any other counts back from now.
    """

    symbol: str
    minutes: int
    count: int
    session: date | None = None


class History(NamedTuple):
    """The answer to a request: ascending bars, the newest of which may still be forming.

    `raw` holds the answer's own bytes, untouched, and `about` what reading them needs beside the
    request. The two times are epoch seconds of this computer; `MarketClock.at` makes market time.
    `reached` is how far the source had come by its own clock before it answered, in UTC; None where
    nothing but the bars tells. `refused` says why parts of the answer are no bars.
    """

    symbol: str
    minutes: int
    bars: list[Bar]
    raw: bytes
    about: Mapping[str, Any]
    asked_at_wall: float
    received_at_wall: float
    reached: datetime | None = None
    refused: tuple[str, ...] = ()


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
    """Changed or new bars of a streaming series, with the frame that carried them.

    With an `error` there are no bars: the frame ended this one series. `refused` says why parts of
    the frame are no bars.
    """

    symbol: str
    minutes: int
    bars: list[Bar]
    raw: bytes
    chart_session: str
    received_at_wall: float
    error: SourceError | None = None
    refused: tuple[str, ...] = ()


class Quote(NamedTuple):
    """Last known values of one symbol; None where none was sent yet.

    `volume` is the running total of the day, `change_percent` is against the previous close,
    `price_time` the price's own time in epoch seconds, `update_mode` how late the source says that
    it is.
    """

    symbol: str
    price: float | None = None
    volume: float | None = None
    change: float | None = None
    change_percent: float | None = None
    price_time: float | None = None
    update_mode: str | None = None
