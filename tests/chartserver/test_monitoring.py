"""Prometheus' rules and Grafana's dashboard, against the metrics that there are."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from chart_help import OPEN, SESSION, build_up, candle, clock_text
from prometheus_client.parser import text_string_to_metric_families

from chartserver.problems import CAUSES
from db.archive.source_budget import reserve
from db.archive.source_status import Access, report_access, report_up
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE
from optionscalp.stack import free_port

DOCKER = Path(__file__).parents[2] / "docker"
RULES = DOCKER / "prometheus" / "optionscalp.rules.yml"
RULE_TESTS = DOCKER / "prometheus" / "optionscalp.test.yml"
CONFIGURATION = DOCKER / "prometheus" / "prometheus.yml"
DASHBOARD = DOCKER / "grafana" / "optionscalp.json"
NAME = re.compile(r"\boptionscalp_\w+")
GRID_WIDTH = 24
PATIENCE_SECONDS = 60


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is missing: `./scripts/need prometheus` installs it on Debian")
    return found


@pytest.fixture
def market(serve, connection) -> Any:
    """A chart server in an open market of which everything is known."""
    now = OPEN + timedelta(minutes=10)
    write(connection, CANDLE, [candle(name, 9) for name in ("NIFTY", "BANKNIFTY")])
    write(connection, BUILD_UP, [build_up("NIFTY260127C25000", 0, known_at=now)])
    for source in ("tradingview", "trendlyne"):
        report_up(connection, source, now)
        report_access(connection, source, Access(0, None, None))
    reserve(connection, "trendlyne", now, timedelta(), SESSION, limit=200)
    return serve(OPTIONSCALP_CLOCK=clock_text(now.isoformat(), speed=1e-9))


def exported(chart) -> set[str]:
    families = text_string_to_metric_families(chart.get("/metrics").text)
    return {sample.name for family in families for sample in family.samples}


def rules() -> list[dict[str, Any]]:
    return [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]


def dashboard() -> dict[str, Any]:
    return json.loads(DASHBOARD.read_text())


def dashboard_queries() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]


# Without Prometheus -------------------------------------------------------------------------------


def test_the_dashboard_and_the_rules_ask_for_metrics_that_there_are(market):
    known = exported(market)
    for query in [*dashboard_queries(), *(rule["expr"] for rule in rules())]:
        assert set(NAME.findall(query)) <= known, query


def test_every_metric_has_a_place_on_the_dashboard(market):
    shown = {name for query in dashboard_queries() for name in NAME.findall(query)}
    assert {name for name in exported(market) if name.startswith("optionscalp_")} == shown


def test_every_metric_and_every_cause_is_documented(market):
    text = (DOCKER.parent / "docs" / "http.md").read_text()
    named = set(re.findall(r"`(\w+)`", text))
    assert {name.removeprefix("optionscalp_") for name in exported(market)} <= named
    assert set(CAUSES) <= named


def test_the_dashboard_has_the_form_that_grafana_reads():
    board = dashboard()
    assert {"uid", "title", "schemaVersion", "panels", "templating", "time"} <= board.keys()
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", board["uid"])
    assert isinstance(board["schemaVersion"], int)
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    source = {"type": "prometheus", "uid": "${datasource}"}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board["panels"])))
    assert used == variables.keys()
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["type"] in {"stat", "timeseries", "state-timeline"}
        assert panel["datasource"] == source
        references = [target["refId"] for target in panel["targets"]]
        assert references
        assert len(set(references)) == len(references)
        for target in panel["targets"]:
            assert target["datasource"] == source
            assert 'instance=~"$instance"' in target["expr"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= GRID_WIDTH
        cells = {
            (place["x"] + column, place["y"] + row)
            for column in range(place["w"])
            for row in range(place["h"])
        }
        assert cells
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_says_in_a_line_what_is_wrong_and_what_to_do():
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"].keys() == {"summary", "remedy"}
        for line in rule["annotations"].values():
            assert "\n" not in line
            assert line.endswith(".")


def test_every_alert_is_seen_to_fire():
    cases = yaml.safe_load(RULE_TESTS.read_text())["tests"]
    fired = {
        check["alertname"]
        for case in cases
        for check in case["alert_rule_test"]
        if check["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in rules()}


# With Prometheus ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", RULES), ("check", "config", CONFIGURATION), ("test", "rules", RULE_TESTS)],
    ids=["rules", "configuration", "alerts"],
)
def test_promtool_finds_nothing_wrong(arguments):
    told = subprocess.run(
        [program("promtool"), *arguments], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


class Prometheus:
    """A running Prometheus; answers of its API."""

    def __init__(self, port: int, process: subprocess.Popen) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"
        self._process = process

    def get(self, path: str, **parameters: str) -> Any:
        answer = httpx.get(f"{self._url}/{path}", params=parameters, timeout=20)
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:  # it has only just begun
            answer.raise_for_status()
        body = answer.json()
        assert body["status"] == "success", body
        return body["data"]

    def wait_for(self, ready: Any) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert self._process.poll() is None, self._process.stderr.read()
            assert time.monotonic() < deadline, "Prometheus does not get there"
            try:
                if found := ready():
                    return found
            except httpx.HTTPError:
                pass
            time.sleep(0.1)  # its API has nothing to wait for


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """Run Prometheus with our configuration, but for the target and the pace."""
    configuration = yaml.safe_load(CONFIGURATION.read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(RULES)]
    (job,) = configuration["scrape_configs"]
    job["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    port = free_port()
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Prometheus(port, process)
        finally:
            process.terminate()
            process.communicate()


def test_a_real_prometheus_scrapes_and_answers_every_query(market, tmp_path: Path):
    with prometheus(tmp_path, f"127.0.0.1:{market.port}") as running:

        def scraped() -> bool:
            targets = running.get("targets")["activeTargets"]
            assert not any(target["health"] == "down" for target in targets), targets
            return any(target["health"] == "up" for target in targets)

        def evaluated() -> list[dict[str, Any]] | None:
            (group,) = running.get("rules")["groups"]
            known = all(rule["health"] != "unknown" for rule in group["rules"])
            return group["rules"] if known else None

        def counted() -> bool:  # a rate needs two samples
            name = "optionscalp_chart_events_sent_total"
            return bool(running.get("query", query=f"rate({name}[1m])")["result"])

        running.wait_for(scraped)
        for rule in running.wait_for(evaluated):
            assert (rule["health"], rule.get("lastError")) == ("ok", None), rule["name"]
            # All is well, and the market is open.
            assert rule["state"] == "inactive", rule["name"]
        running.wait_for(counted)
        for query in dashboard_queries():
            found = running.get("query", query=query.replace("$instance", ".*"))
            assert found["result"], f"nothing answers {query}"
