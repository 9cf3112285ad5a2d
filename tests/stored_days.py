"""A quiet day of six contracts as rows of the database, to change and correct."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg

from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CONTRACT, Relation
from db.writing.rows import BuildUp, Candle, Contract
from strategy.build_up import build_up
from strategy.session import session_hours
from tests.strategy.option_days import SESSION, QuietDay

__all__ = ["SESSION", "cover", "market_rows", "quiet_day", "store", "store_contracts"]

LOT = 65
VOLUME, INTEREST = 20 * LOT, 200 * LOT
SPIKE = 41 * LOT  # just above twice the volume of the others


def quiet_day(intervals: int = 8, **options) -> QuietDay:
    """A day in whole lots, in which nothing happens."""
    day = QuietDay(intervals, **options)
    for values in day.rows.values():
        values |= {"volume": VOLUME, "open_interest": INTEREST}
    return day


def cover(day: QuietDay, place: int, contract: str) -> None:
    """Make a contract cover in one interval: price up, open interest down, a spike of volume."""
    day.put(place, contract, close=101.0, open_interest=INTEREST - LOT, volume=SPIKE)


def store(connection: psycopg.Connection, day: QuietDay, known_at: datetime | None = None) -> None:
    """Write a day's rows; `known_at` is that of rows which correct stored ones."""
    store_contracts(connection, day)
    rows = list(market_rows(day, known_at))
    for wanted in (CANDLE, BUILD_UP):
        write(connection, wanted, [row for relation, row in rows if relation is wanted])


def store_contracts(
    connection: psycopg.Connection, day: QuietDay, listed_at: datetime | None = None
) -> None:
    """Write a day's contracts, known from the open on unless told otherwise."""
    name, expiry = day.underlying, day.expiry
    contracts = {
        (row["symbol"], row["strike"], row["option_type"]): row for row in day.rows.values()
    }
    write(
        connection,
        CONTRACT,
        [
            Contract(
                *(symbol, name, expiry, strike, kind, LOT, day.session, day.session, "test"),
                listed_at=listed_at or session_hours(day.session)[0],
            )
            for symbol, strike, kind in contracts
        ],
    )


def market_rows(
    day: QuietDay, known_at: datetime | None = None
) -> Iterator[tuple[Relation, Candle | BuildUp]]:
    """Yield a day's candles of index and future, and its build-ups."""
    for price in day.prices:
        for symbol in (day.underlying, f"{day.underlying}1!"):
            yield (
                CANDLE,
                Candle(
                    *(symbol, 5, price["open_time"], day.underlying, *[price["spot"]] * 4),
                    *(None, None, "test", known_at or price["spot_known_at"], True),
                ),
            )
    for key in day.rows:
        yield BUILD_UP, _build_up(day, *key, known_at)


def _build_up(day: QuietDay, place: int, contract: str, known_at: datetime | None) -> BuildUp:
    row, before = day.rows[place, contract], day.rows.get((place - 1, contract))
    change = row["open_interest"] - before["open_interest"] if before else None
    label = build_up(row["close"] - before["close"], change) if before else "none"
    return BuildUp(
        *(row["symbol"], row["open_time"], day.underlying),
        row["open_time"] + timedelta(minutes=5),
        *(row["close"], row["open_interest"], change, row["volume"], label),
        *("test", known_at or row["known_at"]),
    )
