"""`python -m chartserver` leaves what it started as it found it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import db.server.embedded
from db.server.connection import connect
from db.server.migrate import migrate
from strategy.session import calendar_hours


def test_sigterm_stops_the_embedded_server_that_it_started(home: Path):
    with db.server.embedded.use(home) as dsn, connect(dsn) as connection:
        migrate(connection, calendar_hours())
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with subprocess.Popen(
        [sys.executable, "-m", "chartserver"],
        env=environment | {"OPTIONSCALP_HOME": str(home), "CHART_PORT": "0"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert any("listening on" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert db.server.embedded.postmaster_pid(home) is None
