"""Statistics in SQL: by hand, and against a plain reading of the same trades."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import NamedTuple

import psycopg
import pytest
from psycopg.rows import class_row
from scipy.stats import t as student

from db.market.frames import Range
from db.signals.outcomes import (
    Case,
    OutcomeCase,
    RandomOutcome,
    SignalOutcome,
    read_splits,
    read_stats,
    store_outcomes,
)
from db.writing.bulk import write
from db.writing.relations import SIGNAL
from db.writing.rows import Equity, Signal
from optionscalp.results import SESSIONS_NEEDED
from strategy.signals import Moment, signal_id
from tests import plain_statistics as plain
from tests.test_docs import PROJECT

FIRST = date(2026, 1, 5)
SYMBOL = "NIFTY260127C25000"
EVER = Range(date(2020, 1, 1), date(2030, 1, 1))
LOT = 65
USUAL = Case("corrected", 1)


class Trade(NamedTuple):
    """One trade: its session's number, its minute, points, and the points of its draws."""

    day: int
    minute: int
    points: float
    draws: Sequence[float] = ()
    hit: bool | None = None  # None: when it won
    reason: str = "horizon"
    symbol: str = SYMBOL


def is_hit(trade: Trade) -> bool:
    return trade.points > 0 if trade.hit is None else trade.hit


def signal_of(trade: Trade, strategy="test", version="1") -> Signal:
    session = FIRST + timedelta(trade.day)
    event_time = datetime(session.year, session.month, session.day, 3, 45, tzinfo=UTC)
    event_time += timedelta(minutes=trade.minute)
    moment = Moment(strategy, version, "NIFTY", session, event_time)
    return Signal(
        *(signal_id(moment, trade.symbol), *moment, trade.symbol, "BULLISH", "test", 25_000),
        *(25_000.0, None, [25_000], 100.0, 80.0, 130.0, None, "market", {}, "0" * 16),
        *(event_time, event_time + timedelta(seconds=20), None),
    )


def outcome_of(row: Signal, trade: Trade) -> SignalOutcome:
    prices = row.known_at, 100.0, row.known_at, 100.0 + trade.points
    if trade.reason == "not_entered":
        prices = (None,) * 4
    return SignalOutcome(
        *(row.signal_id, 15, 12.0, 3.0, trade.points, is_hit(trade), trade.reason, *prices),
        *(trade.points, 0.0, LOT),
    )


def draws_of(row: Signal, trade: Trade, first: int) -> list[RandomOutcome]:
    key = row.strategy, row.version, row.underlying, row.session
    return [
        RandomOutcome(
            *(*key, first + number, 15, row.signal_id, SYMBOL, 9.0, 4.0, points, points > 0),
            *("horizon", row.known_at, 100.0, row.known_at, 100.0 + points, points, 0.0),
        )
        for number, points in enumerate(trade.draws)
    ]


def store(connection: psycopg.Connection, trades: Sequence[Trade], **names: str) -> list[Signal]:
    """Store signals with their outcomes and draws."""
    rows = [signal_of(trade, **names) for trade in trades]
    write(connection, SIGNAL, rows)
    for session in sorted({row.session for row in rows}):
        mine = [pair for pair in zip(rows, trades, strict=True) if pair[0].session == session]
        store_outcomes(
            connection,
            session,
            ["NIFTY"],
            [outcome_of(*pair) for pair in mine],
            [draw for at, pair in enumerate(mine) for draw in draws_of(*pair, 10 * at)],
        )
    return rows


def only(connection: psycopg.Connection, case: Case = USUAL):
    (found,) = read_stats(connection, EVER, case=case)
    return found


def random_trades(seed: int, days: int) -> list[Trade]:
    rng = Random(seed)
    trades = []
    for day in range(days):
        drift = rng.gauss(0, 3)
        for minute in sorted(rng.sample(range(5, 370), rng.randint(1, 7))):
            draws = [round(rng.gauss(drift, 9), 2) for _ in range(rng.choice([0, 3, 5]))]
            points = round(rng.gauss(drift + 1, 9), 2)
            trades.append(Trade(day, minute, points, draws, hit=rng.random() < 0.4))
    return trades


def as_plain(trades: Sequence[Trade]) -> list[dict]:
    return [
        {
            "session": trade.day,
            "points": trade.points,
            "lot": LOT,
            "hit": is_hit(trade),
            "draws": [(points, points > 0) for points in trade.draws],
        }
        for trade in trades
    ]


