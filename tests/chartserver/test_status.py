"""What pages are told of the sources, the market and the age of the data."""

import pytest
from chart_help import OPEN, Stream, candle, clock_text, seconds

from db.bulk import CANDLE, write
from db.source_status import report_down, report_up

CLOCK_AT_NIGHT = clock_text("2026-01-21T18:00:00+00:00")


@pytest.fixture
def frozen() -> str:
    """A clock that stands, as good as, at 09:25 on a trading day."""
    return clock_text("2026-01-21T03:55:00+00:00", speed=1e-9)


def status_of(chart) -> dict:
    with Stream(chart) as stream:
        return stream.take().data


def test_a_source_that_was_never_asked_is_idle(serve, frozen):
    status = status_of(serve(OPTIONSCALP_CLOCK=frozen))
    assert status["sources"]["trendlyne"] == {"state": "idle", "last": None, "error": None}
    assert status["ages"] == {"candle": None, "build_up": None}


def test_a_source_that_fails_is_down_with_its_reason(serve, connection, frozen):
    report_up(connection, "tradingview", OPEN)
    report_down(connection, "tradingview", OPEN, "refused")
    state = status_of(serve(OPTIONSCALP_CLOCK=frozen))["sources"]["tradingview"]
    assert (state["state"], state["error"]) == ("down", "refused")


def test_a_source_whose_asker_fell_silent_in_market_hours_is_down(serve, connection, frozen):
    report_up(connection, "tradingview", OPEN)
    report_up(connection, "trendlyne", OPEN)
    sources = status_of(serve(OPTIONSCALP_CLOCK=frozen))["sources"]
    assert sources["tradingview"]["state"] == "down"
    assert sources["tradingview"]["error"] == "silent for 10 minutes"
    assert sources["trendlyne"]["state"] == "up"


def test_at_night_nothing_is_expected(serve, connection):
    report_up(connection, "tradingview", OPEN)
    status = status_of(serve(OPTIONSCALP_CLOCK=CLOCK_AT_NIGHT))
    assert status["market"] == "closed"
    assert status["sources"]["tradingview"]["state"] == "idle"


def test_an_override_closes_the_market(serve, connection, frozen):
    chart = serve(OPTIONSCALP_CLOCK=frozen)
    hours = {"session": "2026-01-21", "open": seconds(OPEN), "close": seconds(OPEN) + 375 * 60}
    with Stream(chart) as stream:
        first = stream.take().data
        assert (first["market"], first["session"]) == ("open", hours)
        connection.execute(
            "insert into calendar_override (kind, day, reason)"
            " values ('holiday', '2026-01-21', 'a circular')"
        )
        while (status := stream.take_kind("status").data)["market"] != "closed":
            pass
        assert status["session"] is None


def test_a_change_of_state_is_told_at_once(serve, connection, frozen):
    chart = serve(OPTIONSCALP_CLOCK=frozen)
    with Stream(chart) as stream:
        assert stream.take().data["sources"]["tradingview"]["state"] == "idle"
        report_down(connection, "tradingview", OPEN, "refused")
        while stream.take_kind("status").data["sources"]["tradingview"]["state"] != "down":
            pass


def test_ages_are_of_the_underlying_that_is_shown(serve, connection, frozen):
    write(connection, CANDLE, [candle("NIFTY", 8)])
    chart = serve(OPTIONSCALP_CLOCK=frozen)
    with Stream(chart, underlying="NIFTY") as nifty, Stream(chart, underlying="BANKNIFTY") as bank:
        assert nifty.take().data["ages"]["candle"] == 60
        assert bank.take().data["ages"]["candle"] is None


def test_over_stored_data_no_feed_is_expected_and_no_source_is_missed(serve, connection, frozen):
    report_up(connection, "tradingview", OPEN)
    report_down(connection, "trendlyne", OPEN, "refused")
    write(connection, CANDLE, [candle()])
    chart = serve(OPTIONSCALP_CLOCK=frozen, CHART_SERVES_STORED="true")
    status = status_of(chart)
    assert (status["feed"], status["sources"]) == ("none", {})
    told = chart.json("/api/history?underlying=NIFTY")["status"]
    assert (told["feed"], told["sources"]) == ("none", {})
    assert status_of(serve(OPTIONSCALP_CLOCK=frozen))["feed"] == "expected"
