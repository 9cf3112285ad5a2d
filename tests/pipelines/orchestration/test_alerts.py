"""Each failed check is told once, and once that it passed again, over real sockets."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import dagster as dg
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from db.checks.findings import CheckState, Finding, record
from pipelines.orchestration.alerts import AlertSettings, decide, failure_message, watched_sessions
from pipelines.orchestration.resources import Market
from pipelines.orchestration.sensors import alerts
from strategy.clock import MarketClock

# Apprise loads a module that Python 3.13 drops; it has its own replacement there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SESSION = date(2026, 1, 21)
BEFORE = date(2026, 1, 20)
NOW = datetime(2026, 1, 21, 5, 30, tzinfo=UTC)


def finding(passed: bool = False, **changes: object) -> Finding:
    details = {"rows": 10, "wrong": 0 if passed else 1, "examples": ["NIFTY260127C25000"]}
    row = Finding(SESSION, "build_up", "whole_lots", "error", passed, details, NOW)
    return row._replace(**changes)


def state(**changes: object) -> CheckState:
    row = CheckState(SESSION, "build_up", "whole_lots", "error", NOW, {"wrong": 1}, NOW, None)
    return row._replace(**changes)


def test_a_failure_is_due_until_it_was_alerted_and_its_recovery_after_that() -> None:
    assert decide([state()], [SESSION], "error") == ([state()], [])
    assert decide([state(alerted_at=NOW)], [SESSION], "error") == ([], [])
    recovered = state(failed_since=None, alerted_at=NOW)
    assert decide([recovered], [SESSION], "error") == ([], [recovered])
    assert decide([state(failed_since=None)], [SESSION], "error") == ([], [])


def test_warnings_are_told_only_where_they_are_wanted() -> None:
    late = state(severity="warning", check_name="on_time")
    assert decide([late], [SESSION], "error") == ([], [])
    assert decide([late], [SESSION], "warning") == ([late], [])


def test_a_backfill_of_older_sessions_is_quiet() -> None:
    assert watched_sessions(NOW) == [SESSION, BEFORE]
    sunday = datetime(2026, 1, 25, 6, tzinfo=UTC)
    assert watched_sessions(sunday) == [date(2026, 1, 23), date(2026, 1, 22)]
    old = state(session=date(2026, 1, 19))
    assert decide([old], watched_sessions(NOW), "warning") == ([], [])


states = st.builds(
    state,
    session=st.sampled_from([SESSION, BEFORE]),
    check_name=st.sampled_from(["whole_lots", "on_time"]),
    severity=st.sampled_from(["error", "warning"]),
    failed_since=st.sampled_from([None, NOW]),
    alerted_at=st.sampled_from([None, NOW]),
)


@given(rows=st.lists(states), level=st.sampled_from(["error", "warning"]))
def test_what_was_told_is_not_due_again(rows: list[CheckState], level: str) -> None:
    due = decide(rows, [SESSION, BEFORE], level)
    after = [
        row._replace(alerted_at=NOW)
        if row in due.failures
        else row._replace(alerted_at=None)
        if row in due.recoveries
        else row
        for row in rows
    ]
    assert decide(after, [SESSION, BEFORE], level) == ([], [])


def test_a_message_tells_session_check_numbers_and_where_to_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHART_URL", "https://desk.example/scalp/")
    details = {"wrong": 3, "examples": ["x" * 400]}
    message = failure_message("OptionScalp", [state(details=details)], ("NIFTY", "BANKNIFTY"))
    assert message.kind == "failure"
    assert message.title == "OptionScalp: build_up/whole_lots failed"
    first, *links = message.body.splitlines()
    assert first.startswith(
        "build_up/whole_lots (error) of session 2026-01-21 fails since 2026-01-21 11:00 IST:"
        " wrong 3; examples xxx"
    )
    assert len(first) < 450
    assert links == [
        f"https://desk.example/scalp/replay?underlying={name}&from=2026-01-21&to=2026-01-21"
        for name in ("NIFTY", "BANKNIFTY")
    ]


def test_addresses_are_separated_by_commas_or_blanks_and_may_hold_commas() -> None:
    settings = AlertSettings(
        ALERT_URLS="json://127.0.0.1:1/a, mailtos://me:x@example.org?to=a@b.org,c@d.org\n"
        "tgram://123456789:ABCdefGHIjklMNOpqrSTUvwxYZ0123456789/1234567/"
    )
    assert [url.split(":")[0] for url in settings.addresses] == ["json", "mailtos", "tgram"]
    assert settings.addresses[1].endswith("a@b.org,c@d.org")
    assert "ABCdef" not in repr(settings)
    assert AlertSettings().addresses == []


def test_an_address_that_nobody_knows_is_told_without_its_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ValidationError) as raised:
        AlertSettings(ALERT_URLS="json://127.0.0.1:1/a nonsense://secret")
    assert "address 2 is none that apprise knows" in str(raised.value)
    assert "secret" not in str(raised.value) + caplog.text


class Receiver(HTTPServer):
    """Takes alerts as JSON and keeps them."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Take)
        self.taken: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server_port}/alerts"


