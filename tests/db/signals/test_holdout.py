"""Sealed sessions: what the database refuses, and what shows when somebody went around it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from psycopg.errors import CheckViolation, RestrictViolation, UniqueViolation
from test_stored_outcomes import EVER, SESSION, outcome, random, signal

from db.server.connection import connect
from db.signals.holdout import (
    compare,
    end_seals,
    faults,
    fingerprint,
    open_for,
    openings_of,
    read_seals,
    seal,
    sealed_sessions,
)
from db.signals.outcomes import read_stats, standing_signals, store_outcomes
from db.signals.strategies import StrategyVersion
from db.signals.sweeps import Sweep, SweepResult, SweepSession, read_tried, store_sweep
from db.writing.bulk import write
from db.writing.relations import SIGNAL

NIFTY = ("NIFTY",)
LATER = SESSION + timedelta(days=1)
MOVED = {"session": LATER, "event_time": datetime(2026, 1, 22, 3, 50, tzinfo=UTC)}
OURS = StrategyVersion("test", "1", "0" * 16, {"wings": 1})
RESULT = SweepResult(
    *("1", "0" * 16, {"wings": 1}, 1, 1, 0, 0, 1, 1.0, 0.2, 1.0, 0.2, 1.0, 5.0, 5.0),
    *(SESSION, 5.0, None),
)
SWEEP = Sweep(
    *(datetime(2026, 1, 25, tzinfo=UTC), "test", "1", {"wings": [1]}, SESSION, LATER, 2, 15, 1),
    *("", 0, 1, 0.0, None, None, None, ""),
)


@pytest.fixture
def stored(connection: psycopg.Connection) -> psycopg.Connection:
    """A signal of two versions in one session and of one in the next, all with outcomes."""
    rows = [signal(), signal(version="1+other"), signal(**MOVED)]
    write(connection, SIGNAL, rows)
    for session, here in ((SESSION, rows[:2]), (LATER, rows[2:])):
        draws = [random(row, 0, -3.0)._replace(entered_at=row.event_time) for row in here]
        store_outcomes(connection, session, NIFTY, [outcome(row) for row in here], draws)
    return connection


def counts(connection) -> tuple[int, int]:
    return tuple(
        connection.execute(f"select count(*) from {relation}").fetchone()[0]
        for relation in ("signal_outcome", "random_outcome")
    )


def swept(*sessions: date) -> list[SweepSession]:
    return [SweepSession("0" * 16, session, 1, 1, 5.0) for session in sessions]


def test_a_seal_takes_outcomes_away_and_leaves_signals_and_other_sessions(stored):
    assert counts(stored) == (3, 3)
    assert seal(stored, [SESSION], "the last week") == [SESSION]
    assert seal(stored, [SESSION], "again") == []
    assert counts(stored) == (1, 1)
    assert stored.execute("select count(*) from signal").fetchone() == (3,)
    assert [(row.version, row.n) for row in read_stats(stored, EVER)] == [("1", 1)]
    (found,) = read_seals(stored)
    assert (found.session, found.note, found.outcomes_before) == (SESSION, "the last week", 2)
    assert found.sealed
    assert sealed_sessions(stored, EVER) == [SESSION]
    assert standing_signals(stored, SESSION, NIFTY) == []
    assert len(standing_signals(stored, LATER, NIFTY)) == 1


def test_outcomes_of_a_sealed_session_are_refused_however_they_come(stored):
    row, late = signal(), signal(**MOVED)
    seal(stored, [SESSION], "")
    with pytest.raises(CheckViolation, match="session 2026-01-21 is sealed"):
        store_outcomes(stored, SESSION, NIFTY, [outcome(row)], [])
    with pytest.raises(CheckViolation, match="is sealed"):
        store_outcomes(stored, SESSION, NIFTY, [], [random(row, 0, 1.0)])
    for statement in (
        "update signal_outcome set signal_id = %(sealed)s where signal_id = %(late)s",
        "update random_outcome set beside = %(sealed)s",
        "update random_outcome set session = '2026-01-21'",
        "update random_outcome set entered_at = '2026-01-21 10:00+05:30'",
    ):
        stored.execute("update random_outcome set entered_at = '2026-01-22 10:00+05:30'")
        with pytest.raises(CheckViolation, match="is sealed"):
            stored.execute(statement, {"sealed": row.signal_id, "late": late.signal_id})
    assert counts(stored) == (1, 1)


def test_a_signal_cannot_be_moved_out_of_its_session_or_into_another_version(stored):
    seal(stored, [SESSION], "")
    for change in ("session = '2026-01-23'", "version = '2'", "event_time = now()"):
        with pytest.raises(RestrictViolation, match="stays of its session"):
            stored.execute(f"update signal set {change} where session = '2026-01-21'")
    stored.execute("update signal set withdrawn_at = now()")


@pytest.mark.parametrize(
    ("relation", "column"),
    [
        *(("holdout", "note"), ("holdout_opening", "command"), ("holdout_verdict", "verdict")),
        *(("sweep", "warning"), ("sweep_result", "version"), ("sweep_session", "hits")),
    ],
)
@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_seals_openings_and_sweeps_are_only_added_to(stored, relation: str, column: str, mode: str):
    seal(stored, [SESSION], "")
    open_for(stored, [SESSION], OURS, 5, "open")
    stored.execute(f"set session_replication_role = {mode}")
    for statement in (
        f"delete from {relation}",
        f"truncate {relation} cascade",
        f"update {relation} set {column} = {column}",
    ):
        with pytest.raises(RestrictViolation, match="is only added to"):
            stored.execute(statement)
    assert sealed_sessions(stored, EVER) == [SESSION]
    stored.execute("set session_replication_role = origin")


def test_who_and_when_are_the_servers_word(stored):
    stored.execute("set application_name = 'a notebook'")
    stored.execute(
        "insert into holdout values ('2026-01-21', '2020-01-01', 'nobody', 'forged', 0);"
        "insert into holdout_opening values"
        " ('2026-01-21', '2020-01-01', 'test', '1', 'x', '{}', 5, 1, 'forged', 'nobody')"
    )
    (found,) = read_seals(stored)
    assert found.sealed_by != "nobody"
    assert found.sealed_at.year > 2020
    assert found.outcomes_before == 2
    row = stored.execute("select opened_at, opened_by from holdout_opening").fetchone()
    assert row[0].year > 2020
    assert "a notebook" in row[1]
    assert "nobody" not in row[1]


def test_an_opening_is_for_its_version_alone_and_once(stored):
    seal(stored, [SESSION], "")
    open_for(stored, [SESSION], OURS, 5, "open")
    assert [row.version for row in standing_signals(stored, SESSION, NIFTY)] == ["1"]
    store_outcomes(stored, SESSION, NIFTY, [outcome(signal())], [random(signal(), 0, -3.0)])
    other = signal(version="1+other")
    with pytest.raises(CheckViolation, match=r"sealed: no outcome of test 1\+other"):
        store_outcomes(stored, SESSION, NIFTY, [outcome(other)], [])
    assert sealed_sessions(stored, EVER) == [SESSION], "sweeps stay out"
    with pytest.raises(UniqueViolation):
        open_for(stored, [SESSION], OURS, 5, "open again")
    open_for(stored, [SESSION], OURS._replace(version="1+other"), 5, "open the other")
    looks = [
        row.look
        for version in ("1", "1+other")
        for row in openings_of(stored, EVER, "test", version)
    ]
    assert looks == [1, 2]
    assert read_seals(stored)[0].opened_for == ["test 1", "test 1+other"]
    (row,) = compare(stored, OURS, [SESSION], 5)
    assert row == (SESSION, 1, 10.0, -3.0)


def test_another_try_of_the_strategy_on_other_sessions_counts_as_a_look(stored):
    days = [SESSION + timedelta(days=1), SESSION + timedelta(days=2)]
    seal(stored, [SESSION, *days], "")
    open_for(stored, days, OURS, 5, "open two")
    assert [row.look for row in openings_of(stored, EVER, "test", "1")] == [1, 1]
    open_for(stored, [SESSION], OURS._replace(version="2"), 5, "open the third")
    assert [row.look for row in openings_of(stored, EVER, "test", "2")] == [2]
    other = OURS._replace(strategy="other")
    open_for(stored, [SESSION, days[0]], other, 5, "open another strategy")
    assert [row.look for row in openings_of(stored, EVER, "other", "1")] == [2, 2]


def test_a_session_without_a_seal_cannot_be_opened(stored):
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        open_for(stored, [SESSION], OURS, 5, "open")


def test_the_end_of_a_seal_is_for_everybody_and_stays_on_record(stored):
    seal(stored, [SESSION], "")
    end_seals(stored, [SESSION], "end")
    assert sealed_sessions(stored, EVER) == []
    store_outcomes(stored, SESSION, NIFTY, [outcome(signal(version="1+other"))], [])
    assert not read_seals(stored)[0].sealed
    assert stored.execute("select command from holdout_opening").fetchall() == [("end",)]


def test_a_sweep_of_a_sealed_session_is_refused_whole(stored):
    seal(stored, [LATER], "")
    with pytest.raises(CheckViolation, match="session 2026-01-22 is sealed: no sweep may use it"):
        store_sweep(stored, SWEEP, [RESULT], swept(SESSION, LATER), None)
    assert stored.execute("select count(*) from sweep").fetchone() == (0,)
    store_sweep(stored, SWEEP, [RESULT], swept(SESSION), None)
    assert list(read_tried(stored, "test")) == [("1", "0" * 16, 15)]


def test_what_a_sweep_has_seen_is_no_holdout(stored):
    store_sweep(stored, SWEEP, [RESULT], swept(SESSION), None)
    with pytest.raises(CheckViolation, match="session 2026-01-21 was swept"):
        seal(stored, [SESSION, LATER], "")
    assert sealed_sessions(stored, EVER) == []
    assert counts(stored) == (3, 3)
    seal(stored, [LATER], "")


def test_of_a_sweep_that_did_not_keep_its_sessions_the_range_counts(stored):
    stored.execute(
        "insert into sweep (started_at, strategy, code_version, grid, first_session, last_session,"
        " sessions, horizon_minutes, combinations, warning)"
        " values (now(), 'test', '1', '{}', '2026-01-20', '2026-01-21', 2, 15, 1, '')"
    )
    with pytest.raises(CheckViolation, match="was swept"):
        seal(stored, [SESSION], "")
    seal(stored, [LATER], "")


def test_a_seal_waits_for_outcomes_that_are_just_stored_and_takes_them_too(stored, database: str):
    waiting = "select count(*) from pg_locks where not granted"
    row = signal(version="1+third")
    write(stored, SIGNAL, [row])
    with connect(database) as other, ThreadPoolExecutor(1) as pool:
        with stored.transaction():
            stored.execute(
                "insert into signal_outcome (signal_id, horizon_minutes, mfe_points, mae_points,"
                " return_points, hit, exit_reason) values (%s, 15, 1, 1, 1, true, 'horizon')",
                (row.signal_id,),
            )
            sealing = pool.submit(seal, other, [SESSION], "")
            while stored.execute(waiting).fetchone() == (0,):
                assert not sealing.done()
        assert sealing.result() == [SESSION]
    assert counts(stored) == (1, 1)


def test_a_reader_finds_nothing_and_changes_nothing(stored):
    seal(stored, [SESSION], "")
    stored.execute("set role optionscalp_reader")
    assert counts(stored) == (1, 1)
    assert stored.execute("select session from holdout").fetchall() == [(SESSION,)]
    assert faults(stored) == []
    for statement in (
        "insert into holdout_opening (session, command) values ('2026-01-21', 'mine')",
        "delete from holdout",
        "alter table holdout disable trigger all",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stored.execute(statement)


def test_a_writer_is_held_to_the_seal_too(stored):
    seal(stored, [SESSION], "")
    stored.execute("set role optionscalp_writer")
    with pytest.raises(RestrictViolation):
        stored.execute("delete from holdout")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stored.execute("alter table holdout disable trigger only_added")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stored.execute("set session_replication_role = replica")


def test_what_an_owner_does_shows(stored):
    seal(stored, [SESSION], "")
    before = fingerprint(stored)
    assert faults(stored) == []
    stored.execute("alter table signal_outcome disable trigger sealed_insert")
    assert faults(stored) == ["trigger sealed_insert of signal_outcome is switched off"]
    store_outcomes(stored, SESSION, NIFTY, [outcome(signal())], [])
    stored.execute("alter table signal_outcome enable always trigger sealed_insert")
    assert faults(stored) == ["1 outcomes of test 1 lie in sealed session 2026-01-21"]
    stored.execute("drop trigger only_added on holdout; delete from holdout")
    assert faults(stored) == ["trigger only_added of holdout is missing"]
    assert fingerprint(stored) != before


def test_the_clock_of_a_session_changes_no_fingerprint(stored):
    seal(stored, [SESSION], "")
    before = fingerprint(stored)
    stored.execute("set timezone = 'Asia/Kolkata'")
    assert fingerprint(stored) == before
