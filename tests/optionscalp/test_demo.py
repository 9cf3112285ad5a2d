"""The whole demo as one command: every part killed in mid-session, nothing lost, a clean end."""

import json
import os
import signal
import socket
from pathlib import Path

import psutil
import pytest
from psycopg.conninfo import make_conninfo

import db.server.embedded
from db.server.connection import connect, with_database
from optionscalp.stack import free_port
from tests.demo import Demo, demo
from tests.follower import Follower
from tests.live import optionscalp, wait_for_rows
from tests.long import in_full

STREAMED = {
    "candle": (
        "select symbol, interval_minutes, extract(epoch from open_time)::bigint, open, high, low,"
        " close, volume, final from candle where underlying = 'NIFTY'"
    ),
    "build_up": (
        "select symbol, extract(epoch from open_time)::bigint, close, open_interest, oi_change,"
        " volume, label from build_up where underlying = 'NIFTY'"
    ),
    "signal": (
        "select signal_id::text, symbol, entry, withdrawn_at is not null from signal"
        " where underlying = 'NIFTY'"
    ),
}

# Of what a stream without ladders has events of.
NEWEST = """
select max(seq) from change_log
 where underlying = 'NIFTY' and relation in ('candle', 'build_up', 'signal')
"""


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def keys(dsn: str) -> set:
    with connect(dsn) as connection:
        return set(
            connection.execute(
                "select symbol, interval_minutes, open_time, open from candle where final"
            ).fetchall()
        )


def streamed(follower: Follower) -> dict[str, set]:
    state: dict[str, set] = {"candle": set(), "build_up": set(), "signal": set()}
    for (kind, *key), row in follower.state.items():
        names = {
            "candle": ("o", "h", "l", "c", "v", "final"),
            "build_up": ("close", "oi", "oi_change", "volume", "label"),
            "signal": ("symbol", "entry"),
        }[kind]
        values = [row[name] for name in names]
        if kind == "signal":
            values.append(bool(row.get("withdrawn")))
        state[kind].add((*key, *values))
    return state


@pytest.mark.timeout(420)
def test_killing_each_part_in_mid_session_loses_nothing_and_repeats_nothing(
    home: Path, rounds: int
):
    dagster = ("--dagster-port", str(free_port()))
    speed = str(240 // rounds)
    with demo(home, "--speed", speed, "--underlying", "NIFTY", *dagster) as running:
        dsn = running.database()
        with connect(dsn) as connection:
            epoch = connection.execute("select epoch from feed_meta").fetchone()[0]
        follower = Follower(f"{running.url}/stream?underlying=NIFTY&since={epoch}:0")
        follower.start()
        stored: set = set()
        for _ in range(rounds):
            stored |= kill_each_part(running)
        wait_for_rows(running.database(), 1_000)
        assert stored <= keys(dsn)
        for words in ("-m pipelines", "dagster api grpc"):  # who writes; now the tables stand still
            os.killpg(running.part(words).pid, signal.SIGSTOP)
        expected = settled(dsn, follower)
        follower.stop()
        numbers = [int(name.split(":")[1]) for name in follower.ids]
        assert follower.resets == []
        assert follower.connections >= 2
        assert numbers == sorted(set(numbers))
        received = streamed(follower)
        assert {kind: received[kind] ^ rows for kind, rows in expected.items()} == dict.fromkeys(
            expected, frozenset()
        )


def settled(dsn: str, follower: Follower) -> dict[str, set]:
    """Return what is stored once the follower has heard of all of it.

    What the writers had sent off before they were stopped may still be stored.
    """
    with connect(dsn) as connection:
        while True:
            newest = connection.execute(NEWEST).fetchone()[0]
            follower.wait_for(newest)
            with connection.transaction():
                connection.execute("set transaction isolation level repeatable read")
                if connection.execute(NEWEST).fetchone()[0] == newest:
                    return {
                        kind: set(connection.execute(query).fetchall())
                        for kind, query in STREAMED.items()
                    }


def kill_each_part(running: Demo) -> set:
    """Kill part after part, each once the market has moved on; return the rows seen meanwhile."""
    stored: set = set()
    for words in ("-m pipelines", "-m chartserver", "dagster._daemon"):
        wait_for_rows(running.database(), 400)
        stored |= keys(running.database())
        running.part(words).kill()
        running.read_until("ended .SIGKILL.")
    wait_for_rows(running.database(), 400)
    stored |= keys(running.database())
    os.kill(db.server.embedded.postmaster_pid(running.folder), signal.SIGKILL)
    running.read_until("postgres ended")
    return stored


def test_ctrl_c_stops_every_part_within_seconds(home: Path):
    with demo(home, "--speed", "60", "--no-dagster") as running:
        family = psutil.Process(running.process.pid).children(recursive=True)
        postgres = psutil.Process(db.server.embedded.postmaster_pid(running.folder))
        assert len(family) >= 3
        running.process.send_signal(signal.SIGINT)
        running.process.wait(20)
        assert running.process.returncode == 0
        assert [part for part in [*family, postgres] if is_alive(part)] == []


def test_a_port_in_use_is_one_clear_line(home: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = optionscalp("demo", "--chart-port", port, home=home)
    assert result.returncode == 1
    assert f"port {port} cannot be used" in result.stderr
    assert "--chart-port" in result.stderr
    assert not (home / "demo").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--day", "2026-01-26"), "2026-01-26 is no trading day"),
        (("--data", "nowhere.parquet"), "nowhere.parquet"),
        (("--day", "2030-01-02"), "the calendar covers 2020 to 2026"),
    ],
)
def test_a_day_that_cannot_be_played_is_one_clear_line(home: Path, arguments, message):
    ports = ("--chart-port", str(free_port()), "--no-dagster")
    result = optionscalp("demo", *ports, *arguments, home=home)
    assert result.returncode == 1
    errors = [line for line in result.stderr.splitlines() if not line.startswith("INFO")]
    assert len(errors) == 1
    assert message in errors[0]


