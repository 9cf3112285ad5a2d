"""Sessions with wrong rows get no new signals, wherever they are computed."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.checks.findings import failing
from db.market.frames import Range
from db.server.connection import connect
from pipelines.signals.materialise import Materialised, materialise_signals, without
from strategy.contract import UNDERLYINGS
from strategy.session import session_hours

SESSION = date(2026, 1, 21)
NOW = session_hours(SESSION)[1] + timedelta(minutes=20)
WEEK = Range(SESSION - timedelta(days=2), SESSION + timedelta(days=2))


@pytest.fixture
def day(healthy: str) -> Iterator[psycopg.Connection]:
    with connect(healthy) as connection:
        yield connection


def compute(connection: psycopg.Connection, sessions: Range = WEEK) -> Materialised:
    return materialise_signals(connection, sessions, UNDERLYINGS, NOW)


def signals(connection: psycopg.Connection) -> int:
    return connection.execute("select count(*) from signal where withdrawn_at is null").fetchone()[
        0
    ]


def test_nothing_is_computed_of_wrong_rows_and_the_gate_opens_by_itself(
    day: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    stored = signals(day)
    assert compute(day) == (0, 0, 0, {})
    day.execute("delete from signal where underlying = 'NIFTY'")
    kept = signals(day)
    (row,) = day.execute("select ctid from build_up order by ctid limit 1").fetchone()
    day.execute("update build_up set volume = volume + 1 where ctid = %s", (row,))
    try:
        blocked = compute(day)
        assert blocked == (0, 0, 0, {SESSION: ["build_up/whole_lots"]})
        assert "no new signals of 2026-01-21: build_up/whole_lots failed" in caplog.text
        assert signals(day) == kept
        assert failing(day, *WEEK) == {(SESSION, "build_up", "whole_lots")}
    finally:
        day.execute("update build_up set volume = volume - 1 where volume % 5 <> 0")
    assert compute(day) == (stored - kept, 0, 0, {})
    assert signals(day) == stored
    assert failing(day, *WEEK) == set()


def test_what_stands_is_not_withdrawn_because_of_rows_that_cannot_be_true(
    day: psycopg.Connection,
) -> None:
    stored = signals(day)
    columns = "symbol, open_time, close"
    before = day.execute(f"select {columns} from build_up where underlying = 'NIFTY'").fetchall()
    day.execute("update build_up set close = 'NaN' where underlying = 'NIFTY'")
    try:
        assert compute(day)[1:] == (0, 0, {SESSION: ["build_up/prices_are_sane"]})
        assert signals(day) == stored
    finally:
        with day.cursor() as cursor:
            cursor.executemany(
                "update build_up set close = %s where (symbol, open_time) = (%s, %s)",
                [(close, symbol, open_time) for symbol, open_time, close in before],
            )
    assert compute(day) == (0, 0, 0, {})


def test_an_error_whose_rows_are_gone_is_over(connection: psycopg.Connection) -> None:
    connection.execute(
        "insert into build_up values ('NIFTY260127C25000', %s, 'NIFTY', %s, -1, 65, null, 65,"
        " 'none', 'simulator', %s)",
        (NOW - timedelta(hours=5), NOW - timedelta(hours=5), NOW),
    )
    assert compute(connection).blocked == {SESSION: ["build_up/prices_are_sane"]}
    connection.execute("delete from build_up")
    assert compute(connection).blocked == {}
    assert failing(connection, *WEEK) == set()


@given(
    length=st.integers(0, 20),
    holes=st.sets(st.integers(0, 20), max_size=8),
)
def test_ranges_without_some_sessions_hold_every_other_one_once(
    length: int, holes: set[int]
) -> None:
    days: Callable[[int], date] = lambda number: SESSION + timedelta(days=number)  # noqa: E731
    last = days(length)
    blocked = {days(number) for number in holes if number <= length}
    parts = list(without(Range(SESSION, last), blocked))
    held = [
        part.first + timedelta(days=number)
        for part in parts
        for number in range((part.last - part.first).days + 1)
    ]
    assert held == [days(n) for n in range(length + 1) if days(n) not in blocked]
    assert len(parts) <= len(blocked) + 1
