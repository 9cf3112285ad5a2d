"""What a whole answer about a session that is over leaves out was not traded."""

from datetime import date, datetime, timedelta

import psycopg
import pytest

from db.archive.raw_payloads import Receipt
from db.market.gaps import missing_build_ups, missing_candles
from db.writing.bulk import write
from db.writing.relations import CONTRACT
from db.writing.rows import Contract
from pipelines.ingest.build_ups import make_build_ups
from pipelines.ingest.derive import Deriver
from pipelines.sources.series import Bar
from strategy.session import session_hours

DAY = date(2026, 1, 21)
START, CLOSE = session_hours(DAY)
CALL, MINUTE = "NIFTY260127C25000", timedelta(minutes=1)
EMPTY = [13, *range(20, 25)]  # one minute of an interval, and a whole one


@pytest.fixture
def listed(connection: psycopg.Connection) -> psycopg.Connection:
    row = Contract(CALL, "NIFTY", date(2026, 1, 27), 25_000, "C", 65, DAY, DAY, "test")
    write(connection, CONTRACT, [row])
    return connection


def answer(connection: psycopg.Connection, received_at: datetime, *, whole: bool = True) -> None:
    """Derive a session's candles of index and call from one answer each."""
    deriver = Deriver(connection, DAY)
    for symbol, lacks in (("NIFTY", []), (CALL, EMPTY)):
        bars = [
            Bar(START + n * MINUTE, *[100.0 + n] * 4, 65.0, 650)
            for n in range(375)
            if n not in lacks
        ]
        about = {"kind": "history", "symbol": symbol, "minutes": 1, "count": 5000, "whole": whole}
        receipt = Receipt(None, "test", about, received_at, received_at, received_at, b"")
        deriver.history(receipt, bars)
    make_build_ups(connection, DAY, ["NIFTY"])


def missing(connection: psycopg.Connection) -> tuple[int, int]:
    """How many of the call's candles are to be asked for again, and how many of its build-ups."""
    last = CLOSE - MINUTE
    candles = missing_candles(connection, START, {CALL: 1}, {1: last})
    build_ups = missing_build_ups(connection, START, CLOSE - 5 * MINUTE, [CALL])
    return tuple(found[CALL].number if found else 0 for found in (candles, build_ups))


def test_a_later_day_asks_once_and_its_build_ups_are_whole(listed: psycopg.Connection):
    answer(listed, CLOSE + timedelta(days=1))
    assert missing(listed) == (0, 0)
    stored = listed.execute("select open_time, volume from build_up order by 1").fetchall()
    assert len(stored) == 74
    assert stored[2] == (START + 10 * MINUTE, 4 * 65)
    assert START + 20 * MINUTE not in {moment for moment, _ in stored}


@pytest.mark.parametrize(
    ("received_at", "whole"),
    [(CLOSE + timedelta(hours=1), True), (CLOSE + timedelta(days=1), False)],
    ids=["on its day", "counted back from now"],
)
def test_any_other_answer_has_to_be_confirmed(
    listed: psycopg.Connection, received_at: datetime, whole: bool
):
    answer(listed, received_at, whole=whole)
    assert missing(listed) == (len(EMPTY), 2)
    answer(listed, received_at + 5 * MINUTE, whole=whole)
    assert missing(listed) == (0, 0)
