"""The container set-up as far as no engine is at hand; Dagster's instance on a real database."""

import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster import DagsterInstance, DagsterRun
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._core.test_utils import create_run_for_test
from dagster._utils.tags import TagConcurrencyLimitsCounter

from db.server.connection import database_name, with_database
from pipelines.orchestration.definitions import definitions
from pipelines.orchestration.jobs import MAX_SECONDS
from pipelines.orchestration.schedules import FIRST, PARTITION_TAG

REPOSITORY = Path(__file__).parents[3]
DOCKER = REPOSITORY / "docker"
SERVICES = {"database", "migrate", "dagster-webserver", "dagster-daemon", "feed", "chartserver"}
VARIABLE = re.compile(r"\$\{(\w+)(:[-?][^}]*)?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


def example() -> dict[str, str]:
    lines = (REPOSITORY / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture
def instance(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DagsterInstance]:
    """An instance as `dagster.yaml` describes it, its records in a fresh database."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    url = with_database(empty_database, database_name(empty_database))
    # Without a named driver SQLAlchemy takes psycopg 3, whose dialect Dagster's storage lacks.
    url = url.replace("postgresql:", "postgresql+psycopg2:", 1)
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    shutil.copy(DOCKER / "dagster.yaml", tmp_path)
    with DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


def test_dagsters_instance_keeps_runs_in_postgresql(instance: DagsterInstance) -> None:
    @dg.asset
    def nothing() -> None:
        pass

    result = dg.materialize([nothing], instance=instance)
    assert result.success
    assert instance.get_run_by_id(result.run_id).is_success
    assert type(instance.run_storage).__name__ == "PostgresRunStorage"
    assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
    assert type(instance.schedule_storage).__name__ == "PostgresScheduleStorage"


def test_scheduled_runs_never_overlap_and_lost_ones_are_ended(instance: DagsterInstance) -> None:
    coordinator = instance.run_coordinator
    assert isinstance(coordinator, QueuedRunCoordinator)
    assert coordinator.dequeue_interval_seconds == 1
    job = definitions.resolve_job_def("session")
    assert instance.run_monitoring_enabled
    assert job.tags["dagster/max_runtime"] == str(MAX_SECONDS)
    assert not instance.telemetry_enabled


def started(instance: DagsterInstance, waiting: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the tags of the waiting runs that the queue starts, in its order."""
    running: list[DagsterRun] = []
    config = instance.run_coordinator.get_run_queue_config()
    runs = [create_run_for_test(instance, job_name="session", tags=tags) for tags in waiting]
    for run in sorted(runs, key=lambda run: -int(run.tags.get("dagster/priority", 0))):
        counter = TagConcurrencyLimitsCounter(config.tag_concurrency_limits, running)
        if len(running) < config.max_concurrent_runs and not counter.is_blocked(run):
            running.append(run)
    return [run.tags for run in running]


def test_a_backfill_works_at_two_sessions_at_most_and_never_holds_up_todays(
    instance: DagsterInstance,
) -> None:
    backfill = [
        {"dagster/backfill": name, PARTITION_TAG: f"2026-01-{day}"}
        for name, day in (("a", 12), ("a", 13), ("b", 14), ("b", 16))
    ]
    today = FIRST | {PARTITION_TAG: "2026-01-21"}
    running = started(instance, [*backfill, today, today])
    assert [tags[PARTITION_TAG] for tags in running] == ["2026-01-21", "2026-01-12", "2026-01-13"]


def test_the_workspace_names_a_module_that_loads() -> None:
    (origin,) = yaml.safe_load((DOCKER / "workspace.yaml").read_text())["load_from"]
    module = importlib.import_module(origin["python_module"])
    assert isinstance(module.definitions, dg.Definitions)


def test_compose_has_every_part_and_only_the_database_is_not_ours(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == SERVICES
    for name, service in services.items():
        assert service["image"].startswith("timescale/timescaledb:") == (name == "database")
        if name != "database":
            assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


def test_parts_wait_for_the_migration_and_it_for_the_database(compose: dict[str, Any]) -> None:
    for name in SERVICES - {"database", "migrate"}:
        condition = compose["services"][name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"
    assert compose["services"]["migrate"]["depends_on"]["database"]["condition"] == (
        "service_healthy"
    )
    for name in SERVICES - {"migrate", "feed"}:
        assert "healthcheck" in compose["services"][name]


def test_ports_are_open_to_this_machine_only(compose: dict[str, Any]) -> None:
    published = {
        name: port for name, part in compose["services"].items() for port in part.get("ports", [])
    }
    assert set(published) == {"database", "dagster-webserver", "chartserver"}
    assert all(port.startswith("127.0.0.1:") for port in published.values())


def test_the_chart_server_asks_for_a_token_where_it_listens_to_all(compose: dict[str, Any]) -> None:
    environment = compose["services"]["chartserver"]["environment"]
    assert environment["CHART_HOST"] == "0.0.0.0"
    assert environment["CHART_TOKEN"].startswith("${CHART_TOKEN:?")


def test_the_example_environment_sets_what_compose_requires() -> None:
    used = VARIABLE.findall((DOCKER / "compose.yaml").read_text())
    required = {name for name, rule in used if rule.startswith(":?") or not rule}
    assert required == {"POSTGRES_PASSWORD", "CHART_TOKEN"}
    assert required <= set(example())
    assert set(example()) <= {name for name, _ in used}


def test_files_that_the_containers_mount_or_copy_are_there(compose: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")[0]
        for volume in compose["services"]["database"]["volumes"]
        if volume.startswith(".")
    ]
    assert mounted
    for path in mounted:
        assert (DOCKER / path).is_file()
    copies = re.findall(r"^COPY (?!--from)(.+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    kept = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    for path in (path for line in copies for path in line.split()[:-1]):
        assert (REPOSITORY / path).exists(), path
        assert any(line == f"!{path}" or path.startswith(f"{line[1:]}/") for line in kept), path


def test_the_image_runs_as_a_user_without_rights() -> None:
    users = re.findall(r"^USER (.+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    assert users == ["optionscalp"]


def test_compose_itself_accepts_the_file() -> None:
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("docker compose is not installed")
    files = ["--env-file", ".env.example", "-f", "docker/compose.yaml"]
    answer = subprocess.run(
        [docker, "compose", *files, "config", "--quiet"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
