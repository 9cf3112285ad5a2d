"""Places that cannot be used: one clear line with a remedy, whatever the command."""

from pathlib import Path

import pytest

from optionscalp.stack import free_port
from tests.live import optionscalp

COMMANDS = {
    "status": (),
    "demo": ("--no-dagster",),
    "up": ("--no-dagster",),
    "migrate": (),
    "psql": ("-c", "select 1"),
    "backup": ("x.dump",),
    "doctor": (),
    "probe": (),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["no folder", "below a file"])
def test_a_home_that_cannot_be_used_is_one_line_with_a_remedy(home: Path, command: str, kind: str):
    file = home / "a file"
    file.touch()
    place = file if kind == "no folder" else file / "x"
    nobody = {
        "TRADINGVIEW_URL": "ws://127.0.0.1:9/socket.io/websocket",
        "TRENDLYNE_URL": "http://127.0.0.1:9",
        "CHART_PORT": str(free_port()),
    }
    result = optionscalp(command, *COMMANDS[command], home=place, **nobody)
    told = result.stderr + (result.stdout if command == "doctor" else "")
    assert result.returncode == 1
    # A backup makes no home: it says that there is none.
    told_of = ("cannot be used", "cannot be written", "nothing is stored in")
    assert any(words in told for words in told_of)
    assert "OPTIONSCALP_HOME" in told
    assert "Traceback" not in told
    if command != "doctor":
        assert len([line for line in told.splitlines() if line.startswith("error: ")]) == 1


def test_a_backup_below_a_file_is_one_line(home: Path, database: str):
    file = home / "a file"
    file.touch()
    result = optionscalp("backup", str(file / "x.dump"), home=home, DATABASE_URL=database)
    assert result.returncode == 1
    assert "a file/x.dump" in result.stderr.replace("\n", "")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("content", ["", "b\x00d"])
def test_a_password_that_was_emptied_is_named_by_its_file(home: Path, content: str):
    (home / "postgres.password").write_text(content)
    result = optionscalp("migrate", home=home)
    assert result.returncode == 1
    assert "postgres.password holds no password of ours" in result.stderr
    assert "delete it" in result.stderr


@pytest.mark.parametrize("command", ["demo", "up"])
def test_one_port_for_both_is_one_line_at_the_start(home: Path, command: str):
    port = str(free_port())
    result = optionscalp(command, "--chart-port", port, "--dagster-port", port, home=home)
    assert result.returncode == 1
    assert f"cannot both have port {port}" in result.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_that_is_none_of_this_machine_is_one_line_at_the_start(home: Path, host: str):
    own = {"CHART_HOST": host, "CHART_TOKEN": "a secret of many letters"}
    result = optionscalp("demo", "--no-dagster", "--chart-port", str(free_port()), home=home, **own)
    assert result.returncode == 1
    assert f"cannot listen on {host}" in result.stderr
    assert "set CHART_HOST" in result.stderr


def test_doctor_looks_at_the_home_that_is_named(home: Path):
    file, missing = home / "a file", home / "missing"
    file.touch()
    at_file = optionscalp("doctor", "--home", str(file), home=missing)
    assert f"{file} cannot be used" in at_file.stdout
    at_demo = optionscalp("doctor", "--demo", home=missing)
    assert f"no demo has kept anything in {missing / 'demo'}" in at_demo.stdout
    assert (at_file.returncode, at_demo.returncode) == (1, 1)
    assert not missing.exists()
