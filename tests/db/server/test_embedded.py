"""The embedded server: shared, stopped by its last user, recovered after a kill."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import db.server.embedded
from db.server.connection import connect
from db.server.errors import EmbeddedServerError


def test_the_last_user_stops_the_server_and_data_survive(home: Path):
    with db.server.embedded.use(home) as first, db.server.embedded.use(home) as second:
        assert first == second
        with connect(first) as connection:
            connection.execute("create table kept as select 7 as value")
    assert not db.server.embedded.is_running(home)
    with db.server.embedded.use(home) as dsn, connect(dsn) as connection:
        assert connection.execute("select value from kept").fetchone() == (7,)


def test_one_user_leaving_keeps_the_server_up_for_the_other(home: Path):
    holder = (
        "import sys, pathlib, db.server.embedded\n"
        "with db.server.embedded.use(pathlib.Path(sys.argv[1])):\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "ready\n"
        with db.server.embedded.use(home) as dsn, connect(dsn) as connection:
            connection.execute("select 1")
        assert db.server.embedded.is_running(home)
        other.communicate()
    assert not db.server.embedded.is_running(home)


def test_after_a_kill_the_same_address_answers_again_with_all_commits(home: Path):
    with db.server.embedded.use(home) as dsn:
        with connect(dsn) as connection:
            connection.execute("create table kept as select 7 as value")
        pid = db.server.embedded.postmaster_pid(home)
        os.kill(pid, signal.SIGKILL)
        psutil.Process(pid).wait(10) if psutil.pid_exists(pid) else None
        assert db.server.embedded.start(home) == dsn
        with connect(dsn) as connection:
            assert connection.execute("select value from kept").fetchone() == (7,)


def test_a_server_that_dies_while_it_is_joined_is_started_again(home: Path):
    with db.server.embedded.use(home) as dsn, ThreadPoolExecutor() as pool:
        pid = db.server.embedded.postmaster_pid(home)
        port = int(conninfo_to_dict(dsn)["port"])
        os.kill(pid, signal.SIGSTOP)  # it takes connections and says nothing
        joined = pool.submit(db.server.embedded.start, home)
        while not any(
            opened.raddr and opened.raddr.port == port and opened.status == psutil.CONN_ESTABLISHED
            for opened in psutil.Process().net_connections("tcp")
        ):
            pass
        os.kill(pid, signal.SIGKILL)
        assert joined.result() == dsn
        connect(dsn).close()


def test_a_server_that_takes_no_new_sessions_is_joined_once_it_was_started_again(home: Path):
    with db.server.embedded.use(home) as dsn, connect(dsn):
        os.kill(db.server.embedded.postmaster_pid(home), signal.SIGTERM)
        while not db.server.embedded.is_stopping(home):
            pass
        assert db.server.embedded.start(home) == dsn
        connect(dsn).close()


def test_a_wrong_password_is_refused_on_the_port(home: Path):
    with (
        db.server.embedded.use(home) as dsn,
        pytest.raises(psycopg.OperationalError, match="password"),
    ):
        psycopg.connect(dsn, password="guess")


def test_the_unix_socket_serves_the_same_database(home: Path):
    with db.server.embedded.use(home) as dsn, connect(dsn) as connection:
        folder = connection.execute("show unix_socket_directories").fetchone()[0]
        with connect(dsn, host=folder) as through_socket:
            assert through_socket.execute("select current_database()").fetchone() == (
                "optionscalp",
            )


def test_a_home_may_have_any_printable_name(home: Path):
    odd = home / "a\"q, do$lar `x` 'y' \\z"
    with db.server.embedded.use(odd) as dsn, connect(dsn) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert db.server.embedded.postmaster_pid(odd) is None


def test_a_home_with_a_line_break_is_refused_and_not_made(home: Path):
    with (
        pytest.raises(EmbeddedServerError, match="choose another home"),
        db.server.embedded.use(home / "two\nlines"),
    ):
        pass
    assert list(home.iterdir()) == []
