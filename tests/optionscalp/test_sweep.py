"""`sweep`: each combination as if computed alone, by one process or several, and luck told."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from db.market.frames import Range
from db.server.connection import connect
from optionscalp.cli import app
from pipelines.signals.grid import combinations, parse_grid
from pipelines.signals.outcomes import materialise_outcomes
from strategy.contract import UNDERLYINGS
from strategy.errors import ParameterError
from strategy.luck import Trials, luck_of_best
from tests.faulty import copied
from tests.random_day import SESSION, store_day

DAYS = [SESSION, SESSION + timedelta(days=1), SESSION + timedelta(days=2)]
DATES = ("--from", f"{DAYS[0]}", "--to", f"{DAYS[-1]}")
GRID = ("--set", "spike_factor=1.5,2", "--set", "stop_points.NIFTY=5,20")
SWEEP = ("sweep", "--strategy", "delta_volume", *DATES, *GRID, "--workers", "1")
WAITING = (
    "select count(*) from pg_locks where not granted and relation = 'empty_interval'::regclass"
)
WRONG_ROW = """
insert into build_up values ('NIFTY260127C25000', %(at)s, 'NIFTY', %(at)s, -1, 65, null, 65, 'none',
                             'import', %(at)s)
"""


@pytest.fixture(scope="module")
def stored(fresh_database) -> Iterator[str]:
    """Two sessions with candles of their contracts; the third has no rows."""
    with fresh_database() as dsn:
        with connect(dsn) as connection:
            for seed, session in zip((6, 25), DAYS, strict=False):
                store_day(connection, seed, session)
        yield dsn


@pytest.fixture
def copy(server_dsn: str, stored: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with copied(server_dsn, stored) as dsn:
        monkeypatch.setenv("DATABASE_URL", dsn)
        yield dsn


def read(*arguments: str) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def sql(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with connect(dsn) as connection:
        return connection.execute(query).fetchall()


def test_each_combination_gives_what_computing_it_alone_and_its_outcomes_give(copy: str):
    told = read(*SWEEP)
    assert (told["combinations"], told["sessions"]) == (4, 2)
    assert sql(copy, "select count(*) from signal") == [(0,)]
    assert sql(copy, "select count(*) from strategy_version") == [(0,)]
    for factor, points in product((1.5, 2), (5, 20)):
        numbers = (f"spike_factor={factor}", f"stop_points.NIFTY={points}")
        changes = [part for number in numbers for part in ("--set", number)]
        read("signals", *DATES, "--strategy", "delta_volume", *changes)
    with connect(copy) as connection:
        materialise_outcomes(connection, Range(DAYS[0], DAYS[-1]), UNDERLYINGS)
    expected = {
        row[0]: row[1:]
        for row in sql(
            copy,
            "select s.version, count(*), count(*) filter (where exit_reason <> 'not_entered'),"
            " count(*) filter (where hit), round(sum(return_points)::numeric, 6)"
            " from signal s left join signal_outcome o"
            "   on o.signal_id = s.signal_id and o.horizon_minutes = 15 group by 1",
        )
    }
    found = {
        one["version"]: tuple(
            one[name] for name in ("signals", "entered", "hits", "total_return_points")
        )
        for one in told["results"]
    }
    assert len(found) == 4
    assert found == {name: (*row[:3], float(row[3])) for name, row in expected.items()}
    assert all(one["entered"] > 0 for one in told["results"])


def test_several_processes_give_what_one_gives_and_all_of_it_is_stored(copy: str):
    alone, together = (read(*SWEEP, "--workers", workers) for workers in ("1", "2"))
    for name in ("results", "warning", "combinations", "sessions"):
        assert alone[name] == together[name]
    columns = "combinations, sessions, warning, strategy, code_version"
    row = (4, 2, alone["warning"], "delta_volume", "2")
    assert sql(copy, f"select {columns} from sweep") == [row, row]
    columns = ", ".join(alone["results"][0])
    stored = sql(copy, f"select {columns} from sweep_result where sweep_id = {alone['sweep_id']}")
    told = {one["version"]: json.loads(json.dumps(one)) for one in alone["results"]}
    assert len(stored) == 4
    for row in stored:
        values = json.loads(json.dumps(dict(zip(told[row[0]], row, strict=True)), default=str))
        assert values == told[row[0]]


def test_the_table_is_sorted_by_what_is_asked_and_luck_is_told(copy: str):
    means = [one["mean_return_points"] for one in read(*SWEEP)["results"]]
    assert means == sorted(means, reverse=True)
    counts = [one["signals"] for one in read(*SWEEP, "--sort", "signals")["results"]]
    assert counts == sorted(counts, reverse=True)
    result = CliRunner().invoke(app, [*SWEEP, "--horizon", "0"])
    assert result.exit_code == 0
    assert "4 combinations on 2 sessions, until the session's end after entry" in result.stdout
    assert "by mean-return" in result.stdout
    assert "4 combinations tried: the best of many is luck." in result.stderr
    assert "is expected to give a best hit rate of about" in result.stderr


def test_wrong_sessions_are_left_out_and_named(copy: str):
    with connect(copy) as connection:
        connection.execute("update build_up set close = -1 where open_time < '2026-01-22'")
    result = CliRunner().invoke(app, [*SWEEP, "--json"])
    told = json.loads(result.stdout)
    assert told["sessions"] == 1
    assert told["held_back"] == {f"{DAYS[0]}": ["build_up/prices_are_sane"]}
    assert f"{DAYS[0]}: " in result.stderr


def test_nothing_to_compute_is_told_and_nothing_stored(copy: str):
    result = subprocess.run(
        [sys.executable, "-m", "optionscalp.cli", *SWEEP, "--from", f"{DAYS[2]}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "error: nothing to compute from" in result.stderr
    assert sql(copy, "select count(*) from sweep") == [(0,)]


def test_ctrl_c_ends_all_processes_and_stores_nothing(copy: str, tmp_path: Path):
    with connect(copy) as blocker, connect(copy) as watcher:
        # A wrong session, so that the command tells when it is about to start its workers.
        blocker.execute(WRONG_ROW, {"at": f"{DAYS[2]} 10:00+05:30"})
        with sweeping(tmp_path) as sweep:
            while watcher.execute("select count(*) from check_state").fetchone() == (0,):
                assert sweep.poll() is None
            with blocker.transaction():
                blocker.execute("lock table empty_interval")  # which only the workers read
                while watcher.execute(WAITING).fetchone() != (2,):
                    assert sweep.poll() is None
                workers = psutil.Process(sweep.pid).children(recursive=True)
                os.killpg(sweep.pid, signal.SIGINT)
            _, problems = sweep.communicate(timeout=60)
    assert sweep.returncode == 130
    assert b"Traceback" not in problems
    assert len(workers) >= 2
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    assert sql(copy, "select count(*) from sweep") == [(0,)]


@contextmanager
def sweeping(home: Path) -> Iterator[subprocess.Popen]:
    """Run a sweep in two processes, in a process group of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "optionscalp.cli", *SWEEP, "--workers", "2"],
        env=os.environ | {"OPTIONSCALP_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--set", "spike_factor"), "write NAME=VALUE"),
        (("--set", "spike_factor=NaN"), "write NAME=VALUE"),
        (("--set", "wings=1,2", "--set", "wings=3"), "named twice"),
        (("--set", "wing=1"), "no parameter wing"),
        (("--set", "wings=-1,1"), "make no sense"),
        (("--set", "wings=1,11"), "make no sense"),
        (("--set", "stop_points.NIFTTY=5"), "there are losing_trades, level_unit"),
        (("--set", "first_target_points=-5,30"), "first_target_points must be above 0"),
        (("--set", "first_target_points=70"), "targets must ascend"),
        (("--set", "tick_size=1000"), "no less than a tick"),
        (("--set", "spike_factor=1e999"), "not a number to compute with"),
        (("--set", f"spike_window={10**20}"), "not a number to compute with"),
        (("--set", "wings=1", "--horizon", "7"), "one of 5, 15, 30 and 0"),
    ],
)
def test_a_wrong_grid_is_wrong_usage(options: tuple[str, ...], problem: str):
    result = CliRunner().invoke(
        app, ["sweep", "--strategy", "delta_volume", *DATES, *options], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 2
    assert problem in result.stderr


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_a_grid_has_every_combination_once(sizes: list[int]):
    names = ("spike_factor", "wings", "stop_points.BANKNIFTY")
    texts = [
        f"{name}={','.join(str(n + 1) for n in range(size))}"
        for name, size in zip(names, sizes, strict=False)
    ]
    plans = combinations("delta_volume", parse_grid(texts))
    expected = 1
    for size in sizes:
        expected *= size
    assert len({plan.parameters.params_hash() for plan in plans}) == len(plans) == expected


def test_a_grid_has_texts_and_switches_as_a_person_writes_them():
    grid = parse_grid(["side=calls,puts", "strict=true,false", 'label="5",a b', "points=1, 2.5"])
    assert grid == {
        "side": ["calls", "puts"],
        "strict": [True, False],
        "label": ["5", "a b"],
        "points": [1, 2.5],
    }


def test_equal_values_are_one_combination():
    assert len(combinations("delta_volume", parse_grid(["spike_factor=2,2.0,3"]))) == 2
    with pytest.raises(ParameterError):
        parse_grid(["=1"])


def test_an_interval_of_the_best_is_wider_than_of_one_alone():
    assert Trials(8, 20).interval() == pytest.approx((0.2188065, 0.6134185), abs=1e-6)
    low, high = Trials(8, 20).interval(27)
    assert low < 0.21
    assert high > 0.62
    assert Trials(0, 0).interval() is None
    assert Trials(0, 5).interval()[0] == 0
    assert Trials(5, 5).interval(9)[1] == 1


def test_the_best_of_many_coins_is_expected_above_one_half():
    (alone,) = [luck_of_best([Trials(5, 10)])]
    assert alone.expected_best == pytest.approx(0.5, abs=0.001)
    # Two fair coins, one toss each: the better one shows heads in three of four cases.
    two = luck_of_best([Trials(1, 1), Trials(0, 1)])
    assert (two.rate, two.chance) == (0.5, pytest.approx(0.75))
    assert two.expected_best == pytest.approx(0.75, abs=0.001)
    many = luck_of_best([Trials(5, 10)] * 50)
    assert 0.8 < many.expected_best < 1
    assert luck_of_best([Trials(0, 0)]) is None
