"""compose.yaml without containers: the same processes, commands, environment, roles and secrets."""

import base64
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_websocket
from websockets.typing import Subprotocol

import db.server.embedded
from db.server.connection import connect, with_database
from db.writing.bulk import write
from db.writing.relations import CANDLE
from db.writing.rows import Candle
from tests.composed import DOCKER, REPOSITORY
from tests.composed_system import DAGSTER_LOGIN, HEALTHY, PARTS, PASSWORDS, TOKEN, System
from tests.confined import is_confined
from tests.conftest import temporary_folder
from tests.live import grows, simulated_market
from tests.long import in_full

PAGES, DAGSTER = "https://desk.localhost/", "https://dagster.localhost/"
BEARER = f"Authorization: Bearer {TOKEN}"


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


def test_commands_by_hand_run_in_a_container_of_their_own(system: System) -> None:
    answer = system.composed.service("command").run("optionscalp", "status", "--json")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)


def test_a_backup_is_made_in_the_container_of_commands(system: System) -> None:
    script = "optionscalp backup /tmp/a.dump && ls /tmp"
    answer = system.composed.service("command").run("sh", "-c", script)
    assert "counted" in answer.stdout, answer.stderr
    assert "a.dump" in answer.stdout.splitlines()


@in_full
def test_a_run_of_dagster_stores_its_rows(system: System) -> None:
    for name in HEALTHY:
        system.parts[name].wait_until_healthy()
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "pipelines.orchestration.definitions",
        "jobName": "session",
    }
    tags = [{"key": "dagster/partition", "value": "2026-01-21"}]
    launched = system.ask_dagster(
        "mutation($given: ExecutionParams!) { launchRun(executionParams: $given) {"
        " __typename ... on LaunchRunSuccess { run { runId } } } }",
        given={"selector": selector, "executionMetadata": {"tags": tags}},
    )["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    status = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
    reached = ""
    while reached not in {"SUCCESS", "FAILURE", "CANCELED"}:
        assert system.parts["dagster-daemon"].runs()
        time.sleep(1)
        reached = system.ask_dagster(status, id=launched["run"]["runId"])["runOrError"]["status"]
    assert reached == "SUCCESS", system.parts["dagster-daemon"].tail()


def test_each_part_is_logged_in_as_the_role_that_it_needs(system: System) -> None:
    system.parts["chartserver"].wait_until_healthy()
    query = "select distinct usename from pg_stat_activity where datname = any(%s)"
    with connect(system.owner) as owner:
        roles = {name for (name,) in owner.execute(query, (["optionscalp", "dagster"],))}
    assert roles == {"optionscalp", "optionscalp_chart", "optionscalp_writer"}


@pytest.mark.parametrize("role", PASSWORDS)
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
@pytest.mark.parametrize("name", ["migrate", "command", *PARTS])
def test_no_part_can_write_to_its_image_or_become_more(system: System, name: str) -> None:
    service = system.composed.service(name)
    places = "/app /opt/dagster /opt/venv /run/secrets / /usr/local/bin"
    script = f"id -u; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; for place in {places};"
    answer = service.run("sh", "-c", f"{script} do touch $place/new; done; touch /tmp/new")
    assert answer.returncode == 0
    said = ["10001", "CapEff: 0000000000000000", "CapBnd: 0000000000000000", "NoNewPrivs: 1"]
    assert [line.replace("\t", " ") for line in answer.stdout.splitlines()] == said
    assert answer.stderr.count("Read-only file system") == len(places.split())


class Proxy:
    """The proxy as people reach it."""

    def __init__(self, system: System):
        self._system = system
        self.authority = (
            system.composed.folder / "certificates/caddy/pki/authorities/local/root.crt"
        )

    def command(self, url: str, *options: str) -> list[str]:
        ports = {"http": self._system.http, "https": self._system.https}
        parts = urlsplit(url)
        port = ports[parts.scheme]
        # Asked by the name alone, as through the ports that the engine publishes.
        to = f"{parts.hostname}:{80 if parts.scheme == 'http' else 443}:127.0.0.1:{port}"
        trust = ("--cacert", str(self.authority))
        return ["curl", "--silent", "--show-error", "--connect-to", to, *trust, *options, url]

    def ask(self, url: str, *options: str) -> subprocess.CompletedProcess:
        command = self.command(url, "--include", "--max-time", "60", *options)
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def open_websocket(self, path: str, **options: Any) -> ClientConnection:
        context = ssl.create_default_context(cafile=str(self.authority))
        plain = socket.create_connection(("127.0.0.1", self._system.https), timeout=60)
        return connect_websocket(
            f"wss://dagster.localhost{path}", sock=plain, ssl=context, **options
        )


@pytest.fixture(scope="module")
def proxy(system: System) -> Proxy:
    caddy = shutil.which("caddy", path=f"{REPOSITORY / '.docker-tools/bin'}:{os.environ['PATH']}")
    if caddy is None:
        pytest.skip("there is no caddy: run make lint-docker, which fetches it, or install it")
    if not is_confined():
        pytest.skip("needs root, to make file systems as an engine does")
    for name in ("chartserver", "dagster-webserver"):
        system.parts[name].wait_until_healthy()
    system.start_proxy(Path(caddy)).wait_until_healthy()
    return Proxy(system)


def test_the_proxy_is_of_the_version_that_the_image_has(proxy: Proxy, system: System) -> None:
    said = system.parts["proxy"].run("caddy", "version").stdout.split()[0]
    assert f"FROM caddy:{said.removeprefix('v')}-alpine" in (DOCKER / "Dockerfile").read_text()


def test_pages_come_by_tls_and_http_2(proxy: Proxy) -> None:
    answer = proxy.ask(PAGES, "--http2", "--header", BEARER).stdout
    assert answer.startswith("HTTP/2 200"), answer
    assert "<title>" in answer
    assert proxy.ask(PAGES).stdout.startswith("HTTP/2 401")


def test_plain_http_leads_to_https(proxy: Proxy) -> None:
    answer = proxy.ask("http://desk.localhost/replay?speed=60").stdout
    assert answer.startswith("HTTP/1.1 308")
    assert "Location: https://desk.localhost/replay?speed=60" in answer


def test_a_login_made_through_the_proxy_is_for_https_alone(proxy: Proxy) -> None:
    answer = proxy.ask(f"{PAGES}token?next=/", "--data-urlencode", f"token={TOKEN}").stdout
    assert answer.startswith("HTTP/2 303"), answer
    (cookie,) = re.findall(r"^set-cookie: (.*)$", answer, re.MULTILINE)
    assert "; Secure" in cookie


def test_names_that_are_not_its_own_are_refused(proxy: Proxy) -> None:
    assert "421" in proxy.ask(PAGES, "--header", "Host: evil.example").stdout.splitlines()[0]
    plain = proxy.ask("http://desk.localhost/", "--header", "Host: evil.example").stdout
    assert "421" in plain.splitlines()[0]
    refused = proxy.ask("https://evil.example/")
    assert refused.returncode
    assert not refused.stdout


def test_dagster_is_shown_to_a_login_alone(proxy: Proxy) -> None:
    name, password = DAGSTER_LOGIN
    asked = proxy.ask(f"{DAGSTER}server_info").stdout
    assert asked.startswith("HTTP/2 401")
    assert "www-authenticate: Basic" in asked
    assert proxy.ask(DAGSTER, "--user", f"{name}:another").stdout.startswith("HTTP/2 401")
    shown = proxy.ask(f"{DAGSTER}server_info", "--user", f"{name}:{password}").stdout
    assert shown.startswith("HTTP/2 200")
    assert "dagster_version" in shown


@pytest.mark.parametrize(
    ("origin", "status"), [("https://dagster.localhost", 200), ("https://desk.localhost", 403)]
)
def test_a_browser_with_a_login_asks_dagster_for_its_own_pages_alone(
    proxy: Proxy, origin: str, status: int
) -> None:
    asked = ("--json", '{"query": "{ version }"}', "--header", f"Origin: {origin}")
    answer = proxy.ask(f"{DAGSTER}graphql", "--user", ":".join(DAGSTER_LOGIN), *asked).stdout
    assert answer.startswith(f"HTTP/2 {status}"), answer


def test_dagsters_websocket_passes_for_a_login_alone(proxy: Proxy) -> None:
    with pytest.raises(InvalidStatus, match="401"):
        proxy.open_websocket("/graphql")
    login = base64.b64encode(":".join(DAGSTER_LOGIN).encode()).decode()
    with proxy.open_websocket(
        "/graphql",
        subprotocols=[Subprotocol("graphql-ws")],
        additional_headers={"Authorization": f"Basic {login}"},
    ) as websocket:
        websocket.send('{"type": "connection_init", "payload": {}}')
        assert "connection_ack" in websocket.recv(timeout=60)


def test_a_single_event_of_a_stream_is_not_held_back(proxy: Proxy, system: System) -> None:
    options = ("--no-buffer", "--max-time", "60", "--header", BEARER)
    stream = proxy.command(f"{PAGES}stream?underlying=BANKNIFTY", *options)
    moment = datetime(2026, 1, 21, 4, tzinfo=UTC)
    known_at = moment + timedelta(minutes=1)
    row = Candle("BANKNIFTY", 1, moment, "BANKNIFTY", 1, 2, 0.5, 1.5, 0, None, "x", known_at, True)
    with (
        ExitStack() as still,
        subprocess.Popen(stream, stdout=subprocess.PIPE, text=True) as client,
        connect(system.owner) as connection,
    ):
        for name in {"feed", "dagster-daemon"} & set(PARTS):
            # Nothing that follows may push it on.
            still.enter_context(system.parts[name].paused())
        try:
            for line in client.stdout:
                if line.startswith("retry:"):
                    write(connection, CANDLE, [row])
                if line.startswith("event: candle"):
                    break
            else:
                pytest.fail("the stream ended")
        finally:
            client.kill()


def test_each_part_ends_by_itself_when_it_is_told_to(system: System) -> None:
    for name in HEALTHY:
        system.parts[name].wait_until_healthy()
    for part in system.parts.values():
        part.terminate()
    for name, part in system.parts.items():
        # 143 is what an engine shows of a program that ended by the signal itself.
        assert part.wait_for_end() in {0, -15, 143}, f"{name}:\n{part.tail()}"
        assert not re.search(r"^Traceback", part.log.read_text(), re.MULTILINE), part.tail()
