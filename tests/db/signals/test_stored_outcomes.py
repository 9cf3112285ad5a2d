"""Outcomes in PostgreSQL: what they are read from, written once, and put into statistics."""

from datetime import UTC, date, datetime, timedelta
from math import isnan

import pytest

from db.market.frames import Range
from db.market.gaps import EmptySeries, note_empty
from db.market.trades import Wanted, read_trade_candles
from db.signals.outcomes import (
    RandomOutcome,
    SignalOutcome,
    nearest_ladders,
    read_stats,
    sessions_with_signals,
    standing_signals,
    store_outcomes,
    stored_lot_sizes,
)
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT, SIGNAL
from db.writing.rows import Candle, Contract, Signal
from strategy.signals import Moment, signal_id

SESSION = date(2026, 1, 21)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
SYMBOL = "NIFTY260127C25000"
EVER = Range(date(2020, 1, 1), date(2030, 1, 1))
BOTH = ("NIFTY", "BANKNIFTY")


def candle(minute, symbol=SYMBOL, close=100.0, minutes=1, **changes):
    open_time = OPEN + timedelta(minutes=minute)
    known_at = open_time + timedelta(minutes=minutes)
    prices = close, close + 1, close - 1, close
    row = Candle(symbol, minutes, open_time, "NIFTY", *prices, 65, None, "test", known_at, True)
    return row._replace(**changes)


def signal(minute=5, **changes):
    moment = Moment("test", "1", "NIFTY", SESSION, OPEN + timedelta(minutes=minute))
    moment = moment._replace(**{k: v for k, v in changes.items() if k in Moment._fields})
    row = Signal(
        *(signal_id(moment, SYMBOL), *moment, SYMBOL, "BULLISH", "test", 25_000, 25_000.0, None),
        *([25_000], 100.0, 80.0, 130.0, None, "market", {}, "0" * 16, moment.event_time),
        *(moment.event_time + timedelta(seconds=20), None),
    )
    return row._replace(**changes)


def outcome(row, horizon=5, points=10.0, reason="horizon"):
    entered = (OPEN, 100.0, OPEN, 100.0 + points) if reason != "not_entered" else (None,) * 4
    values = (12.0, 3.0, points) if reason != "not_entered" else (0.0,) * 3
    hit = reason == "target1"
    return SignalOutcome(row.signal_id, horizon, *values, hit, reason, *entered, points, 0.0, 65)


def random(row, draw, points, horizon=5):
    key = row.strategy, row.version, row.underlying, row.session, draw, horizon
    trade = points > 0, "target1" if points > 0 else "stop", OPEN, 100.0, OPEN, 100.0 + points
    return RandomOutcome(*key, row.signal_id, SYMBOL, 9.0, 4.0, points, *trade, points, 0.0)


def test_candles_are_read_by_contract_and_session_with_what_was_quiet(connection):
    write(
        connection,
        CANDLE,
        [
            *(candle(0), candle(1, close=0.1 + 0.2), candle(3, final=False), candle(24 * 60)),
            *(candle(0, minutes=5), candle(0, symbol="NIFTY", volume=None)),
            candle(2, symbol="NIFTY", volume=None),
        ],
    )
    quiet = EmptySeries("candle", SYMBOL, 1, "test")
    moments = [OPEN, OPEN + timedelta(minutes=2)]
    note_empty(connection, quiet, moments, OPEN + timedelta(minutes=4))
    found = read_trade_candles(connection, [Wanted("NIFTY", SESSION), Wanted(SYMBOL, SESSION)])
    kept = ["symbol", "session", "interval_minutes", "open_time", "known_at"]
    assert [tuple(row) for row in found[kept].itertuples(index=False)] == [
        (symbol, SESSION, minutes, OPEN + timedelta(minutes=at), OPEN + timedelta(minutes=known))
        for symbol, minutes, at, known in [
            *(("NIFTY", 1, 0, 1), ("NIFTY", 1, 2, 3)),
            *((SYMBOL, 1, 0, 1), (SYMBOL, 1, 1, 2), (SYMBOL, 1, 2, 4), (SYMBOL, 5, 0, 5)),
        ]
    ]
    assert found["close"][3] == 0.1 + 0.2
    assert [isnan(close) for close in found["close"]] == [*[False] * 4, True, False]
    until = [Wanted(SYMBOL, SESSION, OPEN + timedelta(minutes=1))]
    assert len(read_trade_candles(connection, until)) == 2
    assert read_trade_candles(connection, []).empty


def test_signals_ladders_and_lots_are_those_of_the_session(connection):
    listed = ("NIFTY", date(2026, 1, 27), 25_000, "C")
    later = ("NIFTY", date(2026, 2, 3), 24_000, "C")
    seen = SESSION, date(2026, 2, 3), "test"
    write(
        connection,
        CONTRACT,
        [
            Contract(SYMBOL, *listed, 65, *seen),
            Contract("P", *listed[:3], "P", None, *seen),
            Contract("C24900", *listed[:2], 24_900, "C", None, *seen),
            Contract("C25500", *listed[:2], 25_500, "C", None, SESSION + timedelta(1), *seen[1:]),
            Contract("NEXT", *later, None, *seen),
        ],
    )
    assert nearest_ladders(connection, SESSION, BOTH) == {
        "NIFTY": (date(2026, 1, 27), [24_900, 25_000])
    }
    assert stored_lot_sizes(connection, [SYMBOL, "P", "Q"]) == {SYMBOL: 65, "P": None}
    withdrawn = signal(10, withdrawn_at=OPEN)
    write(connection, SIGNAL, [signal(), withdrawn, signal(15, underlying="BANKNIFTY")])
    assert standing_signals(connection, SESSION, ["NIFTY"]) == [signal()]
    assert sessions_with_signals(connection, EVER, BOTH) == [SESSION]
    assert sessions_with_signals(connection, Range(EVER.first, date(2026, 1, 20)), BOTH) == []


