"""`holdout` and `sweep --walk-forward`: sealed sessions stay out until a version is registered."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from db.server.connection import connect
from optionscalp.cli import app
from strategy.session import sessions_between
from tests.faulty import copied
from tests.random_day import store_day

# The rows of test days expire on 27 January: all of these weeks belong to it.
DAYS = sessions_between(date(2026, 1, 5), date(2026, 1, 23))
SEEN, HELD = DAYS[:4], DAYS[4:]
# Random days of that expiry alone, each with some signals.
SEEDS = (2, 5, 6, 8, 9, 11, 14, 17, 29, 32, 35, 36, 38, 47)
ALL = ("--from", f"{DAYS[0]}", "--to", f"{DAYS[-1]}")
HOLDOUT = ("--from", f"{HELD[0]}", "--to", f"{HELD[-1]}")
GRID = ("--set", "spike_factor=1.5,2,3", "--set", "stop_points.NIFTY=5,20")
SHORT = ("--from", f"{DAYS[0]}", "--to", f"{DAYS[5]}")
SWEEP = ("sweep", "--strategy", "delta_volume", *ALL, *GRID, "--workers", "1")
SHORT_SWEEP = ("sweep", "--strategy", "delta_volume", *SHORT, *GRID, "--workers", "1")
OURS = ("--strategy", "delta_volume", "--set", "spike_factor=1.5")


@pytest.fixture(scope="module")
def stored(fresh_database) -> Iterator[str]:
    """Fourteen sessions with candles of their contracts."""
    with fresh_database() as dsn:
        with connect(dsn) as connection:
            for seed, session in zip(SEEDS, DAYS, strict=True):
                store_day(connection, seed, session)
        yield dsn


@pytest.fixture
def copy(server_dsn: str, stored: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with copied(server_dsn, stored) as dsn:
        monkeypatch.setenv("DATABASE_URL", dsn)
        yield dsn


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})


def read(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def sql(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with connect(dsn) as connection:
        return connection.execute(query).fetchall()


def test_a_walk_forward_chooses_on_some_sessions_and_judges_the_next(copy: str):
    told = read(*SWEEP, "--walk-forward", "6,4")
    walked = told["walk_forward"]
    rows = sql(copy, "select params_hash, session, entered, total_points from sweep_session")
    assert len(rows) == 6 * len(DAYS)
    by = {(key, str(day)): (entered, points) for key, day, entered, points in rows}
    names = [str(day) for day in DAYS]
    spans = [(names[0:6], names[6:10]), (names[4:10], names[10:14])]
    assert len(walked["windows"]) == 2
    total = 0.0
    for window, (fit, judge) in zip(walked["windows"], spans, strict=True):
        assert (window["fit_first"], window["fit_last"]) == (fit[0], fit[-1])
        assert (window["judge_first"], window["judge_last"]) == (judge[0], judge[-1])
        means = {
            key: sum(by[key, day][1] for day in fit) / max(1, sum(by[key, day][0] for day in fit))
            for key in {row[0] for row in rows}
            if sum(by[key, day][0] for day in fit)
        }
        assert window["fit_mean_points"] == pytest.approx(max(means.values()))
        chosen = window["params_hash"]
        assert means[chosen] == pytest.approx(max(means.values()))
        points = sum(by[chosen, day][1] for day in judge)
        assert window["total_points"] == pytest.approx(points)
        everyone = sum(by[key, day][1] for key in {row[0] for row in rows} for day in judge)
        assert window["luck_total_points"] == pytest.approx(everyone / 6)
        total += points
    assert walked["total_points"] == pytest.approx(total)
    assert walked["judged"][-1]["total_points"] == pytest.approx(total)
    assert 0 <= walked["luck_chance"] <= 1
    assert sql(copy, "select count(*) from sweep_judged") == [(8,)]
    assert sql(copy, "select total_points from sweep_walk") == [(walked["total_points"],)]


def test_a_sweep_shows_what_lies_beside_each_combination_and_counts_all_that_was_tried(copy: str):
    told = read(*SHORT_SWEEP)
    assert told["walk_forward"] is None
    by = {
        (one["params"]["spike_factor"], one["params"]["stop_points"]["NIFTY"]): one
        for one in told["results"]
    }
    means = {key: one["mean_return_points"] for key, one in by.items()}
    assert by[2, 5]["neighbours"] == 3
    around = (means[1.5, 5] + means[3, 5] + means[2, 20]) / 3
    assert by[2, 5]["neighbour_mean_points"] == pytest.approx(around)
    assert by[3, 20]["neighbours"] == 2
    assert told["tried_ever"] == 6
    assert 0 <= told["deflated_sharpe"] <= 1
    assert 0 < told["reality_p"] <= 1
    assert read(*SHORT_SWEEP)["tried_ever"] == 6, "the same again is nothing new"
    assert read(*SHORT_SWEEP, "--horizon", "30")["tried_ever"] == 12
    read("signals", *SHORT, "--strategy", "delta_volume", "--set", "wings=2")
    again = read(*SHORT_SWEEP)
    # What was computed under a version of its own was looked at; live versions are noted then too.
    versions = sql(copy, "select count(*) from strategy_version where strategy = 'delta_volume'")
    assert again["tried_ever"] == 12 + versions[0][0]
    result = run(*SHORT_SWEEP, "--walk-forward", "3,2")
    assert "versions and horizons of it were ever tried" in result.stderr
    assert "Choosing at random among the same combinations comes to" in result.stdout


@pytest.mark.parametrize("text", ["6", "0,4", "6,0", "6,4,2", "a,b", "-1,3", "6, 4"])
def test_a_wrong_walk_is_wrong_usage(text: str):
    result = run(*SWEEP, "--walk-forward", text)
    assert result.exit_code == 2
    assert "two numbers of sessions, such as 60,20" in result.stderr


def test_a_walk_with_too_few_sessions_says_so_and_stores_nothing(copy: str):
    result = run(*SWEEP, "--walk-forward", "14,2")
    assert "needs at least 15 sessions, and there are 14" in str(result.exception)
    assert sql(copy, "select count(*) from sweep") == [(0,)]


def test_sealed_sessions_stay_out_until_a_version_is_registered_and_is_judged_once(copy: str):
    read("signals", *ALL, *OURS)
    read("outcomes", *ALL)
    seen = "select count(distinct session) from signal_outcome join signal using (signal_id)"
    ((judged,),) = sql(copy, f"{seen} where session >= '{HELD[0]}'")
    assert judged > 0
    result = run("holdout", "add", *HOLDOUT, "--note", "the end")
    assert result.exit_code == 0, result.output
    assert "10 sessions sealed, 0 were before" in result.stdout
    assert f"{judged} of them had outcomes, now removed" in result.stderr
    swept = run(*SWEEP)
    assert "10 sealed sessions" in swept.stderr
    assert "6 combinations on 4 sessions" in swept.stdout
    assert sql(copy, "select max(session) from sweep_session") == [(SEEN[-1],)]
    told = run("outcomes", *ALL)
    assert "10 sealed sessions" in told.stderr
    outcomes = "from signal_outcome join signal using (signal_id)"
    assert sql(copy, f"select max(session) {outcomes}") == [(SEEN[-1],)]
    assert sql(copy, "select max(session) from random_outcome") == [(SEEN[-1],)]
    # Another version, computed there for its signals alone, has none either.
    read("signals", *ALL, "--strategy", "delta_volume", "--set", "spike_factor=1.2")
    read("outcomes", *ALL)
    assert sql(copy, f"select max(session) {outcomes}") == [(SEEN[-1],)]

    verdict = read("holdout", "open", *HOLDOUT, *OURS)
    assert verdict["look"] == 1
    assert verdict["level"] == 0.025
    ((version,),) = sql(copy, f"select distinct version {outcomes} where session > '{SEEN[-1]}'")
    assert version == verdict["version"]
    ((sessions, mean),) = sql(
        copy,
        f"select count(distinct session), avg(return_points) {outcomes}"
        f" where session > '{SEEN[-1]}' and horizon_minutes = 15"
        " and exit_reason <> 'not_entered'"
        # With others there is no luck to compare.
        " and session in (select session from random_outcome where horizon_minutes = 15)",
    )
    assert 2 < verdict["sessions"] == sessions
    assert verdict["mean_return_points"] == pytest.approx(mean)
    again = run("holdout", "open", *HOLDOUT, *OURS)
    assert "judged before" in again.stderr
    assert verdict["verdict"] in again.stdout.replace("\n", " ")
    second = read("holdout", "open", *HOLDOUT, "--strategy", "delta_volume", "--horizon", "5")
    assert (second["look"], second["level"]) == (2, pytest.approx(0.05 / 6))
    assert sql(copy, "select count(*), max(look) from holdout_opening") == [(20, 2)]
    assert "6 combinations on 4 sessions" in run(*SWEEP).stdout
    listed = read("holdout", "list")
    assert [one["sealed"] for one in listed["seals"]] == [True] * 10
    assert len(listed["verdicts"]) == 2
    assert listed["faults"] == []

    run("holdout", "end", *HOLDOUT)
    assert "6 combinations on 14 sessions" in run(*SWEEP).stdout


def test_what_cannot_tell_anything_opens_nothing(copy: str):
    run("holdout", "add", *HOLDOUT)
    few = run("holdout", "open", "--from", f"{HELD[1]}", "--to", f"{HELD[-1]}", *OURS)
    assert "9 of 9 sealed sessions have rows to be used" in str(few.exception)
    none = run("holdout", "open", "--from", f"{SEEN[0]}", "--to", f"{SEEN[-1]}", *OURS)
    assert "no sealed session" in str(none.exception)
    assert sql(copy, "select count(*) from holdout_opening") == [(0,)]


def test_an_opening_that_was_cut_short_is_finished_not_logged_again(copy: str):
    run("holdout", "add", *HOLDOUT)
    verdict = read("holdout", "open", *HOLDOUT, *OURS)
    with connect(copy) as connection:
        # As if the power had gone between the opening and the verdict.
        connection.execute("alter table holdout_verdict disable trigger only_added")
        connection.execute("delete from holdout_verdict")
        connection.execute("alter table holdout_verdict enable always trigger only_added")
    assert read("holdout", "open", *HOLDOUT, *OURS, "--horizon", "5") == verdict
    assert sql(copy, "select count(*) from holdout_opening") == [(10,)]


def test_what_a_sweep_has_seen_cannot_be_sealed(copy: str):
    read(*SWEEP)
    result = run("holdout", "add", *HOLDOUT)
    assert "was swept (sweep 1): a holdout is what no sweep has seen" in str(result.exception)
    assert read("holdout", "list")["seals"] == []


def test_sessions_to_come_are_sealed_too(copy: str):
    result = run("holdout", "add", "--from", "2026-03-02", "--to", "2026-03-06")
    assert result.exit_code == 0, result.output
    assert sql(copy, "select count(*) from holdout where sealed_at < now()") != [(0,)]


def test_a_list_names_what_somebody_did_to_a_seal(copy: str):
    run("holdout", "add", *HOLDOUT)
    with connect(copy) as connection:
        connection.execute("alter table holdout disable trigger only_added")
        connection.execute("delete from holdout")
    result = run("holdout", "list")
    assert result.exit_code == 1
    assert "trigger only_added of holdout is switched off" in result.stderr
