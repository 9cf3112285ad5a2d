"""The container set-up as far as no engine is at hand; Dagster's instance on a real database."""

import importlib
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster import DagsterInstance, DagsterRun
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._core.test_utils import create_run_for_test
from dagster._utils.tags import TagConcurrencyLimitsCounter
from psycopg.conninfo import conninfo_to_dict

from db.server.connection import database_name, with_database
from pipelines.orchestration.definitions import definitions
from pipelines.orchestration.jobs import MAX_SECONDS
from pipelines.orchestration.schedules import FIRST, PARTITION_TAG
from pipelines.settings import Settings

REPOSITORY = Path(__file__).parents[3]
DOCKER = REPOSITORY / "docker"
HELM = DOCKER / "helm" / "dagster-values.yaml"
ONCE = {"migrate", "dagster-migrate"}
PARTS = {"dagster-webserver", "dagster-daemon", "feed", "chartserver"}
OURS = ONCE | PARTS | {"command"}
VARIABLE = re.compile(r"\$\{(\w+)(:[-?][^}]*)?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def helm() -> dict[str, Any]:
    return yaml.safe_load(HELM.read_text())


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


def test_compose_has_every_part_in_one_image_of_the_projects_version(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    assert set(services) == OURS | {"database", "proxy"}
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    images = {services[name]["image"] for name in OURS | {"proxy"}}
    assert images == {f"optionscalp:{version}", f"optionscalp-proxy:{version}"}
    stages = set(re.findall(r" AS (\w+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE))
    for name in OURS | {"proxy"}:
        build = services[name]["build"]
        assert (DOCKER / build["context"] / build["dockerfile"]).is_file()
        assert build["target"] in stages


def test_no_image_is_taken_whose_version_may_change(compose: dict[str, Any]) -> None:
    text = (DOCKER / "Dockerfile").read_text()
    stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    for image in [*stages, compose["services"]["database"]["image"]]:
        assert re.search(r":\d+\.\d+\.\d+(-|$)", image), image


def test_parts_wait_for_the_migrations_and_they_for_the_database(compose: dict[str, Any]) -> None:
    services = compose["services"]
    done = {"condition": "service_completed_successfully"}
    for name in PARTS:
        needed = ONCE if name.startswith("dagster") else {"migrate"}
        assert services[name]["depends_on"] == dict.fromkeys(needed, done)
    for name in ONCE:
        assert services[name]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in {*PARTS, "database", "proxy"} - {"feed"}:
        assert "healthcheck" in services[name]


def test_nobody_else_is_let_in_but_by_the_proxy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    published = {name: part["ports"] for name, part in services.items() if "ports" in part}
    assert set(published) == {"dagster-webserver", "chartserver", "proxy"}
    profiles = {name: part["profiles"] for name, part in services.items() if "profiles" in part}
    assert profiles == {"proxy": ["proxy"], "command": ["command"]}
    del published["proxy"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_networks_lead_only_where_a_part_needs_to_go(compose: dict[str, Any]) -> None:
    for name in ("database", "dagster"):
        assert compose["networks"][name] == {"internal": True}
    joined = {name: set(part["networks"]) for name, part in compose["services"].items()}
    assert joined == {
        "database": {"database", "dagster"},
        "migrate": {"database"},
        "dagster-migrate": {"dagster"},
        "feed": {"database", "sources"},
        "command": {"database", "sources"},
        "dagster-daemon": {"dagster", "sources"},
        "dagster-webserver": {"dagster", "dagster-pages"},
        "chartserver": {"database", "pages"},
        "proxy": {"dagster-pages", "pages"},
    }
    assert not joined["chartserver"] & joined["dagster-webserver"]


def test_the_chart_server_believes_the_proxy_alone(compose: dict[str, Any]) -> None:
    address = compose["services"]["proxy"]["networks"]["pages"]["ipv4_address"]
    (pool,) = compose["networks"]["pages"]["ipam"]["config"]
    assert ip_address(address) in ip_network(pool["subnet"])
    # Else another container might be given it.
    assert ip_address(address) not in ip_network(pool["ip_range"])
    environment = compose["services"]["chartserver"]["environment"]
    assert environment["CHART_TRUSTED_PROXY"] == address


def test_every_container_is_confined_and_has_its_share(compose: dict[str, Any]) -> None:
    for name, part in compose["services"].items():
        assert part["read_only"], name
        assert part["cap_drop"] == ["ALL"], name
        assert "cap_add" not in part, name
        assert not part.get("privileged"), name
        assert part["security_opt"] == ["no-new-privileges:true"], name
        assert int(part["user"].split(":")[0]) > 0, name
        assert set(part["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name


def test_passwords_and_tokens_come_as_files_that_the_script_makes(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "a folder" / "secrets"
    for _ in range(2):  # what is there stays
        subprocess.run([DOCKER / "make-secrets", folder], check=True)
        made = {path.name: path.read_text() for path in folder.iterdir()}
    assert {f"./secrets/{name}" for name in made} == {
        secret["file"] for secret in compose["secrets"].values()
    }
    assert folder.stat().st_mode & 0o777 == 0o700
    generated = [
        text for name, text in made.items() if name not in {"alert_urls", "dagster_logins"}
    ]
    assert len(set(generated)) == len(generated) == 4
    assert all(re.fullmatch(r"[\w-]{32}\n", text) for text in generated)
    used = {name for part in compose["services"].values() for name in part.get("secrets", [])}
    assert used == set(made)
    text = (DOCKER / "compose.yaml").read_text()
    assert "PASSWORD}" not in text
    assert "TOKEN}" not in text


def test_a_clone_that_is_closed_to_others_is_readable_in_the_containers(tmp_path: Path) -> None:
    """As one that was made with umask 077 is."""
    for name in ("make-secrets", "initdb.sql"):
        shutil.copy(DOCKER / name, tmp_path)
        (tmp_path / name).chmod(0o700 if name == "make-secrets" else 0o600)
    for _ in range(2):
        subprocess.run(["sh", "-c", "umask 077; ./make-secrets"], cwd=tmp_path, check=True)
        secrets = list((tmp_path / "secrets").iterdir())
        assert len(secrets) == 6
        for path in (tmp_path / "initdb.sql", *secrets):
            assert path.stat().st_mode & 0o044 == 0o044, path
            path.chmod(0o600)  # written anew by hand
    for stage in (DOCKER / "Dockerfile").read_text().split("\nFROM ")[1:]:
        if "\nUSER " not in stage:
            continue
        _, opened, later = stage.rpartition("\nRUN chmod -R a+rX /app\n")
        assert opened or "/app" not in stage
        assert re.findall(r"^COPY (?!--chmod=)", later, re.MULTILINE) == []


def test_a_program_is_given_the_secrets_of_its_files(tmp_path: Path) -> None:
    secret = tmp_path / "a secret"
    secret.write_text('it\'s "$HOME" `x`\n')
    empty = tmp_path / "empty"
    empty.touch()
    environment = {"PATH": os.environ["PATH"]}
    environment |= {"PGPASSWORD_FILE": str(secret), "ALERT_URLS_FILE": str(empty)}
    command = [
        DOCKER / "with-secrets",
        "sh",
        "-c",
        'echo "$PGPASSWORD"; echo "${ALERT_URLS-unset}"',
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == 'it\'s "$HOME" `x`\nunset\n'
    secret.unlink()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"PGPASSWORD_FILE: {secret} cannot be read" in done.stderr


def test_the_example_environment_sets_what_compose_reads() -> None:
    used = VARIABLE.findall((DOCKER / "compose.yaml").read_text())
    assert all(rule.startswith(":-") for _, rule in used)
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
    copies = re.findall(
        r"^COPY (?!--from)(?:--chmod=\d+ )?(.+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE
    )
    kept = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    for path in (path for line in copies for path in line.split()[:-1]):
        assert (REPOSITORY / path).exists(), path
        assert any(line == f"!{path}" or path.startswith(f"{line[1:]}/") for line in kept), path


def test_the_image_runs_as_a_user_without_rights() -> None:
    users = re.findall(r"^USER (.+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    # By number: Kubernetes does not look up names.
    assert users == ["10001:10001"] * 2


def test_helms_values_name_what_there_is(helm: dict[str, Any]) -> None:
    (deployment,) = helm["dagster-user-deployments"]["deployments"]
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert deployment["image"]["tag"] == project["version"]
    module, name = deployment["dagsterApiGrpcArgs"]
    assert module == "-m"
    assert isinstance(importlib.import_module(name).definitions, dg.Definitions)
    known = {field.upper() for field in Settings.model_fields}
    known |= {"ALERT_URLS", "CHART_URL", "PGPASSWORD"}
    assert {variable["name"] for variable in deployment["env"]} <= known
    mounted = {volume["name"] for volume in deployment["volumes"]}
    assert {mount["name"] for mount in deployment["volumeMounts"]} == mounted
    # The chart and the library are of one version.
    pinned = re.search(
        r"^dagster==(.+)$", (REPOSITORY / "constraints.txt").read_text(), re.MULTILINE
    )
    assert f"--version {pinned[1]} " in HELM.read_text()


def test_helms_values_confine_as_compose_does(helm: dict[str, Any]) -> None:
    (deployment,) = helm["dagster-user-deployments"]["deployments"]
    launched = helm["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]["podSpecConfig"]
    pods = [deployment, helm["dagsterDaemon"], helm["dagsterWebserver"]]
    for context in (*(pod["podSecurityContext"] for pod in pods), launched["securityContext"]):
        assert (context["runAsNonRoot"], context["runAsUser"]) == (True, 10001)
    for pod in pods:
        assert pod["securityContext"]["allowPrivilegeEscalation"] is False
        assert pod["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert deployment["securityContext"]["readOnlyRootFilesystem"] is True
    assert helm["ingress"] == {"enabled": False}


def test_helms_values_queue_runs_as_the_instance_does(helm: dict[str, Any]) -> None:
    instance = yaml.safe_load((DOCKER / "dagster.yaml").read_text())
    queue = helm["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert {
        "max_concurrent_runs": queue["maxConcurrentRuns"],
        "dequeue_interval_seconds": queue["dequeueIntervalSeconds"],
        "tag_concurrency_limits": queue["tagConcurrencyLimits"],
    } == instance["run_coordinator"]["config"]
    for kind, ticks in (("sensor", "sensor"), ("schedule", "schedule")):
        kept = helm["retention"][kind]["purgeAfterDays"]
        assert kept == instance["retention"][ticks]["purge_after_days"]


def test_helms_values_lead_dagsters_records_to_a_server_of_ours(
    helm: dict[str, Any], empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, server = helm["postgresql"], conninfo_to_dict(empty_database)
    assert values["enabled"] is False
    # What the chart makes of them, on a server that is there.
    place = {"hostname": server["host"], "port": int(server["port"]), "db_name": server["dbname"]}
    account = {"username": server["user"], "password": {"env": "DAGSTER_PG_PASSWORD"}}
    storage = {
        "postgres": {"postgres_db": place | account | {"scheme": values["postgresqlScheme"]}}
    }
    monkeypatch.setenv("DAGSTER_PG_PASSWORD", server.get("password") or "")
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump({"storage": storage}))
    with DagsterInstance.from_config(str(tmp_path)) as opened:
        assert opened.get_runs() == []


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
