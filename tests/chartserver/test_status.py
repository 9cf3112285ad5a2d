"""What pages are told of the sources, the market and the age of the data."""

from datetime import datetime, timedelta

import pytest
from chart_help import OPEN, SESSION, Stream, build_up, candle, clock_text, seconds

from db.archive.source_status import Access, report_access, report_down, report_up
from db.signals.strategies import StrategyVersion, register_version
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, SIGNAL_REJECTION
from db.writing.rows import SignalRejection

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
    nothing = dict.fromkeys(("last", "error", "delay_seconds", "token_ends_at", "note"))
    assert status["sources"]["trendlyne"] == {"state": "idle", **nothing}
    assert status["delay_seconds"] is None
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


def test_a_delayed_source_says_so_and_why(serve, connection, frozen):
    report_up(connection, "tradingview", OPEN)
    chart = serve(OPTIONSCALP_CLOCK=frozen)
    with Stream(chart) as stream:
        assert stream.take().data["sources"]["tradingview"]["state"] == "down"
        report_access(connection, "tradingview", Access(900, OPEN + timedelta(hours=4), "renew it"))
        while (status := stream.take_kind("status").data)["delay_seconds"] is None:
            pass
    told = status["sources"]["tradingview"]
    assert (status["delay_seconds"], told["delay_seconds"]) == (900, 900)
    assert (told["token_ends_at"], told["note"]) == (seconds(OPEN) + 4 * 3600, "renew it")
    # Its silence of ten minutes is its delay.
    assert told["state"] == "up"
    health = chart.json("/healthz")
    assert (health["delay_seconds"], health["sources"]["tradingview"]) == (900, told)


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


def test_ages_are_of_the_index_price_not_of_when_or_which_row_came_last(serve, connection, frozen):
    at = OPEN + timedelta(minutes=10)
    call = "NIFTY260127C25000"
    write(connection, CANDLE, [candle("NIFTY", 1, known_at=at), candle(call, 9)])
    write(connection, BUILD_UP, [build_up(call, 0, known_at=at)])
    assert status_of(serve(OPTIONSCALP_CLOCK=frozen))["ages"] == {"candle": 480, "build_up": 300}


def test_a_forming_candle_is_as_of_when_it_came_less_the_delay(serve, connection, frozen):
    moment = OPEN + timedelta(minutes=8, seconds=30)
    write(connection, CANDLE, [candle("NIFTY", 8, final=False, known_at=moment, source="upstox")])
    assert status_of(serve(OPTIONSCALP_CLOCK=frozen))["ages"]["candle"] == 90
    report_up(connection, "upstox", moment)
    report_access(connection, "upstox", Access(20, None, None))
    assert status_of(serve(OPTIONSCALP_CLOCK=frozen))["ages"]["candle"] == 110


def test_a_session_that_closed_without_its_last_candle_is_incomplete(serve, connection):
    close = OPEN + timedelta(minutes=375)
    write(connection, CANDLE, [candle("NIFTY", 363), candle("BANKNIFTY", 374)])
    write(connection, CANDLE, [candle("NIFTY260127C25000", 374)])

    def told(moment: datetime) -> list[dict]:
        chart = serve(OPTIONSCALP_CLOCK=clock_text(moment.isoformat(), speed=1e-9))
        assert status_of(chart)["incomplete"] == chart.json("/healthz")["incomplete"]
        return chart.json("/api/history?underlying=NIFTY")["status"]["incomplete"]

    missing = {
        "underlying": "NIFTY", "session": str(SESSION), "close": seconds(close),
        "last": seconds(OPEN) + 364 * 60,
    }  # fmt: skip
    assert told(close + timedelta(minutes=4)) == []
    assert told(close + timedelta(minutes=17)) == [missing]
    assert told(close + timedelta(hours=15)) == [missing]
    report_up(connection, "tradingview", close)
    report_access(connection, "tradingview", Access(900, None, None))
    assert told(close + timedelta(minutes=17)) == []
    assert told(close + timedelta(minutes=21)) == [missing]
    write(connection, CANDLE, [candle("NIFTY", 374)])
    assert told(close + timedelta(minutes=21)) == []


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


