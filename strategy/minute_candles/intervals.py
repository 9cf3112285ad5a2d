"""The frames of the minute strategies cut into what `step` takes."""

from collections.abc import Iterator
from datetime import date, datetime

import pandas as pd

from strategy.ladders import Ladders
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
    rows: dict[Key, dict[tuple[int, str], Row]] = {}
    expiries: dict[tuple[date, str], date] = {}
    for day, name, at, expiry, strike, kind, *row in plain_rows(
        options,
        (
            *("session", "underlying", "open_time", "expiry", "strike", "option_type"),
            *("symbol", *PRICES, "volume", "known_at"),
        ),
    ):
        rows.setdefault((day, name, at), {})[strike, kind] = Row._make(row)
        expiries[day, name] = expiry
    ladders = Ladders(contracts)
    for key in sorted({*rows, *spots}):
        session, underlying, open_time = key
        # Where no contract was stored there is no ladder either: nothing is looked up by it.
        expiry = expiries.get((session, underlying))
        ladder = ladders.at(underlying, expiry, session).tolist()
        yield Interval(
            *(session, underlying, expiry, open_time),
            *(ladder, spots.get(key), rows.get(key, {})),
        )
