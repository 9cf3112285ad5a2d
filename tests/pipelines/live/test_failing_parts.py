"""Parts of the feed that fail for a reason that nobody expected, while the others go on.

A table that refuses every row is such a reason: no source is to blame, and the database is there.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from db.server.connection import connect
from pipelines.live.keeper import Keeper
from tests.faulty import Tables, at, desk_at, ended, follow

FAULTS = "select task, split_part(problem, ':', 1), failures > 1 from feed_fault order by 1"
REFUSE = SQL("alter table {} add constraint refuses check (false) not valid")
TAKE = SQL("alter table {} drop constraint refuses")


@contextmanager
def refusing(dsn: str, table: str) -> Iterator[None]:
    """Let a table take no row."""
    with connect(dsn) as connection:
        connection.execute(REFUSE.format(Identifier(table)))
        yield
        connection.execute(TAKE.format(Identifier(table)))


def test_candles_go_on_while_positions_cannot_be_stored_and_the_part_is_named(
    database: str, undisturbed: Tables
):
    with refusing(database, "chain_oi"):
        follow(database)
    stored = ended(database)
    # An option's last one is made final by the closing work, which writes ladders first.
    due = {row for row in undisturbed["candle"] if row[2] < at("15:29")}
    assert {row for row in stored["candle"] if row[2] < at("15:29")} == due
    assert stored["chain_oi"] == set()
    with connect(database) as connection:
        failing = connection.execute(FAULTS).fetchall()
    assert failing == [("closing", "CheckViolation", False), ("positions", "CheckViolation", True)]
    follow(database)
    assert ended(database) == undisturbed


def test_a_session_that_cannot_be_closed_is_named_and_stays_to_be_closed(
    database: str, undisturbed: Tables
):
    with refusing(database, "session_closed"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.live.keeper.WELL_SECONDS", 0.0)
        follow(database)
    assert ended(database) == undisturbed
    with connect(database) as connection:
        assert connection.execute(FAULTS).fetchall() == [("closing", "CheckViolation", False)]
        assert connection.execute("select count(*) from session_closed").fetchone() == (0,)


def kept(dsn: str, *failures: Exception) -> list[tuple[str, str, int]]:
    """Let a part fail so, time after time; return what is noted when it works in the end."""
    left = list(failures)

    async def run() -> list[tuple[str, str, int]]:
        works = asyncio.Event()

        async def part() -> None:
            if left:
                raise left.pop(0)
            works.set()
            await asyncio.Event().wait()

        async with desk_at(dsn, "15:00", 60, ()) as desk:
            keeping = asyncio.create_task(Keeper(desk).keep("part", part))
            working = asyncio.create_task(works.wait())
            await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                working.cancel()
                await keeping
            keeping.cancel()
            noted = desk.connection.execute("select task, problem, failures from feed_fault")
            return noted.fetchall()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.live.keeper.FIRST_PAUSE_SECONDS", 0.01)
        return asyncio.run(run())


def test_a_part_is_started_again_and_its_failures_are_counted_in_words_that_can_be_shown(
    database: str,
):
    inner = ExceptionGroup("inner", [ValueError("\x00\ud800" * 10**6)])
    found = kept(database, TypeError("a"), ExceptionGroup("several", [inner]))
    ((task, problem, failures),) = found
    assert (task, failures) == ("part", 2)
    assert problem.startswith(r"ValueError: \x00\ud800")
    assert len(problem.encode()) <= 1000


def test_only_the_database_and_a_clock_that_was_set_end_it(database: str):
    lost = psycopg.OperationalError("the server went away")
    with pytest.raises(psycopg.OperationalError, match="went away"):
        kept(database, lost)
    with pytest.raises(psycopg.OperationalError, match="went away"):
        kept(database, ValueError("a"), ExceptionGroup("several", [ValueError("b"), lost]))


def test_a_part_that_works_for_a_while_is_named_no_more(database: str):
    with connect(database) as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.live.keeper.WELL_SECONDS", 0.0)
        connection.execute("insert into feed_fault values ('other', 'x', 1, now(), now())")
        kept(database, ValueError("a"))
        assert connection.execute("select task from feed_fault").fetchall() == [("other",)]
