"""Each seeded fault turns exactly its own check red, on a day from the simulator."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import dagster as dg
import psycopg
import pytest

from db.checks.statistics import FEED_LOCK, lock_is_held, session_rows
from db.market.gaps import EmptySeries, note_empty
from db.server.connection import advisory_lock, connect
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CONTRACT
from db.writing.rows import BuildUp, Candle, Contract
from pipelines.checks import faults
from pipelines.checks.check import Look
from pipelines.checks.every import EVERY
from pipelines.checks.lateness import behind
from pipelines.orchestration.asset_checks import ALL, results
from pipelines.orchestration.resources import Market
from pipelines.recorded.files import read_file
from pipelines.recorded.importer import import_rows
from strategy.clock import MarketClock
from strategy.session import session_hours

SESSION = date(2026, 1, 21)
OPEN, CLOSE = session_hours(SESSION)
BEFORE_CLOSE = CLOSE - timedelta(seconds=30)
AFTER_CLOSE = CLOSE + timedelta(minutes=20)
UNDERLYINGS = ("NIFTY", "BANKNIFTY")


@pytest.fixture
def day(healthy: str) -> Iterator[psycopg.Connection]:
    """The healthy day in a transaction that nobody commits."""
    with connect(healthy) as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def feed_runs(healthy: str) -> Iterator[None]:
    with connect(healthy) as other, advisory_lock(other, FEED_LOCK) as held:
        assert held
        yield


def look(connection: psycopg.Connection, now: datetime, session: date = SESSION) -> Look:
    return Look(connection, session, UNDERLYINGS, now)


def red(connection: psycopg.Connection, now: datetime) -> dict[str, dict[str, Any]]:
    """Return the numbers of every check that fails."""
    found = [check.find(look(connection, now)) for check in EVERY]
    return {
        f"{finding.asset}/{finding.check_name}": finding.details
        for finding in found
        if not finding.passed
    }


class Seeded(NamedTuple):
    """A fault, and the check and numbers that must tell of it."""

    check: str
    statements: tuple[str, ...]
    numbers: dict[str, Any]
    now: datetime = AFTER_CLOSE


ONE_OPTION = (
    "(select symbol from build_up where underlying = 'NIFTY' and symbol like '%C%'"
    " group by symbol order by count(*) desc, symbol limit 1)"
)
NOON = "timestamptz '2026-01-21 12:00+05:30'"
SEEDED = [
    Seeded(
        "candle/prices_are_sane",
        (
            "alter table candle drop constraint candle_check",  # as another writer's rows would
            f"update candle set high = low - 1 where symbol = 'NIFTY' and open_time = {NOON}",
        ),
        {"wrong": 1, "examples": ["NIFTY 2026-01-21T06:30Z"]},
    ),
    Seeded(
        "candle/whole_lots",
        (
            f"update candle set volume = volume + 1 where symbol = {ONE_OPTION}"
            f" and open_time = {NOON}",
        ),
        {"wrong": 1},
    ),
    Seeded(
        "candle/on_time",
        (
            "delete from candle where symbol = 'BANKNIFTY'"
            " and open_time >= timestamptz '2026-01-21 15:20+05:30'",
        ),
        {"BANKNIFTY_seconds_behind": 570.0, "allowed_seconds": 185.0},
        BEFORE_CLOSE,
    ),
    Seeded(
        "candle/session_is_complete",
        (
            "delete from candle where symbol = 'NIFTY'"
            " and open_time >= timestamptz '2026-01-21 15:27+05:30'",
        ),
        {"NIFTY": 372, "NIFTY_expected": 375, "BANKNIFTY": 375, "BANKNIFTY_expected": 375},
    ),
    Seeded(
        "candle/no_gaps",
        (
            f"delete from candle where symbol = {ONE_OPTION}"
            f" and open_time between {NOON} and {NOON} + interval '1 minute'",
        ),
        {"missing": 2, "symbols_with_gaps": 1},
    ),
    Seeded(
        "build_up/prices_are_sane",
        (f"update build_up set close = 'NaN' where symbol = {ONE_OPTION} and open_time = {NOON}",),
        {"wrong": 1},
    ),
    Seeded(
        "build_up/whole_lots",
        (
            f"update build_up set open_interest = open_interest - 1 where symbol = {ONE_OPTION}"
            f" and open_time = {NOON}",
        ),
        {"wrong": 1},
    ),
    Seeded(
        "build_up/on_time",
        (
            "delete from build_up where underlying = 'NIFTY'"
            " and close_time > timestamptz '2026-01-21 15:00+05:30'",
        ),
        {"NIFTY_seconds_behind": 1770.0, "allowed_seconds": 605.0},
        BEFORE_CLOSE,
    ),
    Seeded(
        "build_up/session_is_complete",
        (
            "delete from build_up where underlying = 'BANKNIFTY'"
            " and close_time = timestamptz '2026-01-21 15:30+05:30'",
        ),
        {"NIFTY_seconds_missing": 0.0, "BANKNIFTY_seconds_missing": 300.0},
    ),
    Seeded(
        "build_up/no_gaps",
        (f"delete from build_up where symbol = {ONE_OPTION} and open_time = {NOON}",),
        {"missing": 1, "symbols_with_gaps": 1},
    ),
    Seeded(
        "build_up/agrees_with_candles",
        ("update build_up set close = close + 20 where underlying = 'NIFTY'",),
        {"largest_points": 20.0, "allowed_share": 0.1},
    ),
    Seeded(
        "build_up/volumes_agree",
        (
            "update build_up b set made_from = 'rows', volume = (select sum(volume) from build_up a"
            " where a.symbol = b.symbol and a.open_time <= b.open_time)"
            " where underlying = 'NIFTY'",
        ),
        {"allowed_share": 0.1},
    ),
    Seeded(
        "candle/sources_agree",
        (
            "insert into source_version select 'candle', jsonb_build_object('symbol', symbol,"
            " 'interval_minutes', 1, 'open_time', open_time), source, open_time,"
            " jsonb_build_object('close', close), known_at"
            " from candle where symbol = 'NIFTY' and open_time < " + NOON,
            "insert into source_version select relation, key, 'upstox', moment,"
            " jsonb_build_object('close', (values ->> 'close')::float8 + 20), known_at"
            " from source_version where moment < timestamptz '2026-01-21 10:15+05:30'",
        ),
        {"compared": 60, "beyond_tolerance": 60},
    ),
    Seeded(
        "chain_oi/whole_lots",
        (
            "update chain_oi set call_oi = 41 where (underlying, strike, observed_at) = (select"
            " underlying, strike, observed_at from chain_oi order by 3, 1, 2 limit 1)",
        ),
        {"wrong": 1},
    ),
    Seeded(
        "chain_oi/no_gaps",
        ("delete from chain_oi where underlying = 'NIFTY' and observed_at = " + NOON,),
        {"missing": 1, "NIFTY_without": ["12:00"]},
    ),
    Seeded(
        "raw_payload/all_parsed",
        (
            "update raw_payload set parser_error = 'not JSON' where payload_id ="
            " (select max(payload_id) from raw_payload)",
        ),
        {"rows": 1, "wrong": 1},
    ),
    Seeded(
        "contract/expiry_is_the_calendars",
        (
            "insert into contract values ('NIFTY260122C25000', 'NIFTY', '2026-01-22', 25000, 'C',"
            " 65, '2026-01-21', '2026-01-21', 'import')",
        ),
        {"NIFTY_listed": "2026-01-22", "NIFTY_computed": "2026-01-27"},
    ),
    Seeded(
        "signal/strategies_work",
        ("insert into strategy_fault values ('rise.py', 'rise', '1f', 'took too long', now())",),
        {"switched_off": ["rise of rise.py: took too long"]},
    ),
]


def test_every_check_but_that_of_the_feed_has_its_fault() -> None:
    names = {f"{check.asset}/{check.name}" for check in EVERY}
    assert {seeded.check for seeded in SEEDED} == names - {"live_feed/is_alive"}


@pytest.mark.usefixtures("feed_runs")
@pytest.mark.parametrize("now", [BEFORE_CLOSE, AFTER_CLOSE])
def test_a_healthy_day_passes_every_check(day: psycopg.Connection, now: datetime) -> None:
    assert red(day, now) == {}


@pytest.mark.usefixtures("feed_runs")
@pytest.mark.parametrize("seeded", SEEDED, ids=lambda seeded: seeded.check)
def test_a_seeded_fault_turns_exactly_its_own_check_red(
    day: psycopg.Connection, seeded: Seeded
) -> None:
    for statement in seeded.statements:
        assert day.execute(statement).rowcount != 0
    found = red(day, seeded.now)
    assert set(found) == {seeded.check}
    assert found[seeded.check].items() >= seeded.numbers.items()


def test_a_feed_that_does_not_run_turns_its_check_red_in_an_open_market(
    day: psycopg.Connection,
) -> None:
    found = red(day, BEFORE_CLOSE)
    assert set(found) == {"live_feed/is_alive"}
    assert found["live_feed/is_alive"]["running"] is False
    assert red(day, AFTER_CLOSE) == {}


@pytest.mark.usefixtures("feed_runs")
def test_a_feed_that_runs_and_brings_nothing_is_not_alive(day: psycopg.Connection) -> None:
    for table in ("candle", "build_up"):
        day.execute(f"update {table} set known_at = %s", (BEFORE_CLOSE - timedelta(minutes=4),))
    found = red(day, BEFORE_CLOSE)
    assert set(found) == {"live_feed/is_alive"}
    assert found["live_feed/is_alive"]["lag_seconds"] == 240.0


def test_an_interval_in_which_nothing_traded_is_no_gap(day: psycopg.Connection) -> None:
    noon = OPEN + timedelta(hours=2, minutes=45)
    for relation, minutes in (("candle", 1), ("build_up", 5)):
        delete = f"delete from {relation} where symbol = {ONE_OPTION} and open_time = {NOON}"
        (symbol,) = day.execute(f"{delete} returning symbol").fetchone()
        assert set(red(day, AFTER_CLOSE)) == {f"{relation}/no_gaps"}
        day.execute(
            "insert into empty_interval values (%s, %s, %s, %s, 'simulator', %s)",
            (relation, symbol, minutes, noon, AFTER_CLOSE),
        )
        assert red(day, AFTER_CLOSE) == {}


def test_an_interval_without_its_index_is_a_gap_of_every_symbol_however_often_it_was_asked_for(
    day: psycopg.Connection,
) -> None:
    noon = OPEN + timedelta(hours=2, minutes=45)
    gone = day.execute(
        f"delete from candle where open_time = {NOON} and underlying = 'NIFTY' returning symbol"
    ).fetchall()
    for (symbol,) in gone:
        for minutes in (5, 10):
            series = EmptySeries("candle", symbol, 1, "simulator")
            note_empty(day, series, [noon], noon + timedelta(minutes=minutes))
    numbers = red(day, AFTER_CLOSE)["candle/no_gaps"]
    assert (numbers["missing"], numbers["symbols_with_gaps"]) == (len(gone), len(gone))
    assert numbers["outages"] == 1


def test_an_interval_that_only_forms_is_a_gap_once_it_is_due(day: psycopg.Connection) -> None:
    noon = OPEN + timedelta(hours=2, minutes=45)
    day.execute(
        "update candle set final = false where symbol = 'NIFTY' and open_time = %s", (noon,)
    )
    due = noon + timedelta(minutes=1, seconds=185)  # three minutes, and what a run takes
    check = next(check for check in EVERY if (check.asset, check.name) == ("candle", "no_gaps"))
    assert check.judge(look(day, due - timedelta(seconds=1))).passed
    verdict = check.judge(look(day, due))
    assert not verdict.passed
    assert verdict.details["first_missing"] == ["NIFTY 2026-01-21T06:30Z"]


def test_sources_whose_prices_differ_by_an_interval_are_seen(day: psycopg.Connection) -> None:
    day.execute(
        "update build_up b set close = later.close from build_up later"
        " where later.symbol = b.symbol and later.open_time = b.open_time + interval '5 minutes'"
    )
    found = red(day, AFTER_CLOSE)
    assert set(found) == {"build_up/agrees_with_candles"}
    numbers = found["build_up/agrees_with_candles"]
    assert numbers["share_beyond"] > 0.2
    assert 0 < numbers["median_points"] < numbers["largest_points"]


# Rows of their own, without the simulator.


def candle(symbol: str, open_time: datetime, **changes: object) -> Candle:
    row = Candle(
        symbol=symbol,
        interval_minutes=1,
        open_time=open_time,
        underlying="NIFTY",
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


def build_up(open_time: datetime, **changes: object) -> BuildUp:
    row = BuildUp(
        symbol="NIFTY260127C25000",
        open_time=open_time,
        underlying="NIFTY",
        close_time=open_time + timedelta(minutes=5),
        close=100.0,
        open_interest=650,
        oi_change=None,
        volume=65,
        label="none",
        source="simulator",
        known_at=open_time + timedelta(minutes=8),
    )
    return row._replace(**changes)


def contract(lot_size: int | None = 65) -> Contract:
    return Contract(
        *("NIFTY260127C25000", "NIFTY", date(2026, 1, 27), 25000, "C", lot_size),
        *(SESSION, SESSION, "simulator"),
    )


def judge(asset: str, name: str, seen: Look) -> tuple[bool, dict[str, Any]]:
    (check,) = [check for check in EVERY if (check.asset, check.name) == (asset, name)]
    return check.judge(seen)


@pytest.mark.parametrize(
    ("session", "expected"),
    [(SESSION, 375), (date(2026, 2, 1), 375), (date(2026, 7, 31), 375), (date(2026, 8, 3), 385)],
    ids=str,
)
def test_a_session_has_375_candles_and_385_since_august_2026(
    connection: psycopg.Connection, session: date, expected: int
) -> None:
    start, end = session_hours(session)
    minutes = [start + timedelta(minutes=number) for number in range(375)]
    write(connection, CANDLE, [candle("NIFTY", minute) for minute in minutes])
    seen = Look(connection, session, ("NIFTY",), end + timedelta(minutes=30))
    assert judge("candle", "session_is_complete", seen) == (
        expected == 375,
        {"over": True, "NIFTY": 375, "NIFTY_expected": expected},
    )
    early = seen._replace(now=end + timedelta(minutes=3))
    assert judge("candle", "session_is_complete", early)[0]


def test_a_recorded_session_of_five_minutes_has_75_candles(connection: psycopg.Connection) -> None:
    starts = [OPEN + timedelta(minutes=5 * number) for number in range(74)]
    write(connection, CANDLE, [candle("NIFTY", start, interval_minutes=5) for start in starts])
    seen = Look(connection, SESSION, ("NIFTY",), AFTER_CLOSE)
    passed, numbers = judge("candle", "session_is_complete", seen)
    assert (passed, numbers["NIFTY"], numbers["NIFTY_expected"]) == (False, 74, 75)


def test_a_session_that_was_never_stored_is_incomplete_but_not_wrong(
    connection: psycopg.Connection,
) -> None:
    assert set(red(connection, AFTER_CLOSE)) == {
        "candle/session_is_complete",
        "build_up/session_is_complete",
    }


@pytest.mark.parametrize(
    ("source", "odd", "passed"),
    [("simulator", 1, False), ("import", 1, True), ("import", 2, False)],
)
def test_a_file_may_hold_an_odd_row_and_a_live_source_none(
    connection: psycopg.Connection, source: str, odd: int, passed: bool
) -> None:
    write(connection, CONTRACT, [contract()])
    starts = [OPEN - timedelta(hours=3) + timedelta(minutes=5 * number) for number in range(100)]
    rows = [
        build_up(start, source=source, volume=1 if number < odd else 65)
        for number, start in enumerate(starts)
    ]
    write(connection, BUILD_UP, rows)
    found, numbers = judge("build_up", "whole_lots", look(connection, AFTER_CLOSE))
    assert found == passed
    assert numbers["rows"] == 100
    assert numbers["wrong"] + numbers.get("wrong_imported", 0) == odd
    assert numbers["examples"][0].endswith(": volume 1, open interest 650, lot 65")


def test_rows_of_an_unknown_lot_are_not_judged(connection: psycopg.Connection) -> None:
    write(connection, CONTRACT, [contract(lot_size=None)])
    write(connection, BUILD_UP, [build_up(OPEN, volume=1)])
    assert judge("build_up", "whole_lots", look(connection, AFTER_CLOSE))[0]


@pytest.mark.parametrize(
    "fault",
    [
        {"high": 100.2},
        {"low": 100.1},
        {"low": -1.0},
        {"low": 0.0},
        {"close": float("nan")},
        {"open": float("nan"), "high": float("nan")},
        {"high": float("inf")},
    ],
    ids=str,
)
def test_a_candle_that_cannot_be_is_found(
    connection: psycopg.Connection, fault: dict[str, float]
) -> None:
    connection.execute("alter table candle drop constraint candle_check")
    write(connection, CANDLE, [candle("NIFTY", OPEN, **fault)])
    passed, numbers = judge("candle", "prices_are_sane", look(connection, AFTER_CLOSE))
    assert not passed
    assert numbers["examples"] == ["NIFTY 2026-01-21T03:45Z"]


def archive(
    connection: psycopg.Connection, minute: int, about: str, error: str | None = None, **texts: str
) -> int:
    values = {"source": "trendlyne", "request": f"GET {minute}"} | texts
    row = connection.execute(
        "insert into raw_payload (source, request, about, session, received_at, sha256, body,"
        " parser_error) values (%(source)s, %(request)s, %(about)s, %(session)s, %(at)s,"
        " %(body)s, %(body)s, %(error)s) returning payload_id",
        {
            **values,
            "about": about,
            "session": SESSION,
            "at": OPEN + timedelta(minutes=minute),
            "body": str(minute).encode(),
            "error": error,
        },
    ).fetchone()
    return row[0]


def unanswered(connection: psycopg.Connection) -> list[str]:
    return judge("raw_payload", "all_parsed", look(connection, AFTER_CLOSE))[1]["examples"]


CALL = '{"kind": "build_ups", "symbol": "NIFTY260127C25000"}'
PUT = '{"kind": "build_ups", "symbol": "NIFTY260127P25000"}'


def test_a_question_that_was_answered_well_later_lost_nothing(
    connection: psycopg.Connection,
) -> None:
    archive(connection, 1, CALL)
    bad = archive(connection, 2, CALL, "not JSON")
    archive(connection, 3, PUT)
    archive(connection, 3, CALL, source="simulator")
    assert unanswered(connection) == [f"payload {bad}"]
    archive(connection, 4, CALL)
    assert unanswered(connection) == []


def test_an_answer_that_came_again_counts_by_its_last_receipt(
    connection: psycopg.Connection,
) -> None:
    good = archive(connection, 1, CALL)
    archive(connection, 2, CALL, "not JSON")
    assert len(unanswered(connection)) == 1
    connection.execute(
        "insert into raw_receipt (payload_id, asked_at, received_at) values (%s, %s, %s)",
        (good, OPEN + timedelta(minutes=3), OPEN + timedelta(minutes=3)),
    )
    assert unanswered(connection) == []


def test_a_stream_that_broke_is_answered_by_what_came_after_it(
    connection: psycopg.Connection,
) -> None:
    stream = {"source": "tradingview", "request": "stream 1"}
    archive(connection, 1, '{"kind": "stream", "connection": "1"}', "cut frame", **stream)
    archive(connection, 2, CALL)
    assert len(unanswered(connection)) == 1
    archive(connection, 3, '{"kind": "history", "symbol": "NIFTY"}', source="tradingview")
    assert unanswered(connection) == []


def test_an_older_answer_without_a_question_of_ours_is_known_by_its_request(
    connection: psycopg.Connection,
) -> None:
    archive(connection, 1, "{}", "not JSON", request="GET /chain")
    archive(connection, 2, "{}", request="GET /expiries")
    assert len(unanswered(connection)) == 1
    archive(connection, 3, "{}", request="GET /chain")
    assert unanswered(connection) == []


def test_recorded_days_have_no_wrong_rows(connection: psycopg.Connection, shared_data) -> None:
    for day in (date(2025, 3, 12), date(2026, 7, 15)):
        import_rows(connection, read_file(shared_data / f"nifty_1m_{day}.parquet"))
        for check in faults.CHECKS:
            passed, numbers = check.judge(look(connection, AFTER_CLOSE, day))
            assert passed
            assert numbers.get("wrong_imported", 0) == 0
            assert bool(numbers["rows"]) == (check.asset in {"candle", "build_up"})


# As Dagster runs them.


@pytest.fixture
def market(database: str, monkeypatch: pytest.MonkeyPatch) -> Market:
    """A market that stands half an hour after the open of the session."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("UNDERLYINGS", ",".join(UNDERLYINGS))
    set_clock(monkeypatch, OPEN + timedelta(minutes=30))
    return Market()


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime, speed: float = 1.0) -> None:
    clock = MarketClock(now, datetime.now(UTC).timestamp(), speed)
    monkeypatch.setenv("OPTIONSCALP_CLOCK", str(clock))


