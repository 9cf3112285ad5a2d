"""Each check is green on sound rows and red for its own fault, on a real database."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import psycopg
import pytest

from db.bulk import BUILD_UP, CANDLE, CONTRACT, write
from db.connection import advisory_lock, connect
from db.raw_payloads import archive, mark_unparsed
from db.rows import BuildUp, Candle, Contract
from db.statistics import archived_payloads, lock_is_held, session_rows
from pipelines import checks
from pipelines.lateness import behind
from pipelines.resources import Market
from strategy.clock import MarketClock

SESSION = date(2026, 1, 21)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
NOW = OPEN + timedelta(minutes=30)
UNDERLYINGS = ("NIFTY", "BANKNIFTY")
EXPIRIES = {"NIFTY": date(2026, 1, 27), "BANKNIFTY": date(2026, 1, 27)}
Check = Callable[..., dg.AssetCheckResult]


def candle(underlying: str, open_time: datetime, **changes: object) -> Candle:
    row = Candle(
        symbol=underlying,
        interval_minutes=1,
        open_time=open_time,
        underlying=underlying,
        open=100.0,
        high=101.0,
        low=99.0,
        close=100.5,
        volume=None,
        open_interest=None,
        source="simulator",
        known_at=open_time + timedelta(minutes=1),
        final=True,
    )
    return row._replace(**changes)


def build_up(underlying: str, open_time: datetime) -> BuildUp:
    return BuildUp(
        symbol=f"{underlying}260127C25000",
        open_time=open_time,
        underlying=underlying,
        close_time=open_time + timedelta(minutes=5),
        close=100.0,
        open_interest=650,
        oi_change=None,
        volume=65,
        label="none",
        source="simulator",
        known_at=open_time + timedelta(minutes=8),
    )


def contract(underlying: str, expiry: date) -> Contract:
    symbol = f"{underlying}{expiry:%y%m%d}C25000"
    return Contract(
        *(symbol, underlying, expiry, 25000, "C", 65), SESSION, SESSION, source="simulator"
    )


@pytest.fixture
def market(database: str, monkeypatch: pytest.MonkeyPatch) -> Market:
    """A market that stands half an hour after the open of the session."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("UNDERLYINGS", ",".join(UNDERLYINGS))
    set_clock(monkeypatch, NOW)
    return Market()


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime, speed: float = 1.0) -> None:
    clock = MarketClock(now, datetime.now(UTC).timestamp(), speed)
    monkeypatch.setenv("OPTIONSCALP_CLOCK", str(clock))


@pytest.fixture
def rows(connection: psycopg.Connection) -> psycopg.Connection:
    """Sound rows up to the market's time: candles a minute old, build-ups two."""
    for underlying in UNDERLYINGS:
        minutes = [OPEN + timedelta(minutes=number) for number in range(29)]
        write(connection, CANDLE, [candle(underlying, minute) for minute in minutes])
        intervals = [OPEN + timedelta(minutes=5 * number) for number in range(5)]
        write(connection, BUILD_UP, [build_up(underlying, start) for start in intervals])
        write(connection, CONTRACT, [contract(underlying, EXPIRIES[underlying])])
    archive(connection, "simulator", "history NIFTY", SESSION, NOW, b"bars")
    return connection


def run(check: Check, market: Market, session: date | None = SESSION) -> dg.AssetCheckResult:
    key = session.isoformat() if session else None
    return check(dg.build_op_context(partition_key=key), market)


def value(result: dg.AssetCheckResult, name: str) -> object:
    return result.metadata[name].value


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("check", checks.ALL, ids=lambda check: check.node_def.name)
def test_every_check_is_green_on_sound_rows(check: Check, market: Market) -> None:
    assert run(check, market).passed


def test_an_underlying_without_candles_turns_the_row_check_red(
    rows: psycopg.Connection, market: Market
) -> None:
    rows.execute("delete from candle where underlying = 'BANKNIFTY'")
    result = run(checks.candle_has_rows, market)
    assert not result.passed
    assert (value(result, "NIFTY"), value(result, "BANKNIFTY")) == (29, 0)


def test_before_the_first_candles_are_due_none_are_expected(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, OPEN + timedelta(minutes=1))
    assert run(checks.candle_has_rows, market).passed
    set_clock(monkeypatch, OPEN + timedelta(minutes=4))
    assert not run(checks.candle_has_rows, market).passed


def test_an_old_session_without_candles_is_red_too(market: Market) -> None:
    assert not run(checks.candle_has_rows, market, date(2026, 1, 20)).passed


@pytest.mark.parametrize(
    "fault",
    [
        {"high": 100.2},
        {"low": 100.1},
        {"low": -1.0},
        {"close": float("nan")},
        {"open": float("nan"), "high": float("nan")},
        {"high": float("inf")},
    ],
    ids=str,
)
def test_a_candle_that_cannot_be_turns_the_price_check_red(
    rows: psycopg.Connection, market: Market, fault: dict[str, float]
) -> None:
    # The table refuses most of these; the check would see rows of another writer.
    rows.execute("alter table candle drop constraint candle_check")
    write(rows, CANDLE, [candle("NIFTY", OPEN, **fault)])
    result = run(checks.candle_prices_are_sane, market)
    assert not result.passed
    assert value(result, "broken") == 1
    assert value(result, "examples") == ["NIFTY 2026-01-21T03:45:00+00:00"]