@pytest.mark.parametrize(("seed", "days"), [(1, 4), (2, 10), (3, 25), (4, 130)])
def test_statistics_equal_a_plain_reading_trade_by_trade(connection, seed, days):
    trades = random_trades(seed, days)
    store(connection, trades)
    found = only(connection)._asdict()
    assert found["comparisons"] == 4
    expected = plain.statistics(as_plain(trades), 4)
    for name, value in expected.items():
        assert found[name] == (pytest.approx(value) if isinstance(value, float) else value), name
    with_draws = {trade.day for trade in trades if trade.draws}
    assert (found["sessions"], found["matched_sessions"]) == (days, len(with_draws))


def test_the_quantile_is_that_of_students_t(connection):
    for confidence in (0.5, 0.95, 0.9875, 0.9999):
        for freedom in (1, 2, 3, 8, 9, 39, 40, 99, 100):
            (told,) = connection.execute(
                "select student_t(%s, %s)", (confidence, freedom)
            ).fetchone()
            assert told == pytest.approx(student.ppf((1 + confidence) / 2, freedom), rel=1e-6)
    limits = "select student_t(0.95, 100000) = student_t(0.95, 100), student_t(0.95, 0)"
    assert connection.execute(limits).fetchone() == (True, None)


def test_an_interval_counts_sessions_and_not_signals(connection):
    """Ten sessions of +2 and -1 by turns: twenty signals in each say no more than one."""
    store(connection, [Trade(day, 5, 2.0 - 3 * (day % 2), [0.0]) for day in range(10)])
    one = only(connection)
    # Mean 0.5; squares 10 * 1.5 ** 2 = 22.5; error sqrt(22.5 * 10 / 9) / 10 = 0.5; t is 2.2622.
    assert one.difference_points == 0.5
    assert one.difference_low == pytest.approx(0.5 - 2.262157 * 0.5, abs=1e-6)
    store(
        connection,
        [Trade(day, 5 + at, 2.0 - 3 * (day % 2), [0.0]) for day in range(10) for at in range(20)],
    )
    many = only(connection)
    assert (many.n, many.sessions) == (200, 10)
    assert many.difference_low == pytest.approx(one.difference_low)
    assert many.mean_return_low == pytest.approx(one.difference_low)


def test_with_nine_sessions_there_is_no_interval_and_no_verdict(connection):
    store(connection, [Trade(day, 5, 10.0 + day, [0.0]) for day in range(9)])
    found = only(connection)
    assert (found.difference_points, found.difference_low, found.verdict) == (
        *(14.0, None, "few_sessions"),
    )
    assert (found.hit_rate, found.hit_rate_low, found.adjusted_low) == (1.0, None, None)
    store(connection, [Trade(9, 5, 19.0, [0.0])])
    assert only(connection).verdict == "better"


def test_a_verdict_allows_for_the_versions_and_horizons_that_were_looked_at(connection):
    trades = [Trade(day, 5, 0.75 + (1 if day % 2 else -1), [0.0]) for day in range(12)]
    store(connection, trades)
    one = only(connection)
    assert one.difference_low > 0, "alone it would be better than luck"
    assert (one.comparisons, one.verdict) == (4, "same")
    assert one.adjusted_low < 0
    clear = [trade._replace(points=trade.points + 0.6) for trade in trades]
    store(connection, clear)
    assert only(connection).verdict == "better"
    for number in range(2, 30):
        store(connection, [Trade(40, 5, 1.0)], version=str(number))
    found = {row.version: row for row in read_stats(connection, EVER)}
    assert found["1"].comparisons == 4 * 29
    assert found["1"].verdict == "same"
    store(connection, [Trade(40, 5, 1.0)], strategy="other")
    assert next(iter(read_stats(connection, EVER, "other"))).comparisons == 4


def test_signals_without_draws_count_in_rates_and_not_in_the_difference(connection):
    trades = [Trade(day, 5, 1.0 + day % 2, [0.5]) for day in range(10)]
    store(connection, [*trades, *(Trade(day, 9, 50.0) for day in range(10, 20))])
    found = only(connection)
    assert (found.n, found.sessions) == (20, 20)
    assert (found.matched_n, found.matched_sessions, found.random_n) == (10, 10, 10)
    assert found.difference_points == pytest.approx(1.0)