class _Take(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(json.loads(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *values: object) -> None:
        pass


@contextmanager
def receiver(port: int = 0) -> Iterator[Receiver]:
    with Receiver(port) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def market(database: str, monkeypatch: pytest.MonkeyPatch) -> Market:
    """A market at eleven o'clock."""
    monkeypatch.setenv("DATABASE_URL", database)
    clock = MarketClock(NOW, datetime.now(UTC).timestamp(), 1.0)
    monkeypatch.setenv("OPTIONSCALP_CLOCK", str(clock))
    monkeypatch.delenv("ALERT_URLS", raising=False)
    return Market()


def tick(market: Market) -> str:
    """Let the sensor look once; return what it says it did."""
    with dg.build_sensor_context(resources={"market": market}) as context:
        answer = alerts(context)
    return answer.skip_message


def test_nobody_is_alerted_until_an_address_is_set(
    connection: psycopg.Connection, market: Market
) -> None:
    record(connection, [finding()])
    assert tick(market) == "ALERT_URLS is not set: nobody is alerted"


def test_a_failure_and_its_recovery_are_each_told_once(
    connection: psycopg.Connection, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as server:
        monkeypatch.setenv("ALERT_URLS", server.url)
        assert tick(market) == "nothing new"
        record(connection, [finding(), finding(severity="warning", check_name="on_time")])
        tick(market)
        record(connection, [finding(checked_at=NOW + timedelta(minutes=1))])
        assert tick(market) == "nothing new"
        (told,) = server.taken
        assert told["title"] == "OptionScalp, simulated market: build_up/whole_lots failed"
        assert told["type"] == "failure"
        assert "session 2026-01-21 fails since 2026-01-21 11:00 IST" in told["message"]
        assert "wrong 1" in told["message"]
        assert "/replay?underlying=NIFTY&from=2026-01-21&to=2026-01-21" in told["message"]

        record(connection, [finding(passed=True)])
        tick(market)
        assert tick(market) == "nothing new"
        assert len(server.taken) == 2
        assert server.taken[1]["type"] == "success"
        assert "build_up/whole_lots of 2026-01-21 passes again" in server.taken[1]["message"]

        record(connection, [finding()])
        tick(market)
        assert len(server.taken) == 3


def test_several_failures_make_one_message(
    connection: psycopg.Connection, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as server:
        monkeypatch.setenv("ALERT_URLS", server.url)
        monkeypatch.setenv("ALERT_ON", "warning")
        record(connection, [finding(), finding(severity="warning", check_name="on_time")])
        tick(market)
        (told,) = server.taken
        assert told["title"].endswith(": 2 checks failed")


def test_what_nobody_took_is_told_at_a_later_tick(
    connection: psycopg.Connection, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as server:
        url, port = server.url, server.server_port
    monkeypatch.setenv("ALERT_URLS", url)
    record(connection, [finding()])
    assert tick(market).startswith("not sent: ")
    with receiver(port) as server:
        tick(market)
        assert len(server.taken) == 1
        assert tick(market) == "nothing new"


def test_one_address_that_is_down_does_not_repeat_the_alert_to_the_others(
    connection: psycopg.Connection, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiver() as gone:
        dead = gone.url
    with receiver() as server:
        monkeypatch.setenv("ALERT_URLS", f"{dead} {server.url}")
        record(connection, [finding()])
        tick(market)
        assert tick(market) == "nothing new"
        assert len(server.taken) == 1


def test_a_wrong_setting_or_no_database_is_said_and_nothing_raised(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_URLS", "nonsense://secret")
    assert tick(market) == "ALERT_URLS: address 1 is none that apprise knows"
    monkeypatch.setenv("ALERT_URLS", "json://127.0.0.1:9/")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    assert tick(market).startswith("no database at 127.0.0.1:9/none")
