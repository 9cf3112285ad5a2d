"""The pages over stored data as one command: no feed, beside whatever else uses the same home."""

import signal
import socket
from pathlib import Path

import httpx
import pytest

import db.server.embedded
from optionscalp.stack import free_port
from tests.demo import Demo, demo, serve
from tests.live import optionscalp
from tests.long import in_full

DAY = """\
ts,symbol,underlying,expiry,strike,option_type,open,high,low,close,volume,oi
2026-01-21T03:45:00Z,NIFTY,NIFTY,,,,25000,25010,24990,25005,,
2026-01-21T03:46:00Z,NIFTY,NIFTY,,,,25005,25020,25000,25015,,
"""


def get(running: Demo, path: str) -> dict:
    answer = httpx.get(running.url + path, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def stored(home: Path) -> Path:
    """A home with a space in its name, and a recorded session in it."""
    folder = home / "my data"
    folder.mkdir()
    (home / "day.csv").write_text(DAY)
    result = optionscalp("import", str(home / "day.csv"), home=folder)
    assert result.returncode == 0, result.stderr
    return folder


def test_stored_sessions_are_shown_and_nobody_is_asked_for_more(stored: Path, home: Path):
    with serve(home, "--home", str(stored)) as running:
        assert [line for line in running.lines if running.url in line]
        (session,) = get(running, "/api/sessions?underlying=NIFTY")["sessions"]
        assert (session["session"], session["candles"]) == ("2026-01-21", 2)
        history = get(running, "/api/history?underlying=NIFTY")
        assert history["candles"]["NIFTY"]["c"] == [25005, 25015]
        assert history["status"]["feed"] == "none"
        assert history["status"]["sources"] == {}
        assert httpx.get(running.url + "/", timeout=20).status_code == 200
        assert sorted(path.name for path in (stored / "logs").iterdir()) == ["serve.log"]
        with serve(stored) as second:
            assert get(second, "/api/history?underlying=NIFTY")["candles"] == history["candles"]
        assert get(running, "/healthz")["status"] == "ok", "the server is shared"
        running.process.send_signal(signal.SIGINT)
        running.process.wait(20)
        assert running.process.returncode == 0
    assert db.server.embedded.postmaster_pid(stored) is None


@in_full
def test_a_running_demo_is_shown_and_may_end_before(home: Path):
    with demo(home, "--no-dagster", "--underlying", "NIFTY") as market:
        with serve(home, "--demo") as running:
            assert get(running, "/api/history?underlying=NIFTY")["status"]["feed"] == "none"
            market.process.send_signal(signal.SIGINT)
            market.process.wait(20)
            kept = get(running, "/api/sessions?underlying=NIFTY")["sessions"]
            assert kept[0]["session"] == "2026-01-21"
        assert db.server.embedded.postmaster_pid(home / "demo") is None


def test_a_server_of_ones_own_is_used_where_it_is_named(home: Path, connection, database: str):
    with serve(home, DATABASE_URL=database) as running:
        assert get(running, "/api/sessions?underlying=NIFTY") == {"sessions": []}
    assert not (home / "postgres").exists()


def test_a_home_without_data_is_one_clear_line(home: Path):
    missing = home / "nowhere"
    for arguments in ((), ("--demo",), ("--home", str(missing))):
        result = optionscalp("serve", "--chart-port", str(free_port()), *arguments, home=home)
        assert result.returncode == 1, arguments
        assert "nothing is stored in" in result.stderr
        assert "--home" in result.stderr
        assert "Traceback" not in result.stderr
    assert not missing.exists()


@pytest.mark.parametrize("command", ["status", "psql", "outcomes", "sweep", "parity"])
def test_a_demo_that_is_not_there_is_one_clear_line_and_is_not_made(home: Path, command: str):
    words = {
        "psql": ["-c", "select 1"],
        "sweep": [
            *("--strategy", "delta_volume", "--set", "wings=1,2"),
            *("--from", "2026-01-21", "--to", "2026-01-21"),
        ],
        "parity": ["--session", "2026-01-21"],
    }
    for place in ((), ("--home", str(home / "elsewhere"))):
        result = optionscalp(command, "--demo", *place, *words.get(command, []), home=home)
        assert result.returncode == 1
        assert "no demo has kept anything in" in result.stderr
        assert "--home" in result.stderr
    assert not (home / "demo").exists()
    assert not (home / "elsewhere").exists()


def test_what_cannot_be_served_is_one_clear_line(home: Path):
    (home / "postgres").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        busy = optionscalp("serve", "--chart-port", port, home=home)
    open_to_all = optionscalp(
        "serve", "--chart-port", str(free_port()), home=home, CHART_HOST="0.0.0.0"
    )
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    nobody = optionscalp("serve", "--chart-port", str(free_port()), home=home, DATABASE_URL=url)
    for result, words in (
        (busy, f"port {port} cannot be used"),
        (open_to_all, "CHART_TOKEN"),
        (nobody, "no database at 127.0.0.1"),
    ):
        assert result.returncode == 1
        assert words in result.stderr
        assert "Traceback" not in result.stderr
