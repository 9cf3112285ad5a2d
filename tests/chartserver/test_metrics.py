"""`/metrics`: what is true is told, and what is not known is not."""

from datetime import timedelta

from chart_help import OPEN, SESSION, Thread, candle, clock_text, refusing
from prometheus_client.parser import text_string_to_metric_families

from db.archive.source_budget import reserve
from db.archive.source_status import Access, report_access, report_down, report_up
from db.checks.findings import Finding, record
from db.writing.bulk import write
from db.writing.relations import CANDLE

STANDING = clock_text("2026-01-21T03:55:00+00:00", speed=1e-9)
NIGHT = clock_text("2026-01-21T18:00:00+00:00")


def told(chart) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample, by its name without our prefix and its labels' values, labels in order."""
    answer = chart.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name.removeprefix("optionscalp_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_every_metric_is_ours_and_says_what_it_means(chart):
    for family in text_string_to_metric_families(chart.get("/metrics").text):
        assert family.name.startswith("optionscalp_")
        assert family.documentation
        assert family.type in {"gauge", "counter"}


def test_market_sources_checks_and_feed_are_told(serve, connection):
    write(connection, CANDLE, [candle("NIFTY", 8)])
    report_down(connection, "tradingview", OPEN, "refused")
    report_up(connection, "trendlyne", OPEN)
    report_access(connection, "trendlyne", Access(900, None, None))
    for number in range(3):
        moment = OPEN + timedelta(seconds=number)
        reserve(connection, "trendlyne", moment, timedelta(), SESSION, limit=300)
        reserve(connection, "upstox", moment, timedelta(), SESSION)
    finding = Finding(SESSION, "candle", "on_time", "warning", False, {}, OPEN)
    record(connection, [finding, finding._replace(check_name="no_gaps")])
    connection.execute("insert into strategy_fault values ('rise.py', 'rise', '1f', 'no', now())")
    found = told(serve(OPTIONSCALP_CLOCK=STANDING, OPTIONSCALP_SOURCE="simulator"))
    expected = {
        ("database_up", ()): 1,
        ("market_open", ()): 1,
        ("simulated", ()): 1,
        ("feed_expected", ()): 1,
        ("feed_running", ()): 1,
        ("row_age_seconds", ("candle", "NIFTY")): 60,
        ("source_state", ("tradingview", "down")): 1,
        ("source_state", ("tradingview", "up")): 0,
        ("source_state", ("tradingview", "idle")): 0,
        ("source_state", ("trendlyne", "up")): 1,
        ("source_delay_seconds", ("trendlyne",)): 900,
        ("source_requests", ("trendlyne",)): 3,
        ("source_allowance", ("trendlyne",)): 300,
        ("source_requests", ("upstox",)): 3,
        ("checks_failing", ("warning",)): 2,
        ("checks_failing", ("error",)): 0,
        ("strategies_switched_off", ()): 1,
        ("problem", ("source_down",)): 1,
        ("problem", ("database_out",)): 0,
    }
    assert {name: found.get(name) for name in expected} == expected
    unknown = [
        ("row_age_seconds", ("candle", "BANKNIFTY")),  # nothing is stored
        ("source_delay_seconds", ("tradingview",)),  # nothing tells
        ("source_allowance", ("upstox",)),  # nothing limits it
    ]
    assert not [name for name in unknown if name in found]


def test_requests_of_another_session_are_not_todays(serve, connection):
    reserve(connection, "trendlyne", OPEN, timedelta(), SESSION - timedelta(days=1), limit=300)
    found = told(serve(OPTIONSCALP_CLOCK=STANDING))
    assert found["source_requests", ("trendlyne",)] == 0


def test_an_allowance_that_was_lowered_counts_at_once(connection):
    for limit in (5, 5, 1):
        reserve(connection, "trendlyne", OPEN, timedelta(), SESSION, limit=limit)
    asked = connection.execute("select asked, allowance from source_budget").fetchone()
    assert asked == (2, 1)


def test_without_a_feed_at_night_none_runs_and_none_is_wanted(database):
    chart = Thread(database, OPTIONSCALP_CLOCK=NIGHT, CHART_SERVES_STORED="true")
    try:
        found = told(chart)
    finally:
        chart.stop()
    assert (found["feed_expected", ()], found["feed_running", ()]) == (0, 0)
    assert found["market_open", ()] == 0
    assert not [key for key in found if key[0] == "source_state"]


def test_nothing_is_asked_of_the_database_for_metrics(chart, connection):
    with connection.transaction():
        connection.execute("lock table candle, source_status, check_state in access exclusive mode")
        for _ in range(20):
            told(chart)


def test_what_only_the_database_knows_is_left_out_while_it_is_away(chart, connection, server_dsn):
    with refusing(server_dsn, connection.info.dbname):
        assert chart.get("/healthz").status_code == 503
        found = told(chart)
    assert found["database_up", ()] == 0
    assert found["problem", ("database_out",)] == 1
    known = {
        *("database_up", "market_open", "market_open_seconds", "simulated", "feed_expected"),
        *("timeouts_total", "problem"),
    }
    others = {key[0] for key in found if not key[0].startswith("chart_")}
    assert others == known
