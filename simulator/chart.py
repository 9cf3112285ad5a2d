"""One chart session of TradingView's protocol: symbols resolved, series answered and followed.

Pure: a call or a moment goes in, frames come out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.account import Account
from simulator.bad_bars import Bars, spoiled_changes, spoiled_history, wrong_close
from simulator.errors import ResolutionUnavailable
from simulator.faults import Faults
from simulator.forming import Candle
from simulator.frames import FrameError, encode
from simulator.market import Market
from simulator.symbols import describe, requested_symbol

HISTORY_LIMIT = 5_000
# As recorded: why a series could not be created, beside the call's own words.
INVALID = "invalid parameters"


@dataclass
class LiveSeries:
    """A series a client follows, and the newest bar it was sent.

    `wrong` holds the bars whose close a fault made wrong, as they are to be corrected.
    """

    symbol: str
    minutes: int
    turnaround: str
    seen: datetime | None = None
    sent: Candle | None = None
    index: int = -1
    wrong: Bars = field(default_factory=list)

    def history(self, market: Market, at: datetime, count: int) -> Bars:
        """Return the newest bars as the first answer, numbered from zero."""
        self.seen = at
        candles = market.candles(self.symbol, self.minutes, at)
        bars = list(enumerate(candles[-min(count, HISTORY_LIMIT) :]))
        if bars:
            self.index, self.sent = bars[-1]
        return bars

    def changes(self, market: Market, at: datetime) -> Bars:
        """Return what changed since the last call: each bar's final state before the next bar.

        A bar's final state is always sent, also when it equals the last forming one. Who has
        become delayed is sent nothing until the market he sees has come as far as he had.
        """
        if self.seen is not None and at < self.seen:
            return []
        self.seen = at
        since = self.sent.open_time if self.sent else None
        changed = []
        for candle in market.candles(self.symbol, self.minutes, at, since):
            if candle == self.sent:
                continue
            if self.sent is None or candle.open_time > self.sent.open_time:
                self.index += 1
            self.sent = candle
            changed.append((self.index, candle))
        return changed


class ChartSession:
    """Answers one chart session's requests in their order, until `ended` says that it is over."""

    def __init__(self, market: Market, name: str, faults: Faults, account: Account) -> None:
        self._market = market
        self._name = name
        self._faults = faults
        self._account = account
        self.ended = False
        self._symbols: dict[str, str] = {}
        self._series: dict[str, LiveSeries] = {}
        self._calls: dict[str, Callable[[datetime, list[Any]], list[str]]] = {
            "resolve_symbol": self._resolve,
            "create_series": self._create,
            "modify_series": self._modify,
            "remove_series": self._remove,
        }

    def call(self, method: str, at: datetime, params: list[Any]) -> list[str]:
        """Return the frames that answer a call; none for what the simulator ignores.

        Raises:
            FrameError: The parameters are not those of the method.
        """
        handler = self._calls.get(method)
        try:
            return handler(at, params) if handler else []
        except (ValueError, TypeError):
            raise FrameError(f"wrong parameters of {method}: {params!r}") from None

    def tick(self, at: datetime) -> list[str]:
        """Return a `du` frame per changed bar, or what ends the session."""
        for name, series in self._series.items():
            if self._faults.strike("critical-session", at, series.symbol):
                return [self._critical(f'method: du. args: "[{name}]"')]
        return [
            self._data("du", name, series.turnaround, [bar])
            for name, series in self._series.items()
            for bar in self._changes(series, at)
        ]

    def _changes(self, series: LiveSeries, at: datetime) -> Bars:
        changes = series.changes(self._market, at - self._account.delay(at))
        bars = self._with_wrong_closes(series, at, changes)
        return spoiled_changes(self._faults, at, series.symbol, bars)

    def _with_wrong_closes(self, series: LiveSeries, at: datetime, bars: Bars) -> Bars:
        """Return bars as a fault makes them close, and once it is over its corrections too."""
        fault = self._faults.find("wrong-close", at, series.symbol)
        if fault is None:
            corrected, series.wrong = series.wrong, []
            return corrected + bars
        shown = [(index, wrong_close(fault, candle)) for index, candle in bars]
        series.wrong += [true for true, bar in zip(bars, shown, strict=True) if true != bar]
        return shown

    def _resolve(self, at: datetime, params: list[Any]) -> list[str]:
        alias, text = params[:2]
        symbol = requested_symbol(str(text))
        unknown = symbol is None or symbol not in self._market.series
        if symbol is None or unknown or self._faults.strike("unknown-symbol", at, symbol):
            self._symbols.pop(alias, None)
            return [encode("symbol_error", [self._name, alias, "invalid symbol"], at)]
        self._symbols[alias] = symbol
        described = describe(self._market, symbol, delayed=bool(self._account.delay(at)))
        return [encode("symbol_resolved", [self._name, alias, described], at)]

    def _create(self, at: datetime, params: list[Any]) -> list[str]:
        name, turnaround, alias, resolution, count = params[:5]
        refused = self._account.ended(at)
        if refused or self._faults.strike("critical-session", at, self._symbols.get(alias, "")):
            told = ", ".join(map(str, params))
            return [self._critical(f'method: create_series. args: "[{told}]"')]
        if name in self._series:
            return [self._error(at, name, turnaround, "series exists already")]
        return self._answer(at, name, turnaround, alias, resolution, int(count))

    def _modify(self, at: datetime, params: list[Any]) -> list[str]:
        name, turnaround, alias, resolution = params[:4]
        if self._series.pop(name, None) is None:
            return [self._error(at, name, turnaround, "no such series")]
        return self._answer(at, name, turnaround, alias, resolution, HISTORY_LIMIT)

    def _remove(self, _at: datetime, params: list[Any]) -> list[str]:
        self._series.pop(params[0] if params else "", None)
        return []

    def _answer(
        self, at: datetime, name: str, turnaround: str, alias: str, resolution: str, count: int
    ) -> list[str]:
        loading = encode("series_loading", [self._name, name, turnaround], at)
        symbol, minutes = self._symbols.get(alias), _minutes(str(resolution))
        if symbol is None:
            return [loading, self._error(at, name, turnaround, "invalid symbol")]
        if minutes is None or count < 1:
            return [loading, self._error(at, name, turnaround, INVALID)]
        if self._faults.strike("no-answer", at, symbol):
            return []
        series = LiveSeries(symbol, minutes, turnaround)
        try:
            seen = series.history(self._market, at - self._account.delay(at), count)
        except ResolutionUnavailable:
            return [loading, self._error(at, name, turnaround, "resolution_not_entitled")]
        bars = self._with_wrong_closes(series, at, seen)
        self._series[name] = series
        bars = spoiled_history(self._faults, at, symbol, bars)
        how: dict[str, Any] = {"rt_update_period": 0}
        if count > HISTORY_LIMIT:
            how |= {"data_completed": "limit"}
        completed = [self._name, name, "streaming", turnaround, how]
        return [
            loading,
            self._data("timescale_update", name, turnaround, bars, at),
            encode("series_completed", completed, at),
        ]

    def _error(self, at: datetime, name: str, turnaround: str, reason: str) -> str:
        return encode("series_error", [self._name, name, turnaround, reason], at)

    def _critical(self, method: str) -> str:
        self.ended = True
        return encode("critical_error", [self._name, INVALID, method])

    def _data(
        self, method: str, name: str, turnaround: str, bars: Bars, at: datetime | None = None
    ) -> str:
        body = {
            "node": "simulated-series-1",
            "s": [{"i": index, "v": _values(candle)} for index, candle in bars],
            "ns": {"d": "", "indexes": "nochange" if method == "du" else []},
            "t": turnaround,
            "lbs": {"bar_close_time": bars[-1][1].close_time} if bars else {},
        }
        return encode(method, [self._name, {name: body}], at)


def _values(candle: Candle) -> list[float]:
    values = [float(candle.open_time), *candle[2:6]]
    return values if candle.volume is None else [*values, float(candle.volume)]


def _minutes(resolution: str) -> int | None:
    """Return the minutes of `5`, `1H` or `2H`; None for other resolutions."""
    number, unit = (resolution[:-1], 60) if resolution.endswith("H") else (resolution, 1)
    return int(number) * unit if number.isdecimal() and int(number) else None
