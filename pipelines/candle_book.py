"""The live candles in memory: which bar of each series forms, which are due to be written."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from db.rows import Candle
from pipelines.candles import Series, bar_fault, candle
from pipelines.sources.series import Bar
from strategy.session import session_hours


class CandleBook:
    """Collects streamed bars of one session between two writes.

    A newer bar makes the one before it final; a series that falls silent is settled some time
    after its bar's end.
    """

    def __init__(self, session: date, source: str) -> None:
        self._session = session
        self._open, self._close = session_hours(session)
        self._source = source
        self._newest: dict[tuple[str, int], tuple[Bar, bool]] = {}
        self._pending: dict[tuple[str, int, datetime], Candle] = {}
        self.refused: list[str] = []

    def take(self, symbol: str, minutes: int, bars: Iterable[Bar], received_at: datetime) -> None:
        """Add bars as received, in any order."""
        for bar in sorted(bars):
            if not self._open <= bar.open_time < self._close:
                continue
            if fault := bar_fault(bar, self._open, timedelta(minutes=minutes)):
                self.refused.append(f"{symbol} {bar.open_time:%H:%M}: {fault}")
                continue
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

    def settle(self, now: datetime, grace: timedelta) -> None:
        """Make bars final that ended longer ago than `grace` without a newer one."""
        for (symbol, minutes), (bar, settled) in self._newest.items():
            if not settled and bar.open_time + timedelta(minutes=minutes) + grace <= now:
                self._newest[symbol, minutes] = (bar, True)
                self._put(symbol, minutes, bar, now, final=True)

    def drain(self) -> list[Candle]:
        """Return the candles that changed since the last call."""
        rows = list(self._pending.values())
        self._pending.clear()
        return rows

    def _put(self, symbol: str, minutes: int, bar: Bar, known_at: datetime, *, final: bool) -> None:
        series = Series(symbol, minutes, self._session, self._source)
        key = (symbol, minutes, bar.open_time)
        self._pending[key] = candle(series, bar, known_at, final=final)
