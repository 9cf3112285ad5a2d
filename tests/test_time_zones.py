"""The computer's time zone changes nothing: the tests of times pass in others as well.

`make test-zones` runs all tests in each zone; here are those that read, compute and tell times.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
OF_TIMES = (
    *("tests/strategy/test_session.py", "tests/strategy/test_clock.py"),
    *("tests/strategy/test_contract.py", "tests/strategy/test_frames.py"),
    *("tests/db/test_calendar.py", "tests/pipelines/test_trendlyne_parse.py"),
    *("tests/pipelines/test_tradingview_wire.py", "tests/chartserver/test_history_api.py"),
    "tests/chartserver/test_replay_api.py",
)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_times_are_the_same_in_every_time_zone(zone: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *OF_TIMES],
        cwd=PROJECT,
        env=os.environ | {"TZ": zone},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-5_000:]
    assert " passed" in run.stdout
