"""The frames of `evaluate` cut into what `step` takes."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pandas as pd

from strategy.delta_volume.interval import ContractRow, Interval
from strategy.ladders import Ladders

Key = tuple[date, str, datetime]


def intervals_of(
    build_ups: pd.DataFrame, reference: pd.DataFrame, contracts: pd.DataFrame
) -> Iterator[Interval]:
    """Yield every interval with anything stored, by session, underlying and time."""
    rows: dict[Key, list[ContractRow]] = {}
    expiries: dict[tuple[date, str], date] = {}
    for row in _plain(build_ups):
        rows.setdefault((row.session, row.underlying, row.open_time), []).append(
            ContractRow(*(getattr(row, name) for name in ContractRow._fields))
        )
        expiries[row.session, row.underlying] = row.expiry
    prices = {
        (row.session, row.underlying, row.open_time): (
            *(row.spot, row.spot_known_at),
            *(row.future, row.future_known_at),
        )
        for row in _plain(reference)
    }
    ladders = Ladders(contracts)
    for key in sorted({*rows, *prices}):
        session, underlying, open_time = key
        # Where no contract was stored there is no ladder either: nothing is looked up by it.
        expiry = expiries.get((session, underlying), session)
        yield Interval(
            session,
            underlying,
            expiry,
            open_time,
            ladders.at(underlying, expiry, session).tolist(),
            *prices.get(key, (None,) * 4),
            rows.get(key, []),
        )


def _plain(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield rows of plain Python values, None where unknown."""
    columns = {}
    for name, column in frame.items():
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            column = pd.Series(column.dt.to_pydatetime(), dtype=object)
        values = column.astype(object)
        columns[name] = values.where(values.notna(), None).tolist()
    yield from pd.DataFrame(columns, dtype=object).itertuples(index=False)
