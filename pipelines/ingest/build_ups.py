"""Build-ups out of stored candles and strike ladders: a pure function of the tables.

Live, healed and rebuilt rows are the same for that reason. A row was known when the last of what
it is made of was.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
from psycopg import Connection

from db.market.interval_positions import IntervalPosition, read_interval_positions
from db.writing.bulk import write
from db.writing.relations import BUILD_UP
from db.writing.rows import BuildUp
from strategy.build_up import INTERVAL, label_build_ups
from strategy.session import session_hours


def make_build_ups(
    connection: Connection[Any],
    session: date,
    underlyings: Sequence[str],
    since: datetime | None = None,
) -> int:
    """Write the build-ups of a session that its candles and ladders give; return how many changed.

    Args:
        connection: In autocommit mode.
        session: Which.
        underlyings: Whose.
        since: Only of intervals that start then or later.
    """
    start, close = session_hours(session)
    first = max(since or start, start)
    found = read_interval_positions(connection, first - INTERVAL, close, underlyings)
    rows = [row for row in labelled(found) if row.open_time >= first]
    return write(connection, BUILD_UP, rows)


def labelled(positions: Sequence[IntervalPosition]) -> list[BuildUp]:
    """Return the build-ups of intervals, which come by symbol and time.

    A verdict rests on the interval before as well, so that it was known no sooner than that.
    """
    if not positions:
        return []
    frame = pd.DataFrame(
        {
            "symbol": [row.symbol for row in positions],
            "open_time": pd.to_datetime([row.open_time for row in positions], utc=True),
            "close": [row.close for row in positions],
            "open_interest": pd.array([row.open_interest for row in positions], dtype="Int64"),
        }
    )
    verdicts = label_build_ups(frame)
    changes = verdicts["oi_change"].astype(object)
    rows = []
    befores = (None, *positions[:-1])
    for row, before, change, label in zip(
        positions, befores, changes, verdicts["label"], strict=True
    ):
        known_at = row.known_at
        if before and before[:3] == (*row[:2], row.open_time - INTERVAL):
            known_at = max(known_at, before.known_at)
        rows.append(
            BuildUp(
                symbol=row.symbol,
                open_time=row.open_time,
                underlying=row.underlying,
                close_time=row.open_time + INTERVAL,
                close=row.close,
                open_interest=row.open_interest,
                oi_change=None if pd.isna(change) else int(change),
                volume=row.volume,
                label=label,
                source=row.source,
                known_at=known_at,
                made_from=row.made_from,
                backfilled=row.backfilled,
            )
        )
    return rows
