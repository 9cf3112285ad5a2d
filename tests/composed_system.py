"""All services of compose.yaml on an embedded PostgreSQL and a simulated market, for tests."""

import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

import db.server.embedded
from optionscalp.stack import free_port
from tests.composed import DOCKER, Composed, Service
from tests.live import Market
from tests.long import runs_in_full

TOKEN = "of the pages"
PASSWORDS = {"writer": 'a "writer\'s" %20@', "chart": "it's the chart's"}
# A login of Dagster's pages, and a hash of its password as `caddy hash-password` makes it.
DAGSTER_LOGIN = ("ops", "of Dagster")
DAGSTER_HASH = "$2a$04$xN6m1LdcbdpAD4ZZyCVf8.UbwaNB/wRSjKe7DS4zprxKvZZ3cPJsq"
HEALTHY = ("chartserver", "dagster-webserver")
if runs_in_full():  # its health check alone takes seconds
    HEALTHY += ("dagster-daemon",)
PARTS = ("feed", *HEALTHY)
CLOCK = ("OPTIONSCALP_CLOCK", "OPTIONSCALP_SOURCE")
SOURCES = ("TRADINGVIEW_URL", "TRENDLYNE_URL")


class System:
    """All services but the proxy, on an embedded PostgreSQL in the place of their database."""

    def __init__(self, folder: Path, owner: str, market: Market):
        self.owner = owner
        server = urlsplit(owner)
        self.chart, self.dagster, self.http, self.https = (free_port() for _ in range(4))
        places = {
            "database:5432": f"127.0.0.1:{server.port}",
            "127.0.0.1:8000": f"127.0.0.1:{self.chart}",
            "127.0.0.1:3000": f"127.0.0.1:{self.dagster}",
            "127.0.0.1:8080": f"127.0.0.1:{self.http}",
            # The proxy, as the chart server sees it.
            "172.30.77.10": "127.0.0.1",
            "8000": str(self.chart),
            "3000": str(self.dagster),
        }
        secrets = {
            "alert_urls": "",
            "chart_token": f"{TOKEN}\n",
            "dagster_logins": f"{DAGSTER_LOGIN[0]} {DAGSTER_HASH}\n",
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

    def start_proxy(self, caddy: Path) -> Service:
        """Start the proxy with the Caddyfile's ports and the names of the others in it replaced."""
        text = (DOCKER / "Caddyfile").read_text()
        for there, here in {
            "8080": self.http,
            "8443": self.https,
            "chartserver:8000": f"127.0.0.1:{self.chart}",
            "dagster-webserver:3000": f"127.0.0.1:{self.dagster}",
        }.items():
            assert text.count(there) == 1
            text = text.replace(there, str(here))
        self.composed.give_proxy(caddy, text)
        self.parts["proxy"] = self.composed.start("proxy")
        return self.parts["proxy"]

    def get(self, path: str, token: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{self.chart}{path}"
        return httpx.get(url, headers=headers, timeout=30)

    def ask_dagster(self, query: str, **variables: Any) -> dict:
        url = f"http://127.0.0.1:{self.dagster}/graphql"
        answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]