def test_draws_beside_a_signal_that_was_not_entered_count_nowhere(connection):
    entered = Trade(0, 5, 1.0, [2.0])
    waiting = Trade(1, 5, 0.0, [100.0], hit=False, reason="not_entered")
    store(connection, [entered, waiting])
    found = only(connection)
    assert (found.n, found.n_not_entered, found.random_n) == (1, 1, 1)
    assert found.random_mean_return_points == 2.0


def test_equity_falls_and_runs_by_hand(connection):
    points = [4.0, -1.0, -2.0, 6.0, -3.0, 0.0, -5.0, -1.5, -0.5, 2.0]
    store(connection, [Trade(0, 5 + at, one) for at, one in enumerate(points)])
    found = only(connection)
    # Equity 4 3 1 7 4 4 -1 -2.5 -3 -1: from 7 down to -3; the worst run is -5 -1.5 -0.5.
    assert (found.total_points, found.total_rupees) == (-1.0, -65.0)
    assert (found.drawdown_points, found.drawdown_rupees) == (10.0, 650.0)
    assert (found.losing_run, found.worst_run_points, found.worst_run_rupees) == (3, 7.0, 455.0)
    assert found.profit_factor == pytest.approx(12 / 13)
    assert found.median_return_points == -0.75
    store(connection, [Trade(0, 5, 4.0), Trade(0, 6, 2.0)])
    connection.execute("delete from signal_outcome where return_points not in (4, 2)")
    best = only(connection)
    assert (best.drawdown_points, best.losing_run, best.profit_factor) == (0, 0, None)


def test_losing_from_the_first_trade_on_is_a_fall_from_nothing(connection):
    store(connection, [Trade(0, 5, -3.0), Trade(0, 6, -4.0)])
    assert only(connection).drawdown_points == 7.0


def test_hits_that_lose_after_costs_are_counted_as_what_they_are(connection):
    trades = [Trade(0, 5, -0.9, hit=True), Trade(0, 6, 3.0, hit=True), Trade(0, 7, -9.0)]
    store(connection, [*trades, Trade(0, 8, 0.0, hit=True)])
    found = only(connection)
    assert (found.hits, found.hits_that_lost, found.hit_rate) == (3, 2, 0.75)


def test_what_is_missing_is_told_with_its_bounds(connection):
    rows = store(connection, [Trade(0, 5 + at, 1.0 if at < 2 else -1.0) for at in range(5)])
    connection.execute(
        "delete from signal_outcome where signal_id = %s or signal_id = %s",
        (rows[0].signal_id, rows[4].signal_id),
    )
    found = only(connection)
    assert (found.n, found.n_missing, found.hit_rate) == (3, 2, pytest.approx(1 / 3))
    assert (found.hit_rate_if_lost, found.hit_rate_if_won) == (1 / 5, 3 / 5)


def test_rupees_are_unknown_where_a_lot_is(connection):
    rows = store(connection, [Trade(0, 5, 1.0), Trade(0, 6, 1.0)])
    connection.execute(
        "update signal_outcome set lot_size = null where signal_id = %s", (rows[0].signal_id,)
    )
    found = only(connection)
    assert (found.total_points, found.total_rupees, found.drawdown_rupees) == (2.0, None, None)


def case_of(row: Signal, history: str, fills: int, points: float, draw: float) -> OutcomeCase:
    return OutcomeCase(
        *(row.signal_id, 15, history, fills, 12.0, None, points, points > 0, "horizon"),
        *(row.known_at, 100.0, row.known_at, 100.0 + points, points, 0.0, LOT),
        *(5, 2, 9.0, None, draw),
    )


