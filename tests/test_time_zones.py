"""The computer's time zone changes nothing: the tests of times pass in others as well.

`make test-zones` runs all tests in each zone; here are those that read, compute and tell times.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.long import in_full

PROJECT = Path(__file__).parent.parent
OF_TIMES = (
    *("tests/strategy/test_session.py", "tests/strategy/test_clock.py"),
    *("tests/strategy/test_contract.py", "tests/strategy/test_frames.py"),
    *(
        "tests/db/market/test_calendar.py",
        "tests/pipelines/sources/trendlyne/test_trendlyne_parse.py",
    ),
    *(
        "tests/pipelines/sources/tradingview/test_tradingview_wire.py",
        "tests/chartserver/test_history_api.py",
    ),
    "tests/chartserver/test_replay_api.py",
)


def start(zone: str) -> subprocess.Popen:
    """Start those tests under a time zone."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *OF_TIMES],
        cwd=PROJECT,
        env=os.environ | {"TZ": zone},
        stdout=subprocess.PIPE,
        text=True,
    )


@in_full
def test_times_are_the_same_in_every_time_zone() -> None:
    runs = {zone: start(zone) for zone in ("Asia/Kolkata", "America/New_York")}
    told = {zone: run.communicate()[0] for zone, run in runs.items()}
    for zone, run in runs.items():
        assert run.returncode == 0, f"{zone}\n{told[zone][-5_000:]}"
