"""One quote session of TradingView's protocol: partial updates of what changed. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from simulator.account import Account
from simulator.frames import encode
from simulator.market import Market
from simulator.symbols import describe, requested_symbol


class QuoteSession:
    """Follows the quotes of some symbols, until `ended` says that it is over."""

    def __init__(self, market: Market, name: str, account: Account) -> None:
        self._market = market
        self._name = name
        self._account = account
        self.ended = False
        self._seen: dict[str, datetime] = {}
        self._fields: set[str] = set()
        self._sent: dict[str, dict[str, Any]] = {}
        self._calls: dict[str, Callable[[datetime, list[Any]], list[str]]] = {
            "quote_set_fields": self._set_fields,
            "quote_add_symbols": self._add,
            "quote_remove_symbols": self._remove,
        }

    def call(self, method: str, at: datetime, params: list[Any]) -> list[str]:
        """Return the frames that answer a call; none for what the simulator ignores."""
        handler = self._calls.get(method)
        if handler is None or self._account.ended(at):
            return []
        # Flags such as {"flags": ["force_permission"]} among the names: refused since 2024.
        if not all(isinstance(param, str) for param in params):
            self.ended = True
            return [encode("critical_error", [self._name, "invalid_parameters", method])]
        return handler(at, params)

    def tick(self, at: datetime) -> list[str]:
        """Return a `qsd` frame, with only the fields that changed, per changed symbol."""
        frames = []
        for requested, sent in self._sent.items():
            values = self._wanted(self._live(requested, at))
            changed = {field: value for field, value in values.items() if sent.get(field) != value}
            if changed.keys() - {"lp_time"}:  # which is that of the newest change
                sent.update(changed)
                frames.append(self._data(requested, changed))
        return frames

    def _set_fields(self, _at: datetime, fields: list[str]) -> list[str]:
        self._fields = set(fields)
        return []

    def _add(self, at: datetime, names: list[str]) -> list[str]:
        frames = []
        for requested in names:
            symbol = requested_symbol(requested)
            if symbol is None or symbol not in self._market.series:
                failed = {"n": requested, "s": "error", "errmsg": "no_such_symbol", "v": {}}
                frames.append(encode("qsd", [self._name, failed]))
                continue
            fixed = describe(self._market, symbol, delayed=bool(self._account.delay(at)))
            values = self._wanted(fixed | self._live(requested, at))
            self._sent[requested] = values
            frames.append(self._data(requested, values))
            frames.append(encode("quote_completed", [self._name, requested]))
        return frames

    def _remove(self, _at: datetime, names: list[str]) -> list[str]:
        for name in names:
            self._sent.pop(name, None)
        return []

    def _live(self, requested: str, at: datetime) -> dict[str, Any]:
        delay = self._account.delay(at)
        mode = f"delayed_streaming_{delay.total_seconds():.0f}" if delay else "streaming"
        told: dict[str, Any] = {"update_mode": mode}
        # Who has become delayed is sent nothing older than what he has.
        seen = self._seen[requested] = max(at - delay, self._seen.get(requested, at - delay))
        series = self._market.find(requested_symbol(requested) or "")
        newest = self._market.last(series.symbol, seen)
        if newest is None:
            return told
        before = series.previous_close or series.candles[0].open
        change = newest.close - before
        values = {
            "lp": newest.close,
            "lp_time": min(int(seen.timestamp()), newest.close_time),
            "ch": round(change, 2),
            "chp": round(100 * change / before, 2),
        }
        volume = series.total_volume(seen.timestamp())
        return told | values | ({} if volume is None else {"volume": float(volume)})

    def _wanted(self, values: dict[str, Any]) -> dict[str, Any]:
        if not self._fields:
            return values
        return {field: value for field, value in values.items() if field in self._fields}

    def _data(self, requested: str, values: dict[str, Any]) -> str:
        return encode("qsd", [self._name, {"n": requested, "s": "ok", "v": values}])
