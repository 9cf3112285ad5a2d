"""What is unknown in part is unknown in sums, never the sum of the rest."""

from datetime import date, timedelta

import psycopg
import pytest

from db.writing.bulk import write
from db.writing.relations import CANDLE, CHAIN_OI, CONTRACT
from db.writing.rows import Candle, ChainOi, Contract
from pipelines.ingest.build_ups import make_build_ups
from strategy.session import session_hours

DAY, EXPIRY = date(2026, 1, 21), date(2026, 1, 27)
OPEN = session_hours(DAY)[0]
MINUTE = timedelta(minutes=1)
SYMBOL = "NIFTY260127C25300"


def store_minutes(connection: psycopg.Connection, volumes: list[int | None]) -> None:
    about = "NIFTY", EXPIRY, 25_300, "C"
    write(connection, CONTRACT, [Contract(SYMBOL, *about, 65, DAY, DAY, "test")])
    write(
        connection,
        CANDLE,
        [
            Candle(
                *(SYMBOL, 1, OPEN + n * MINUTE, "NIFTY", 100.0, 101.0, 99.0, 100.0, volume),
                *(65_000, "test", OPEN + (n + 1) * MINUTE, True),
            )
            for n, volume in enumerate(volumes)
        ],
    )


@pytest.mark.parametrize(
    ("volumes", "first", "fifteen"),
    [
        ([65] * 15, 325, 975),
        ([9_750, None, None, None, None, *[65] * 10], None, None),
        ([None] * 5 + [65] * 10, None, None),
        ([65] * 14 + [None], 325, None),
        ([0] * 15, 0, 0),
    ],
)
def test_a_sum_over_minutes_is_unknown_where_a_minutes_volume_is(
    connection: psycopg.Connection,
    volumes: list[int | None],
    first: int | None,
    fifteen: int | None,
):
    store_minutes(connection, volumes)
    make_build_ups(connection, DAY, ("NIFTY",))

    def summed(relation: str) -> list[int | None]:
        query = f"select volume from {relation} order by open_time"
        return [volume for (volume,) in connection.execute(query)]

    assert summed("candle_5m") == summed("build_up")
    assert summed("build_up")[0] == first
    assert summed("candle_3m") == [
        None if None in part else sum(part)
        for part in (volumes[place : place + 3] for place in range(0, 15, 3))
    ]
    assert summed("candle_15m") == summed("candle_1h") == [fifteen]


def test_the_put_call_ratio_is_of_strikes_known_of_both_sides(connection: psycopg.Connection):
    def strike(number: int, call: int | None, put: int | None, minutes: int = 5) -> ChainOi:
        moment = OPEN + minutes * MINUTE
        return ChainOi("NIFTY", EXPIRY, number, moment, call, put, None, None, "test", moment)

    rows = [strike(100, 4, 6), strike(200, None, 90), strike(300, 70, None), strike(400, 6, 4)]
    nothing = [strike(100, None, 6, minutes=10), strike(200, 5, None, minutes=10)]
    write(connection, CHAIN_OI, [*rows, *nothing])
    found = connection.execute(
        "select put_oi, call_oi, pcr, strikes_unknown from pcr order by observed_at"
    ).fetchall()
    assert found == [(10, 10, 1.0, 2), (None, None, None, 2)]
