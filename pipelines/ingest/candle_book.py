"""The live candles in memory: which bar of each series forms, which are due to be written."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from db.writing.rows import Candle
from pipelines.ingest.bars import Series, bar_fault, candle
from pipelines.sources.series import Bar
from strategy.session import session_hours


class CandleBook:
    """Collects streamed bars of one session between two writes.

    A newer bar makes the one before it final; a series that falls silent is settled some time
    after its bar's end. The end comes by the source's own time, as its newest bars tell it: a
    source that is minutes behind still forms bars that are old by our clock.
    """

    def __init__(self, session: date, source: str) -> None:
        self._session = session
        self._open, self._close = session_hours(session)
        self._source = source
        self._newest: dict[tuple[str, int], tuple[Bar, bool]] = {}
        self._pending: dict[tuple[str, int, datetime], Candle] = {}
        self._ahead: timedelta | None = None  # of the source's time before ours; mostly negative
        self.refused: list[str] = []

    def take(self, symbol: str, minutes: int, bars: Iterable[Bar], received_at: datetime) -> None:
        """Add bars as received, in any order."""
        for bar in sorted(bars):
            if not self._open <= bar.open_time < self._close:
                continue
            if fault := bar_fault(bar, self._open, timedelta(minutes=minutes)):
                self.refused.append(f"{symbol} {bar.open_time:%H:%M}: {fault}")
                continue
            ahead = bar.open_time - received_at
            self._ahead = ahead if self._ahead is None else max(ahead, self._ahead)
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

    def settle(self, heard: datetime, grace: timedelta) -> None:
        """Make bars final that ended longer ago than `grace` without a newer one.

        Args:
            heard: Until when the connection was heard: a dead one settles nothing.
            grace: How long a series may be silent after its bar's end.
        """
        if self._ahead is None:
            return
        ended_before = heard + self._ahead - grace
        due = [
            (key, bar)
            for key, (bar, settled) in self._newest.items()
            if not settled and bar.open_time + timedelta(minutes=key[1]) <= ended_before
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
