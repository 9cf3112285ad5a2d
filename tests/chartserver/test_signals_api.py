"""Signals, statistics, distributions and rejections over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

import psycopg
import pytest
from chart_help import OPEN, SESSION, Chart, candle, seconds, signal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.writing.bulk import write
from db.writing.relations import CANDLE, SIGNAL, SIGNAL_REJECTION
from db.writing.rows import Signal, SignalRejection
from tests.long import examples

CALL, PUT = "NIFTY260127C25000", "NIFTY260127P25000"
OTHER = "1+0a1b2c3d"
DAY = timedelta(days=1)

OUTCOME = """
insert into signal_outcome (signal_id, horizon_minutes, mfe_points, mae_points, return_points, hit,
                            exit_reason)
values (%s, %s, 12, 3, %s, %s, %s)
"""
RANDOM = """
insert into random_outcome (strategy, version, underlying, session, draw, horizon_minutes,
                            mfe_points, mae_points, return_points, hit, exit_reason, beside)
values (%s, %s, 'NIFTY', %s, %s, %s, 5, 5, %s, %s, 'horizon', %s)
"""


def made(minute: int, **changes) -> Signal:
    """A signal of its own identity for each strategy, version and moment."""
    row = signal(changes.pop("symbol", CALL), minute, **changes)
    name = f"{row.strategy} {row.version} {row.event_time}"
    return row._replace(signal_id=uuid5(NAMESPACE_URL, name))


def judge(connection: psycopg.Connection, row: Signal, points: float, horizon: int = 15) -> None:
    hit = points > 20
    reason = "target1" if hit else "horizon"
    connection.execute(OUTCOME, (row.signal_id, horizon, points, hit, reason))


def draw(connection: psycopg.Connection, number: int, points: float, row: Signal) -> None:
    values = (
        row.strategy,
        row.version,
        row.session,
        number,
        15,
        points,
        points > 20,
        row.signal_id,
    )
    connection.execute(RANDOM, values)


@pytest.fixture
def stored(connection: psycopg.Connection) -> psycopg.Connection:
    """Two sessions: two versions of one strategy, another strategy, a withdrawn signal."""
    yesterday = {"event_time": OPEN - DAY, "session": SESSION - DAY, "known_at": OPEN - DAY}
    first, second = made(10), made(20, direction="BEARISH", symbol=PUT)
    gone = made(30, withdrawn_at=OPEN + timedelta(hours=1))
    other = made(10, version=OTHER)
    trap = made(12, strategy="vwap_trap", target2=None, net_delta_volume=None)
    before = made(0, **yesterday)
    signals = [first, second, gone, other, trap, before]
    write(connection, CANDLE, [candle("NIFTY", minute, 25000.0) for minute in range(40)])
    write(connection, SIGNAL, signals)
    for row, points in zip(signals, (28.5, -21.5, 40.0, 3.0, -4.5, 28.5), strict=True):
        judge(connection, row, points)
    judge(connection, first, 11.0, horizon=0)
    for number, points in enumerate((28.5, -21.5, -21.5, 1.0)):
        draw(connection, number, points, first)
    draw(connection, 0, 28.5, before)
    return connection


def test_signals_come_with_versions_revisions_and_every_column_of_their_outcomes(stored, chart):
    answer = chart.json("/api/signals?underlying=NIFTY&from=2026-01-20&to=2026-01-21")
    assert answer["simulated"] is False
    assert [(row["strategy"], row["version"]) for row in answer["signals"]] == [
        ("delta_volume", "1"),
        ("delta_volume", "1"),
        ("delta_volume", OTHER),
        ("vwap_trap", "1"),
        ("delta_volume", "1"),
        ("delta_volume", "1"),
    ]
    trap = answer["signals"][3]
    assert (trap["target2"], trap["net_delta_volume"], trap["revision"]) == (None, None, 1)
    assert answer["signals"][5]["withdrawn"] is True
    assert [outcome["horizon_minutes"] for outcome in answer["signals"][1]["outcomes"]] == [15, 0]
    (outcome,) = trap["outcomes"]
    columns = stored.execute("select * from signal_outcome limit 0").description
    assert {"signal_id", *outcome} == {column.name for column in columns}


def test_view_and_page_count_random_entries_beside_standing_signals_only(stored, chart):
    first = made(10)
    stored.execute(
        "update signal set withdrawn_at = known_at where signal_id = %s", (first.signal_id,)
    )
    answer = chart.json("/api/signals/stats?underlying=NIFTY&from=2026-01-20&to=2026-01-21")
    (told,) = [
        row["random_n"]
        for row in answer["stats"]
        if (row["strategy"], row["version"], row["horizon_minutes"]) == ("delta_volume", "1", 15)
    ]
    query = (
        "select random_n from signal_stats where horizon_minutes = 15"
        " and (strategy, version) = ('delta_volume', '1')"
    )
    assert (told,) == stored.execute(query).fetchone() == (1,)


def test_a_signal_tells_what_it_was_before_each_correction(stored, chart):
    first = made(10)
    path = f"/api/signals/revisions?signal_id={first.signal_id}"
    assert chart.json(path) == {"signal_id": str(first.signal_id), "revisions": []}
    for minutes, entry in ((3, 101.5), (6, 102.5)):
        later = first.known_at + timedelta(minutes=minutes)
        write(stored, SIGNAL, [first._replace(entry=entry, known_at=later)])
    before, between = chart.json(path)["revisions"]
    assert (before["revision"], before["entry"], between["entry"]) == (1, 100.0, 101.5)
    assert before["reasons"] == first.reasons
    assert before["revised_at"] == between["known_at"] == seconds(first.known_at) + 3 * 60


@pytest.mark.parametrize(
    ("signal_id", "status"), [("", 400), ("17", 400), (uuid5(NAMESPACE_URL, "none"), 404)]
)
def test_revisions_are_of_one_stored_signal(chart, signal_id, status):
    answer = chart.get(f"/api/signals/revisions?signal_id={signal_id}")
    assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_times_and_prices_of_an_outcome_are_told(stored, chart):
    stored.execute(
        "update signal_outcome set entered_at = %s, entry_price = 101, exited_at = %s,"
        " exit_price = 96.5, gross_points = -4.5, costs_points = 1",
        (OPEN + timedelta(minutes=13), OPEN + timedelta(minutes=28)),
    )
    (trap,) = chart.json("/api/signals?strategy=vwap_trap")["signals"]
    (outcome,) = trap["outcomes"]
    assert outcome["entered_at"] == seconds(OPEN) + 13 * 60
    assert outcome["exited_at"] == seconds(OPEN) + 28 * 60
    assert (outcome["entry_price"], outcome["exit_price"]) == (101, 96.5)
    assert (outcome["gross_points"], outcome["costs_points"]) == (-4.5, 1)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 5),
        ("strategy=delta_volume", 4),
        ("strategy=delta_volume&version=1", 3),
        ("version=1%2B0a1b2c3d", 1),
        ("version=1+0a1b2c3d", 1),
        ("direction=BEARISH", 1),
        ("strategy=unheard_of", 0),
        ("underlying=BANKNIFTY", 0),
        ("from=2026-01-20", 1),
    ],
)
def test_signals_are_chosen_by_strategy_version_direction_and_range(stored, chart, query, count):
    assert len(chart.json(f"/api/signals?{query}")["signals"]) == count


def test_what_was_proved_of_a_version_stands_beside_its_statistics(stored, chart):
    stored.execute(
        "insert into strategy_version values ('vwap_trap', '1', 'x', '{}', true, now());"
        "insert into strategy_proof values"
        " ('vwap_trap', '1', '2026-01-20', 'parity', true, '', '2026-01-22 10:00Z'),"
        " ('vwap_trap', '1', '2026-01-21', 'lookahead', true, '', '2026-01-22 10:01Z')"
    )
    answer = chart.json("/api/signals/stats?from=2026-01-20&to=2026-01-21")
    (proof,) = [one["proof"] for one in answer["versions"] if one["strategy"] == "vwap_trap"]
    assert proof == {
        "status": "proved",
        "parity_sessions": 1,
        "lookahead_sessions": 1,
        "different_sessions": 0,
        "first_session": "2026-01-20",
        "last_session": "2026-01-21",
        "proved_at": 1769076060,
    }


def test_statistics_stand_beside_random_entries_and_leave_withdrawn_signals_out(stored, chart):
    answer = chart.json("/api/signals/stats?from=2026-01-20&to=2026-01-21")
    proofs = [version.pop("proof") for version in answer["versions"]]
    assert {proof["status"] for proof in proofs} == {"unproved"}
    assert answer["versions"] == [
        {"strategy": "delta_volume", "version": "1", "signals": 3, "withdrawn": 1},
        {"strategy": "delta_volume", "version": OTHER, "signals": 1, "withdrawn": 0},
        {"strategy": "vwap_trap", "version": "1", "signals": 1, "withdrawn": 0},
    ]
    places = [(row["strategy"], row["version"], row["horizon_minutes"]) for row in answer["stats"]]
    assert places == [
        ("delta_volume", "1", 15),
        ("delta_volume", "1", 0),
        ("delta_volume", OTHER, 15),
        ("vwap_trap", "1", 15),
    ]
    row = answer["stats"][0]
    assert (row["n"], row["random_n"]) == (3, 5)
    assert row["hit_rate"] == pytest.approx(2 / 3)
    # Two sessions are too few for an interval, and for a verdict.
    assert {value for name, value in row.items() if name.endswith(("_low", "_high"))} == {None}
    assert (row["verdict"], row["sessions"], row["matched_sessions"]) == ("few_sessions", 2, 2)
    assert row["mean_return_points"] == pytest.approx((28.5 - 21.5 + 28.5) / 3)
    assert row["random_mean_return_points"] == pytest.approx(15 / 5)
    trap = answer["stats"][3]
    assert {value for name, value in trap.items() if name.startswith("random_")} == {0, None}


def test_a_range_and_a_direction_narrow_the_statistics(stored, chart):
    (today, *_) = chart.json("/api/signals/stats?from=2026-01-21&strategy=delta_volume")["stats"]
    assert (today["n"], today["random_n"]) == (2, 4)
    (falling,) = chart.json("/api/signals/stats?direction=BEARISH")["stats"]
    assert (falling["n"], falling["hit_rate"]) == (1, 0)
    assert falling["random_n"] == 0, "the random entries stand beside the other signals"


def test_signals_that_were_not_entered_count_in_nothing_else(stored, chart):
    stored.execute(
        "update signal_outcome set exit_reason = 'not_entered', hit = false, mfe_points = 0,"
        " mae_points = 0, return_points = 0 where return_points = -21.5"
    )
    (row, *_) = chart.json("/api/signals/stats?from=2026-01-20&to=2026-01-21")["stats"]
    assert (row["n"], row["n_not_entered"], row["hit_rate"]) == (2, 1, 1)
    assert row["mean_return_points"] == pytest.approx(28.5)
    (none, *_) = chart.json("/api/signals/stats?direction=BEARISH")["stats"]
    assert (none["n"], none["n_not_entered"], none["hit_rate"]) == (0, 1, None)


def test_the_statistics_of_everything_are_those_of_the_view(stored, chart):
    with stored.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        view = cursor.execute(
            "select * from signal_stats order by strategy, version, horizon_minutes = 0"
        ).fetchall()
    answer = chart.json("/api/signals/stats?from=2026-01-01&to=2026-01-31")["stats"]
    assert len(view) == len(answer) == 4
    for told, row in zip(answer, view, strict=True):
        assert row.pop("underlying") == "NIFTY"
        assert {name: told[name] for name in row} == pytest.approx(row)


CASE = """
insert into signal_outcome_case (signal_id, horizon_minutes, history, fills, mfe_points, mae_points,
                                 return_points, hit, exit_reason, lot_size, random_n, random_hits,
                                 random_return_points)
