"""`optionscalp strategy new`: what it writes works at once, and it overwrites nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.catalogue.catalogue import find
from tests.live import optionscalp
from tests.long import in_full


def new(name: str, home: Path, folder: Path | None = None, **environment: str):
    options = ("--folder", str(folder)) if folder else ()
    return optionscalp("strategy", "new", name, *options, home=home, **environment)


def test_what_is_written_is_found_and_its_test_passes(tmp_path: Path):
    folder = tmp_path / "mine"
    written = new("breakout", tmp_path, folder)
    assert written.returncode == 0, written.stderr
    assert f"wrote {folder / 'breakout.py'} and test_breakout.py" in written.stdout
    found = find(folder)
    assert found.faults == []
    assert found.entries["breakout"].origin.module == "breakout.py"
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert tests.returncode == 0, tests.stdout
    assert "5 passed" in tests.stdout


@in_full
def test_the_folder_of_the_environment_is_the_usual_one(tmp_path: Path):
    folder = tmp_path / "mine"
    missing = new("breakout", tmp_path, STRATEGIES_DIR=str(folder))
    assert missing.returncode == 1
    assert f"STRATEGIES_DIR: {folder} is no folder: create it" in missing.stderr
    folder.mkdir()
    assert new("breakout", tmp_path, STRATEGIES_DIR=str(folder)).returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == ["breakout.py", "test_breakout.py"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Breakout", "'Breakout' is no name"),
        ("../up", "'../up' is no name"),
        ("test_it", "'test_it' is no name"),
        ("", "'' is no name"),
        ("pullback", "there is a strategy pullback"),
    ],
)
def test_a_wrong_name_is_one_clear_line(tmp_path: Path, name: str, problem: str):
    told = new(name, tmp_path, tmp_path)
    assert told.returncode == 1
    assert problem in told.stderr
    assert told.stderr.strip().count("\n") == 0
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path):
    (tmp_path / "test_breakout.py").write_text("mine")
    told = new("breakout", tmp_path, tmp_path)
    assert told.returncode == 1
    assert "is there: remove it, or choose another name" in told.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["test_breakout.py"]


def test_no_folder_at_all_is_one_clear_line(tmp_path: Path):
    told = new("breakout", tmp_path, STRATEGIES_DIR="")
    assert (told.returncode, told.stdout) == (1, "")
    assert "set STRATEGIES_DIR, or give --folder" in told.stderr
