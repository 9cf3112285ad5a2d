"""The frames of the minute strategies cut into what `step` takes."""

from collections.abc import Iterator
from datetime import date, datetime

import pandas as pd

from strategy.ladders import Ladders
from strategy.minute_candles.candle import MINUTE
from strategy.minute_candles.inputs import PRICES
from strategy.minute_candles.interval import Interval, Row
from strategy.plain_rows import plain_rows

Key = tuple[date, str, datetime]


def intervals_of(
    index: pd.DataFrame, options: pd.DataFrame, contracts: pd.DataFrame
) -> Iterator[Interval]:
    """Yield every minute with anything stored, by session, underlying and time."""
    spots = {
        (day, name, at): Row._make((name, *prices, None, known_at))
        for day, name, at, *prices, known_at in plain_rows(
            index, ("session", "underlying", "open_time", *PRICES, "known_at")
        )
    }
    rows: dict[Key, dict[tuple[date, int, str], Row]] = {}
    quiet: dict[Key, dict[str, datetime]] = {}
    for day, name, at, *contract, symbol, start, high, low, close, volume, known_at in plain_rows(
        options,
        (
            *("session", "underlying", "open_time", "expiry", "strike", "option_type"),
            *("symbol", *PRICES, "volume", "known_at"),
        ),
    ):
        if start is None:
            quiet.setdefault((day, name, at), {})[symbol] = known_at
            continue
        row = Row(symbol, start, high, low, close, volume, known_at)
        rows.setdefault((day, name, at), {})[tuple(contract)] = row
    ladders = Ladders(contracts)
    for key in sorted({*rows, *spots, *quiet}):
        session, underlying, open_time = key
        ladder = ladders.at(underlying, session, open_time + MINUTE)
        yield Interval(
            *(session, underlying, ladder.expiry if ladder else None, open_time),
            *(ladder.contracts if ladder else (), spots.get(key), rows.get(key, {})),
            quiet.get(key, {}),
        )
