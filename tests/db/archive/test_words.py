"""A source's words as they are kept: few, and nothing in them that a table, log or page minds."""

import unicodedata
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from db.archive.raw_payloads import Answer, Part, archive, archive_part, mark, seal_parts
from db.archive.source_status import report_down, report_up
from db.archive.words import LONGEST_BYTES, brief

NOW = datetime(2026, 1, 21, 4, 0, tzinfo=UTC)
POISON = "a\x00b\ud800\x1b[2J\r\n" + "₹\udfff\x00" * 10**6
characters = st.characters(exclude_categories=())  # lone surrogates as well


@given(st.text(characters, max_size=1500))
def test_words_are_few_and_can_be_stored_and_shown(words: str):
    told = brief(words)
    assert len(told.encode()) <= LONGEST_BYTES
    assert not any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in told)
    assert brief(told) == told


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=250))
def test_short_words_stay_as_they_are(words: str):
    assert brief(words) == words


def test_what_is_escaped_or_cut_off_can_be_seen():
    assert brief("a\x00b\ud800\nc\u2028d") == r"a\x00b\ud800 c d"
    long = brief("₹" * 5000)
    assert long.startswith("₹" * 320)
    assert long.endswith("… (5,000 characters in all)")


def test_reasons_and_errors_of_any_text_can_be_stored(connection: Connection):
    about = {"kind": "stream", "connection": "a", "charts": {}}
    answer = Answer("tradingview", "q", {}, date(2026, 1, 21), NOW, NOW, b"\x00\xff")
    mark(connection, archive(connection, answer), POISON)
    for _ in range(3):
        archive_part(
            connection, Part("tradingview", date(2026, 1, 21), about, NOW, b"\x00", POISON)
        )
    seal_parts(connection, date(2026, 1, 21))
    report_up(connection, "tradingview", NOW, POISON)
    report_down(connection, "trendlyne", NOW, POISON)
    told = connection.execute(
        "select parser_error from raw_payload union all select error from source_status"
    ).fetchall()
    assert len(told) == 4
    assert all(words.startswith(r"a\x00b\ud800\x1b[2J") for (words,) in told)
    assert all(len(words.encode()) <= LONGEST_BYTES for (words,) in told)
    bodies = connection.execute("select body from raw_payload order by payload_id").fetchall()
    assert bodies == [(b"\x00\xff",), (b"\x00\x00\x00",)]
