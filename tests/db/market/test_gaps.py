"""What is missing, what was quiet, and what nobody knows because the index is missing too."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import db
from db.archive.raw_payloads import Answer, archive
from db.market.gaps import EmptySeries, missing_build_ups, missing_candles, note_empty
from db.writing.bulk import write
from db.writing.relations import CANDLE
from db.writing.rows import Candle

SESSION = date(2026, 1, 21)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
CALL = "NIFTY260127C25000"
MINUTE = timedelta(minutes=1)
MIGRATIONS = Path(db.__file__).parent / "migrations"


def at(minute: float) -> datetime:
    return OPEN + minute * MINUTE


def store(connection, symbol: str, *minutes: int, width: int = 1, final: bool = True) -> None:
    rows = [
        Candle(
            *(symbol, width, at(minute), "NIFTY", *[100.0] * 4, None, None, "test"),
            *(at(minute + width), final),
        )
        for minute in minutes
    ]
    write(connection, CANDLE, rows)


def note(connection, symbol: str, *minutes: int, width: int = 1, relation="candle") -> set[float]:
    """Note intervals, and return which are noted."""
    series = EmptySeries(relation, symbol, width, "test")
    note_empty(connection, series, [at(minute) for minute in minutes], at(60))
    noted = connection.execute(
        "select open_time from empty_interval where symbol = %s and relation = %s",
        (symbol, relation),
    )
    return {(moment - OPEN) / MINUTE for (moment,) in noted}


@pytest.mark.parametrize("relation", ["candle", "build_up"])
def test_an_interval_without_its_index_is_an_outage_and_never_quiet(connection, relation):
    store(connection, "NIFTY", 5, width=5)
    store(connection, "NIFTY", *range(10, 15))
    store(connection, "NIFTY", *range(15, 19))
    store(connection, "NIFTY", 19, final=False)
    assert note(connection, CALL, 0, 5, 10, 15, width=5, relation=relation) == {5, 10}


def test_a_quiet_minute_lies_in_a_candle_of_its_index_of_any_width(connection):
    store(connection, "NIFTY", 5, width=5)
    store(connection, "NIFTY", 12)
    store(connection, "BANKNIFTY", 0)
    assert note(connection, CALL, 0, 4, 5, 9, 10, 12) == {5, 9, 12}


def test_an_index_is_never_quiet(connection):
    store(connection, "NIFTY", 0, width=5)
    assert note(connection, "NIFTY", 1, 2) == set()
    assert note(connection, "NIFTY1!", 1, 2) == {1, 2}


def test_notes_of_earlier_versions_that_no_index_supports_are_taken_back(connection):
    store(connection, "NIFTY", 5, width=5)
    store(connection, "NIFTY", 10, 11)
    for symbol, minute, width in (
        *((CALL, 4, 1), (CALL, 5, 1), (CALL, 5, 5), (CALL, 10, 1), (CALL, 10, 5)),
        ("NIFTY", 12, 1),
    ):
        connection.execute(
            "insert into empty_interval values ('candle', %s, %s, %s, 'test', now())",
            (symbol, width, at(minute)),
        )
    take_back, *_ = (MIGRATIONS / "0019_outages.sql").read_text().split(";")
    connection.execute(take_back)
    kept = connection.execute("select symbol, open_time, interval_minutes from empty_interval")
    assert set(kept) == {(CALL, at(5), 1), (CALL, at(5), 5), (CALL, at(10), 1)}


def answer(connection, kind: str, symbol: str, asked: float, **about) -> None:
    """Archive an answer that leaves everything out; each has bytes of its own."""
    archive(
        connection,
        Answer(
            *("test", f"{kind} {symbol}", {"kind": kind, "symbol": symbol, **about}, SESSION),
            *(at(asked), at(asked), str(asked).encode()),
            complete_to=at(asked - 1),
        ),
    )


def missing(connection, symbol: str, until: int = 2) -> tuple[float, int] | None:
    found = missing_candles(connection, OPEN, {symbol: 1}, {1: at(until)}).get(symbol)
    return found and ((found.first - OPEN) / MINUTE, found.number)


def test_an_outage_is_asked_for_until_two_answers_minutes_apart_lack_it(connection):
    for symbol in ("NIFTY", CALL):
        store(connection, symbol, 0, 2)
        assert missing(connection, symbol) == (1, 1)
        answer(connection, "history", symbol, 5, minutes=1, count=20)
        answer(connection, "history", symbol, 8, minutes=1, count=20)
        assert missing(connection, symbol) == (1, 1), "one answer's fault may be the other's"
        answer(connection, "history", symbol, 9.5, minutes=1, count=4)
        assert missing(connection, symbol) == (1, 1), "that one reaches back not so far"
        answer(connection, "history", symbol, 9, minutes=1, count=20)
        assert missing(connection, symbol) is None


def test_a_gap_beside_its_index_is_asked_for_until_it_is_known_to_be_quiet(connection):
    store(connection, "NIFTY", 0, 1, 2)
    store(connection, CALL, 0, 2)
    for asked in (5, 10):
        answer(connection, "history", CALL, asked, minutes=1, count=20)
    assert missing(connection, CALL) == (1, 1)
    series = EmptySeries("candle", CALL, 1, "test")
    note_empty(connection, series, [at(1)], at(5))
    assert missing(connection, CALL) == (1, 1)
    note_empty(connection, series, [at(1)], at(10))
    assert missing(connection, CALL) is None


def test_rows_of_an_outage_are_asked_for_twice_as_well(connection):
    def due() -> bool:
        return CALL in missing_build_ups(connection, OPEN, OPEN, [CALL])

    answer(connection, "build_ups", CALL, 6)
    answer(connection, "build_ups", CALL, 10)
    assert due(), "at the first the rows may not have been there yet"
    answer(connection, "build_ups", CALL, 14)
    assert not due()
    store(connection, "NIFTY", 0, width=5)
    assert due(), "its index came: whether it was quiet can be known"
