"""The live candles in memory: which bar of each series forms, which are due to be written."""

from collections import deque
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from db.writing.rows import Candle
from pipelines.ingest.bars import Series, bar_fault, candle
from pipelines.sources.series import Bar
from strategy.session import session_hours


class CandleBook:
    """Collects streamed bars of one session between two writes.

    A newer bar makes the one before it final. A series that falls silent is settled when another
    series of the connection has a bar that began at or after its bar's end, and data went on coming
    for some time since: only by that the source's own time is proven. A source that is minutes
    behind still forms bars that are old by our clock, and one that sends heartbeats may have lost
    what it sends no more.
    """

    def __init__(self, session: date, source: str) -> None:
        self._session = session
        self._open, self._close = session_hours(session)
        self._source = source
        self._newest: dict[tuple[str, int], tuple[Bar, bool]] = {}
        self._pending: dict[tuple[str, int, datetime], Candle] = {}
        self._reached: datetime | None = None  # the newest bar's start
        self._proven: datetime | None = None  # the same, `grace` before data was last heard
        self._steps: deque[tuple[datetime, datetime]] = deque()  # when it was first reached
        self.refused: list[str] = []

    def take(self, symbol: str, minutes: int, bars: Iterable[Bar], received_at: datetime) -> None:
        """Add bars as received, in any order."""
        for bar in sorted(bars):
            if not self._open <= bar.open_time < self._close:
                continue
            if fault := bar_fault(symbol, bar, self._open, timedelta(minutes=minutes)):
                self.refused.append(f"{symbol} {bar.open_time:%H:%M}: {fault}")
                continue
            if self._reached is None or bar.open_time > self._reached:
                self._reached = bar.open_time
                self._steps.append((received_at, bar.open_time))
            self._take(symbol, minutes, bar, received_at)

    def _take(self, symbol: str, minutes: int, bar: Bar, received_at: datetime) -> None:
        newest, settled = self._newest.get((symbol, minutes), (bar, False))
        if bar.open_time > newest.open_time:
            self._put(symbol, minutes, newest, received_at, final=True)
            settled = False
        elif bar.open_time < newest.open_time:  # a correction of an earlier bar
            self._put(symbol, minutes, bar, received_at, final=True)
            return
        self._newest[symbol, minutes] = (bar, settled)
        self._put(symbol, minutes, bar, received_at, final=settled)

    @property
    def waiting(self) -> int:
        """How many candles wait to be written."""
        return len(self._pending)

    def drop(self, symbol: str, minutes: int) -> None:
        """Forget a series that streams no more: its silence tells nothing."""
        self._newest.pop((symbol, minutes), None)

    def settle(self, heard: datetime, grace: timedelta) -> None:
        """Make bars final whose end was passed longer ago than `grace` without a newer one.

        Args:
            heard: When data last came, of any series: heartbeats alone settle nothing.
            grace: How long a series may be silent after its bar's end.
        """
        while self._steps and self._steps[0][0] + grace <= heard:
            self._proven = self._steps.popleft()[1]
        if self._proven is None:
            return
        due = [
            (key, bar)
            for key, (bar, settled) in self._newest.items()
            if not settled and bar.open_time + timedelta(minutes=key[1]) <= self._proven
        ]
        for (symbol, minutes), bar in due:
            self._newest[symbol, minutes] = (bar, True)
            self._put(symbol, minutes, bar, heard, final=True)

    def drain(self) -> list[Candle]:
        """Return the candles that changed since the last call."""
        rows = list(self._pending.values())
        self._pending.clear()
        return rows

    def _put(self, symbol: str, minutes: int, bar: Bar, known_at: datetime, *, final: bool) -> None:
        series = Series(symbol, minutes, self._session, self._source)
        key = (symbol, minutes, bar.open_time)
        row = candle(series, bar, known_at, final=final)
        waiting = self._pending.get(key, row)
        if row._replace(known_at=waiting.known_at) != waiting:  # the first to say so counts
            waiting = row
        self._pending[key] = waiting