def test_each_history_and_number_of_spreads_is_counted_by_itself(connection):
    standing, gone = Trade(0, 5, 5.0, [1.0]), Trade(0, 9, -5.0)
    rows = store(connection, [standing, gone])
    connection.execute(
        "update signal set withdrawn_at = known_at where signal_id = %s", (rows[1].signal_id,)
    )
    store_outcomes(
        connection,
        FIRST,
        ["NIFTY"],
        [outcome_of(rows[0], standing)],
        draws_of(rows[0], standing, 0),
        [
            *(case_of(rows[0], "corrected", 0, 6.0, 2.0), case_of(rows[0], "corrected", 2, 4.0, 0)),
            *(case_of(row, "known_then", 1, -5.0, 1.5) for row in rows),
        ],
    )
    assert only(connection)[4:5] == (1,)
    assert only(connection, Case("corrected", 0)).difference_points == 4.0
    assert only(connection, Case("corrected", 2)).mean_return_points == 4.0
    then = only(connection, Case("known_then", 1))
    assert (then.n, then.random_n, then.difference_points) == (2, 10, -6.5)
    assert (then.random_hit_rate, then.mean_mae_points) == (0.4, None)
    with pytest.raises(psycopg.errors.CheckViolation):
        store_outcomes(
            connection, FIRST, ["NIFTY"], [], [], [case_of(rows[0], "corrected", 1, 1.0, 0.0)]
        )


def parts(connection: psycopg.Connection, by: str) -> list[tuple]:
    return [(row.part, row.n, row.mean_return_points) for row in read_splits(connection, EVER, by)]


def test_signals_are_split_by_the_hour_and_by_days_to_expiry(connection):
    later = "NIFTY260203P25000"
    store(
        connection,
        [
            *(Trade(0, 0, 1.0), Trade(0, 59, 3.0), Trade(0, 60, 5.0), Trade(22, 374, 7.0)),
            *(Trade(21, 61, 9.0), Trade(22, 62, 11.0, symbol=later)),
        ],
    )
    assert parts(connection, "time") == [
        *(("09:15-10:15", 2, 2.0), ("10:15-11:15", 3, pytest.approx(25 / 3))),
        ("15:15-16:15", 1, 7.0),
    ]
    # The expiry is 22 days after the first session; the later one a week more.
    assert parts(connection, "expiry") == [
        *(("0", 1, 7.0), ("1", 1, 9.0), ("4-7", 1, 11.0), ("8+", 3, 3.0)),
    ]
    assert parts(connection, "mood") == []


def test_signals_are_split_by_the_volatility_that_was_known_with_them(connection):
    rows = store(connection, [Trade(0, 5 + 5 * at, float(at)) for at in range(4)])
    for row, volatility in zip(rows[1:], (0.149, 0.15, None), strict=True):
        connection.execute(
            "insert into greeks (symbol, interval_minutes, open_time, underlying, forward,"
            " forward_source, implied_volatility, known_at)"
            " values (%s, 5, %s, 'NIFTY', 25000, 'parity', %s, %s)",
            (row.symbol, row.event_time - timedelta(minutes=5), volatility, row.known_at),
        )
    assert parts(connection, "volatility") == [
        *(("unknown", 2, 1.5), ("10-15 %", 1, 1.0), ("15-20 %", 1, 2.0)),
    ]


def test_the_equity_of_each_session_stands_beside_that_of_random_entries(connection):
    store(connection, [Trade(0, 5, 3.0, [1.0, 2.0]), Trade(0, 6, -1.0), Trade(1, 5, 4.0, [-2.0])])
    with connection.cursor(row_factory=class_row(Equity)) as cursor:
        query = "select * from signal_equity('corrected', 1, '2026-01-01', '2026-02-01')"
        one, two = cursor.execute(query).fetchall()
    assert (one.n, one.points, one.rupees, one.equity_points) == (2, 2.0, 130.0, 2.0)
    assert (one.matched_n, one.random_equity_points) == (1, 1.5)
    assert (two.equity_points, two.equity_rupees, two.random_equity_points) == (6.0, 390.0, -0.5)


def test_everybody_says_how_many_sessions_are_needed(connection):
    assert connection.execute("select sessions_needed()").fetchone() == (SESSIONS_NEEDED,)
    summary = PROJECT / "chartserver" / "static" / "panels" / "summary.js"
    assert f"const SESSIONS_NEEDED = {SESSIONS_NEEDED}\n" in summary.read_text("utf-8")
    assert plain.NEEDED == SESSIONS_NEEDED


def test_a_reader_may_read_every_statistic(connection):
    connection.execute("set role optionscalp_reader")
    for relation in (
        *("signal_trade", "signal_stats_between('2026-01-01', '2026-02-01')"),
        "signal_splits('time', 'corrected', 1, '2026-01-01', '2026-02-01')",
        "signal_equity('known_then', 2, '2026-01-01', '2026-02-01')",
    ):
        assert connection.execute(f"select * from {relation}").fetchall() == []
