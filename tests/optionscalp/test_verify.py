"""`parity` and `lookahead` as their users see them: verdicts, first differences, exit codes."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from db.server.connection import connect
from optionscalp.cli import app
from pipelines.catalogue.catalogue import OUR_ORIGIN, Entry
from pipelines.catalogue.catalogue import STRATEGIES as CATALOGUE
from pipelines.catalogue.fault import Origin
from strategy.registry import STRATEGIES
from tests.faulty import copied
from tests.random_day import SESSION, store_day

NEXT = SESSION + timedelta(days=1)
EMPTY = NEXT + timedelta(days=1)
DELTA_VOLUME = STRATEGIES["delta_volume"]
HOUR = (
    "insert into calendar_override values ('session', %s, null, '09:15', '10:30', null, 'a test')"
)


@pytest.fixture(scope="module")
def stored(fresh_database) -> Iterator[str]:
    """Two stored sessions of an hour and a quarter, with their signals."""
    with fresh_database() as dsn, pytest.MonkeyPatch.context() as patch:
        with connect(dsn) as connection:
            for seed, session in ((6, SESSION), (25, NEXT)):
                connection.execute(HOUR, (session,))
                store_day(connection, seed, session)
        patch.setenv("DATABASE_URL", dsn)
        result = CliRunner().invoke(app, ["signals", "--from", f"{SESSION}", "--to", f"{NEXT}"])
        assert result.exit_code == 0, result.output
        yield dsn


@pytest.fixture
def copy(server_dsn: str, stored: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A copy that the test may change, which the commands work on."""
    with copied(server_dsn, stored) as dsn:
        monkeypatch.setenv("DATABASE_URL", dsn)
        yield dsn