def test_an_index_that_lags_turns_the_lateness_of_candles_red(
    rows: psycopg.Connection, market: Market
) -> None:
    rows.execute(
        "delete from candle where symbol = 'BANKNIFTY' and open_time >= %s",
        (NOW - timedelta(minutes=8),),
    )
    result = run(checks.candle_on_time, market)
    assert not result.passed
    assert value(result, "NIFTY_seconds_behind") == pytest.approx(60, abs=30)
    assert value(result, "BANKNIFTY_seconds_behind") == pytest.approx(480, abs=30)


def test_candles_that_only_form_are_late(rows: psycopg.Connection, market: Market) -> None:
    rows.execute("update candle set final = false where open_time > %s", (OPEN,))
    assert not run(checks.candle_on_time, market).passed


def test_build_ups_that_stopped_turn_their_lateness_red(
    rows: psycopg.Connection, market: Market
) -> None:
    rows.execute("delete from build_up where underlying = 'NIFTY' and open_time > %s", (OPEN,))
    result = run(checks.build_up_on_time, market)
    assert not result.passed
    assert value(result, "NIFTY_seconds_behind") == pytest.approx(25 * 60, abs=30)


def test_a_fast_clock_is_given_the_market_time_that_a_run_takes(
    rows: psycopg.Connection, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows.execute("delete from candle where open_time >= %s", (NOW - timedelta(minutes=6),))
    assert not run(checks.candle_on_time, market).passed
    set_clock(monkeypatch, NOW, speed=60.0)
    result = run(checks.candle_on_time, market)
    assert result.passed
    assert value(result, "allowed_seconds") == 180 + 300


@pytest.mark.parametrize("now", [OPEN - timedelta(minutes=5), OPEN + timedelta(hours=8)])
def test_nothing_is_late_while_the_market_is_shut(now: datetime) -> None:
    assert behind(None, SESSION, now) is None


def test_an_older_session_is_not_late_while_todays_is_on() -> None:
    assert behind(None, date(2026, 1, 20), NOW) is None
    assert behind(None, SESSION, NOW) == timedelta(minutes=30)


def test_a_payload_that_could_not_be_parsed_turns_its_check_red_with_the_number(
    rows: psycopg.Connection, market: Market
) -> None:
    archived = archive(rows, "simulator", "GET /chain", SESSION, NOW, b"<html>")
    mark_unparsed(rows, archived.payload_id, "not JSON")
    result = run(checks.raw_payload_all_parsed, market)
    assert not result.passed
    assert (value(result, "payloads"), value(result, "unparsed")) == (2, 1)
    assert value(result, "last_unparsed_payload_ids") == [archived.payload_id]


def test_an_expiry_that_the_calendar_does_not_know_turns_its_check_red(
    rows: psycopg.Connection, market: Market
) -> None:
    rows.execute("delete from contract where underlying = 'NIFTY'")
    write(rows, CONTRACT, [contract("NIFTY", date(2026, 1, 22))])
    result = run(checks.contract_expiry_is_the_calendars, market)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.ERROR
    assert value(result, "NIFTY_listed") == "2026-01-22"
    assert value(result, "NIFTY_computed") == "2026-01-27"


def test_where_the_calendar_ends_the_expiry_is_unknown_and_only_a_warning(
    rows: psycopg.Connection, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = date(2026, 12, 30)
    set_clock(monkeypatch, datetime(2026, 12, 30, 6, tzinfo=UTC))
    listed = contract("NIFTY", date(2027, 1, 5))
    write(rows, CONTRACT, [listed._replace(first_seen=session, last_seen=session)])
    result = run(checks.contract_expiry_is_the_calendars, market, session)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert value(result, "NIFTY_listed") == "2027-01-05"
    assert value(result, "NIFTY_computed") == "unknown"


def test_a_check_run_alone_looks_at_the_current_or_last_session(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert value(run(checks.candle_has_rows, market, None), "session") == "2026-01-21"
    set_clock(monkeypatch, datetime(2026, 1, 25, 6, tzinfo=UTC))  # a Sunday
    assert value(run(checks.candle_has_rows, market, None), "session") == "2026-01-23"


def test_counts_and_archive_are_of_the_session_in_india(rows: psycopg.Connection) -> None:
    archive(rows, "simulator", "history NIFTY", date(2026, 1, 20), NOW, b"other day")
    write(rows, CANDLE, [candle("NIFTY", OPEN - timedelta(days=1))])
    assert session_rows(rows, SESSION, UNDERLYINGS) == (2, 58, 0, 10, 0)
    assert session_rows(rows, SESSION, ("NIFTY",)) == (1, 29, 0, 5, 0)
    assert archived_payloads(rows, SESSION) == [("simulator", 1, 4, 0, None)]


def test_a_lock_is_seen_while_another_connection_holds_it(
    database: str, connection: psycopg.Connection
) -> None:
    key = 7_346_003
    assert not lock_is_held(connection, key)
    with connect(database) as other, advisory_lock(other, key) as held:
        assert held
        assert lock_is_held(connection, key)
        assert not lock_is_held(connection, key + 1)
    assert not lock_is_held(connection, key)