values (%s, 15, %s, %s, 12, null, %s, false, 'horizon', 65, 4, 1, 2)
"""


def test_the_case_that_is_asked_for_is_counted_and_named(stored, chart):
    gone = made(30, withdrawn_at=OPEN + timedelta(hours=1))
    stored.execute(CASE, (gone.signal_id, "known_then", 2, -7.0))
    case = "history=known_then&fills=2"
    answer = chart.json(f"/api/signals/stats?{case}")
    assert (answer["history"], answer["fills"]) == ("known_then", 2)
    (row,) = answer["stats"]
    assert (row["n"], row["difference_points"], row["total_rupees"]) == (1, -9, -455)
    assert row["n_missing"] == 2, "of the session's three signals of that version"
    (bins,) = chart.json(f"/api/signals/distribution?{case}")["distributions"]
    assert bins["bins"] == [{"from": -7, "signals": 1, "random": 0}]
    usual = chart.json("/api/signals/stats?strategy=delta_volume&version=1")
    assert (usual["history"], usual["fills"]) == ("corrected", 1)


def test_parts_and_equity_are_of_one_horizon_each_with_its_number(stored, chart):
    query = "from=2026-01-20&to=2026-01-21&strategy=delta_volume&version=1"
    answer = chart.json(f"/api/signals/splits?{query}&by=expiry")
    assert (answer["by"], answer["horizon_minutes"]) == ("expiry", 15)
    (row,) = answer["splits"]
    assert (row["part"], row["n"], row["matched_n"]) == ("4-7", 3, 2)
    assert row["hit_rate"] == pytest.approx(2 / 3)
    (hour,) = chart.json(f"/api/signals/splits?{query}&horizon=0")["splits"]
    assert (hour["part"], hour["n"], hour["mean_return_points"]) == ("09:15-10:15", 1, 11)
    sessions = chart.json(f"/api/signals/equity?{query}")["equity"]
    assert [(one["session"], one["n"], one["equity_points"]) for one in sessions] == [
        *(("2026-01-20", 1, 28.5), ("2026-01-21", 2, 35.5)),
    ]
    assert [one["random_equity_points"] for one in sessions] == pytest.approx([28.5, 28.5 - 3.375])
    assert chart.json("/api/signals/equity?underlying=BANKNIFTY")["equity"] == []


def test_returns_are_counted_in_bins_of_a_round_width(stored, chart):
    answer = chart.json("/api/signals/distribution?horizon=15&strategy=delta_volume")
    assert answer["horizon_minutes"] == 15
    assert answer["distributions"] == [
        {
            "strategy": "delta_volume",
            "version": "1",
            "width": 5,
            "bins": [
                {"from": -25, "signals": 1, "random": 2},
                {"from": 0, "signals": 0, "random": 1},
                {"from": 25, "signals": 1, "random": 1},
            ],
        },
        {
            "strategy": "delta_volume",
            "version": OTHER,
            "width": 0.01,
            "bins": [{"from": 3, "signals": 1, "random": 0}],
        },
    ]
    (closing,) = chart.json("/api/signals/distribution?horizon=0")["distributions"]
    assert [(bin_["from"], bin_["signals"]) for bin_ in closing["bins"]] == [(11, 1)]
    assert chart.json("/api/signals/distribution?horizon=30")["distributions"] == []


@settings(
    max_examples=examples(20),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(points=st.lists(st.integers(-40_000, 40_000), min_size=1, max_size=60))
def test_every_return_is_in_one_bin_and_there_are_few_bins(
    connection: psycopg.Connection, chart: Chart, points: list[int]
):
    connection.execute("truncate signal cascade; truncate random_outcome")
    rows = [made(number) for number in range(len(points))]
    write(connection, SIGNAL, rows)
    for row, ticks in zip(rows, points, strict=True):
        judge(connection, row, ticks * 0.05)
    path = "/api/signals/distribution?from=2026-01-21"
    (found,) = chart.json(path)["distributions"]
    width = found["width"]
    assert sum(bin_["signals"] for bin_ in found["bins"]) == len(points)
    assert found["bins"][0]["from"] <= min(points) * 0.05 + 1e-9
    assert found["bins"][-1]["from"] + width > max(points) * 0.05 - 1e-9
    assert (found["bins"][-1]["from"] - found["bins"][0]["from"]) / width < 25
    assert str(width).strip("0.")[0] in "125"


def rejection(minute: int, **changes) -> SignalRejection:
    moment = OPEN + timedelta(minutes=minute)
    row = SignalRejection(
        *("delta_volume", "1", "NIFTY", SESSION, moment, "against_net_delta", CALL),
        *({"net_delta_volume": -650}, moment + timedelta(seconds=20)),
    )
    return row._replace(**changes)


def test_rejections_come_newest_first_with_their_reason(stored, chart):
    missing = rejection(15, reason="missing_rows", symbol="", details={"missing": ["C"]})
    write(
        stored,
        SIGNAL_REJECTION,
        [rejection(10), missing._replace(known_at=None), rejection(12, strategy="vwap_trap")],
    )
    answer = chart.json("/api/signals/rejections")
    assert answer["total"] == 3
    first, second, third = answer["rejections"]
    assert (first["reason"], first["known_at"]) == ("missing_rows", None)
    assert first["details"] == {"missing": ["C"]}
    assert (second["strategy"], second["event_time"]) == ("vwap_trap", seconds(OPEN) + 720)
    assert (third["symbol"], third["known_at"]) == (CALL, seconds(OPEN) + 620)
    assert chart.json("/api/signals/rejections?strategy=delta_volume")["total"] == 2
    assert chart.json("/api/signals/rejections?underlying=BANKNIFTY")["rejections"] == []


def test_of_many_rejections_the_newest_come_with_the_number_of_all(stored, chart):
    rows = [
        rejection(0, event_time=OPEN + timedelta(seconds=number), symbol=f"{CALL}{number}")
        for number in range(1, 1102)
    ]
    write(stored, SIGNAL_REJECTION, rows)
    answer = chart.json("/api/signals/rejections")
    assert (answer["total"], len(answer["rejections"])) == (1101, 1000)
    assert answer["rejections"][0]["event_time"] == seconds(OPEN) + 1101


def test_nothing_stored_is_an_empty_answer(chart):
    assert chart.json("/api/signals")["signals"] == []
    assert chart.json("/api/signals/stats")["stats"] == []
    assert chart.json("/api/signals/distribution")["distributions"] == []
    assert chart.json("/api/signals/rejections")["total"] == 0


def refusals() -> Iterator[tuple[str, int, dict]]:
    for path in ("", "/stats", "/distribution", "/splits", "/equity", "/rejections"):
        yield f"{path}?underlying=SENSEX", 400, {"parameter": "underlying"}
        yield f"{path}?strategy=%00", 400, {"parameter": "strategy"}
        yield f"{path}?version=1'--", 400, {"parameter": "version"}
        yield f"{path}?direction=UP", 400, {"allowed": ["BULLISH", "BEARISH"]}
        yield f"{path}?from=soon", 400, {"parameter": "from"}
        yield f"{path}?from=2024-01-01&to=2026-01-21", 413, {"limit_days": 366}
    yield "/stats?history=now", 400, {"allowed": ["corrected", "known_then"]}
    yield "/equity?fills=3", 400, {"allowed": ["0", "1", "2"]}
    yield "/splits?by=mood", 400, {"allowed": ["time", "expiry", "volatility"]}
    yield "/distribution?horizon=7", 400, {"allowed": ["5", "15", "30", "0"]}


def test_refusals_name_the_parameter(chart):
    for path, status, details in refusals():
        answer = chart.get(f"/api/signals{path}")
        assert (path, answer.status_code) == (path, status)
        assert details.items() <= answer.json().items()
