"""The supervisor of the embedded server."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

import db.server.embedded
from db.server.connection import connect
from optionscalp.postgres import Postgres


def test_a_server_that_waits_for_its_sessions_to_end_is_ended_and_started_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("optionscalp.postgres.STOPPING_SECONDS", 0.0)
    with db.server.embedded.use(home) as dsn, connect(dsn) as kept:
        before = db.server.embedded.postmaster_pid(home)
        os.kill(before, signal.SIGTERM)
        postgres = Postgres(home)
        while db.server.embedded.postmaster_pid(home) in {before, None}:
            postgres.watch()
        connect(dsn).close()
        with pytest.raises(psycopg.OperationalError):
            kept.execute("select 1")
