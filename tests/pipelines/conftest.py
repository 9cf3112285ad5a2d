"""Days and mornings made once, for all tests that look at them or play faults on a copy."""

from collections.abc import Iterator
from datetime import date

import pytest
from dagster import DagsterInstance

from pipelines.checks.every import EVERY
from pipelines.orchestration.definitions import definitions
from tests.faulty import AFTER, BEFORE, QUIET, UNTIL, WITHIN, Tables, copied, run, tables
from tests.live import simulated_market

HEALTHY_DAY = date(2026, 1, 21)


@pytest.fixture(scope="session")
def healthy(fresh_database, tmp_path_factory) -> Iterator[str]:
    """A database after one run of the job on a generated day, five minutes after its close."""
    with fresh_database() as dsn:
        with (
            simulated_market(dsn, HEALTHY_DAY, 1, "--any-minute", minutes_in=380) as market,
            pytest.MonkeyPatch.context() as patch,
            DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance,
        ):
            for name, value in market.environment.items():
                patch.setenv(name, value)
            patch.setenv("TRENDLYNE_REQUESTS_PER_SECOND", "500")
            result = definitions.resolve_job_def("session").execute_in_process(
                partition_key=str(HEALTHY_DAY), instance=instance
            )
        evaluations = result.get_asset_check_evaluations()
        assert len(evaluations) == len(EVERY)
        assert all(evaluation.passed for evaluation in evaluations)
        yield dsn


@pytest.fixture(scope="session")
def morning(fresh_database) -> Iterator[str]:
    """A database after the run before the faults, to be copied."""
    with fresh_database() as dsn:
        assert run(dsn, BEFORE) == QUIET
        yield dsn


@pytest.fixture
def ten(server_dsn: str, morning: str) -> Iterator[str]:
    """A copy of that database: it is ten o'clock."""
    with copied(server_dsn, morning) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def faultless(server_dsn: str, morning: str) -> Tables:
    """What the runs around a fault store without it."""
    with copied(server_dsn, morning) as dsn:
        assert run(dsn, WITHIN) == QUIET
        assert run(dsn, AFTER) == QUIET
        stored = tables(dsn, UNTIL)
    assert all(stored.values())
    return stored
