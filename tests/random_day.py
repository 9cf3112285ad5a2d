"""A random day in the tables, as if it had been received: for tests of what reads them."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import psycopg

from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CONTRACT
from db.writing.rows import BuildUp, Candle, Contract
from strategy.contract import Contract as Option
from strategy.session import interval_opens, session_hours
from tests.strategy.option_days import random_days

SESSION = date(2026, 1, 21)
FIVE_MINUTES = timedelta(minutes=5)


def store_day(connection: psycopg.Connection, seed: int, session: date = SESSION) -> None:
    """Store the rows of 21 January 2026, two underlyings and an hour, as those of a session."""
    build_ups, reference, listing = random_days(seed)
    moved = session - SESSION
    followed = {*build_ups.loc[build_ups.session == SESSION, "expiry"]}
    morning = session_hours(session)[0] - FIVE_MINUTES
    contracts = []
    for row in listing[listing["expiry"].isin(followed)].itertuples():
        option = Option(row.underlying, row.expiry, row.strike, row.option_type)
        late = row.first_seen == SESSION
        listed_at = None if pd.isna(row.listed_at) else row.listed_at.to_pydatetime() + moved
        if row.first_seen <= SESSION:
            contracts.append(
                Contract(
                    *(option.symbol, *option, None, session, row.expiry, "import"),
                    listed_at=listed_at if late else morning,
                )
            )
    write(connection, CONTRACT, contracts)
    rows = _plain(build_ups[build_ups.session == SESSION], moved)
    write(
        connection,
        BUILD_UP,
        [
            BuildUp(
                *(row.symbol, row.open_time, row.underlying, row.open_time + FIVE_MINUTES),
                *(row.close, row.open_interest, None, row.volume, "none", "import", row.known_at),
            )
            for row in rows
        ],
    )
    write(connection, CANDLE, _option_candles([row.symbol for row in contracts], seed, session))
    prices = _plain(reference[reference.session == SESSION], moved)
    write(
        connection,
        CANDLE,
        [
            Candle(
                *(symbol, 5, row.open_time, row.underlying, *[close] * 4),
                *(None, None, "import", at, True),
            )
            for row in prices
            for symbol, close, at in (
                (row.underlying, row.spot, row.spot_known_at),
                (f"{row.underlying}1!", row.future, row.future_known_at),
            )
            if close is not None
        ],
    )


def _option_candles(symbols: list[str], seed: int, session: date) -> list[Candle]:
    """Candles of the whole session that wander far enough to reach stops and targets."""
    rng = np.random.default_rng(seed)
    rows = []
    for symbol in symbols:
        close = 100.0
        for open_time in interval_opens(session, 5):
            start, close = close, max(5.0, close + float(rng.integers(-12, 13)))
            high, low = max(start, close) + 1, min(start, close) - 1
            end = open_time + FIVE_MINUTES
            underlying = symbol.split("26")[0]
            prices = start, high, low, close
            rows.append(
                Candle(symbol, 5, open_time, underlying, *prices, None, None, "import", end, True)
            )
    return rows


def _plain(frame: pd.DataFrame, moved: timedelta) -> list:
    times = [name for name in frame if frame[name].dtype.kind == "M"]
    frame = frame.assign(**{name: frame[name] + moved for name in times})
    return list(frame.astype(object).where(frame.notna(), None).itertuples(index=False))
