"""Wider candles begin at each session's open and end with its close, in views and in charts."""

import asyncio
import json
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db.market.calendar import read_hours, read_overrides
from db.pages.history import EVER, Span, read_candles
from db.server.connection import connect
from db.server.migrate import migrate
from db.writing.bulk import write
from db.writing.relations import CANDLE
from db.writing.rows import Candle
from strategy.session import (
    CLOSES,
    calendar_hours,
    interval_opens,
    session_hours,
    session_of,
    use_overrides,
)
from tests.long import examples

MUHURAT, EVENING_MUHURAT = date(2025, 10, 21), date(2024, 11, 1)
ORDINARY, LONGER, UNCOVERED = date(2026, 1, 21), date(2026, 8, 3), date(2028, 1, 4)
CORRECTED = date(2026, 12, 19)
DAYS = [MUHURAT, EVENING_MUHURAT, ORDINARY, LONGER, UNCOVERED, CORRECTED]
VIEWS = {3: "candle_3m", 5: "candle_5m", 15: "candle_15m", 60: "candle_1h"}
OVERRIDE = """
insert into calendar_override (kind, day, opens, closes, reason)
values ('session', %s, %s, %s, 'a circular')
"""


def candle(open_time: datetime, minutes: int = 1, symbol: str = "NIFTY", **changes) -> Candle:
    known_at = open_time + timedelta(minutes=minutes)
    row = Candle(
        *(symbol, minutes, open_time, "NIFTY", 100.0, 102.0, 98.0, 101.0),
        *(650, 6500, "test", known_at, True),
    )
    return row._replace(**changes)


def session_candles(day: date, minutes: int = 1, **changes) -> list[Candle]:
    return [candle(start, minutes, **changes) for start in interval_opens(day, minutes)]


def of_view(connection: psycopg.Connection, width: int) -> list[tuple]:
    """A view's rows: symbol, start, open, high, low, close, volume, interest, known at, final."""
    return connection.execute(
        "select symbol, open_time, open, high, low, close, volume, open_interest, known_at, final"
        f" from {VIEWS[width]} order by symbol, open_time"
    ).fetchall()


def charted(dsn: str, symbols: list[str], width: int, span: Span = EVER) -> dict[str, dict]:
    """The same as charts get it: columns by symbol."""

    async def ask() -> dict[str, dict]:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            found = await read_candles(connection, symbols, span, width)
            return {one.symbol: json.loads(one.columns) for one in found}

    return asyncio.run(ask())


def plain_buckets(rows: list[Candle], width: int, *, whole: bool) -> list[tuple]:
    """What a bucket is, read row by row; without `whole`, too wide candles stay as they are."""
    found = []
    rows = sorted(rows, key=lambda row: (row.symbol, row.open_time, row.interval_minutes))
    for (symbol, day), grouped in groupby(rows, lambda row: (row.symbol, session_of(row[2]))):
        stored = list(grouped)
        opens, closes = session_hours(day)
        finest = min(row.interval_minutes for row in stored)
        if whole and width % finest:
            continue
        wide = timedelta(minutes=finest if width % finest else width)
        buckets: dict[datetime, list[Candle]] = {}
        for row in stored:
            if row.interval_minutes == finest:
                start = opens + (row.open_time - opens) // wide * wide
                buckets.setdefault(start, []).append(row)
        for start, parts in buckets.items():
            end = parts[-1].open_time + timedelta(minutes=finest)
            later = any(row.symbol == symbol and row.open_time >= end for row in rows)
            volumes = [row.volume for row in parts]
            interests = [row.open_interest for row in parts if row.open_interest is not None]
            over = end >= min(start + wide, closes) or later
            found.append(
                (
                    *(symbol, start, parts[0].open, max(row.high for row in parts)),
                    *(min(row.low for row in parts), parts[-1].close),
                    None if None in volumes else sum(volumes),
                    interests[-1] if interests else None,
                    max(row.known_at for row in parts),
                    over and all(row.final for row in parts),
                )
            )
    return found


def random_candles(random: Random, days: list[date]) -> list[Candle]:
    rows = []
    for day in days:
        for symbol in ("NIFTY", "NIFTY1!"):
            for minutes in random.choice([(1,), (5,), (1, 5)]):
                kept = random.random()
                for start in interval_opens(day, minutes):
                    if random.random() > kept and start != session_hours(day)[0]:
                        continue
                    low, *within, high = sorted(random.uniform(90, 110) for _ in range(4))
                    first, last = random.sample(within, 2)
                    row = candle(start, minutes, symbol, open=first, high=high, low=low, close=last)
                    lacking = random.random() < 0.02
                    interest = random.choice([None, 6500])
                    volume = None if lacking else random.randrange(9)
                    final = random.random() > 0.01
                    rows.append(row._replace(volume=volume, open_interest=interest, final=final))
    return rows


