"""What Dagster loads: every part named, partitioned by session, described and checked."""

import json
import subprocess
import sys
from datetime import date, timedelta

import dagster as dg
import psycopg
import pytest

from db.server.errors import DatabaseUnavailableError
from pipelines.orchestration.definitions import definitions
from pipelines.orchestration.jobs import ASSETS
from pipelines.orchestration.partitions import calendar_sessions, sessions
from strategy.session import first_known_date, is_session, last_known_date

CHECKS = {
    "candle": {
        *("prices_are_sane", "whole_lots", "on_time", "session_is_complete", "no_gaps"),
        "sources_agree",
    },
    "build_up": {
        *("prices_are_sane", "whole_lots", "on_time", "session_is_complete", "no_gaps"),
        *("agrees_with_candles", "volumes_agree"),
    },
    "chain_oi": {"whole_lots", "no_gaps"},
    "raw_payload": {"all_parsed"},
    "contract": {"expiry_is_the_calendars"},
    "live_feed": {"is_alive"},
    "signal": {"strategies_work"},
}
BLOCKING = {
    ("candle", "prices_are_sane"),
    ("candle", "whole_lots"),
    ("build_up", "prices_are_sane"),
    ("build_up", "whole_lots"),
}


def specs() -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def test_every_definition_is_loadable() -> None:
    dg.Definitions.validate_loadable(definitions)


def test_the_code_location_loads_without_the_libraries_that_only_a_run_needs() -> None:
    script = (
        "import json, sys, pipelines.orchestration.definitions;"
        "late = ('pandas', 'httpx', 'websockets', 'apprise');"
        "print(json.dumps([m for m in late if m in sys.modules]))"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], check=True, capture_output=True, text=True
    )
    assert json.loads(answer.stdout) == []


def test_assets_are_described_grouped_and_partitioned_by_session() -> None:
    for name in ASSETS:
        spec = specs()[name]
        assert spec.partitions_def == sessions
        assert spec.description
        assert spec.group_name in {"sources", "market", "strategy"}
        assert spec.kinds


def test_sources_and_the_live_feed_are_external_and_described() -> None:
    for name in ("tradingview", "trendlyne", "live_feed"):
        assert specs()[name].description
    executable = definitions.resolve_asset_graph().executable_asset_keys
    assert {key.to_user_string() for key in executable} == set(ASSETS)


def test_a_source_that_is_down_does_not_stop_the_other() -> None:
    upstream = {
        name: {dep.asset_key.to_user_string() for dep in specs()[name].deps} for name in ASSETS
    }
    assert not upstream["candle"] & set(ASSETS)
    assert not upstream["build_up"] & set(ASSETS)
    assert upstream["signal"] == {"contract", "candle", "build_up"}
    assert upstream["greeks"] == {"contract", "candle"}
    assert upstream["outcome"] == {"signal", "candle"}


def test_the_checks_are_there_and_wrong_rows_block_the_signals() -> None:
    found: dict[str, set[str]] = {}
    graph = definitions.resolve_asset_graph()
    for key in graph.asset_check_keys:
        found.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
        spec = graph.get_check_spec(key)
        assert spec.description
        assert spec.blocking == ((key.asset_key.to_user_string(), key.name) in BLOCKING)
    assert found == CHECKS


def test_the_partitions_are_the_calendars_sessions() -> None:
    keys = sessions.get_partition_keys()
    assert "2026-02-01" in keys  # the Sunday of the budget
    assert "2026-01-26" not in keys
    assert "2026-01-25" not in keys
    days = (last_known_date() - first_known_date()).days + 1
    every_day = [first_known_date() + timedelta(days=number) for number in range(days)]
    assert [date.fromisoformat(key) for key in keys] == [
        day for day in every_day if is_session(day)
    ]


def test_the_partitions_follow_the_databases_overrides(
    database: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.execute(
        """
        insert into calendar_override (kind, day, opens, closes, reason) values
            ('session', '2026-12-19', '09:15', '12:30', 'a circular'),
            ('holiday', '2026-12-16', null, null, 'a circular'),
            ('year', '2027-01-01', null, null, 'a circular')
        """
    )
    monkeypatch.delenv("DATABASE_URL", raising=False)
    before = set(calendar_sessions())
    monkeypatch.setenv("DATABASE_URL", database)
    after = set(calendar_sessions())
    assert before - after == {"2026-12-16"}
    assert "2026-12-19" in after - before
    assert all(key.startswith("2027-") for key in after - before - {"2026-12-19"})
    assert "2027-12-31" in after


def test_dagsters_code_does_not_load_without_the_overrides_it_should_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
    with pytest.raises(DatabaseUnavailableError):
        calendar_sessions()


def test_one_job_holds_every_asset_and_check_and_runs_in_one_process() -> None:
    job = definitions.resolve_job_def("session")
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == set(ASSETS)
    assert len(job.asset_layer.asset_graph.asset_check_keys) == sum(map(len, CHECKS.values()))
    assert job.executor_def is dg.in_process_executor


def test_the_code_location_is_valid_for_dagsters_own_command(tmp_path) -> None:
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "dagster", "definitions", "validate"),
            *("-m", "pipelines.orchestration.definitions"),
        ],
        capture_output=True,
        text=True,
        env={"DAGSTER_HOME": str(tmp_path), "PATH": ""},
        check=False,
    )
    assert answer.returncode == 0, answer.stderr


def test_the_alerts_are_on_from_the_start_and_described() -> None:
    sensor = definitions.resolve_sensor_def("alerts")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.description


@pytest.mark.parametrize("name", ["every_minute", "morning", "closing"])
def test_schedules_say_what_they_are_for(name: str) -> None:
    assert definitions.resolve_schedule_def(name).description