def run(command: str, *arguments: str) -> Result:
    strategy = () if "--strategy" in arguments else ("--strategy", "delta_volume")
    result = CliRunner().invoke(app, [command, *arguments, *strategy])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def read(command: str, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    result = run(command, *arguments, "--json")
    return result.exit_code, json.loads(result.stdout)


def change(dsn: str, query: str) -> None:
    with connect(dsn) as connection:
        assert connection.execute(query).rowcount > 0


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Add Delta Volume with another form as a strategy of its own, for one test."""

    def add(origin: Origin = OUR_ORIGIN, **forms: Any) -> None:
        odd = Entry(replace(DELTA_VOLUME, **forms), origin)
        found = CATALOGUE.found._replace(entries={**CATALOGUE.found.entries, "odd": odd})
        monkeypatch.setitem(vars(CATALOGUE), "found", found)

    return add


def test_stored_sessions_pass_and_every_check_says_over_what(copy: str):
    result = run("parity", "--from", f"{SESSION}", "--to", f"{NEXT}")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{SESSION} delta_volume 2: ")
    assert [line.split(":")[0].strip() for line in lines[1:5]] == [
        *("stored = batch", "step = batch", "restarted = batch", "in order of known_at = batch")
    ]
    assert all(": equal (" in line for line in lines[1:5])
    assert lines[-1] == "parity: of 2 sessions 2 equal"


def test_lookahead_passes_and_says_how_many_moments_it_tried(copy: str):
    result = run("lookahead", "--session", f"{NEXT}")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("equal (moments: 15)") == 2
    assert "alone = after earlier sessions: equal (earlier sessions: 1)" in result.stdout
    code, (sampled,) = read("lookahead", "--session", f"{SESSION}", "--every", "4")
    assert code == 0
    cut, poisoned = sampled["checks"][1:3]
    assert (cut["tried"], cut["total"]) == (poisoned["tried"], poisoned["total"]) == (4, 15)
    assert sampled["checks"][-1]["verdict"] == "not compared"  # no session is stored before


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ("update signal set stop = stop + 0.05", "stop"),
        ("update signal set known_at = known_at + interval '1 microsecond'", "known_at"),
        ('update signal set reasons = reasons || \'{"reference": "future"}\'', "reasons"),
        ("update signal set withdrawn_at = known_at", "row"),
        ("delete from signal_rejection", "row"),
        ("update signal_rejection set details = '{}'", "details"),
    ],
)
def test_a_row_changed_by_hand_is_found_with_its_column(copy: str, query: str, column: str):
    change(copy, query)
    code, (found,) = read("parity", "--session", f"{SESSION}")
    assert code == 1
    assert found["verdict"] == "different"
    verdicts = {check["claim"]: check["verdict"] for check in found["checks"]}
    assert verdicts.pop("stored = batch") == "different"
    assert set(verdicts.values()) == {"equal"}
    first = found["checks"][0]["difference"]
    assert first["column"] == column
    assert first["expected"] != first["found"]


def test_the_first_difference_is_one_readable_line(copy: str):
    change(copy, "update signal set entry = 1.05")
    result = run("parity", "--session", f"{SESSION}")
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if "first:" in line]
    assert f"first: signal {SESSION} " in line
    assert " IST " in line
    assert line.endswith(" and is 1.05")
    assert ": entry should be " in line
    assert result.stdout.splitlines()[-1] == "parity: of 1 sessions 0 equal, 1 different"


def test_a_correction_without_new_signals_is_found(copy: str):
    change(copy, "update build_up set volume = 0")
    assert read("parity", "--session", f"{SESSION}")[0] == 1
    signals = CliRunner().invoke(app, ["signals", "--from", f"{SESSION}", "--to", f"{SESSION}"])
    assert signals.exit_code == 0
    code, (found,) = read("parity", "--session", f"{SESSION}")
    assert (code, found["signals"]) == (0, 0)


def test_a_session_whose_signals_were_never_computed_is_not_compared(copy: str):
    change(copy, "delete from signal")
    change(copy, "delete from signal_rejection")
    code, (found,) = read("parity", "--session", f"{SESSION}")
    assert (code, found["verdict"]) == (1, "not compared")
    assert found["reason"].startswith("no signals of it were stored")


def test_signals_whose_data_is_gone_are_no_session_without_rows(copy: str):
    change(copy, "delete from build_up")
    change(copy, "delete from candle")
    code, (found,) = read("parity", "--session", f"{SESSION}")
    assert (code, found["verdict"]) == (1, "different")
    assert found["checks"][0]["difference"]["expected"] == "no such row"


def test_sessions_without_rows_or_with_wrong_ones_are_said_and_no_pass(copy: str):
    empty = run("parity", "--session", f"{EMPTY}")
    assert empty.exit_code == 1
    assert f"{EMPTY} delta_volume 2: not compared: no build-ups are stored" in empty.stdout
    change(copy, "update build_up set close = -1 where open_time < '2026-01-22'")
    for command in ("parity", "lookahead"):
        result = run(command, "--from", f"{SESSION}", "--to", f"{NEXT}")
        assert result.exit_code == 1
        why = "these checks fail: build_up/prices_are_sane"
        assert f"{SESSION}: not compared: {why}" in result.stdout
        assert f"{command}: of 2 sessions 1 equal, 1 not compared" in result.stdout
    # The wrong session is not what the next one is warmed up with either.
    _, (found,) = read("lookahead", "--session", f"{NEXT}")
    assert found["checks"][-1]["verdict"] == "not compared"


def test_other_numbers_are_proved_as_well(copy: str):
    numbers = ("--strategy", "delta_volume", "--set", "spike_factor=1.5")
    dates = ("--from", f"{SESSION}", "--to", f"{SESSION}")
    code, (missing,) = read("parity", "--session", f"{SESSION}", *numbers)
    assert code == 1
    assert missing["version"].startswith("2+")
    assert missing["checks"] == []
    assert "signals" in missing["reason"]
    assert run("signals", *dates, *numbers).exit_code == 0
    assert read("parity", "--session", f"{SESSION}", *numbers)[0] == 0


def test_all_live_versions_are_proved_where_none_is_named(copy: str):
    result = CliRunner().invoke(app, ["parity", "--session", f"{SESSION}", "--json"])
    named = {(one["strategy"], one["version"]) for one in json.loads(result.stdout)}
    assert named == {(one.name, one.version) for one in STRATEGIES.values()}
    assert result.exit_code == 0


def test_a_strategy_that_looks_ahead_is_caught_and_named(copy: str, register):
    def peeking(frames: Any, numbers: Any) -> Any:
        signals, rejections = DELTA_VOLUME.evaluate(frames, numbers)
        last = frames.build_ups.groupby("symbol")["close"].last()
        return [row._replace(target2=float(last[row.symbol])) for row in signals], rejections

    register(evaluate=peeking)
    result = run("lookahead", "--session", f"{SESSION}", "--strategy", "odd")
    assert result.exit_code == 1
    assert "  cut after t = full run up to t: different (" in result.stdout
    assert ": target2 should be " in result.stdout


def test_a_strategy_that_remembers_the_end_of_a_day_is_caught(copy: str, register):
    ends: dict[str, float] = {}

    def remembering(frames: Any, numbers: Any) -> Any:
        signals, rejections = DELTA_VOLUME.evaluate(frames, numbers)
        for symbol, close in frames.build_ups.groupby("symbol")["close"].last().items():
            ends.setdefault(symbol, float(close))  # of the first frames that it ever sees
        return [row._replace(target2=ends[row.symbol]) for row in signals], rejections

    register(Origin("odd.py", "1"), name="odd", evaluate=remembering)
    result = run("lookahead", "--session", f"{SESSION}", "--strategy", "odd")
    assert "  cut after t = full run up to t: different (" in result.stdout
    assert ends == {}


def test_a_strategy_that_ends_its_process_ends_no_proof(copy: str, register):
    register(Origin("odd.py", "1"), name="odd", evaluate=lambda *_: os._exit(0))
    result = run("lookahead", "--session", f"{SESSION}", "--strategy", "odd")
    assert "ended its process" in result.stdout
    assert result.exit_code == 1


def test_a_step_that_differs_from_its_batch_is_caught_and_named(copy: str, register):
    def step(state: Any, interval: Any, numbers: Any) -> Any:
        state, signals, rejections = DELTA_VOLUME.step(state, interval, numbers)
        return state, [row._replace(kind="other") for row in signals], rejections

    register(step=step)
    result = run("parity", "--session", f"{SESSION}", "--strategy", "odd")
    assert result.exit_code == 1
    assert "  stored = batch: equal" in result.stdout
    assert "  step = batch: different (" in result.stdout
    assert 'kind should be "short_covering" and is "other"' in result.stdout


def test_a_proof_changes_no_rows(copy: str):
    def counts() -> list[tuple[Any, ...]]:
        query = "select (select count(*) from change_log), (select count(*) from strategy_version)"
        with connect(copy) as connection:
            return connection.execute(query).fetchall()

    before = counts()
    run("parity", "--session", f"{SESSION}", "--set", "wings=2")
    run("lookahead", "--session", f"{SESSION}", "--every", "15")
    assert counts() == before


def proofs(dsn: str) -> list[tuple[Any, ...]]:
    with connect(dsn) as connection:
        return connection.execute(
            "select session, proof, equal from strategy_proof where strategy = 'delta_volume'"
            " order by session, proof"
        ).fetchall()


def status(dsn: str) -> tuple[Any, ...]:
    with connect(dsn) as connection:
        return connection.execute(
            "select status, parity_sessions, lookahead_sessions, different_sessions, last_session"
            " from strategy_proof_status where strategy = 'delta_volume'"
        ).fetchone()


def test_what_was_proved_stands_beside_the_version(copy: str):
    assert status(copy) == ("unproved", 0, 0, 0, None)
    run("parity", "--session", f"{SESSION}")
    run("lookahead", "--session", f"{SESSION}", "--every", "5")
    assert proofs(copy) == [(SESSION, "parity", True)], "a sample is no proof"
    run("lookahead", "--session", f"{NEXT}")
    assert status(copy) == ("proved", 1, 1, 0, NEXT)
    change(copy, f"update signal set stop = stop + 0.05 where session = '{SESSION}'")
    run("parity", "--session", f"{SESSION}")
    assert proofs(copy) == [(SESSION, "parity", False), (NEXT, "lookahead", True)]
    assert status(copy) == ("different", 0, 1, 1, NEXT)
