"""A whole healthy day, made once for all tests that only look at it or undo what they do."""

from collections.abc import Iterator
from datetime import date

import pytest
from dagster import DagsterInstance

from pipelines.checks.definitions import EVERY
from pipelines.definitions import definitions
from tests.live import simulated_market

HEALTHY_DAY = date(2026, 1, 21)


@pytest.fixture(scope="session")
def healthy(fresh_database, tmp_path_factory) -> Iterator[str]:
    """A database after one run of the job on a generated day, five minutes after its close."""
    with fresh_database() as dsn:
        with (
            simulated_market(dsn, HEALTHY_DAY, 1, minutes_in=380) as market,
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