def test_one_stream_of_all_underlyings_tells_the_ages_of_each(serve, connection, frozen):
    write(connection, CANDLE, [candle("NIFTY", 7), candle("BANKNIFTY", 8)])
    status = status_of(serve(OPTIONSCALP_CLOCK=frozen))
    assert status["ages"] == {"candle": 60, "build_up": None}
    assert status["ages_by"] == {
        "NIFTY": {"candle": 120, "build_up": None},
        "BANKNIFTY": {"candle": 60, "build_up": None},
    }


@pytest.fixture
def registered(connection):
    for name in ("delta_volume", "pullback"):
        version = StrategyVersion(name, "1", name, {})
        register_version(connection, version, OPEN, live=True)
    return connection


def limited(minute: int = 8, lost: tuple[int, ...] = (3, 6), **changes) -> SignalRejection:
    """A candidate that the limit rejects, with the minutes in which trades before it were lost."""
    moments = [(OPEN + timedelta(minutes=ended)).isoformat() for ended in lost]
    row = SignalRejection(
        strategy="delta_volume",
        version="1",
        underlying="NIFTY",
        session=SESSION,
        event_time=OPEN + timedelta(minutes=minute),
        reason="daily_loss_limit",
        symbol="NIFTY260127C25000",
        details={"losing_signals": [{"stopped_by": moment} for moment in moments]},
        known_at=OPEN + timedelta(minutes=minute, seconds=20),
    )
    return row._replace(**changes)


REACHED = {
    "underlying": "NIFTY",
    "strategy": "delta_volume",
    "version": "1",
    "since": seconds(OPEN + timedelta(minutes=6)),
}


def test_a_strategy_at_its_daily_loss_limit_is_named_with_the_time_it_was_reached(
    serve, registered, frozen
):
    write(registered, SIGNAL_REJECTION, [limited(9), limited(8)])
    chart = serve(OPTIONSCALP_CLOCK=frozen)
    assert status_of(chart)["loss_limit"] == [REACHED]
    assert chart.json("/api/history?underlying=NIFTY")["status"]["loss_limit"] == [REACHED]
    with Stream(chart, underlying="BANKNIFTY") as stream:
        assert stream.take().data["loss_limit"] == []


def test_the_loss_limit_is_of_this_session_and_of_what_is_known_by_now(serve, registered, frozen):
    day = timedelta(days=1)
    write(
        registered,
        SIGNAL_REJECTION,
        [
            limited(session=SESSION - day, event_time=OPEN - day, known_at=OPEN - day),
            limited(strategy="pullback", known_at=OPEN + timedelta(minutes=11)),
            limited(reason="against_net_delta"),
        ],
    )
    assert status_of(serve(OPTIONSCALP_CLOCK=frozen))["loss_limit"] == []


def test_the_loss_limit_is_told_as_soon_as_it_is_stored(serve, registered, frozen):
    with Stream(serve(OPTIONSCALP_CLOCK=frozen)) as stream:
        assert stream.take().data["loss_limit"] == []
        write(registered, SIGNAL_REJECTION, [limited()])
        while stream.take_kind("status").data["loss_limit"] != [REACHED]:
            pass


def test_details_without_the_lost_trades_leave_the_time_open(serve, registered, frozen):
    write(registered, SIGNAL_REJECTION, [limited(details={"note": "a rule of its own"})])
    status = status_of(serve(OPTIONSCALP_CLOCK=frozen))
    assert status["loss_limit"] == [{**REACHED, "since": None}]


def test_a_replay_says_when_each_session_reached_its_limit_and_when_that_was_known(
    serve, registered, frozen
):
    write(registered, CANDLE, [candle("NIFTY", 8)])
    write(registered, SIGNAL_REJECTION, [limited(9), limited(8), limited(9, strategy="pullback")])
    answer = serve(OPTIONSCALP_CLOCK=frozen).json(
        "/api/replay?underlying=NIFTY&from=2026-01-21&to=2026-01-21"
    )
    known = seconds(OPEN + timedelta(minutes=8, seconds=20))
    assert answer["loss_limit"] == [
        {**REACHED, "known_at": known},
        {**REACHED, "strategy": "pullback", "known_at": known + 60},
    ]
