"""A quiet day of six contracts as rows of the database, to change and correct."""

from datetime import datetime, timedelta

import psycopg

from db.bulk import BUILD_UP, CANDLE, CONTRACT, write
from db.rows import BuildUp, Candle, Contract
from strategy.build_up import build_up
from tests.strategy.option_days import QuietDay

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
    contracts = {
        (row["symbol"], row["strike"], row["option_type"]): row for row in day.rows.values()
    }
    name, expiry = day.underlying, day.expiry
    write(
        connection,
        CONTRACT,
        [
            Contract(symbol, name, expiry, strike, kind, LOT, day.session, day.session, "test")
            for symbol, strike, kind in contracts
        ],
    )
    write(
        connection,
        CANDLE,
        [
            Candle(
                *(symbol, 5, price["open_time"], name, *[price["spot"]] * 4, None, None),
                *("test", known_at or price["spot_known_at"], True),
            )
            for price in day.prices
            for symbol in (name, f"{name}1!")
        ],
    )
    write(connection, BUILD_UP, [_build_up(day, *key, known_at) for key in day.rows])


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
