"""Past sessions that Dagster fetches from a broker are those that a live day stored."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest
from dagster import DagsterInstance

from db.server.connection import connect
from pipelines.orchestration.definitions import definitions
from simulator.upstox.account import access_token
from strategy.session import session_hours
from tests.broker import at
from tests.live import Market, optionscalp, run_session, simulated_market
from tests.long import in_full

SESSIONS = (date(2026, 1, 20), date(2026, 1, 21), date(2026, 1, 22))
# Of the sessions' expiry, the 27th, nothing is listed any more.
LATER = date(2026, 1, 29)
# A session of an hour, the next one, and when their expiry, the 28th, was over.
MUHURAT, AFTER_IT, MUCH_LATER = date(2025, 10, 21), date(2025, 10, 23), date(2025, 10, 30)
NAMES = ("NIFTY",)
# Everything but when it was known, and that nobody saw it then.
BUILD_UPS = """
select symbol, open_time, underlying, close_time, close, open_interest, oi_change, volume, label,
       source, made_from
  from build_up where open_time >= %(first)s and close_time <= %(last)s
"""
SIGNALS = """
select signal_id, strategy, version, underlying, session, event_time, symbol, direction, kind,
       atm_strike, spot, net_delta_volume, strikes::text, entry, stop, target1, target2,
       entry_order, reasons::text, params_hash, input_watermark
  from signal where withdrawn_at is null and event_time > %(first)s and event_time <= %(last)s
"""
# Which of several losers ended the day is the one known first, so that details may differ.
REJECTIONS = """
select strategy, version, underlying, event_time, reason, symbol
  from signal_rejection where event_time > %(first)s and event_time <= %(last)s
"""
FreshDatabase = Callable[[], AbstractContextManager[str]]


@pytest.fixture
def token(tmp_path: Path) -> Callable[[date], dict[str, str]]:
    """What a process needs in its environment to ask the broker on a day."""

    def of(day: date) -> dict[str, str]:
        file = tmp_path / f"token-{day}"
        file.write_text(access_token(at(day, "08:30")))
        return {"SOURCES": "upstox", "UPSTOX_TOKEN_FILE": str(file)}

    return of


def played(dsn: str, day: date, speed: float, token, **options) -> AbstractContextManager[Market]:
    """A market whose only source is the broker."""
    arguments = () if speed == 1 else ("--no-upstox-pace",)
    options = {"underlyings": NAMES} | options
    return simulated_market(dsn, day, speed, *arguments, **options)


def rows(dsn: str, query: str, day: date) -> set[tuple]:
    """Return what a query finds in a session."""
    first, last = session_hours(day)
    with connect(dsn) as connection:
        return set(connection.execute(query, {"first": first, "last": last}).fetchall())


def backfill(instance: DagsterInstance, day: date) -> None:
    """Run the job for a session that is over; every check of its rows passes but for ladders."""
    result = definitions.resolve_job_def("session").execute_in_process(
        partition_key=str(day), instance=instance
    )
    failed = {
        (check.asset_key.to_user_string(), check.check_name)
        for check in result.get_asset_check_evaluations()
        if not check.passed
    }
    assert failed == {("chain_oi", "no_gaps")}, "nobody has the ladders of a past session"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as opened:
        yield opened


@contextmanager
def fetching(dsn: str, day: date, token, monkeypatch) -> Iterator[dict[str, str]]:
    """Let the broker be asked on a day, at the pace that it allows; yield the environment."""
    with played(dsn, day, 1, token, minutes_in=60) as market:
        environment = market.environment | token(day)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield environment


def follow(dsn: str, day: date, speed: float, token) -> None:
    """Let the feed follow a session to its end."""
    with played(dsn, day, speed, token, minutes_in=-2) as market:
        run_session(market._replace(environment=market.environment | token(day)))


def assert_the_same(live: str, later: str, day: date) -> None:
    followed, found = rows(live, BUILD_UPS, day), rows(later, BUILD_UPS, day)
    symbols = {symbol for symbol, *_ in followed}
    # The index may have touched a strike's reach between two looks of the feed.
    assert {row for row in found if row[0] in symbols} == followed
    assert len({symbol for symbol, *_ in found} - symbols) <= 4
    for query in (SIGNALS, REJECTIONS):
        assert rows(later, query, day) == rows(live, query, day)
    assert rows(live, SIGNALS, day)


def assert_backfilled(connection: psycopg.Connection, sessions: tuple[date, ...]) -> None:
    """Check that each row says that nobody saw it when it became known."""
    opens = {session_hours(day)[0] for day in sessions}
    assert connection.execute(
        "select bool_and(backfilled), bool_and(known_at = close_time), count(*) > 0 from build_up"
    ).fetchone() == (True, True, True)
    listed = connection.execute("select distinct listed_at from contract").fetchall()
    assert {moment for (moment,) in listed} <= opens


@in_full
def test_a_session_fetched_later_has_the_build_ups_and_signals_of_the_live_one(
    database: str,
    connection: psycopg.Connection,
    fresh_database: FreshDatabase,
    token,
    instance: DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    with fresh_database() as live:
        follow(live, MUHURAT, 400, token)
        with fetching(database, MUCH_LATER, token, monkeypatch):
            backfill(instance, MUHURAT)
        assert_the_same(live, database, MUHURAT)
    assert_backfilled(connection, (MUHURAT,))
    counted = "select count(*) from raw_receipt"
    (asked,) = connection.execute(counted).fetchone()
    with fetching(database, MUCH_LATER, token, monkeypatch) as environment:
        days = ("--from", str(MUHURAT), "--to", str(AFTER_IT))
        done = optionscalp("ingest", *days, "--json", home=tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    assert (first["candles"]["asked"], first["positions"]["requests"]) == (0, 0), "asked once"
    assert second["candles"]["asked"] == connection.execute(counted).fetchone()[0] - asked - 2
    assert min(second["positions"]["build_ups"], second["signals"]) > 0
    assert_backfilled(connection, (MUHURAT, AFTER_IT))


@in_full
@pytest.mark.timeout(900)
def test_three_sessions_fetched_later_are_those_that_were_followed_live(
    database: str,
    connection: psycopg.Connection,
    fresh_database: FreshDatabase,
    token,
    instance: DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
):
    with fetching(database, LATER, token, monkeypatch):
        for day in SESSIONS:
            backfill(instance, day)
    assert_backfilled(connection, SESSIONS)
    for day in SESSIONS:
        with fresh_database() as live:
            follow(live, day, 300, token)
            assert_the_same(live, database, day)
