"""compose.yaml without containers: the same processes, commands, environment, roles and secrets."""

import re
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

import db.server.embedded
from db.server.connection import connect, with_database
from optionscalp.stack import free_port
from tests.composed import DOCKER, Composed, Service, is_confined
from tests.conftest import temporary_folder
from tests.live import Market, grows, simulated_market

TOKEN = "of the pages"
PASSWORDS = {"writer": 'a "writer\'s" %20@', "reader": "it's a reader's"}
PARTS = ("feed", "chartserver", "dagster-webserver", "dagster-daemon")
HEALTHY = ("chartserver", "dagster-webserver", "dagster-daemon")
CLOCK = ("OPTIONSCALP_CLOCK", "OPTIONSCALP_SOURCE")
SOURCES = ("TRADINGVIEW_URL", "TRENDLYNE_URL")


class System:
    """All services but the proxy, on an embedded PostgreSQL in the place of their database."""

    def __init__(self, folder: Path, owner: str, market: Market):
        self.owner = owner
        server = urlsplit(owner)
        self.chart, self.dagster = free_port(), free_port()
        places = {
            "database:5432": f"127.0.0.1:{server.port}",
            "127.0.0.1:8000": f"127.0.0.1:{self.chart}",
            "127.0.0.1:3000": f"127.0.0.1:{self.dagster}",
            "8000": str(self.chart),
            "3000": str(self.dagster),
        }
        secrets = {
            "alert_urls": "",
            "chart_token": f"{TOKEN}\n",
            "dagster_logins": "",
            "database_password": f"{server.password}\n",
            **{f"{role}_password": f"{password}\n" for role, password in PASSWORDS.items()},
        }
        settings = {name: market.environment[name] for name in SOURCES} | {"UNDERLYINGS": "NIFTY"}
        self._clock = {name: market.environment[name] for name in CLOCK}
        self.composed = Composed(folder, settings, places, secrets)
        self.parts: dict[str, Service] = {}

    def prepare(self) -> None:
        """Do what the database's image does once, and what the others wait for."""
        script = (DOCKER / "initdb.sql").read_text()
        for _ in range(2):  # by hand once more, after a password has changed
            subprocess.run(
                [db.server.embedded.tool("psql"), self.owner, "--quiet", "--no-psqlrc"],
                input=script.replace("/run/secrets", str(self.composed.secrets)),
                text=True,
                check=True,
            )
        for service in [self.composed.start(name) for name in ("migrate", "dagster-migrate")]:
            assert service.wait() == 0, service.tail()

    def start(self) -> None:
        for name in PARTS:
            self.parts[name] = self.composed.start(name, **self._clock)

    def get(self, path: str, token: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self.chart}{path}"
        return httpx.get(url, headers=headers, timeout=30)

    def ask_dagster(self, query: str) -> dict:
        url = f"http://127.0.0.1:{self.dagster}/graphql"
        answer = httpx.post(url, json={"query": query}, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with (
        temporary_folder() as folder,
        db.server.embedded.use(folder / "home") as owner,
        simulated_market(owner, date(2026, 1, 21), 60, minutes_in=30) as market,
    ):
        folder.chmod(0o755)
        running = System(folder, owner, market)
        try:
            running.prepare()
            running.start()
            yield running
        finally:
            running.composed.stop()


def test_every_health_check_passes_as_it_is_written(system: System) -> None:
    for name in HEALTHY:
        system.parts[name].wait_until_healthy()


def test_pages_answer_behind_the_token_of_the_file(system: System) -> None:
    system.parts["chartserver"].wait_until_healthy()
    assert system.get("/").status_code == 401
    assert system.get("/", "another").status_code == 401
    assert "<title>" in system.get("/", TOKEN).text
    assert system.get("/healthz").json()["simulated"] is True


def test_the_feed_stores_what_the_market_does(system: System) -> None:
    assert grows(system.owner, 50, 120, "candle"), system.parts["feed"].tail()
    assert system.parts["feed"].runs()


def test_dagster_has_loaded_the_code_and_keeps_its_records_as_the_writer(system: System) -> None:
    system.parts["dagster-webserver"].wait_until_healthy()
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { jobs { name } } } } }"
    (repository,) = system.ask_dagster(query)["repositoriesOrError"]["nodes"]
    assert "session" in {job["name"] for job in repository["jobs"]}
    with connect(with_database(system.owner, "dagster")) as records:
        owners = records.execute("select distinct tableowner from pg_tables where tablename='runs'")
        assert owners.fetchall() == [("optionscalp_writer",)]


def test_each_part_is_logged_in_as_the_role_that_it_needs(system: System) -> None:
    system.parts["chartserver"].wait_until_healthy()
    system.parts["dagster-daemon"].wait_until_healthy()
    query = "select distinct usename from pg_stat_activity where datname = any(%s)"
    with connect(system.owner) as owner:
        roles = {name for (name,) in owner.execute(query, (["optionscalp", "dagster"],))}
    assert roles == {"optionscalp", "optionscalp_reader", "optionscalp_writer"}


@pytest.mark.parametrize("role", ["reader", "writer"])
def test_no_password_but_its_own_lets_a_role_in(system: System, role: str) -> None:
    address = urlsplit(system.owner)
    where = {"host": "127.0.0.1", "port": address.port, "dbname": "optionscalp"}
    user = f"optionscalp_{role}"
    with psycopg.connect(**where, user=user, password=PASSWORDS[role]) as own:
        assert own.execute("select current_user").fetchone() == (user,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(**where, user=user, password="another")


def test_no_secret_is_in_a_log(system: System) -> None:
    for part in system.parts.values():
        log = part.log.read_text()
        assert not [secret for secret in (TOKEN, *PASSWORDS.values()) if secret in log]


@pytest.mark.skipif(not is_confined(), reason="needs root, to make file systems as an engine does")
@pytest.mark.parametrize("name", ["migrate", *PARTS])
def test_no_part_can_write_to_its_image_or_become_more(system: System, name: str) -> None:
    service = system.composed.service(name)
    places = "/app /opt/dagster /opt/venv /run/secrets / /usr/local/bin"
    script = f"id -u; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; for place in {places};"
    answer = service.run("sh", "-c", f"{script} do touch $place/new; done; touch /tmp/new")
    assert answer.returncode == 0
    said = ["10001", "CapEff: 0000000000000000", "CapBnd: 0000000000000000", "NoNewPrivs: 1"]
    assert [line.replace("\t", " ") for line in answer.stdout.splitlines()] == said
    assert answer.stderr.count("Read-only file system") == len(places.split())


def test_each_part_ends_by_itself_when_it_is_told_to(system: System) -> None:
    for name in HEALTHY:
        system.parts[name].wait_until_healthy()
    for part in system.parts.values():
        part.terminate()
    for name, part in system.parts.items():
        # 143 is what an engine shows of a program that ended by the signal itself.
        assert part.wait_for_end() in {0, -15}, f"{name}:\n{part.tail()}"
        assert not re.search(r"^Traceback", part.log.read_text(), re.MULTILINE), part.tail()
