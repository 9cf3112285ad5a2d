"""Replay: everything of a range with the time it became known, in one answer or paced."""

from datetime import date, timedelta

import psycopg
import pytest
from chart_help import OPEN, Stream, build_up, candle, contract, seconds, signal

import chartserver.forming
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CONTRACT, LIVE_CANDLE, SIGNAL

STRIKES = [24900, 24950, 25000, 25050, 25100, 25150]
CALL = "NIFTY260127C25000"
RANGE = "underlying=NIFTY&from=2026-01-21&to=2026-01-21"


@pytest.fixture
def stored(connection: psycopg.Connection) -> psycopg.Connection:
    """Six minutes in which the index leaves its opening strike."""
    write(connection, CONTRACT, [contract(strike, kind) for strike in STRIKES for kind in "CP"])
    index = [candle("NIFTY", minute, 25001.0 + 30 * minute) for minute in range(6)]
    calls = [
        candle(f"NIFTY260127C{strike}", minute, 100.0) for strike in STRIKES for minute in range(6)
    ]
    write(connection, CANDLE, index + calls)
    write(connection, CANDLE, [candle("NIFTY", 6, 25200.0, final=False)])
    write(connection, BUILD_UP, [build_up(CALL)])
    write(connection, SIGNAL, [signal("NIFTY260127C25150", 5)])
    return connection


def test_a_replay_holds_final_rows_with_the_time_they_became_known(stored, chart):
    answer = chart.json(f"/api/replay?{RANGE}")
    index = answer["candles"]["NIFTY"]
    assert index["t"] == [seconds(OPEN) + 60 * minute for minute in range(6)]
    assert index["k"] == [seconds(OPEN) + 60 * (minute + 1) for minute in range(6)]
    assert answer["build_ups"][CALL]["k"] == [seconds(OPEN) + 320]
    assert answer["signals"][0]["known_at"] == seconds(OPEN) + 320


def test_its_contracts_are_those_around_the_opening_price_and_of_its_signals(stored, chart):
    answer = chart.json(f"/api/replay?{RANGE}")
    assert (answer["spot"], answer["atm_strike"]) == (25000, 25000)
    assert answer["symbols"]["call"] == CALL
    near = {f"NIFTY260127C{strike}" for strike in (24900, 24950, 25000, 25050, 25100)}
    assert set(answer["candles"]) == {"NIFTY", "NIFTY260127C25150", *near}


def test_each_session_says_which_contracts_were_known_in_it(stored, chart):
    later = contract(25200, "C")._replace(first_seen=date(2026, 1, 22), last_seen=date(2026, 1, 22))
    write(stored, CONTRACT, [later])
    write(stored, CANDLE, [candle("NIFTY", 1440)])
    first, second = chart.json("/api/replay?from=2026-01-21&to=2026-01-22")["listed"]
    assert (first["session"], first["expiry"]) == ("2026-01-21", "2026-01-27")
    assert first["strikes"] == STRIKES
    assert (second["session"], second["expiry"]) == ("2026-01-22", "2026-01-27")
    assert second["strikes"] == [25200], "the others were not seen on that day"
    (none,) = chart.json(f"/api/replay?{RANGE}&expiry=2026-02-24")["listed"]
    assert (none["expiries"], none["expiry"], none["strikes"]) == (["2026-01-27"], None, [])


def test_a_signal_that_was_corrected_comes_with_what_it_was_before(stored, chart):
    before = signal("NIFTY260127C25150", 5)
    corrected = before._replace(
        entry=101.5, known_at=before.known_at + timedelta(minutes=3, milliseconds=200)
    )
    write(stored, SIGNAL, [corrected])
    answer = chart.json(f"/api/replay?{RANGE}")
    (now,), (then,) = answer["signals"], answer["revised"]
    assert (then["entry"], then["known_at"]) == (100.0, seconds(before.known_at))
    assert now["entry"] == 101.5
    assert then["revised_at"] == now["known_at"] == seconds(before.known_at) + 181, (
        "not known yet when its second began"
    )


def form(connection: psycopg.Connection, *symbols: str) -> None:
    """Store three states of each candle of the day's eleventh minute."""
    for second in (1, 2.5, 40):
        known_at = OPEN + timedelta(minutes=10, seconds=second)
        states = [
            candle(symbol, 10, 100.0 + second, known_at=known_at, final=False) for symbol in symbols
        ]
        write(connection, LIVE_CANDLE, states)


def test_a_replay_holds_how_candles_formed_where_it_was_kept(stored, chart):
    assert chart.json(f"/api/replay?{RANGE}")["forming"] == {}
    form(stored, "NIFTY", CALL, "NIFTY260127C25150", "NIFTY260127C25500", "BANKNIFTY")
    start = seconds(OPEN) + 600
    answer = chart.json(f"/api/replay?{RANGE}")
    # Those of the answer's candles: shown, near, bought by a signal.
    assert answer["forming"].keys() == {"NIFTY", CALL, "NIFTY260127C25150"}
    assert answer["forming"][CALL] == {
        "t": [start] * 3,
        "o": [100, 101.5, 139],
        "h": [103, 104.5, 142],
        "l": [99, 100.5, 138],
        "c": [101, 102.5, 140],
        "v": [650] * 3,
        "k": [start + 1, start + 3, start + 40],
    }
    assert answer["forming"]["NIFTY"]["v"] == [None] * 3
    assert answer["forming_left_out"] is False
    assert "NIFTY260127C25150" in chart.json(f"/api/replay?{RANGE}")["forming"], (
        "bought by a signal"
    )


