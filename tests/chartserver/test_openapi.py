"""The JSON interface is as it is described, whatever it is asked."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from chart_help import Chart, Process, Stream, clock_text
from described_help import SIGNAL_ID, STRIKES, store_everything
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks
from starlette.routing import Mount, Route

from chartserver.app import create_app
from chartserver.description.document import describe
from chartserver.description.ladder import LABELS
from chartserver.description.operations import EVENTS, OPERATIONS, TAKEN
from chartserver.markup import PAGES
from chartserver.settings import Settings
from db.server.connection import connect
from db.server.timeouts import PAGES as PATIENCE
from strategy.build_up import BUILD_UPS
from tests.long import runs_in_full

EXAMPLES = 300 if runs_in_full() else 10
SECONDS = PATIENCE.statement.total_seconds() + 5
SCHEMA = schemathesis.openapi.from_dict(describe())
SCHEMA.config.phases.coverage.generate_duplicate_query_parameters = True
SCHEMA.config.generation.with_security_parameters = False  # no token is asked for here
TRIED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not runs_in_full(),
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# A request may also be too large to be read.
SCHEMA.config.checks.negative_data_rejection.expected_statuses = ["400", "405", "431"]
# What the tables hold, and dates and numbers at the edges of what is read.
KNOWN = {
    "symbols": ["NIFTY", "NIFTY1!,NIFTY260127C25000", "BANKNIFTY", ",".join(["NIFTY"] * 100)],
    "from": ["2026-01-20", "2026-01-21T09:20", "2000-01-01", "2099-12-31", "2026-01-01"],
    "to": ["2026-01-21", "2026-01-21T09:40:30", "2000-01-01", "2099-12-31", "2026-01-31"],
    "at": ["1768967100", "2026-01-21T09:30", "2000-01-01", "2099-12-31T23:59:59-23:59"],
    "expiry": ["2026-01-27", "2000-01-01", "2099-12-31"],
    "signal_id": [SIGNAL_ID],
    "strategy": ["delta_volume", "vwap_trap", "0"],
    "version": ["1", "1+0a1b2c3d", "1 0a1b2c3d"],
    **{name: [*STRIKES, 1, 2**31 - 1] for name in ("strike", "call", "put")},
    "sweep_id": [1, 2, 2**31 - 1],
}
# Whether a date exists, and lies before another, no pattern says.
DATES = {"from", "to", "at", "expiry"}
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]
ENDLESS = [one.path for one in OPERATIONS if one.media == EVENTS]
FINITE = [one.path for one in OPERATIONS if one.path not in ENDLESS]


@pytest.fixture(scope="module")
def described(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[Chart]:
    """A chart server over rows of every kind."""
    with fresh_database() as dsn:
        with connect(dsn) as connection:
            store_everything(connection)
        # Not a thread: Hypothesis watches this process's random numbers.
        chart = Process(dsn, OPTIONSCALP_CLOCK=clock_text("2026-01-21T04:30:00+00:00"))
        try:
            yield chart
        finally:
            chart.stop()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Connections that are kept."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


def likely(draw: st.DataObject, case: Case) -> None:
    """Put stored things in place of some invented ones: nothing is stored of most of those."""
    for name, values in KNOWN.items():
        if name in case.query and draw.draw(st.booleans()):
            case.query[name] = draw.draw(st.sampled_from(values))


@pytest.mark.parametrize("path", FINITE)
@TRIED
@given(data=st.data())
def test_what_is_asked_as_described_is_answered_as_described(
    described: Chart, session: requests.Session, path: str, data: st.DataObject
):
    case = data.draw(SCHEMA[path]["GET"].as_strategy(generation_mode=GenerationMode.POSITIVE))
    likely(data, case)
    answer = case.call_and_validate(described.url, session=session, checks=CHECKS, timeout=SECONDS)
    if answer.status_code == 400:
        assert answer.json()["parameter"] in DATES, answer.request.url


@pytest.mark.parametrize("path", [p for p in FINITE if SCHEMA[p]["GET"].query])
@TRIED
@given(data=st.data())
def test_what_is_asked_otherwise_is_refused(
    described: Chart, session: requests.Session, path: str, data: st.DataObject
):
    case = data.draw(SCHEMA[path]["GET"].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    assume(all(value not in ([], {}) for value in case.query.values()))  # nothing of them is sent
    case.call_and_validate(described.url, session=session, checks=CHECKS, timeout=SECONDS)


@SCHEMA.exclude(path=ENDLESS).parametrize()
@settings(TRIED, phases=[Phase.explicit])
def test_edges_and_other_methods_are_answered_as_described(
    case: Case, described: Chart, session: requests.Session
):
    case.call_and_validate(described.url, session=session, checks=CHECKS, timeout=SECONDS)


def asked(chart: Chart, target: str, method: str = "GET") -> tuple[int, dict[str, Any], str]:
    """The status, the JSON and the header `Allow` of what is asked exactly so."""
    with closing(http.client.HTTPConnection("127.0.0.1", chart.port, timeout=SECONDS)) as peer:
        peer.request(method, target)
        answer = peer.getresponse()
        body = b"" if answer.status == 200 and method != "GET" else answer.read()
        return answer.status, json.loads(body) if body else {}, answer.getheader("Allow", "")


# Percent-encoded as no client of good faith does: NUL, broken UTF-8, half a surrogate pair, digits
# of other scripts, line ends, more digits than Python reads.
HOSTILE = [
    *(
        "%00",
        "1%00",
        "%ff",
        "%c3%28",
        "%ed%a0%80",
        "%ed%a0%bd%ed%b8%80",
        "%f4%90%80%80",
        "%",
        "%zz",
    ),
    *("%d9%a1", "%ef%bc%91", "1%0a", "%0d%0aX:1", "%27%20or%201=1--", "..%2f..%2f", "%24%7b7*7%7d"),
    *("-1", "0", "1e400", "nan", "inf", "0x10", "1_000", "%2b1", "9" * 5000, "1." + "0" * 400),
    *("0001-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "2026-01-21T09:15%2b99:99"),
    *("NIFTY,,NIFTY", ",", "NIFTY:", "NIFTY:2026-13-01", ":", "%7bx%7d", "[]", "%5b%5d", "a:1:1"),
]


@pytest.mark.parametrize("path", [one.path for one in OPERATIONS if one.parameters])
def test_hostile_values_are_refused_by_name_or_have_no_rows(described: Chart, path: str):
    for name in TAKEN[path]:
        for value in HOSTILE:
            # Of a stream, what it would be is not waited for.
            method = "HEAD" if path in ENDLESS else "GET"
            status, body, _ = asked(described, f"{path}?{name}={value}", method)
            assert status in {200, 400, 404}, (name, value, body)
            if status == 400 and body:
                assert (body["status"], body["parameter"]) in {(400, name), (400, "from")}


@pytest.mark.parametrize("path", [one.path for one in OPERATIONS if one.parameters])
def test_unknown_and_repeated_parameters_are_refused_by_name(described: Chart, path: str):
    once = [name for name, several in TAKEN[path].items() if not several]
    for query, named in (
        ("form=2026-01-21", "form"),
        ("%00=1", "\x00"),
        ("%ff%fe=1", "\ufffd\ufffd"),
        ("x" * 3000, "x" * 60),
        ("underlying[]=NIFTY", "underlying[]"),
        *((f"{name}=1&{name}=1", name) for name in once),
        *((f"{name}=&{name}=", name) for name in once),
    ):
        status, body, _ = asked(described, f"{path}?{query}")
        assert (status, body["parameter"]) == (400, named), query
        assert str(body["allowed"])


def test_a_token_in_the_address_is_no_parameter_of_it(described: Chart):
    assert described.get("/api/sessions?token=x").status_code == 200


@pytest.mark.parametrize("path", [one.path for one in OPERATIONS])
def test_an_address_takes_nothing_but_get_and_head(described: Chart, path: str):
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        status, body, allow = asked(described, path, method)
        assert (status, body.get("status", 405)) == (405, 405), method
        assert {name.strip() for name in allow.split(",")} == {"GET", "HEAD"}
    head = described_head(described, path)
    assert head.status_code == (400 if path in NEEDS_SOMETHING else 200)
    assert not head.content


NEEDS_SOMETHING = {"/api/replay", "/replay/stream", "/api/signals/revisions"}


def described_head(chart: Chart, path: str) -> httpx.Response:
    return httpx.head(chart.url + path, timeout=SECONDS)


def test_streams_are_events_and_refuse_before_they_begin(described: Chart):
    for path in ENDLESS:
        answer = described.get(f"{path}?underlying=X")
        assert (answer.status_code, answer.json()["parameter"]) == (400, "underlying")
    with Stream(described, "/stream", underlying="NIFTY") as stream:
        assert stream.response.getheader("content-type").startswith(EVENTS)
        told = stream.take_kind("status").data
    assert set(told) == set(describe()["components"]["schemas"]["Status"]["properties"])
    with Stream(described, "/replay/stream", from_="2026-01-21", speed=1_000_000) as stream:
        assert stream.response.getheader("content-type").startswith(EVENTS)
        assert stream.take_kind("end")


def test_everything_but_the_health_asks_for_the_token(
    serve: Callable[..., Chart], described: Chart
):
    guarded = serve(CHART_TOKEN="secret")
    for one in OPERATIONS:
        expected = 200 if one.path == "/healthz" else 401
        assert guarded.get(one.path).status_code == expected, one.path
    described_there = guarded.get("/openapi.json", headers={"Authorization": "Bearer secret"})
    assert described_there.json() == describe() == described.json("/openapi.json")


def test_routes_and_descriptions_are_the_same_set():
    routes = create_app(Settings(DATABASE_URL="postgresql://nowhere")).routes
    paths = {route.path for route in routes if isinstance(route, Route)}
    pages = {path for path in paths if path in PAGES or path.startswith("/static/")}
    assert all(route.path == "/static" for route in routes if isinstance(route, Mount))
    assert paths - pages == set(describe()["paths"])


def test_the_description_is_valid_openapi():
    SCHEMA.validate()
    assert describe()["openapi"].startswith("3.1.")


def test_labels_are_those_of_the_strategies():
    assert LABELS == BUILD_UPS