def test_the_stored_rows_are_made_equal_and_the_same_ones_write_nothing(connection):
    one, other, foreign = signal(), signal(10), signal(15, underlying="BANKNIFTY")
    write(connection, SIGNAL, [one, other, foreign])
    rows = [outcome(one), outcome(one, 15), outcome(other, reason="not_entered", points=0.0)]
    draws = [random(one, draw, 5.0) for draw in range(3)]
    assert store_outcomes(connection, SESSION, ["NIFTY"], rows, draws) == (6, 0)
    mine = [outcome(foreign)], [random(foreign, 0, 1.0)]
    assert store_outcomes(connection, SESSION, ["BANKNIFTY"], *mine) == (2, 0)
    assert store_outcomes(connection, SESSION, ["NIFTY"], rows, draws) == (0, 0)
    changed = [outcome(one, points=9.0), outcome(one, 15)]
    assert store_outcomes(connection, SESSION, ["NIFTY"], changed, draws[:2]) == (1, 2)
    stored = connection.execute(
        "select signal_id, return_points from signal_outcome order by horizon_minutes, 2"
    ).fetchall()
    assert sorted(stored, key=str) == sorted(
        [(one.signal_id, 9.0), (foreign.signal_id, 10.0), (one.signal_id, 10.0)], key=str
    )
    assert store_outcomes(connection, SESSION, BOTH, [], []) == (0, 6)


def test_statistics_leave_out_withdrawn_signals_and_those_that_were_not_entered(connection):
    reasons = ["target1", "stop", "horizon", "not_entered"]
    signals = [signal(5 * n) for n in range(1, 5)]
    gone = signal(60, withdrawn_at=OPEN)
    next_day = signal(5, session=SESSION + timedelta(1), event_time=OPEN + timedelta(1))
    write(connection, SIGNAL, [*signals, gone, next_day])
    points = [30.0, -20.0, 2.0, 0.0]
    rows = [
        outcome(*pair, points=gain)
        for pair, gain in zip(((row, 5) for row in signals), points, strict=True)
    ]
    rows = [
        row._replace(exit_reason=reason, hit=reason == "target1")
        for row, reason in zip(rows, reasons, strict=True)
    ]
    rows[3] = outcome(signals[3], reason="not_entered", points=0.0)
    draws = [random(signals[0], draw, 5.0 if draw < 4 else -1.0) for draw in range(10)]
    store_outcomes(connection, SESSION, ["NIFTY"], [*rows, outcome(gone)], draws)
    store_outcomes(connection, next_day.session, ["NIFTY"], [outcome(next_day)], [])
    (found,) = read_stats(connection, Range(SESSION, SESSION))
    assert found[:7] == ("test", "1", "NIFTY", 5, 3, 1, pytest.approx(1 / 3))
    assert (found.hit_rate_low, found.hit_rate_high) == (None, None)  # of one session
    assert found[9:12] == (12.0, 3.0, 4.0)
    assert found[12:14] == (10, 0.4)
    assert (found.random_hit_rate_low, found.random_hit_rate_high) == (None, None)
    assert found[16:19] == (9.0, 4.0, pytest.approx(1.4))
    assert read_stats(connection, EVER)[0].n == 4
    assert connection.execute("select n, random_n from signal_stats").fetchall() == [(4, 10)]
    assert read_stats(connection, EVER, "another") == []
    assert read_stats(connection, EVER, "test", 15) == []


def test_rates_of_nothing_are_null_and_never_leave_zero_to_one(connection):
    row = signal()
    write(connection, SIGNAL, [row])
    nothing = [outcome(row, reason="not_entered", points=0.0)]
    store_outcomes(connection, SESSION, ["NIFTY"], nothing, [])
    (found,) = read_stats(connection, EVER)
    assert found[4:19] == (0, 1, *[None] * 6, 0, *[None] * 6)
    assert (found.sessions, found.matched_n, found.verdict) == (0, 0, "not_entered")
    bounds = connection.execute(
        "select wilson(0, 7, -1.96), wilson(7, 7, 1.96), wilson(0, 0, 1.96)"
    ).fetchone()
    assert bounds == (pytest.approx(0, abs=1e-12), pytest.approx(1), None)


def test_a_reader_may_read_the_statistics(connection):
    connection.execute("set role optionscalp_reader")
    assert connection.execute("select * from signal_stats").fetchall() == []


def test_exit_reasons_are_the_named_ones(connection):
    row = signal()
    write(connection, SIGNAL, [row])
    with pytest.raises(Exception, match="signal_outcome_exit_reason_check"):
        store_outcomes(connection, SESSION, ["NIFTY"], [outcome(row, reason="boredom")], [])