def test_too_many_states_are_left_out_and_the_answer_says_so(
    stored, chart, monkeypatch: pytest.MonkeyPatch
):
    near = "NIFTY260127C25050"
    form(stored, "NIFTY", CALL, near)
    whole = chart.json(f"/api/replay?{RANGE}")
    monkeypatch.setattr(chartserver.forming, "MOST_STATES", 8)
    charts = chart.json(f"/api/replay?{RANGE}")
    assert whole["forming"].keys() == {"NIFTY", CALL, near}
    assert charts["forming"] == {name: whole["forming"][name] for name in ("NIFTY", CALL)}
    monkeypatch.setattr(chartserver.forming, "MOST_STATES", 5)
    none = chart.json(f"/api/replay?{RANGE}")
    assert [one["forming_left_out"] for one in (whole, charts, none)] == [False, True, True]
    assert none["forming"] == {}
    assert none["candles"] == whole["candles"]


def test_another_strike_can_be_chosen(stored, chart):
    answer = chart.json(f"/api/replay?{RANGE}&strike=25100")
    assert answer["symbols"]["call"] == "NIFTY260127C25100"
    assert answer["atm_strike"] == 25000


def test_the_paced_stream_sends_every_row_as_it_became_known_and_ends(stored, chart):
    late = candle("NIFTY", 1, 25031.0, known_at=OPEN + timedelta(minutes=30))
    stored.execute(
        "delete from candle where symbol = 'NIFTY' and open_time = %s", (late.open_time,)
    )
    write(stored, CANDLE, [late])
    with Stream(
        chart,
        "/replay/stream",
        underlying="NIFTY",
        from_="2026-01-21",
        to="2026-01-21",
        speed=36000,
    ) as stream:
        events = []
        while (event := stream.take()).kind != "end":
            events.append(event)
        assert stream.take() is None
    rows = [(event.data["symbol"], event.data["t"]) for event in events if event.kind == "candle"]
    assert len(rows) == len(set(rows)) == 6 * 7
    assert rows[-1] == ("NIFTY", seconds(late.open_time))
    kinds = [event.kind for event in events]
    # The index of minute 1 is late; five minutes of seven symbols come before the build-up.
    assert kinds[5 * 7 - 1 :][:2] == ["build_up", "signal"]
    assert all(event.id is None for event in events)
    assert events[0].data.keys() == {
        *("symbol", "interval", "t", "o", "h", "l", "c", "v", "oi", "final")
    }


def test_the_pace_is_market_seconds_per_second(stored, chart):
    """Nothing shows before it was known: the rows span 320 market seconds."""
    path = "/replay/stream"
    with Stream(chart, path, from_="2026-01-21", to="2026-01-21", speed=600) as stream:
        first = stream.take()
        assert first.data["t"] == seconds(OPEN)
        assert stream.take_kind("signal").data["known_at"] - seconds(OPEN) == 320
    slow = Stream(chart, path, from_="2026-01-21", to="2026-01-21", speed=0.001, symbols="NIFTY")
    with slow as stream:
        stream.take()
        assert stream.events.empty()


def test_several_sessions_play_without_the_night_between(stored, chart):
    day = timedelta(days=1)
    write(
        stored,
        CANDLE,
        [candle("NIFTY", 0)._replace(open_time=OPEN - day, known_at=OPEN - day)],
    )
    with Stream(
        chart, "/replay/stream", from_="2026-01-20", to="2026-01-21", symbols="NIFTY", speed=3600
    ) as stream:
        times = []
        while (event := stream.take()).kind != "end":
            times += [event.data["t"]] if event.kind == "candle" else []
    assert times == [seconds(OPEN - day), *(seconds(OPEN) + 60 * n for n in range(6))]


def test_a_range_without_rows_ends_at_once(chart):
    with Stream(chart, "/replay/stream", from_="2026-01-21", to="2026-01-21") as stream:
        assert stream.take().kind == "end"


def test_wrong_parameters_are_refused_before_the_stream_begins(chart):
    for query, name in (("", "from"), ("from=2026-01-21&speed=0", "speed"), ("from=x", "from")):
        answer = chart.get(f"/replay/stream?{query}")
        assert (answer.status_code, answer.json()["parameter"]) == (400, name)


def test_a_past_ladder_has_the_prices_that_were_seen_to_form(connection, chart):
    symbol = "NIFTY260127C25000"
    write(connection, CONTRACT, [contract(25000, "C")])
    for second, close in ((10, 101.0), (40, 104.0)):
        known = OPEN + timedelta(seconds=second)
        row = candle(symbol, 0, close, final=False, known_at=known)
        write(connection, LIVE_CANDLE, [row])
    write(connection, CANDLE, [candle(symbol, 0, 107.0)])

    def price(second: int) -> float | None:
        at = seconds(OPEN) + second
        (row,) = chart.json(f"/api/chain?underlying=NIFTY&expiry=2026-01-27&at={at}")["rows"]
        return row["call"]["price"]

    assert [price(second) for second in (9, 10, 39, 40, 59, 60)] == [
        None, 101.0, 101.0, 104.0, 104.0, 107.0
    ]  # fmt: skip
