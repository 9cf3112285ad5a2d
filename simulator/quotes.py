"""One quote session of TradingView's protocol: partial updates of what changed. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from simulator.frames import encode
from simulator.market import Market
from simulator.symbols import describe, requested_symbol


class QuoteSession:
    """Follows the quotes of some symbols."""

    def __init__(self, market: Market, name: str) -> None:
        self._market = market
        self._name = name
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
        # Options such as {"flags": [...]} may stand among the names.
        names = [param for param in params if isinstance(param, str)]
        return handler(at, names) if handler else []

    def tick(self, at: datetime) -> list[str]:
        """Return a `qsd` frame, with only the fields that changed, per changed symbol."""
        frames = []
        for requested, sent in self._sent.items():
            values = self._wanted(self._live(requested, at))
            changed = {field: value for field, value in values.items() if sent.get(field) != value}
            if changed:
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
            fixed = describe(self._market, symbol)
            values = self._wanted(fixed | self._live(requested, at))
            self._sent[requested] = values
            frames.append(self._data(requested, values))
            frames.append(encode("quote_completed", [self._name, requested]))
        return frames

    def _remove(self, _at: datetime, names: list[str]) -> list[str]:
        for name in names:
            self._sent.pop(name, None)
        return []

    def _live(self, requested: str, at: datetime) -> dict[str, float]:
        series = self._market.find(requested_symbol(requested) or "")
        newest = self._market.last(series.symbol, at)
        if newest is None:
            return {}
        before = series.previous_close or series.candles[0].open
        change = newest.close - before
        values = {
            "lp": newest.close,
            "ch": round(change, 2),
            "chp": round(100 * change / before, 2),
        }
        volume = series.total_volume(at.timestamp())
        return values if volume is None else values | {"volume": float(volume)}

    def _wanted(self, values: dict[str, Any]) -> dict[str, Any]:
        if not self._fields:
            return values
        return {field: value for field, value in values.items() if field in self._fields}

    def _data(self, requested: str, values: dict[str, Any]) -> str:
        return encode("qsd", [self._name, {"n": requested, "s": "ok", "v": values}])
