"""History, sessions, signals, chain and health over HTTP."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from chart_help import (
    OPEN,
    SESSION,
    Chart,
    build_up,
    candle,
    clock_text,
    contract,
    refusing,
    seconds,
    signal,
)

from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CHAIN_OI, CONTRACT, SIGNAL
from db.writing.rows import ChainOi, Contract

DAY = timedelta(days=1)
STRIKES = [24900, 24950, 25000, 25050, 25100]
CALL, PUT = "NIFTY260127C25000", "NIFTY260127P25000"


@pytest.fixture
def stored(connection: psycopg.Connection) -> psycopg.Connection:
    """Ten minutes of a session with its contracts, and one session before."""
    write(connection, CONTRACT, [contract(strike, kind) for strike in STRIKES for kind in "CP"])
    for symbol, price in (("NIFTY", 25010.0), ("NIFTY1!", 25050.0), (CALL, 150.0), (PUT, 140.0)):
        today = [candle(symbol, minute, price + minute) for minute in range(10)]
        write(connection, CANDLE, today)
    before = candle("NIFTY", 0, 24910.0)
    write(
        connection,
        CANDLE,
        [before._replace(open_time=OPEN - DAY, known_at=OPEN - DAY + timedelta(minutes=1))],
    )
    write(connection, BUILD_UP, [build_up(CALL), build_up(CALL, 5), build_up(PUT)])
    write(connection, SIGNAL, [signal(CALL, 5)])
    return connection


def test_history_shows_the_latest_session_at_the_money(stored, chart):
    answer = chart.json("/api/history?underlying=NIFTY&expiry=&strike=&interval=1m")
    assert answer["session"] == "2026-01-21"
    assert answer["expiry"] == "2026-01-27"
    assert answer["expiries"] == ["2026-01-27"]
    assert answer["strikes"] == STRIKES
    assert (answer["spot"], answer["atm_strike"]) == (25019.0, 25000)
    assert answer["symbols"] == {"index": "NIFTY", "future": "NIFTY1!", "call": CALL, "put": PUT}
    assert answer["interval"] == "1m"
    assert answer["simulated"] is False
    assert answer["as_of"].endswith(":55")
    assert set(answer["candles"]) == {"NIFTY", "NIFTY1!", CALL, PUT}
    index = answer["candles"]["NIFTY"]
    assert index["t"] == [seconds(OPEN) + 60 * minute for minute in range(10)]
    assert index["c"] == [25010.0 + minute for minute in range(10)]
    assert index["v"] == [None] * 10
    assert index["final"] == [True] * 10
    assert answer["build_ups"][CALL] == {
        "t": [seconds(OPEN), seconds(OPEN) + 300],
        "close": [101, 101],
        "oi": [6500, 6500],
        "oi_change": [-65, -65],
        "volume": [130, 130],
        "label": ["short_covering", "short_covering"],
        "k": [seconds(OPEN) + 320, seconds(OPEN) + 620],
    }
    (found,) = answer["signals"]
    assert found["event_time"] == seconds(OPEN) + 300
    assert found["withdrawn"] is False
    assert answer["status"]["market"] == "open"


def test_a_strike_and_symbols_can_be_chosen(stored, chart):
    answer = chart.json("/api/history?strike=25100&symbols=NIFTY,NIFTY1!")
    assert answer["symbols"]["call"] == "NIFTY260127C25100"
    assert answer["atm_strike"] == 25000
    assert set(answer["candles"]) == {"NIFTY", "NIFTY1!"}


def test_a_range_of_india_s_time_is_cut_to_the_minute(stored, chart):
    answer = chart.json("/api/history?from=2026-01-21T09:17&to=2026-01-21T09:20")
    assert answer["candles"]["NIFTY"]["t"] == [seconds(OPEN) + 60 * n for n in (2, 3, 4)]
    whole = chart.json("/api/history?from=2026-01-20&to=2026-01-21")
    assert len(whole["candles"]["NIFTY"]["t"]) == 11
    assert whole["session"] == "2026-01-21"


def test_wider_candles_are_built_from_the_open(stored, chart):
    answer = chart.json("/api/history?interval=5m&symbols=NIFTY")
    assert answer["interval"] == "5m"
    assert answer["candles"]["NIFTY"] == {
        "minutes": 5,
        "t": [seconds(OPEN), seconds(OPEN) + 300],
        "o": [25009, 25014],
        "h": [25016, 25021],
        "l": [25008, 25013],
        "c": [25014, 25019],
        "v": [None, None],
        "oi": [None, None],
        "final": [True, True],
        "k": [seconds(OPEN) + 300, seconds(OPEN) + 600],
    }


def test_a_wide_candle_still_forms_while_its_end_is_not_stored(stored, chart):
    write(stored, CANDLE, [candle("NIFTY", 10, 25020.0)])
    answer = chart.json("/api/history?interval=15m&symbols=NIFTY")
    assert answer["candles"]["NIFTY"]["final"] == [False]
    answer = chart.json("/api/history?interval=5m&symbols=NIFTY")
    assert answer["candles"]["NIFTY"]["final"] == [True, True, False]


def test_three_minutes_are_an_interval(stored, chart):
    answer = chart.json("/api/history?interval=3m&symbols=NIFTY")
    assert answer["interval"] == "3m"
    index = answer["candles"]["NIFTY"]
    assert index["t"] == [seconds(OPEN) + 180 * n for n in range(4)]
    assert index["final"] == [True, True, True, False]


def test_where_only_coarse_candles_are_stored_the_answer_says_so(connection, chart):
    rows = [candle("BANKNIFTY", 5 * n, 58000.0, interval_minutes=5) for n in range(3)]
    write(connection, CANDLE, rows)
    for interval in ("1m", "3m"):
        answer = chart.json(f"/api/history?underlying=BANKNIFTY&interval={interval}")
        assert answer["interval"] == "5m"
        assert answer["candles"]["BANKNIFTY"]["minutes"] == 5
    write(connection, CANDLE, [candle("BANKNIFTY", 2, 58000.0)])
    answer = chart.json("/api/history?underlying=BANKNIFTY")
    assert answer["interval"] == "1m"
    assert answer["candles"]["BANKNIFTY"]["t"] == [seconds(OPEN) + 120]


def test_an_empty_database_gives_an_empty_chart(chart):
    answer = chart.json("/api/history?underlying=BANKNIFTY")
    assert answer["session"] == "2026-01-21"
    assert answer["candles"] == {}
    assert answer["symbols"] == {"index": "BANKNIFTY", "future": None, "call": None, "put": None}
    assert answer["as_of"].endswith(":0")


def test_pages_say_what_comes_from_the_simulator(connection, serve):
    write(connection, CANDLE, [candle("NIFTY", source="simulator")])
    of_stored = serve()
    answer = of_stored.json("/api/history")
    assert answer["simulated"] is True
    # Whatever tells it follows the rows, not only the settings of a running demo.
    assert answer["status"]["simulated"] is True
    assert of_stored.json("/healthz")["simulated"] is True
    assert "\noptionscalp_simulated 1.0\n" in of_stored.get("/metrics").text
    simulated = serve(OPTIONSCALP_SOURCE="simulator").json("/api/history?underlying=BANKNIFTY")
    assert simulated["simulated"] is True
    assert simulated["status"]["simulated"] is True


REFUSALS = [
    ("history?underlying=SENSEX", 400, {"allowed": ["NIFTY", "BANKNIFTY"]}),
    ("history?interval=2m", 400, {"parameter": "interval"}),
    ("history?from=yesterday", 400, {"parameter": "from"}),
    ("history?from=2026-01-21T10:00&to=2026-01-21T09:00", 400, {"parameter": "to"}),
    ("history?from=0001-01-01", 400, {"parameter": "from"}),
    ("history?from=20260119&to=20260120", 400, {"parameter": "from"}),
    ("history?from=2026-01-19&to=2026-W04-1", 400, {"parameter": "to"}),
    ("history?expiry=20260127", 400, {"parameter": "expiry"}),
    ("history?strike=ATM", 400, {"parameter": "strike"}),
    ("history?expiry=soon", 400, {"parameter": "expiry"}),
    ("history?symbols=NIFTY%27--", 400, {"parameter": "symbols"}),
    ("history?symbols=NIFTY,NIFTY260127C1", 404, {"symbols": ["NIFTY260127C1"]}),
    ("history?call=ATM", 400, {"parameter": "call"}),
    ("history?put=-25000", 400, {"parameter": "put"}),
    ("history?from=2025-01-01&to=2026-01-21", 413, {"limit_days": 31}),
    ("replay", 400, {"parameter": "from"}),
    ("replay?from=2025-01-01&to=2026-01-21", 413, {"limit_days": 31}),
    ("replay?from=20260119&to=20260120", 400, {"parameter": "from"}),
    ("chain?at=noon", 400, {"parameter": "at"}),
    ("chain?at=20260121T0915", 400, {"parameter": "at"}),
    ("chain?expiry=2026-01-27%0A", 400, {"parameter": "expiry"}),
    ("signals?from=20260119", 400, {"parameter": "from"}),
    ("chain?expiry=2026-01-28", 404, {}),
    ("nothing", 404, {}),
]


def test_refusals_have_one_shape_and_name_the_parameter(stored, chart):
    for path, status, details in REFUSALS:
        answer = chart.get(f"/api/{path}")
        body = answer.json()
        assert (path, answer.status_code) == (path, status)
        assert body["status"] == status
        assert body["error"]
        assert details.items() <= body.items()


def test_call_and_put_are_chosen_apart(stored, chart):
    def chosen(query: str) -> tuple:
        answer = chart.json(f"/api/history?{query}")
        assert answer["missing"] == []
        assert answer["atm_strike"] == 25000
        return answer["symbols"]["call"], answer["symbols"]["put"]

    assert chosen("call=25100") == ("NIFTY260127C25100", PUT)
    assert chosen("put=24900&call=") == (CALL, "NIFTY260127P24900")
    assert chosen("call=25100&put=24900") == ("NIFTY260127C25100", "NIFTY260127P24900")
    assert chosen("strike=25050&put=24900") == ("NIFTY260127C25050", "NIFTY260127P24900")


NO_STRIKE = "NIFTY has no strike {} for expiry 2026-01-27"
MISSING = [
    ("strike=100", ["call", "put"], [("strike", 100, NO_STRIKE.format(100))]),
    ("call=100", ["call"], [("call", 100, NO_STRIKE.format(100))]),
    ("strike=100&put=25000", ["call"], [("strike", 100, NO_STRIKE.format(100))]),
    (
        "call=101&put=102",
        ["call", "put"],
        [("call", 101, NO_STRIKE.format(101)), ("put", 102, NO_STRIKE.format(102))],
    ),
    (
        "expiry=2026-01-28&strike=25000",
        ["call", "put"],
        [
            (
                *("expiry", "2026-01-28"),
                "no NIFTY contracts that expire on 2026-01-28 are stored",
            )
        ],
    ),
    ("strike=25200", ["put"], [("put", 25200, "NIFTY has no put 25200 for 2026-01-27")]),
]


@pytest.mark.parametrize(("query", "absent", "missing"), MISSING)
def test_what_is_not_stored_leaves_the_index_and_says_why(
    stored, chart, query: str, absent: list[str], missing: list[tuple]
):
    write(stored, CONTRACT, [contract(25200, "C")])
    for address in (
        f"/api/history?{query}",
        f"/api/replay?from=2026-01-21&to=2026-01-21&{query}",
    ):
        answer = chart.json(address)
        assert [tuple(one.values()) for one in answer["missing"]] == missing
        assert list(answer["missing"][0]) == ["what", "value", "reason"]
        assert [side for side in ("call", "put") if answer["symbols"][side] is None] == absent
        assert answer["symbols"]["index"] == "NIFTY"
        assert answer["symbols"]["future"] == "NIFTY1!"
        assert len(answer["candles"]["NIFTY"]["t"]) == len(answer["candles"]["NIFTY1!"]["t"]) == 10
        assert answer["expiries"] == ["2026-01-27"]
        assert (answer["expiry"] is None) is (answer["strikes"] == []) is ("expiry" in query)


def test_a_strike_without_any_contracts_is_missing(connection, chart):
    write(connection, CANDLE, [candle("NIFTY", 0, 25010.0)])
    answer = chart.json("/api/history?strike=25000")
    reason = "NIFTY has no strike 25000: no contracts of 2026-01-21 are stored"
    assert answer["missing"] == [{"what": "strike", "value": 25000, "reason": reason}]
    assert len(answer["candles"]["NIFTY"]["t"]) == 1


def test_what_each_symbol_did_in_the_session_before_comes_along(stored, chart):
    """The index has minutes and five minutes of it, the call one session earlier; the put none."""
    early, late = (
        candle("NIFTY", minute, close, open_time=OPEN - DAY + timedelta(minutes=minute))
        for minute, close in ((1, 24950.0), (2, 24890.0))
    )
    coarse = candle("NIFTY", 0, 1.0, interval_minutes=5, open_time=OPEN - DAY)
    call = candle(CALL, 0, 120.0, interval_minutes=5, open_time=OPEN - 2 * DAY)
    write(stored, CANDLE, [early, late, coarse, call])
    index = {"session": "2026-01-20", "open": 24909, "high": 24952, "low": 24888, "close": 24890}
    before = {
        "NIFTY": index,
        CALL: {"session": "2026-01-19", "open": 119, "high": 122, "low": 118, "close": 120},
    }
    assert chart.json("/api/history")["previous"] == before
    assert chart.json("/api/history?symbols=NIFTY")["previous"] == {"NIFTY": index}
    range_ = "from=2026-01-20&to=2026-01-21"
    assert chart.json(f"/api/history?{range_}")["previous"] == before
    # A replay of both sessions begins with the first of them.
    assert chart.json(f"/api/replay?{range_}")["previous"] == {CALL: before[CALL]}
    assert chart.json("/api/history?from=2026-01-20&to=2026-01-20")["previous"] == {}


def hours(session: str, first: str, last: str) -> dict[str, str | int]:
    opens, closes = (
        int(datetime.fromisoformat(f"{session}T{clock}+05:30").timestamp())
        for clock in (first, last)
    )
    return {"session": session, "open": opens, "close": closes}


def test_the_hours_of_the_sessions_come_along(stored, chart):
    evening = datetime(2024, 11, 1, 12, 30, tzinfo=UTC)
    write(stored, CANDLE, [candle(open_time=evening, known_at=evening)])
    ordinary = [hours(f"2026-01-{day}", "09:15", "15:30") for day in (20, 21)]
    assert chart.json("/api/history")["sessions"] == ordinary[1:]
    for kind in ("history", "replay"):
        several = chart.json(f"/api/{kind}?from=2026-01-17&to=2026-01-21")
        assert several["sessions"] == ordinary
        muhurat = chart.json(f"/api/{kind}?from=2024-11-01&to=2024-11-01&interval=1h")
        assert muhurat["sessions"] == [hours("2024-11-01", "18:00", "19:00")]
        assert muhurat["candles"]["NIFTY"]["t"] == [seconds(evening)]
    stored.execute(
        "insert into calendar_override (kind, day, opens, closes, reason)"
        " values ('session', '2026-01-21', '09:15', '12:30', 'a circular')"
    )
    assert chart.json("/api/history")["sessions"] == [hours("2026-01-21", "09:15", "12:30")]


def test_today_s_hours_come_before_its_first_row(connection, serve):
    write(connection, CANDLE, [candle("NIFTY", 0)])
    next_day = serve(OPTIONSCALP_CLOCK=clock_text("2026-01-22T03:00:00+00:00"))
    both = [hours(f"2026-01-{day}", "09:15", "15:30") for day in (21, 22)]
    assert next_day.json("/api/history")["sessions"] == both
    assert next_day.json("/api/history?from=2026-01-21&to=2026-01-21")["sessions"] == both[:1]
    assert next_day.json("/api/history?from=2026-01-21&to=2026-01-22")["sessions"] == both
    holiday = serve(OPTIONSCALP_CLOCK=clock_text("2026-01-26T05:00:00+00:00"))
    assert holiday.json("/api/history")["sessions"] == both[:1]


def test_sessions_are_listed_with_their_rows_newest_first(stored, chart):
    found = chart.json("/api/sessions?underlying=NIFTY")["sessions"]
    assert [tuple(session.values()) for session in found] == [
        ("NIFTY", "2026-01-21", 40, 3, 1),
        ("NIFTY", "2026-01-20", 1, 0, 0),
    ]
    assert list(found[0]) == ["underlying", "session", "candles", "build_ups", "signals"]


def test_the_ladder_is_as_it_was_known(stored, chart):
    def observed(minute: int, call_oi: int) -> ChainOi:
        moment = OPEN + timedelta(minutes=minute)
        known_at = moment + timedelta(seconds=30)
        expiry = date(2026, 1, 27)
        return ChainOi("NIFTY", expiry, 25000, moment, call_oi, 1300, 650, 1950, "test", known_at)

    write(stored, CHAIN_OI, [observed(2, 1000), observed(6, 2000)])
    early = chart.json("/api/chain?underlying=NIFTY&at=2026-01-21T09:18:30")
    later = chart.json(f"/api/chain?underlying=NIFTY&at={seconds(OPEN) + 600}")
    assert [row["strike"] for row in early["rows"]] == STRIKES
    assert early["rows"][2]["call"] == {
        "symbol": CALL, "price": 152, "price_at": seconds(OPEN) + 180, "price_from": "candle",
        "oi": 1000, "oi_at": seconds(OPEN) + 120, "oi_change": 350, "oi_change_5m": None,
        "label": None, "label_at": None, "price_ended_at": seconds(OPEN) + 180,
        **dict.fromkeys(("iv", "delta", "gamma", "theta", "vega", "greeks_at")),
    }  # fmt: skip
    assert early["rows"][2]["put"]["oi_change"] == -650
    assert (early["pcr"], early["oi_unknown"]) == (1.3, len(STRIKES) - 1)
    assert early["spot"] == 25012
    assert later["rows"][2]["call"]["oi"] == 2000
    assert later["rows"][2]["call"]["label"] == "short_covering"
    assert later["at"] == seconds(OPEN) + 600
    assert later["rows"][0]["call"]["oi"] is None


FAR = date(2026, 12, 29)


def far_contracts(first_seen: date, last_seen: date) -> list[Contract]:
    return [
        contract(25000, kind)._replace(
            symbol=f"NIFTY261229{kind}25000", expiry=FAR, first_seen=first_seen, last_seen=last_seen
        )
        for kind in "CP"
    ]


@pytest.mark.parametrize("seen", [SESSION, SESSION + DAY])
def test_the_nearest_expiry_may_be_far_away_and_its_contracts_listed_later(
    connection, chart, seen: date
):
    call, put = far_contracts(seen, seen)
    write(connection, CONTRACT, [call, put])
    rows = [candle("NIFTY", 0, 25010.0), candle(call.symbol), candle(put.symbol)]
    write(connection, CANDLE, rows)
    answer = chart.json("/api/history?from=2026-01-21&to=2026-01-21")
    assert (answer["expiry"], answer["expiries"]) == ("2026-12-29", ["2026-12-29"])
    assert (answer["symbols"]["call"], answer["symbols"]["put"]) == (call.symbol, put.symbol)
    assert set(answer["candles"]) == {"NIFTY", call.symbol, put.symbol}
    ladder = chart.json("/api/chain?at=2026-01-21T10:00")
    assert (ladder["expiry"], len(ladder["rows"])) == ("2026-12-29", 1)
    replay = chart.json("/api/replay?from=2026-01-21&to=2026-01-21")
    assert replay["symbols"]["call"] == call.symbol


def test_an_expiry_that_was_neither_listed_nor_traded_is_none_of_the_session(connection, chart):
    later = far_contracts(SESSION + DAY, SESSION + DAY)
    write(connection, CONTRACT, later)
    write(connection, CANDLE, [candle("NIFTY", 0, 25010.0)])
    answer = chart.json("/api/history?from=2026-01-21&to=2026-01-21")
    assert (answer["expiry"], answer["expiries"], answer["atm_strike"]) == (None, [], None)


def test_json_is_compressed_and_never_cached(stored, chart):
    answer = chart.get("/api/history", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "no-store"
    assert json.loads(answer.content)
    assert len(gzip.compress(answer.content)) < len(answer.content)


def test_health_tells_the_ages_of_the_newest_rows(stored, chart: Chart):
    answer = chart.json("/healthz")
    assert answer["status"] == "ok"
    # The clock began at 10:30, the newest candle was known at 09:25.
    assert 65 * 60 <= answer["ages"]["candle"] < 66 * 60
    assert "optionscalp_chart_lag_seconds" in chart.get("/metrics").text


def test_while_the_database_is_out_answers_are_503_and_then_good_again(
    stored, server_dsn, chart: Chart
):
    assert chart.get("/healthz").status_code == 200
    with refusing(server_dsn, stored.info.dbname):
        out = chart.get("/api/history")
        health = chart.get("/healthz")
    assert out.status_code == 503
    assert out.json()["status"] == 503
    assert health.status_code == 503
    while chart.get("/healthz").status_code != 200:
        pass
    assert chart.json("/api/history")["session"] == "2026-01-21"