def run(asset: str, name: str, market: Market, session: date | None = SESSION) -> Any:
    chosen = [check for check in EVERY if (check.asset, check.name) == (asset, name)]
    (result,) = results(chosen, market, session.isoformat() if session else None)
    return result


def test_dagster_is_told_the_numbers_as_numbers_and_how_bad_it_is(
    connection: psycopg.Connection, market: Market
) -> None:
    write(connection, CONTRACT, [contract()])
    write(connection, BUILD_UP, [build_up(OPEN, volume=1)])
    result = run("build_up", "whole_lots", market)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert result.metadata["wrong"] == dg.MetadataValue.int(1)
    assert len(result.metadata["examples"].value) == 1
    late = run("build_up", "on_time", market)
    assert (late.passed, late.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert late.metadata["NIFTY_seconds_behind"].value == pytest.approx(1500, abs=30)


def test_what_a_check_found_is_plain_sql_and_keeps_the_time_of_the_first_failure(
    connection: psycopg.Connection, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = (
        "select failed_since, checked_at, (details ->> 'wrong')::int, severity from check_state"
        " where (session, asset, check_name) = ('2026-01-21', 'build_up', 'whole_lots')"
    )
    write(connection, CONTRACT, [contract()])
    write(connection, BUILD_UP, [build_up(OPEN, volume=1)])
    run("build_up", "whole_lots", market)
    first = connection.execute(state).fetchone()
    assert first[0] == first[1]
    assert first[2:] == (1, "error")
    write(connection, BUILD_UP, [build_up(OPEN + timedelta(minutes=5), volume=2)])
    set_clock(monkeypatch, OPEN + timedelta(minutes=40))
    run("build_up", "whole_lots", market)
    second = connection.execute(state).fetchone()
    assert (second[0], second[2]) == (first[0], 2)
    assert second[1] > first[1]
    connection.execute("delete from build_up")
    run("build_up", "whole_lots", market)
    assert connection.execute(state).fetchone()[0] is None


def test_a_fast_clock_is_given_the_market_time_that_a_run_takes(
    connection: psycopg.Connection, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = [OPEN + timedelta(minutes=number) for number in range(24)]
    for name in UNDERLYINGS:
        write(connection, CANDLE, [candle(name, minute, underlying=name) for minute in minutes])
    assert not run("candle", "on_time", market).passed
    set_clock(monkeypatch, OPEN + timedelta(minutes=30), speed=60.0)
    result = run("candle", "on_time", market)
    assert result.passed
    assert result.metadata["allowed_seconds"].value == 180 + 300


def test_a_check_run_alone_looks_at_the_current_or_last_session(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def session() -> object:
        return run("candle", "on_time", market, None).metadata["session"].value

    assert session() == "2026-01-21"
    set_clock(monkeypatch, datetime(2026, 1, 25, 6, tzinfo=UTC))  # a Sunday
    assert session() == "2026-01-23"


def test_every_check_is_shown_to_dagster() -> None:
    keys = [key for step in ALL for key in step.check_keys]
    assert len(keys) == len(EVERY) == 19
    shown = {(key.asset_key.to_user_string(), key.name) for key in keys}
    assert shown == {(check.asset, check.name) for check in EVERY}


# Pure and small.


@pytest.mark.parametrize("now", [OPEN - timedelta(minutes=5), OPEN + timedelta(hours=8)])
def test_nothing_is_late_while_the_market_is_shut(now: datetime) -> None:
    assert behind(None, SESSION, now) is None


def test_an_older_session_is_not_late_while_todays_is_on() -> None:
    now = OPEN + timedelta(minutes=30)
    assert behind(None, date(2026, 1, 20), now) is None
    assert behind(None, SESSION, now) == timedelta(minutes=30)


def test_counts_are_of_the_session_in_india(connection: psycopg.Connection) -> None:
    write(connection, CANDLE, [candle("NIFTY", OPEN), candle("NIFTY", OPEN - timedelta(days=1))])
    assert session_rows(connection, SESSION, UNDERLYINGS) == (0, 1, 0, 0, 0)
    assert session_rows(connection, SESSION, ("BANKNIFTY",)) == (0, 0, 0, 0, 0)


def test_a_lock_is_seen_while_another_connection_holds_it(
    database: str, connection: psycopg.Connection
) -> None:
    assert not lock_is_held(connection, FEED_LOCK)
    with connect(database) as other, advisory_lock(other, FEED_LOCK) as held:
        assert held
        assert lock_is_held(connection, FEED_LOCK)
        assert not lock_is_held(connection, FEED_LOCK + 1)
    assert not lock_is_held(connection, FEED_LOCK)
