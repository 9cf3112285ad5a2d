"""Dagster's web server as `up` and compose start it, asked as browsers and programs would."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_websocket
from websockets.typing import Origin, Subprotocol

from optionscalp.stack import free_port
from tests.conftest import temporary_folder

# As browsers name it, whatever its port is here.
OWN = "http://127.0.0.1:3000"
SEEN = "mutation { setNuxSeen }"
SHOWN = {"query": "{ shouldShowNux }"}
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"}
ELSEWHERE = (
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:8000"},  # the pages are a site of their own
    {"Origin": f"{OWN}.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"} | NAVIGATION,  # a form that is sent
)


class Server(NamedTuple):
    """Dagster's web server without any code of ours, and its home."""

    home: Path
    port: int

    def ask(
        self, method: str, path: str, headers: dict[str, str], **options: Any
    ) -> httpx.Response:
        given = {"Host": urlsplit(OWN).netloc} | headers
        url = f"http://127.0.0.1:{self.port}{path}"
        return httpx.request(method, url, headers=given, timeout=60, **options)

    def subscribe(self, site: str, origin: str | None) -> ClientConnection:
        return connect_websocket(
            f"ws://{urlsplit(site).netloc}/graphql",
            sock=socket.create_connection(("127.0.0.1", self.port), timeout=60),
            origin=Origin(origin) if origin else None,
            subprotocols=[Subprotocol("graphql-ws")],
        )

    @property
    def is_changed(self) -> bool:
        return any(self.home.rglob("nux.yaml"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with temporary_folder() as folder:
        (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        command = [sys.executable, "-m", "optionscalp.dagster_pages", "--empty-workspace"]
        names = {"DAGSTER_ALLOWED_HOSTS": "dagster.example", "DAGSTER_HOME": str(folder)}
        started = Server(folder, free_port())
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [*command, "-h", "127.0.0.1", "-p", str(started.port)],
                env=os.environ | names,
                stdout=log,
                stderr=log,
            )
        try:
            while True:
                assert process.poll() is None, (folder / "log").read_text()
                try:
                    started.ask("GET", "/server_info", {})
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield started
        finally:
            process.kill()  # it holds nothing, and takes seconds to end by itself
            process.wait()


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_page_of_another_site_changes_and_reads_nothing(server: Server, headers: dict[str, str]):
    for path in ("/graphql", "/report_asset_materialization/candle"):
        answer = server.ask("POST", path, headers, json={"query": SEEN})
        assert (answer.status_code, "another site" in answer.text) == (403, True)
    assert server.ask("POST", "/graphql", headers, params={"query": SEEN}).status_code == 403
    if not headers.keys() & NAVIGATION.keys():
        assert server.ask("GET", "/server_info", headers).status_code == 403
    assert not server.is_changed


def test_nothing_changes_by_get(server: Server):
    for headers in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Accept": "*/*"}):
        answer = server.ask("GET", "/graphql", headers, params={"query": SEEN})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    # A link that is followed shows the query in a form, and does not ask it.
    link = {"Sec-Fetch-Site": "cross-site"} | NAVIGATION
    shown = server.ask("GET", "/graphql", link, params={"query": SEEN})
    assert (shown.status_code, "<html" in shown.text) == (200, True)
    assert not server.is_changed


@pytest.mark.parametrize("host", ["evil.example", "evil.example:3000", "127.0.0.1.evil.example"])
def test_a_name_that_leads_here_opens_nothing(server: Server, host: str):
    site = f"http://{host}"
    headers = {"Host": host, "Origin": site, "Sec-Fetch-Site": "same-origin"}
    for method, path in (("GET", "/"), ("GET", "/server_info"), ("POST", "/graphql")):
        answer = server.ask(method, path, headers, json=SHOWN)
        assert answer.status_code == 421
        assert "DAGSTER_ALLOWED_HOSTS" in answer.text
    with pytest.raises(InvalidStatus, match="403"):
        server.subscribe(site, origin=site)


def test_links_are_followed_but_into_no_frame(server: Server):
    headers = {"Sec-Fetch-Site": "same-site"} | NAVIGATION
    page = server.ask("GET", "/runs", headers)
    assert (page.status_code, page.headers["X-Frame-Options"]) == (200, "SAMEORIGIN")
    assert server.ask("GET", "/runs", headers | {"Sec-Fetch-Dest": "iframe"}).status_code == 403


@pytest.mark.parametrize(
    ("site", "origin"),
    [
        (OWN, None),
        (OWN, OWN),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://dagster.example", "https://dagster.example"),
    ],
)
def test_its_own_pages_subscribe(server: Server, site: str, origin: str | None):
    with server.subscribe(site, origin) as websocket:
        websocket.send('{"type": "connection_init", "payload": {}}')
        assert "connection_ack" in websocket.recv(timeout=60)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:8000", "null"])
def test_no_page_of_another_site_subscribes(server: Server, origin: str):
    with pytest.raises(InvalidStatus, match="403"):
        server.subscribe(OWN, origin)


@pytest.mark.parametrize(
    "headers",
    [
        {},  # no browser
        {"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost:3000", "Origin": "http://localhost:3000"},
        {"Host": "dagster.example", "Origin": "https://dagster.example"},  # by the proxy
    ],
)
def test_its_own_pages_ask_and_change(server: Server, headers: dict[str, str]):
    answer = server.ask("POST", "/graphql", headers, json=SHOWN)
    assert "shouldShowNux" in answer.json()["data"]
    assert server.ask("POST", "/graphql", headers, json={"query": SEEN}).status_code == 200
    assert server.is_changed
    next(server.home.rglob("nux.yaml")).unlink()
