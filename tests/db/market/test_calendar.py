"""The override table: what it takes, what it refuses, and that the documented rows work."""

import re
from datetime import date, time
from pathlib import Path

import psycopg
import pytest

from db.market.calendar import read_overrides
from strategy.contract import nearest_expiry
from strategy.session import is_session, last_known_date, session_hours, use_overrides

DOCUMENT = Path(__file__).parents[3] / "docs" / "calendar.md"
SQL_BLOCK = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
INSERT = """
insert into calendar_override (kind, day, underlying, opens, closes, moved_to, reason)
values (%s, %s, %s, %s, %s, %s, 'a circular')
"""


def test_the_documents_rows_are_taken_from_a_writer_and_have_their_effect(
    connection: psycopg.Connection,
):
    connection.execute("set role optionscalp_writer")
    for block in SQL_BLOCK.findall(DOCUMENT.read_text()):
        connection.execute(block)
    use_overrides(read_overrides(connection))
    assert not is_session(date(2026, 12, 16))
    assert is_session(date(2026, 11, 8))
    assert is_session(date(2027, 1, 1))
    assert not is_session(date(2027, 1, 26))
    assert last_known_date() == date(2027, 12, 31)
    assert nearest_expiry("NIFTY", date(2026, 12, 9)) == date(2026, 12, 14)


def test_rows_come_back_in_the_form_the_calendar_takes(connection: psycopg.Connection):
    rows = [
        ("expiry", date(2026, 12, 15), "NIFTY", None, None, date(2026, 12, 14)),
        ("holiday", date(2026, 12, 16), None, None, None, None),
        ("session", date(2026, 12, 19), None, time(9, 15), time(12, 30), None),
        ("year", date(2027, 1, 1), None, None, None, None),
    ]
    for row in rows:
        connection.execute(INSERT, row)
    assert read_overrides(connection) == rows
    use_overrides(read_overrides(connection))
    assert session_hours(date(2026, 12, 19))[1].hour == 7


@pytest.mark.parametrize(
    "row",
    [
        ("weekend", "2026-12-19", None, None, None, None),
        ("holiday", "2019-12-16", None, None, None, None),
        ("holiday", "2026-12-16", "NIFTY", None, None, None),
        ("holiday", "2026-12-16", None, "18:00", None, None),
        ("holiday", "2026-12-16", None, "19:00", "18:00", None),
        ("session", "2026-12-19", None, None, None, None),
        ("year", "2027-01-02", None, None, None, None),
        ("year", "2027-01-01", None, "09:15", "15:40", None),
        ("expiry", "2026-12-15", "NIFTY", None, None, None),
        ("expiry", "2026-12-15", None, None, None, "2026-12-14"),
        ("expiry", "2026-12-15", "SENSEX", None, None, "2026-12-14"),
        ("expiry", "2026-12-15", "NIFTY", None, None, "2026-12-22"),
    ],
)
def test_a_row_without_meaning_is_refused(connection: psycopg.Connection, row: tuple):
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(INSERT, row)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            ("holiday", "2026-12-16", None, None, None, None),
            ("session", "2026-12-16", None, "09:15", "12:30", None),
        ),
        (("year", "2027-01-01", None, None, None, None),) * 2,
        (
            ("expiry", "2026-12-15", "NIFTY", None, None, "2026-12-14"),
            ("expiry", "2026-12-15", "NIFTY", None, None, "2026-12-11"),
        ),
    ],
)
def test_two_rows_cannot_contradict_each_other(
    connection: psycopg.Connection, first: tuple, second: tuple
):
    connection.execute(INSERT, first)
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(INSERT, second)
