"""Strategies that fail, hang or end their process: candles go on, and each is off by its name."""

from datetime import date
from pathlib import Path

import pytest

from db.server.connection import connect
from tests.live import FAST, feed, grows, simulated_market, wait_for_rows
from tests.rules import write_rule

DAY = date(2026, 1, 21)
NAMES = ("NIFTY",)
SPEED = 60
WRONG = {
    "raises": "raise RuntimeError('broken')",
    "sleeps": "import time; time.sleep(600)",
    "loops": "while True: pass",
    "ends": "import os; os._exit(7)",
    "hides": "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN); exec(LOOP)",
}
LOOP = '\n\nLOOP = """\nwhile True:\n    pass\n"""\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound strategy, and some that are wrong each in its way."""
    folder = tmp_path_factory.mktemp("strategies")
    write_rule(folder, "sound")
    for name, line in WRONG.items():
        path = write_rule(folder, name, line)
        path.write_text(path.read_text() + LOOP)
    (folder / "broken.py").write_text("import nowhere_to_be_found\n")
    return folder


def test_wrong_strategies_are_off_by_name_while_candles_and_others_go_on(
    database: str, folder: Path
):
    with simulated_market(database, DAY, SPEED, *FAST, minutes_in=30, underlyings=NAMES) as market:
        market.environment["STRATEGIES_DIR"] = str(folder)
        with feed(market), connect(database) as connection:
            told: dict[str, str] = {}
            while told.keys() != {*WRONG, "broken.py"}:
                # While one strategy hangs, forming candles are written all the time.
                assert grows(database, 20, 30, "candle"), told
                told = {
                    strategy or module: problem
                    for module, strategy, problem in connection.execute(
                        "select module, strategy, problem from strategy_fault"
                    )
                }
            wait_for_rows(database, 1, "signal")
            found = connection.execute("select distinct strategy from signal").fetchall()
    assert told == {
        "broken.py": (
            "ModuleNotFoundError: No module named 'nowhere_to_be_found' (broken.py, line 1)"
        ),
        "raises": "RuntimeError: broken (raises.py, line 23)",
        "sleeps": "took longer than 2 seconds",
        "loops": "took longer than 2 seconds",
        "ends": "ended its process",
        "hides": "took too long, and could not be interrupted",
    }
    assert ("sound",) in found
    assert not {(name,) for name in WRONG} & set(found)