def test_an_unknown_underlying_is_wrong_usage(home: Path):
    result = optionscalp("demo", "--underlying", "SENSEX", home=home)
    assert result.returncode == 2
    assert "known: NIFTY, BANKNIFTY" in result.stderr


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("UNDERLYINGS", "NIFTY, SENSEX", "SENSEX"),
        ("CANDLE_WINGS", "many", "CANDLE_WINGS"),
        ("CHART_HOST", "0.0.0.0", "CHART_TOKEN"),
        ("OPTIONSCALP_CLOCK", "noon", "OPTIONSCALP_CLOCK"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(home: Path, variable, value, message):
    port = str(free_port())
    result = optionscalp("up", "--no-dagster", "--chart-port", port, home=home, **{variable: value})
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("content", [None, b"", b"two words", b"\xff\xfe\x00"])
def test_a_token_that_cannot_be_used_starts_nothing(home: Path, tmp_path: Path, content):
    path = tmp_path / "upstox.token"
    path.mkdir() if content is None else path.write_bytes(content)
    port = str(free_port())
    environment = {"SOURCES": "upstox", "UPSTOX_TOKEN_FILE": str(path)}
    result = optionscalp("up", "--no-dagster", "--chart-port", port, home=home, **environment)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "upstox.token" in result.stderr
    assert "log in to Upstox again" in result.stderr
    assert not (home / "postgres").exists()


def test_a_malformed_database_address_is_refused_without_repeating_its_password(home: Path):
    result = optionscalp("status", home=home, DATABASE_URL="postgresq://me:sekret@here/db")
    assert result.returncode == 1
    assert "DATABASE_URL" in result.stderr
    assert "sekret" not in result.stderr + result.stdout


@in_full
def test_a_second_demo_does_not_take_the_firsts_database(home: Path):
    with demo(home, "--no-dagster") as running:
        ports = ("--chart-port", str(free_port()), "--no-dagster")
        second = optionscalp("demo", *ports, home=home)
        assert second.returncode == 1
        assert "a demo runs in" in second.stderr
        assert keys(running.database()) is not None


def test_the_demo_refuses_a_database_with_real_rows(home: Path, connection):
    name = connection.info.dbname
    connection.execute(
        "insert into raw_payload (source, request, session, received_at, sha256, body)"
        " values ('tradingview', 'x', '2026-01-21', now(), '', '')"
    )
    with connect(
        connection.info.dsn, dbname="postgres", password=connection.info.password
    ) as admin:
        connection.close()
        admin.execute(f"alter database {name} rename to {name}_demo")
        address = with_database(admin_dsn(admin), f"{name}_demo")
        ports = ("--chart-port", str(free_port()), "--no-dagster")
        result = optionscalp("demo", *ports, home=home, DATABASE_URL=address)
        admin.execute(f"alter database {name}_demo rename to {name}")
    assert result.returncode == 1
    assert "holds rows from tradingview" in result.stderr


def admin_dsn(connection) -> str:
    return make_conninfo(connection.info.dsn, password=connection.info.password)


def test_an_unreachable_database_is_one_clear_line(home: Path):
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    for command in (("status",), ("migrate",), ("demo", "--no-dagster")):
        result = optionscalp(*command, home=home, DATABASE_URL=url)
        assert result.returncode == 1, command
        assert "no database at 127.0.0.1" in result.stderr
        assert "DATABASE_URL" in result.stderr
        assert "Traceback" not in result.stderr


def test_status_of_an_empty_installation_is_readable_by_programs(home: Path):
    result = optionscalp("status", "--json", home=home)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["stored"]["candles"] == 0
