"""Stored rows beside those that the archive gives: which differ, and which nothing explains."""

from datetime import UTC, date, datetime

import psycopg
import pytest

from db.archive.rebuild import Difference, compare, remove_unexplained, scratch_tables, take_over
from db.market.frames import Range

DAY = Range(date(2026, 1, 21), date(2026, 1, 21))
SEEN_TO = datetime(2026, 1, 21, 12, tzinfo=UTC)
INSERT = """
insert into {}.candle (symbol, interval_minutes, open_time, underlying, open, high, low, close,
                       source, known_at, final)
values ('NIFTY', 1, '2026-01-21T09:59Z', 'NIFTY', 2, 2, 2, 2, 'upstox', '2026-01-21T10:03Z', %s)
"""


@pytest.mark.parametrize(
    ("stored", "archived", "found", "left"),
    [
        pytest.param(False, False, (0, 0, 0, 0), [False], id="neither saw it end"),
        pytest.param(True, False, (0, 0, 0, 0), [True], id="only the archive lacks its end"),
        pytest.param(False, True, (1, 0, 1, 0), [True], id="only the table lacks its end"),
        pytest.param(False, None, (0, 0, 0, 1), [], id="nobody sent it"),
        pytest.param(
            None, False, (0, 0, 0, 0), [], id="a candle that did not end is none to store"
        ),
        pytest.param(None, True, (1, 1, 0, 0), [True], id="it is missing"),
    ],
)
def test_a_candle_that_was_not_seen_to_end_explains_one_and_replaces_none(
    connection: psycopg.Connection,
    stored: bool | None,
    archived: bool | None,
    found: tuple,
    left: list,
):
    with scratch_tables(connection):
        for schema, final in (("public", stored), ("pg_temp", archived)):
            if final is not None:
                connection.execute(INSERT.format(schema), (final,))
        assert compare(connection, DAY, SEEN_TO)["candle"] == Difference(*found)
        take_over(connection, DAY, SEEN_TO)
        remove_unexplained(connection, DAY, SEEN_TO)
        rows = connection.execute("select final from public.candle").fetchall()
    assert [final for (final,) in rows] == left
