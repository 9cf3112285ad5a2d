"""The frames of `evaluate` cut into what `step` takes."""

from collections.abc import Iterator
from datetime import date, datetime

import pandas as pd

from strategy.build_up import INTERVAL
from strategy.delta_volume.interval import ContractRow, Interval
from strategy.ladders import Ladders
from strategy.plain_rows import plain_rows

Key = tuple[date, str, datetime]


def intervals_of(
    build_ups: pd.DataFrame, reference: pd.DataFrame, contracts: pd.DataFrame
) -> Iterator[Interval]:
    """Yield every interval with anything stored, by session, underlying and time."""
    rows: dict[Key, list[ContractRow]] = {}
    keyed = ("session", "underlying", "open_time")
    for session, underlying, open_time, *row in plain_rows(
        build_ups, (*keyed, *ContractRow._fields)
    ):
        rows.setdefault((session, underlying, open_time), []).append(ContractRow(*row))
    columns = (*keyed, "spot", "spot_known_at", "future", "future_known_at")
    prices = {
        (session, underlying, open_time): (spot, spot_known_at, future, future_known_at)
        for session, underlying, open_time, spot, spot_known_at, future, future_known_at in (
            plain_rows(reference, columns)
        )
    }
    ladders = Ladders(contracts)
    for key in sorted({*rows, *prices}):
        session, underlying, open_time = key
        ladder = ladders.at(underlying, session, open_time + INTERVAL)
        yield Interval(
            session,
            underlying,
            ladder.expiry if ladder else None,
            open_time,
            ladder.contracts if ladder else (),
            *prices.get(key, (None, None, None, None)),
            rows.get(key, []),
        )
