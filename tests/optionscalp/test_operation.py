"""What `optionscalp doctor` finds of a running system."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import Connection

from db.archive.source_status import report_down, report_up
from db.checks.activity import blocking
from db.checks.statistics import FEED_LOCK
from db.server.connection import advisory_lock, connect
from db.writing.opinions import prefer_sources
from optionscalp.operation import disk_found, feed_found, questions_found, sources_down
from strategy.clock import MarketClock
from tests.live import optionscalp

NOON = datetime(2026, 1, 21, 6, 30, tzinfo=UTC)


def clock(moment: datetime) -> MarketClock:
    return MarketClock(moment, time.time(), 1e-9)


def test_a_session_that_keeps_others_waiting_is_named_with_how_to_end_it(
    database: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
):
    (fine,) = questions_found(connection)
    assert (fine.state, fine.found) == ("ok", "none hangs")
    monkeypatch.setattr("optionscalp.operation.LOCKED", timedelta(0))
    with connect(database, application_name="a forgotten psql") as other, other.transaction():
        other.execute("lock table candle in access exclusive mode")
        (finding,) = questions_found(connection)
        pid = other.info.backend_pid
        assert finding.state == "error"
        assert finding.found.startswith(f"session {pid} (a forgotten psql, ")
        assert finding.remedy == f"end it: `select pg_terminate_backend({pid})`"
        assert blocking(connection, timedelta(hours=1)) == []


def test_who_waits_for_a_lock_of_ours_is_not_hanging(database: str, connection: Connection):
    with connect(database) as other, advisory_lock(other, FEED_LOCK):
        assert blocking(connection, timedelta(0)) == []


def test_a_feed_is_missed_in_an_open_market(database: str, connection: Connection):
    missed = feed_found(connection, clock(NOON))
    assert (missed.state, missed.found) == ("warning", "none runs in an open market")
    assert "logs/feed.log" in missed.remedy
    assert feed_found(connection, clock(NOON + timedelta(hours=8))).state == "ok"
    with connect(database) as other, advisory_lock(other, FEED_LOCK):
        running = feed_found(connection, clock(NOON))
    assert (running.state, running.found) == ("ok", "runs")


def test_sources_that_are_down_are_told_in_their_words_if_they_are_asked(connection: Connection):
    prefer_sources(connection, ["upstox", "trendlyne"])
    report_down(connection, "tradingview", NOON, "nobody asks it")
    report_down(connection, "upstox", NOON, "HTTP 401")
    report_up(connection, "trendlyne", NOON)
    (down,) = sources_down(connection)
    assert (down.what, down.state) == ("upstox's answers", "warning")
    assert down.found == "down since 2026-01-21 12:00 IST: HTTP 401"


def test_a_disk_is_told_by_how_much_is_free(tmp_path: Path):
    (finding,) = disk_found(tmp_path)
    assert finding.found.endswith(" GB free")
    (missing,) = disk_found(tmp_path / "missing")
    assert missing.state == "error"
    assert "is not there" in missing.found


def test_doctor_goes_on_where_a_table_is_locked(database: str, connection: Connection, home: Path):
    with connection.transaction():
        connection.execute("lock table source_status in access exclusive mode")
        deadline = time.monotonic() + 60
        while True:
            told = optionscalp("doctor", home=home, DATABASE_URL=database).stdout.replace("\n", "")
            if "keeps others waiting" in told or time.monotonic() > deadline:
                break
    assert f"session {connection.info.backend_pid} " in told
    assert "pg_terminate_backend" in told
    assert "a question was given up" in told
    assert "calendar" in told, "the rest is looked at all the same"
