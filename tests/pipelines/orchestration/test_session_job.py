"""The whole job in process against the simulator: one run fills a session, a second adds nothing.

The simulator and PostgreSQL are real processes; Dagster keeps its records in a temporary folder.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster import DagsterInstance

from pipelines.orchestration.assets.outcome import outcome
from pipelines.orchestration.definitions import definitions
from pipelines.orchestration.resources import Market
from strategy.clock import MarketClock
from strategy.session import session_hours
from tests.long import in_full

DAY = date(2026, 1, 21)
CLOSE = session_hours(DAY)[1]


def clock_at(moment: datetime) -> MarketClock:
    """A clock that shows this time now and runs as fast as the computer's."""
    return MarketClock(moment, datetime.now(UTC).timestamp(), 1.0)


@contextmanager
def simulator(clock: MarketClock) -> Iterator[tuple[str, str]]:
    command = [sys.executable, "-m", "simulator", "--day", str(DAY), "--clock", str(clock)]
    command += ["--any-minute"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        try:
            assert process.stdout is not None
            ready, tradingview, trendlyne, _ = process.stdout.readline().split()
            assert ready == "ready"
            yield tradingview, trendlyne
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture
def after_close(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[MarketClock]:
    """A market five minutes after the close, its two sources, and the environment of a run."""
    clock = clock_at(CLOSE + timedelta(minutes=5))
    with simulator(clock) as (tradingview, trendlyne):
        monkeypatch.setenv("DATABASE_URL", database)
        monkeypatch.setenv("OPTIONSCALP_CLOCK", str(clock))
        monkeypatch.setenv("OPTIONSCALP_SOURCE", "simulator")
        monkeypatch.setenv("TRADINGVIEW_URL", tradingview)
        monkeypatch.setenv("TRENDLYNE_URL", trendlyne)
        monkeypatch.setenv("TRENDLYNE_REQUESTS_PER_SECOND", "500")
        yield clock


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as opened:
        yield opened


def run(instance: DagsterInstance, day: date = DAY) -> dg.ExecuteInProcessResult:
    return definitions.resolve_job_def("session").execute_in_process(
        partition_key=day.isoformat(), instance=instance, raise_on_error=False
    )


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (event,) = [
        event
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(asset)
    ]
    return {name: entry.value for name, entry in event.materialization.metadata.items()}


def observation(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = result.get_asset_observation_events()
    assert event.asset_key == dg.AssetKey("live_feed")
    seen = event.event_specific_data.asset_observation
    return {name: entry.value for name, entry in seen.metadata.items()}


def count(connection: psycopg.Connection, table: str) -> int:
    return connection.execute(f"select count(*) from {table}").fetchone()[0]


@pytest.mark.usefixtures("after_close")
def test_one_run_fills_the_session_and_a_second_one_asks_for_nothing(
    instance: DagsterInstance, connection: psycopg.Connection
) -> None:
    first = run(instance)
    assert first.success
    evaluations = first.get_asset_check_evaluations()
    assert len(evaluations) == 19
    assert all(evaluation.passed for evaluation in evaluations)
    tables = ("contract", "candle", "greeks", "chain_oi", "build_up", "signal", "raw_payload")
    stored = {table: count(connection, table) for table in tables}
    assert all(stored.values()), stored
    for table in tables:
        assert metadata(first, table)["dagster/row_count"] == stored[table]
        for underlying in ("NIFTY", "BANKNIFTY"):
            assert metadata(first, table)[f"replay_{underlying}"] == (
                f"http://127.0.0.1:8000/replay?underlying={underlying}"
                "&from=2026-01-21&to=2026-01-21"
            )
    assert metadata(first, "greeks")["without_forward"] == 0
    # After the close every signal has its outcomes, the same candles being there.
    outcomes = count(connection, "signal_outcome")
    assert outcomes == 4 * stored["signal"]
    told = metadata(first, "outcome")
    assert (told["dagster/row_count"], told["signals"]) == (outcomes, stored["signal"])
    rows = outcomes + count(connection, "signal_outcome_case") + told["random_entries"]
    assert (told["unresolved"], told["rows_changed"]) == (0, rows)
    # Fetched after the close, none could be bought any more, and nothing is drawn beside it.
    assert told["not_entered"] == stored["signal"]
    assert told["random_entries"] == count(connection, "random_outcome") == 0
    minutes = connection.execute(
        "select underlying, count(*) from candle where symbol = underlying and final group by 1"
    ).fetchall()
    assert dict(minutes) == {"NIFTY": 375, "BANKNIFTY": 375}
    (newest,) = connection.execute("select max(close_time) from build_up").fetchone()
    assert newest == CLOSE
    assert {row[0] for row in connection.execute("select distinct source from candle")} == {
        "simulator"
    }

    # The market is shut: no lag, no feed; the last rows came within the last minutes.
    seen = observation(first)
    assert seen["last_candle"] == CLOSE.timestamp()
    assert seen["running"] is False
    assert seen["rows_per_minute"] > 0
    assert "lag_seconds" not in seen | metadata(first, "candle")

    second = run(instance)
    assert second.success
    assert {table: count(connection, table) for table in tables} == stored
    assert metadata(second, "candle")["asked"] == 0
    assert metadata(second, "build_up")["asked"] == 0
    assert metadata(second, "outcome")["rows_changed"] == 0
    assert count(connection, "change_log") == sum(
        stored[table] for table in tables if table != "raw_payload"
    )


def test_while_the_session_is_on_outcomes_cost_nothing_and_leave_nothing(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("OPTIONSCALP_CLOCK", str(clock_at(CLOSE - timedelta(minutes=5))))
    result = dg.materialize(
        [outcome], partition_key=str(DAY), instance=instance, resources={"market": Market()}
    )
    assert result.success
    assert result.get_asset_materialization_events() == []


def corrupt(connection: psycopg.Connection, statement: str) -> None:
    assert connection.execute(statement).rowcount == 1


@in_full
@pytest.mark.usefixtures("after_close")
def test_errors_hold_back_the_signals_of_their_session_until_they_are_gone(
    instance: DagsterInstance, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rows of the source's own: others would be made again of candles, right as they are.
    monkeypatch.setenv("BUILD_UP_SOURCE", "rows")
    monkeypatch.setenv("TRENDLYNE_REQUESTS_PER_SESSION", "2000")
    assert run(instance).success
    stored = count(connection, "signal")
    one = "(select max(payload_id) from raw_payload)"
    one_row = "ctid = (select min(ctid) from build_up)"
    connection.execute("delete from signal where underlying = 'NIFTY'")
    kept = count(connection, "signal")
    assert 0 < kept < stored

    # Not upstream in Dagster: the computation itself refuses.
    corrupt(connection, f"update raw_payload set parser_error = 'cut' where payload_id = {one}")
    unread = run(instance)
    (failed,) = [event for event in unread.all_events if event.is_step_failure]
    assert failed.step_key == "signal"
    reason = failed.step_failure_data.error_display_string
    assert "no new signals of 2026-01-21: raw_payload/all_parsed failed" in reason
    corrupt(connection, f"update raw_payload set parser_error = null where payload_id = {one}")

    # Upstream: Dagster does not even start the step.
    corrupt(connection, f"update build_up set volume = volume + 1 where {one_row}")
    odd = run(instance)
    assert {event.step_key for event in odd.all_events if event.is_step_failure} == {
        "check_chain_oi_and_build_up"
    }
    assert "signal" not in {event.step_key for event in odd.all_events if event.is_step_start}
    assert count(connection, "signal") == kept

    corrupt(connection, "update build_up set volume = volume - 1 where volume % 5 = 1")
    assert run(instance).success
    assert count(connection, "signal") == stored


@in_full
@pytest.mark.usefixtures("after_close")
def test_a_source_that_is_down_fails_its_step_and_not_the_others(
    instance: DagsterInstance, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.orchestration.remedies.RETRY_SECONDS", 0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("TRADINGVIEW_URL", f"ws://127.0.0.1:{port}/socket.io/websocket")
    result = run(instance)
    assert not result.success
    failures = {event.step_key: event for event in result.all_events if event.is_step_failure}
    assert set(failures) == {"candle"}
    assert "SourceUnavailable" in failures["candle"].step_failure_data.error_display_string
    retries = [event for event in result.all_events if event.is_step_up_for_retry]
    assert len(retries) == 2
    assert count(connection, "contract")
    assert count(connection, "chain_oi")
    assert metadata(result, "raw_payload")["dagster/row_count"] == count(connection, "raw_payload")


@pytest.mark.usefixtures("after_close")
def test_an_older_session_that_lacks_rows_fails_clearly_for_positions_alone(
    instance: DagsterInstance,
) -> None:
    result = run(instance, date(2026, 1, 20))
    failures = {event.step_key: event for event in result.all_events if event.is_step_failure}
    assert set(failures) == {"contract", "positions"}
    for event in failures.values():
        text = event.step_failure_data.error_display_string
        assert "SessionGone: 2026-01-20 cannot be asked again" in text
    assert not [event for event in result.all_events if event.is_step_up_for_retry]


def test_a_database_without_schema_names_the_remedy(
    empty_database: str, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    monkeypatch.setenv("OPTIONSCALP_CLOCK", str(clock_at(CLOSE)))
    result = run(instance)
    failed = [event for event in result.all_events if event.is_step_failure]
    assert failed
    for event in failed:
        if event.step_key in {"contract", "candle", "positions", "raw_payload"}:
            text = event.step_failure_data.error_display_string
            assert "run `optionscalp migrate`" in text
