"""A log that was put back gives numbers again: who has read what is lost must start over."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chart_help import Stream, Thread, candle, clock_text
from psycopg.sql import SQL, Identifier

import db.server.embedded
from db.pages.change_log import Cursor
from db.server.backup import back_up, put_back
from db.server.connection import (
    connect,
    create_database,
    database_name,
    service_file,
    with_database,
)
from db.server.migrate import migrate
from db.writing.bulk import write
from db.writing.relations import CANDLE
from optionscalp.output import progress
from strategy.session import calendar_hours


def store(dsn: str, *minutes: int) -> None:
    with connect(dsn) as connection:
        write(connection, CANDLE, [candle(minute=minute) for minute in minutes])


def place(dsn: str) -> Cursor:
    """Where a reader of the whole log stands."""
    with connect(dsn) as connection:
        state = "select epoch, newest, stretch from change_log_state('')"
        return Cursor(*connection.execute(state).fetchone())


def program(dsn: str, name: str, *arguments: str) -> None:
    with service_file(dsn) as environment:
        command = [str(db.server.embedded.tool(name)), *arguments]
        subprocess.run(command, env=environment, check=True)


def into_another_database(dsn: str, dump: Path) -> str:
    other = with_database(dsn, f"{database_name(dsn)}_restored")
    create_database(other)
    program(other, "pg_restore", "-d", database_name(other), str(dump))
    return other


def by_our_own_command(dsn: str, dump: Path) -> str:
    other = with_database(dsn, f"{database_name(dsn)}_restored")
    create_database(other)
    put_back(other, dump, progress)
    return other


def after_a_drop(dsn: str, dump: Path) -> str:
    create_database(dsn, anew=True)
    program(dsn, "pg_restore", "-d", database_name(dsn), str(dump))
    return dsn


def over_what_is_there(dsn: str, dump: Path) -> str:
    with connect(dsn) as connection:
        query = "select from pg_extension where extname = 'timescaledb'"
        if connection.execute(query).fetchone() is not None:
            pytest.skip("TimescaleDB's tables cannot be dropped so")
    program(dsn, "pg_restore", "--clean", "-d", database_name(dsn), str(dump))
    return dsn


@pytest.fixture
def chart_of() -> Iterator[Callable[[str], Thread]]:
    started: list[Thread] = []

    def start(dsn: str) -> Thread:
        started.append(Thread(dsn, OPTIONSCALP_CLOCK=clock_text()))
        return started[-1]

    yield start
    for chart in started:
        chart.stop()


@pytest.mark.parametrize(
    "restore", [into_another_database, by_our_own_command, after_a_drop, over_what_is_there]
)
def test_a_dump_put_back_in_the_same_cluster_resets_who_had_read_more(
    database: str, tmp_path: Path, chart_of, restore
):
    dump = tmp_path / "dump"
    store(database, 0, 1, 2)
    kept = place(database)
    back_up(database, dump, progress)
    store(database, 3, 4)
    lost = place(database)
    chart = chart_of(database)
    with Stream(chart, since=str(kept)) as stream:
        assert [event.id for event in stream.take_rows(2)][-1] == str(lost)
        restored = restore(database, dump)
        store(restored, 10, 11, 12)
        if restored == database:  # the hub may have looked before the new candles came
            assert first_of(stream) in {"epoch", "future"}
    try:
        check_readers(chart if restored == database else chart_of(restored), kept, lost)
    finally:
        if restored != database:
            with connect(database) as admin:
                drop = SQL("drop database {} with (force)")
                admin.execute(drop.format(Identifier(database_name(restored))))


def first_of(stream: Stream) -> str:
    """Why the stream starts over, which it must do before it sends another row."""
    (event,) = stream.take_rows(1)
    assert event.kind == "reset", event
    return event.data["reason"]


def check_readers(chart: Thread, kept: Cursor, lost: Cursor) -> None:
    """Another three candles have the numbers 4 to 6 now, of which `lost` had read two."""
    with Stream(chart, last_id=str(lost)) as stream:
        assert first_of(stream) == "epoch"
    with Stream(chart, last_id=str(kept)) as stream:
        events = stream.take_rows(3)
    assert [event.seq for event in events] == [4, 5, 6]
    assert {event.kind for event in events} == {"candle"}
    assert chart.json("/api/history")["as_of"] == events[-1].id


@contextmanager
def started(home: Path) -> Iterator[str]:
    with db.server.embedded.use(home) as dsn:
        with connect(dsn) as connection:
            migrate(connection, calendar_hours())
        yield dsn


def test_a_copy_of_the_files_put_back_resets_who_had_read_more(home: Path, chart_of):
    data, copy = home / "postgres" / "data", home / "copy"
    with started(home) as dsn:
        store(dsn, 0, 1, 2)
        kept = place(dsn)
        chart = chart_of(dsn)
        with Stream(chart, since=str(kept)) as stream:
            db.server.embedded.stop(home)
            subprocess.run(["cp", "-a", data, copy], check=True)
            db.server.embedded.start(home)
            store(dsn, 3, 4)
            lost = place(dsn)
            assert [event.id for event in stream.take_rows(2)][-1] == str(lost)
            db.server.embedded.stop(home)
            shutil.rmtree(data)
            copy.rename(data)
            assert db.server.embedded.start(home) == dsn
            store(dsn, 10, 11, 12)
            assert first_of(stream) == "epoch"
            check_readers(chart, kept, lost)


def test_two_servers_started_from_copies_of_the_same_files_do_not_know_each_others_ids(
    home: Path, chart_of
):
    first, second = home / "first", home / "second"
    with started(first) as dsn:
        store(dsn, 0, 1, 2)
        kept = place(dsn)
    subprocess.run(["cp", "-a", first, second], check=True)
    (second / "postgres.port").unlink()
    with started(first) as one, started(second) as other:
        store(one, 3, 4)
        store(other, 10, 11, 12)
        places = [place(one), place(other)]
        assert [found.seq for found in places] == [5, 6]
        check_readers(chart_of(other), kept, places[0])
        with Stream(chart_of(one), last_id=str(places[1])) as stream:
            assert first_of(stream) == "epoch"


def test_a_restart_that_loses_nothing_resets_nobody(home: Path, chart_of):
    with started(home) as dsn:
        store(dsn, 0, 1)
        chart = chart_of(dsn)
        before = place(dsn)
        with Stream(chart, since=str(before._replace(seq=0))) as stream:
            assert len(stream.take_rows(2)) == 2
            for minute in (2, 3):
                db.server.embedded.stop(home)
                db.server.embedded.start(home)
                store(dsn, minute)
                (event,) = stream.take_rows(1)
                assert event.data["t"] == candle(minute=minute).open_time.timestamp()
        assert place(dsn).stretch != before.stretch
        with Stream(chart, last_id=str(before)) as stream:
            assert [event.seq for event in stream.take_rows(2)] == [3, 4]
        assert chart.metric("resets_total") == 0
