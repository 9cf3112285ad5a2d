"""What `optionscalp doctor` finds, where that needs no running system."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from db.archive.source_status import Access, report_access, report_up
from db.server.roles import Role, prepared
from optionscalp.doctor import (
    Finding,
    accounts_found,
    calendar_left,
    delays_found,
    roles_found,
    token_found,
)
from pipelines.settings import Settings
from pipelines.sources.errors import SourceRefused
from pipelines.sources.upstox.token import TokenFile as UpstoxFile
from simulator.account import make_token
from simulator.upstox.account import access_token
from strategy.clock import MarketClock
from strategy.session import use_overrides

NOON = datetime(2026, 1, 21, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2026, 1, 21), "ok"),
        (date(2026, 11, 30), "ok"),
        (date(2026, 12, 1), "warning"),
        (date(2027, 1, 4), "warning"),
    ],
)
def test_the_calendars_last_thirty_days_are_a_warning(today: date, state: str):
    finding = calendar_left(today)
    assert finding.state == state
    assert finding.found == "known up to 2026-12-31"


def test_a_year_that_was_entered_ends_the_warning():
    use_overrides([("year", date(2027, 1, 1), None, None, None, None)])
    finding = calendar_left(date(2026, 12, 20))
    assert (finding.state, finding.found) == ("ok", "known up to 2027-12-31")


def test_logins_that_are_there_or_not_are_told(connection: Connection, database: str):
    if not conninfo_to_dict(database).get("password"):
        pytest.skip("the server's user has no password that others could follow from")
    for who in Role:
        prepared(database, who)
    assert roles_found(connection, database).state == "ok"
    other = roles_found(connection, make_conninfo(database, user="nobody"))
    assert (other.state, other.fatal) == ("warning", False)
    assert "the user of DATABASE_URL: reader, writer, chart" in other.found
    assert "optionscalp up" in other.remedy
    bare = conninfo_to_dict(database)
    bare.pop("password")
    assert "password" in roles_found(connection, make_conninfo("", **bare)).remedy


def found(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[Finding]:
    for name in ("TRADINGVIEW_TOKEN", "TRADINGVIEW_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return list(token_found(MarketClock(NOON, datetime.now(UTC).timestamp(), 1e-9)))


def test_without_a_token_late_candles_are_to_be_expected(monkeypatch: pytest.MonkeyPatch):
    (finding,) = found(monkeypatch)
    assert (finding.state, finding.found) == ("warning", "none: expect candles 15 minutes late")


def test_a_token_of_another_service_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    upstox, tradingview = tmp_path / "upstox", tmp_path / "tradingview"
    upstox.write_text(access_token(NOON))
    tradingview.write_text(make_token(NOON + timedelta(hours=1)))
    (finding,) = found(monkeypatch, TRADINGVIEW_TOKEN_FILE=str(upstox))
    assert finding.state == "error"
    assert "upstox holds the token of another service, not TradingView's" in finding.found
    for wrong in ({"tradingview_token_file": upstox}, {"tradingview_token": upstox.read_text()}):
        with pytest.raises(ValueError, match="token of another service"):
            Settings(database_url="postgresql://", **wrong)
    with pytest.raises(SourceRefused, match="holds the token of another service, not Upstox's"):
        UpstoxFile(tradingview).read(NOON)
    assert UpstoxFile(upstox).read(NOON) == upstox.read_text()


def test_a_token_is_named_by_its_end_and_never_by_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    token = make_token(NOON + timedelta(hours=1))
    (tmp_path / "token").write_text(token)
    findings = found(
        monkeypatch, TRADINGVIEW_TOKEN="x", TRADINGVIEW_TOKEN_FILE=str(tmp_path / "token")
    )
    assert [finding.found for finding in findings] == [
        "TRADINGVIEW_TOKEN_FILE is used, TRADINGVIEW_TOKEN is not",
        "ends 2026-01-21 13:00 IST",
    ]
    assert token not in str(findings)


@pytest.mark.parametrize(
    ("token", "state", "what"),
    [
        (make_token(NOON), "error", "ends 2026-01-21 12:00 IST"),
        (make_token(NOON + timedelta(hours=1), permissions=()), "warning", "has no real-time data"),
    ],
)
def test_a_token_that_is_over_or_for_less_has_a_remedy(
    monkeypatch: pytest.MonkeyPatch, token: str, state: str, what: str
):
    *_, finding = found(monkeypatch, TRADINGVIEW_TOKEN=token)
    assert finding.state == state
    assert finding.found.startswith(what)
    assert finding.remedy


def test_a_file_without_a_token_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (finding,) = found(monkeypatch, TRADINGVIEW_TOKEN_FILE=str(tmp_path / "none"))
    assert finding.state == "error"
    assert "cannot be read" in finding.found


@pytest.mark.parametrize(
    ("seconds", "state", "told"), [(0, "ok", "real time"), (900, "warning", "DELAYED 15 min")]
)
def test_how_late_a_source_was_is_told(connection: Connection, seconds: int, state: str, told: str):
    report_up(connection, "tradingview", NOON)
    report_access(connection, "tradingview", Access(seconds, None, None))
    (finding,) = delays_found(connection)
    assert (finding.what, finding.state) == ("tradingview's data", state)
    assert finding.found == f"{told}, when last asked"


def test_every_source_that_is_asked_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("UPSTOX_TOKEN_FILE", str(tmp_path))
    settings = Settings(database_url="unused", sources="upstox,trendlyne")
    (token,) = accounts_found("upstox", settings)
    assert (token.what, token.state) == ("upstox's token", "error")
    assert "Is a directory" in token.found
    assert {finding.state for finding in accounts_found("trendlyne", settings)} == {"ok"}
