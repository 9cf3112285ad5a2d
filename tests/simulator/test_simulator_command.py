"""`python -m simulator` as a process."""

import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from simulator.__main__ import main

COMMAND = [sys.executable, "-m", "simulator", "--day", "2026-01-21"]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_stops_cleanly(stop):
    now = datetime.now(UTC).timestamp()
    clock = f"2026-01-21T05:00:00+00:00,{now},60"
    with subprocess.Popen(
        [*COMMAND, "--clock", clock], stdout=subprocess.PIPE, text=True
    ) as process:
        ready, quotes, pages, _ = process.stdout.readline().split()
        assert ready == "ready"
        assert quotes.startswith("ws://127.0.0.1:")
        assert quotes.endswith("/socket.io/websocket")
        query = {"stockId": "1887", "expDateList": "2026-01-27"}
        with httpx.Client(base_url=pages, trust_env=False) as http:
            content = http.get("/live-oi-data/", params=query).json()
        told = datetime.fromisoformat(content["body"]["inputData"]["lastUpdatedDateTime"])
        assert timedelta(0) <= told - datetime(2026, 1, 21, 4, 55, tzinfo=UTC) < timedelta(hours=1)
        process.send_signal(stop)
        assert process.wait(10) == 0
        assert process.stdout.read() == ""


def test_a_port_in_use_is_one_clear_line(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--day", "2026-01-21", "--trendlyne-port", str(port)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(
        f"simulator: can't listen on 127.0.0.1:{port}: Address already in use"
    )
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--day", "2026-01-26"], "the exchange is shut on 2026-01-26"),
        (["--day", "2026-01-21", "--data", "no/such.parquet"], "no such data file or directory"),
        (["--day", "2026-01-21", "--underlyings", "SENSEX"], "known: NIFTY, BANKNIFTY"),
        (["--day", "2026-01-21", "--tradingview-port", "99999"], "choose another port"),
    ],
)
def test_what_can_not_be_played_is_one_clear_line(capsys, arguments, message):
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert message in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["--day", "soon"], [], ["--day", "2026-01-21", "--clock", "noon"]]
)
def test_wrong_usage_exits_with_two(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err
