"""What is wrong is told with its cause, since when and what to do, by health and stream alike."""

import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cable import Cable
from chart_help import OPEN, Chart, Stream, Thread, clock_text, refusing, seconds
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from db.archive.source_status import Access, report_access, report_down, report_up
from db.server.disk import LEAST_FREE_BYTES, data_is_full, free_bytes, tells_of_full_disk
from db.writing.opinions import prefer_sources

NOW = OPEN + timedelta(minutes=10)
STANDING = clock_text(NOW.isoformat(), speed=1e-9)
NIGHT = clock_text("2026-01-21T18:00:00+00:00", speed=1e-9)


def problems(chart: Chart) -> list[dict]:
    return chart.get("/healthz").json()["problems"]


def test_when_all_is_well_there_are_no_problems(serve):
    chart = serve(OPTIONSCALP_CLOCK=STANDING)
    assert problems(chart) == []
    with Stream(chart) as stream:
        assert stream.take_kind("status").data["problems"] == []


def test_a_source_that_is_down_has_its_words_and_its_own_remedy(serve, connection):
    prefer_sources(connection, ["upstox", "trendlyne"])
    report_down(connection, "tradingview", OPEN, "nobody asks it any more")
    report_up(connection, "upstox", OPEN)
    report_access(connection, "upstox", Access(None, None, "renew the token"))
    report_down(connection, "upstox", OPEN + timedelta(minutes=5), "HTTP 401")
    report_up(connection, "trendlyne", NOW)
    assert problems(serve(OPTIONSCALP_CLOCK=STANDING)) == [
        {
            "cause": "source_down",
            "what": "Source upstox is down: HTTP 401.",
            "since": seconds(OPEN) + 300,
            "remedy": "renew the token",
        }
    ]


def test_a_source_that_fell_silent_is_down_since_its_last_answer(serve, connection):
    report_up(connection, "tradingview", OPEN)
    (problem,) = problems(serve(OPTIONSCALP_CLOCK=STANDING))
    assert problem["what"] == "Source tradingview is down: silent for 10 minutes."
    assert problem["since"] == seconds(OPEN)
    assert problem["remedy"].startswith("Look at the network")


def test_a_feed_is_missed_in_an_open_market_alone_and_not_where_none_is_wanted(
    serve, feed_runs, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("chartserver.status.FEED_SECONDS", 0.0)
    chart = serve(OPTIONSCALP_CLOCK=STANDING)
    assert problems(chart) == []
    feed_runs.close()
    (problem,) = problems(chart)
    assert (problem["cause"], problem["since"]) == ("feed_dead", seconds(NOW))
    assert "logs/feed.log" in problem["remedy"]
    assert problems(serve(OPTIONSCALP_CLOCK=NIGHT)) == []
    assert problems(serve(OPTIONSCALP_CLOCK=STANDING, CHART_SERVES_STORED="true")) == []


def test_without_a_database_the_reason_is_told_but_not_where_it_is(serve, connection, server_dsn):
    chart = serve(OPTIONSCALP_CLOCK=STANDING)
    while not chart.json("/healthz")["hub"]["connected"]:
        pass
    with Stream(chart) as stream:
        stream.take_kind("status")
        with refusing(server_dsn, connection.info.dbname):
            while (status := stream.take_kind("status").data)["database"] == "up":
                pass
            health = chart.get("/healthz")
        while stream.take_kind("status").data["problems"]:
            pass
    (problem,) = status["problems"]
    assert (problem["cause"], problem["since"]) == ("database_out", seconds(NOW))
    (told,) = health.json()["problems"]
    assert (health.status_code, told["cause"]) == (503, "database_out")
    assert "is not currently accepting connections" in told["what"]
    assert "127.0.0.1" not in told["what"]


def test_a_database_that_takes_no_new_sessions_is_out_though_it_keeps_the_old_ones(
    serve, connection, server_dsn
):
    chart = serve(OPTIONSCALP_CLOCK=STANDING)
    assert problems(chart) == []
    with Stream(chart) as stream, refusing(server_dsn, connection.info.dbname, ended=None):
        health = chart.get("/healthz")
        while stream.take_kind("status").data["database"] == "up":
            pass
    assert connection.execute("select 1").fetchone() == (1,)
    (told,) = health.json()["problems"]
    assert (health.status_code, told["cause"]) == (503, "database_out")
    assert problems(chart) == []


def test_a_server_that_says_nothing_is_out_before_whoever_asks_gives_up(database: str):
    cable = Cable(int(conninfo_to_dict(database)["port"]))
    dsn = make_conninfo(database, host="127.0.0.1", port=cable.port)
    chart = Thread(dsn, OPTIONSCALP_CLOCK=NIGHT)
    try:
        assert problems(chart) == []
        cable.hold()
        health = httpx.get(f"{chart.url}/healthz", timeout=8)
        (told,) = health.json()["problems"]
        assert (health.status_code, told["cause"]) == (503, "database_out")
        assert told["what"] == "The database does not answer: it says nothing."
        cable.release()
        while problems(chart):
            pass
    finally:
        cable.close()
        chart.stop()


# Disks --------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A home with a disk of its own."""
    with tempfile.TemporaryDirectory(prefix="optionscalp-test-") as folder:
        if os.system(f"mount -t tmpfs -o size=64m tmpfs {folder} 2>/dev/null"):
            pytest.skip("no disk can be mounted here: that needs root")
        try:
            (Path(folder) / "postgres").mkdir()
            yield Path(folder)
        finally:
            os.system(f"umount {folder}")


def test_a_full_disk_under_the_data_is_named_while_the_server_still_answers(serve, small_disk):
    chart = serve(OPTIONSCALP_CLOCK=STANDING, OPTIONSCALP_HOME=str(small_disk))
    assert problems(chart) == []
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(60 * 2**20))
    with Stream(chart) as stream:
        (problem,) = problems(chart)
        assert problem["cause"] == "disk_full"
        assert problem["what"] == "The disk that holds the database is full."
        assert str(small_disk) not in chart.get("/healthz").text, "anybody may ask"
        assert "Free some space" in problem["remedy"]
        while not stream.take_kind("status").data["problems"]:
            pass
        ballast.unlink()
        while stream.take_kind("status").data["problems"]:
            pass
    assert problems(chart) == []


def test_a_disk_without_room_for_another_file_is_full(small_disk):
    assert free_bytes(small_disk) > LEAST_FREE_BYTES
    os.system(f"mount -o remount,nr_inodes=3 {small_disk}")
    (small_disk / "last").touch()
    assert data_is_full(small_disk)


def test_no_folder_is_no_full_disk(tmp_path: Path):
    assert data_is_full(tmp_path) is None


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(28, "No space left on device"), True),
        (OSError(13, "Permission denied"), False),
        (RuntimeError('could not extend file "base/1": No space left on device'), True),
    ],
)
def test_errors_that_tell_of_a_full_disk_are_known(error: Exception, full: bool):
    assert tells_of_full_disk(error) is full
