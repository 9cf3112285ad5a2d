"""Lots beside units: too few to show in the whole, told by what they have in common."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import LiteralString

import psycopg
import pytest

from db.server.connection import connect
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT
from db.writing.rows import Candle, Contract
from pipelines.checks.check import Look, Verdict
from pipelines.checks.faults import CHECKS
from pipelines.checks.gate import blocked_sessions

SESSION = date(2026, 1, 21)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
NOW = OPEN + timedelta(hours=8)
LOT = 65
SIZE = 110  # symbols, and minutes of each: less than a hundredth of the rows is one of either


@pytest.fixture(scope="module")
def file_database(fresh_database) -> Iterator[str]:
    """A file's candles, in units: many zeros, some unknown, the others in whole lots."""
    contracts, rows = [], []
    for place in range(SIZE):
        strike = 20_000 + 50 * place
        symbol = f"NIFTY260127C{strike}"
        terms = (symbol, "NIFTY", date(2026, 1, 27), strike, "C", LOT)
        contracts.append(Contract(*terms, SESSION, SESSION, "import"))
        for minute in range(SIZE):
            opens = OPEN + timedelta(minutes=minute)
            volume = None if minute % 9 == 4 else LOT * ((place * 7 + minute * 3) % 5)
            counts = volume, LOT * (2_001 + place * 11 + minute)
            known = ("import", opens + timedelta(minutes=1), True)
            rows.append(Candle(symbol, 1, opens, "NIFTY", *[100.0] * 4, *counts, *known))
    with fresh_database() as dsn:
        with connect(dsn) as connection:
            write(connection, CONTRACT, contracts)
            for start in range(0, len(rows), 10_000):
                write(connection, CANDLE, rows[start : start + 10_000])
        yield dsn


@pytest.fixture
def stored(file_database: str) -> Iterator[psycopg.Connection]:
    """The file's rows; what a test changes is forgotten."""
    with connect(file_database) as connection, connection.transaction(force_rollback=True):
        yield connection


def verdict(connection: psycopg.Connection) -> Verdict:
    (check,) = [check for check in CHECKS if (check.asset, check.name) == ("candle", "whole_lots")]
    return check.judge(Look(connection, SESSION, ("NIFTY",), NOW))


def assert_hidden(numbers: dict) -> None:
    """Of all the rows hardly any is wrong."""
    assert 0 < numbers["wrong_imported"] < numbers["allowed_imported_share"] * numbers["imported"]


def test_true_counts_are_right(stored: psycopg.Connection) -> None:
    expected = {"rows": SIZE**2, "wrong": 0, "imported": SIZE**2, "wrong_imported": 0}
    assert verdict(stored) == (True, expected | {"allowed_imported_share": 0.01, "examples": []})


@pytest.mark.parametrize("column", ["volume", "open_interest"])
@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ("symbol = 'NIFTY260127C20150'", " of NIFTY260127C20150"),
        ("open_time = '2026-01-21 05:33Z'", " at 2026-01-21T05:33Z"),
        (
            "symbol = 'NIFTY260127C20150' and open_time >= '2026-01-21 05:30Z'",
            " of NIFTY260127C20150 from 2026-01-21T05:30Z",
        ),
    ],
    ids=["one symbol", "one minute", "one symbol's last minutes"],
)
def test_lots_that_hide_in_the_whole_show_where_they_are_the_rule(
    stored: psycopg.Connection, column: LiteralString, chosen: LiteralString, named: str
) -> None:
    stored.execute(f"update candle set {column} = {column} / {LOT} where {chosen}")
    passed, numbers = verdict(stored)
    assert_hidden(numbers)
    assert not passed
    assert f"{column}{named}" in numbers["first_in_lots"]
    blocked = blocked_sessions(stored, SESSION, SESSION, ("NIFTY",), NOW)
    assert blocked == {SESSION: ["candle/whole_lots"]}


def test_a_column_is_judged_by_its_own_counts(stored: psycopg.Connection) -> None:
    """A tenth of the open interest that is known is odd; of most rows it is unknown."""
    minute, strike = "extract(minute from open_time)::integer", "right(symbol, 5)::integer / 50"
    stored.execute(
        f"update candle set open_interest = case when {minute} % 11 = 0"
        f" then open_interest + case when {strike} % 11 = {minute} / 11 then 1 else 0 end end"
    )
    passed, numbers = verdict(stored)
    assert_hidden(numbers)
    assert (passed, numbers.get("in_lots")) == (False, None)


def test_odd_rows_here_and_there_are_no_lots(stored: psycopg.Connection) -> None:
    stored.execute(
        "update candle set open_interest = open_interest + 1"
        " where right(symbol, 5)::integer / 50 - 400"
        "       = extract(epoch from open_time - '2026-01-21 03:45Z') / 60"
    )
    passed, numbers = verdict(stored)
    assert_hidden(numbers)
    assert (passed, numbers["wrong_imported"]) == (True, SIZE)
