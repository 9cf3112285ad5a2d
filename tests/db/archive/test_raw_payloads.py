"""The archive: untouched, once, in the order received."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest

from db.archive.raw_payloads import (
    Answer,
    Part,
    archive,
    archive_part,
    asked_since,
    count_receipts,
    mark,
    receipts,
    seal_parts,
)
from db.server.connection import connect

SESSION = date(2026, 1, 21)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
BODY = bytes(range(256)) * 40


def answer(minute: float, body: bytes = BODY, **changes) -> Answer:
    asked_at = OPEN + timedelta(minutes=minute)
    about = {"kind": "build_ups", "symbol": "NIFTY260127C25000"}
    received_at = asked_at + timedelta(seconds=1)
    made = Answer("trendlyne", "GET /x", about, SESSION, asked_at, received_at, body)
    return made._replace(**changes)


def part(seconds: float, body: bytes, connection: str = "a", **charts: list) -> Part:
    about = {"kind": "stream", "connection": connection, "grace": 3, "charts": charts}
    return Part("tradingview", SESSION, about, OPEN + timedelta(seconds=seconds), body)


def test_bytes_come_back_untouched_with_their_checksum(connection):
    payload_id = archive(connection, answer(0))
    stored = connection.execute(
        "select payload_id, body, sha256, about ->> 'symbol' from raw_payload"
    ).fetchall()
    digest = hashlib.sha256(BODY).digest()
    assert stored == [(payload_id, BODY, digest, "NIFTY260127C25000")]


def test_a_long_answer_is_compressed(connection):
    archive(connection, answer(0, b'{"oi": 65, "close_price": 101.5}' * 1_000))
    size, stored = connection.execute(
        "select octet_length(body), pg_column_size(body) from raw_payload"
    ).fetchone()
    assert stored < size / 5


def test_an_answer_that_came_before_is_stored_once_with_every_receipt(connection):
    first = archive(connection, answer(0))
    assert archive(connection, answer(3)) == first
    assert archive(connection, answer(6, b"other")) != first
    assert archive(connection, answer(6, request="GET /y")) != first
    assert archive(connection, answer(6, session=date(2026, 1, 22))) != first
    found = list(receipts(connection, SESSION))
    assert [(one.payload_id == first, one.asked_at) for one in found][:2] == [
        (True, OPEN),
        (True, OPEN + timedelta(minutes=3)),
    ]
    assert count_receipts(connection, SESSION) == len(found) == 4
    times = connection.execute(
        "select received_at from raw_payload where payload_id = %s", (first,)
    ).fetchone()
    assert times == (OPEN + timedelta(seconds=1),), "of the first receipt"


def test_receipts_come_in_the_order_received_not_stored(connection, database):
    with connect(database) as other:
        archive(connection, answer(40, b"third"))
        archive(other, answer(2, b"second"))
        archive(connection, answer(1, b"first"))
    assert [one.body for one in receipts(connection, SESSION)] == [b"first", b"second", b"third"]


def test_a_stream_is_sealed_by_minute_and_connection_and_read_part_by_part(connection):
    parts = [
        part(1, b"~m~1~m~a", cs_a=["NIFTY", 1]),
        part(59.5, b""),
        part(60, b"~m~1~m~b", cs_b=["BANKNIFTY", 1]),
        part(61, b"~m~1~m~c", "b", cs_a=["NIFTY", 1]),
        part(125, b"~m~1~m~d", "b", cs_c=["NIFTY1!", 1]),
    ]
    for one in parts:
        archive_part(connection, one)
    archive(connection, answer(0.5, b"between"))
    before = sorted((one.received_at, one.body) for one in receipts(connection, SESSION))
    assert seal_parts(connection, SESSION, OPEN + timedelta(minutes=2)) == 3
    assert connection.execute("select count(*) from raw_part").fetchone() == (1,)
    after = [(one.received_at, one.body) for one in receipts(connection, SESSION)]
    assert after == before
    series = [one.about.get("charts") for one in receipts(connection, SESSION)]
    assert series[0] == series[2] == {"cs_a": ["NIFTY", 1]}, "of the whole minute"
    assert seal_parts(connection, SESSION) == 1
    assert seal_parts(connection, SESSION) == 0
    assert [(one.received_at, one.body) for one in receipts(connection, SESSION)] == after


def test_what_a_part_could_not_say_stays_with_its_minute(connection):
    archive_part(connection, part(1, b"x")._replace(parser_error="NIFTY 09:15: no price"))
    archive_part(connection, part(2, b"y"))
    seal_parts(connection, SESSION)
    reasons = connection.execute("select parser_error from raw_payload").fetchall()
    assert reasons == [("NIFTY 09:15: no price",)]


def test_only_answers_that_could_be_parsed_count_as_asked(connection):
    payload_id = archive(connection, answer(10))
    later = OPEN + timedelta(minutes=5)
    assert asked_since(connection, SESSION, "build_ups", later) == {"NIFTY260127C25000"}
    assert asked_since(connection, SESSION, "history", later) == set()
    assert asked_since(connection, SESSION, "build_ups", OPEN + timedelta(minutes=11)) == set()
    mark(connection, payload_id, "not JSON")
    assert asked_since(connection, SESSION, "build_ups", later) == set()


@pytest.mark.parametrize("writers", [4])
def test_many_writers_of_one_answer_store_it_once(database, writers):
    from concurrent.futures import ThreadPoolExecutor

    def store(number: int) -> int:
        with connect(database) as connection:
            return archive(connection, answer(number))

    with ThreadPoolExecutor(writers) as threads:
        assert len(set(threads.map(store, range(12)))) == 1
    with connect(database) as connection:
        assert count_receipts(connection, SESSION) == 12


def test_what_is_archived_or_sealed_while_the_archive_is_read_makes_no_difference(
    connection, database
):
    archive(connection, answer(0, b"first"))
    archive_part(connection, part(70, b"part"))
    reading = receipts(connection, SESSION)
    read = [next(reading).body]
    with connect(database) as writer:
        archive(writer, answer(1, b"too late"))
        archive(writer, answer(40, b"in a later window"))
        seal_parts(writer, SESSION)
    assert [*read, *(one.body for one in reading)] == [b"first", b"part"]
