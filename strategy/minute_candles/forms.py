"""One form from the other: a strategy on 1-minute candles has to be written only once."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from strategy.minute_candles.candle import Candle
from strategy.minute_candles.day import Candles, Day, Source
from strategy.minute_candles.interval import Minute
from strategy.minute_candles.state import State
from strategy.parameters import Parameters
from strategy.session import session_hours
from strategy.signals import Rejection, Signal

Outcomes = Iterable[Signal | Rejection]
# Minutes as a state remembers them, JSON values: slot, index, options and quiet ones by symbol,
# strike at the money, and the symbols of its call and put where they are stored.
Seen = list[list[Any]]
_NO_CANDLE = Candle("", 0, 0, 0, 0, 0, False, 0)


def step_of(
    name: str, version: str, batch: Callable[[Day, Any], Outcomes]
) -> Callable[[State, Minute, Any], tuple[Seen, Outcomes]]:
    """Return a step that runs a batch over the session so far, and keeps its last minute's rows.

    It remembers every candle, and each minute costs a batch: right, but slower than a step of its
    own.
    """

    def step(state: State, minute: Minute, numbers: Parameters) -> tuple[Seen, Outcomes]:
        rows = dict(minute.options), dict(minute.quiet)
        now = [minute.slot, minute.spot, *rows, *_at_the_money(minute)]
        seen = [*(state.memory or ()), now]
        if minute.atm is None:
            return seen, []
        day = day_of(name, numbers.version(version), state, seen)
        end = minute.atm.moment.event_time
        return seen, [row for row in batch(day, numbers) if row.event_time == end]

    return step


def day_of(name: str, version: str, state: State, seen: Seen) -> Day:
    """Return the session so far as a batch takes it: it ends with the last minute seen."""
    size = seen[-1][0] + 1
    symbols = sorted({symbol for one in seen for symbol in (*one[2], *one[3])})
    lines = {symbol: line for line, symbol in enumerate(symbols)}
    candles: list[Any] = []
    spots, strikes, calls, puts = (np.full(size, -1, dtype=np.int64) for _ in range(4))
    grid, quiet = (np.full((len(lines) + 1, size), -1, dtype=np.int64) for _ in range(2))
    for slot, spot, options, silent, strike, call, put in seen:
        if spot:
            spots[slot] = len(candles)
            candles.append(spot)
        for symbol, candle in options.items():
            grid[lines[symbol], slot] = len(candles)
            candles.append(candle)
        for symbol, known_at in silent.items():
            quiet[lines[symbol], slot] = len(candles)
            candles.append(Candle(symbol, 0, 0, 0, 0, 0, True, known_at))
        strikes[slot] = strike
        calls[slot], puts[slot] = (lines.get(symbol, -1) for symbol in (call, put))
    source = _source(candles)
    return Day(
        *(name, version, state.session, state.underlying, session_hours(state.session)[0]),
        *(Candles(spots, source), strikes, Candles(grid, source), Candles(quiet, source)),
        *(calls, puts),
    )


def _at_the_money(minute: Minute) -> tuple[int, str, str]:
    """Return the strike at the money and the symbols of its candles; -1 and "" for none."""
    if minute.atm is None:
        return -1, "", ""
    call, put = (candle.symbol if candle else "" for candle in (minute.atm.call, minute.atm.put))
    return minute.atm.strike, call, put


def _source(candles: list[Any]) -> Source:
    # The entry that -1 picks is the last one.
    columns = zip(*candles, _NO_CANDLE, strict=True)
    kinds = zip(Candle._fields, columns, strict=True)
    types = {"symbol": np.object_, "volume_known": np.bool_}
    return Source._make(np.array(values, dtype=types.get(name, np.int64)) for name, values in kinds)