@given(st.integers(0, 2**32), st.sets(st.sampled_from(DAYS), min_size=1, max_size=3))
@example(1, set(DAYS))
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_bucket_equals_a_plain_reading_of_its_candles(
    database: str, seed: int, days: set[date]
):
    with connect(database) as connection:
        connection.execute("truncate candle, calendar_override, change_log, revision")
        connection.execute(OVERRIDE, (CORRECTED, time(9, 21), time(12, 34)))
        use_overrides(read_overrides(connection))
        rows = random_candles(Random(seed), sorted(days))
        write(connection, CANDLE, rows)
        for width in VIEWS:
            assert of_view(connection, width) == plain_buckets(rows, width, whole=True)
            columns = charted(database, ["NIFTY", "NIFTY1!"], width)
            seen = [
                (
                    *(symbol, datetime.fromtimestamp(one["t"][place], UTC)),
                    *(one[name][place] for name in ("o", "h", "l", "c", "v", "oi")),
                    *(datetime.fromtimestamp(one["k"][place], UTC), one["final"][place]),
                )
                for symbol, one in sorted(columns.items())
                for place in range(len(one["t"]))
            ]
            assert seen == plain_buckets(rows, width, whole=False)


@pytest.mark.parametrize("day", [MUHURAT, EVENING_MUHURAT])
def test_an_hour_of_muhurat_is_one_candle(connection: psycopg.Connection, day: date):
    write(connection, CANDLE, session_candles(day))
    opens, _ = session_hours(day)
    assert [(row[1], row[6], row[-1]) for row in of_view(connection, 60)] == [
        (opens, 60 * 650, True)
    ]


@pytest.mark.parametrize(("day", "minutes"), [(ORDINARY, 15), (LONGER, 25)])
def test_the_last_hour_ends_with_the_session(
    connection: psycopg.Connection, day: date, minutes: int
):
    rows = session_candles(day)
    write(connection, CANDLE, rows[:-1])
    last = of_view(connection, 60)[-1]
    assert (last[1], last[6], last[-1]) == (rows[-minutes].open_time, (minutes - 1) * 650, False)
    write(connection, CANDLE, rows[-1:])
    last = of_view(connection, 60)[-1]
    assert (last[6], last[-1]) == (minutes * 650, True)


def test_a_correction_of_the_hours_counts_for_the_next_query(
    connection: psycopg.Connection, database: str
):
    write(connection, CANDLE, [candle(start) for start in interval_opens(ORDINARY, 1)[10:70]])
    assert len(of_view(connection, 60)) == 2
    connection.execute(OVERRIDE, (ORDINARY, time(9, 25), time(10, 25)))
    assert [row[-1] for row in of_view(connection, 60)] == [True]
    (only,) = charted(database, ["NIFTY"], 60)["NIFTY"]["t"]
    assert only == datetime(2026, 1, 21, 3, 55, tzinfo=UTC).timestamp()
    connection.execute("delete from calendar_override")
    assert len(of_view(connection, 60)) == 2


def test_a_volume_that_is_unknown_in_part_is_unknown(connection: psycopg.Connection):
    first, second, *others = session_candles(ORDINARY)[:10]
    write(connection, CANDLE, [first, second._replace(volume=None), *others])
    assert [row[6] for row in of_view(connection, 5)] == [None, 5 * 650]
    assert [row[6] for row in of_view(connection, 3)] == [None, 3 * 650, 3 * 650, 650]
    assert [row[6] for row in of_view(connection, 60)] == [None]


def test_five_minutes_are_never_cut_into_three(connection: psycopg.Connection, database: str):
    rows = session_candles(ORDINARY, 5)[:3]
    write(connection, CANDLE, rows)
    assert of_view(connection, 3) == []
    shown = charted(database, ["NIFTY"], 3)["NIFTY"]
    assert shown["minutes"] == 5
    assert shown["t"] == [int(row.open_time.timestamp()) for row in rows]


def test_a_range_has_only_whole_buckets(connection: psycopg.Connection, database: str):
    rows = session_candles(ORDINARY)[:30]
    write(connection, CANDLE, rows)
    span = Span(rows[7].open_time, rows[17].open_time)
    shown = charted(database, ["NIFTY"], 15, span)["NIFTY"]
    assert (shown["t"], shown["v"]) == ([int(rows[15].open_time.timestamp())], [15 * 650])


def read_hours_of(dsn: str, days: list[date]) -> list[tuple]:
    async def ask() -> list[tuple]:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            return await read_hours(connection, days)

    return asyncio.run(ask())


@given(st.lists(st.dates(date(2000, 1, 1), date(2099, 12, 31)), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_knows_the_calendar_s_hours_of_every_date(database: str, days: list[date]):
    days += [*DAYS, *(start - timedelta(days=1) for start, _ in CLOSES[1:])]
    with connect(database) as connection:
        connection.execute("truncate calendar_override")
        connection.execute(OVERRIDE, (CORRECTED, time(9, 21), time(12, 34)))
        connection.execute(OVERRIDE, (EVENING_MUHURAT, time(17), time(18, 30)))
        use_overrides(read_overrides(connection))
    assert read_hours_of(database, days) == [(day, *session_hours(day)) for day in days]


def test_each_migration_run_brings_the_hours_of_its_program(connection: psycopg.Connection):
    others = [(date(2000, 1, 1), date.max, time(9, 15), time(15, 25))]
    migrate(connection, others)
    stored = "select first_day, last_day, opens, closes from trading_hours order by 1, 2"
    assert connection.execute(stored).fetchall() == others
    migrate(connection, calendar_hours())
    assert connection.execute(stored).fetchall() == sorted(calendar_hours())
    written = "select array_agg(xmin::text order by first_day, last_day) from trading_hours"
    before = connection.execute(written).fetchone()
    migrate(connection, calendar_hours())
    assert connection.execute(written).fetchone() == before
