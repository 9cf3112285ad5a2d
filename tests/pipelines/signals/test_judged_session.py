"""Outcomes of a stored session: both histories, all fills, quotes, and nothing written twice."""

from datetime import date, timedelta

import pytest

from db.market.frames import Range
from db.signals.outcomes import Case, read_stats, signals_as_first_given
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT, QUOTE, SIGNAL
from db.writing.rows import Candle, Contract, Quote, Signal
from pipelines.signals.outcomes import materialise_outcomes
from strategy.session import session_hours
from strategy.signals import Moment, signal_id

SESSION = date(2026, 1, 21)
ONLY = Range(SESSION, SESSION)
OPEN = session_hours(SESSION)[0]
SYMBOL = "NIFTY260127C25000"


def at(minute, seconds=0):
    return OPEN + timedelta(minutes=minute, seconds=seconds)


def signal(minute, **changes):
    moment = Moment("test", "1", "NIFTY", SESSION, at(minute))
    row = Signal(
        *(signal_id(moment, SYMBOL), *moment, SYMBOL, "BULLISH", "test", 25_000, 25_000.0, None),
        *([25_000], 100.0, 80.0, 130.0, None, "market", {}, "0" * 16, moment.event_time),
        *(at(minute, 20), None),
    )
    return row._replace(**changes)


@pytest.fixture
def day(connection):
    """A session whose call costs as many rupees as the minute has, after the first hundred."""
    listed = Contract(SYMBOL, "NIFTY", date(2026, 1, 27), 25_000, "C", 65, SESSION, SESSION, "test")
    write(connection, CONTRACT, [listed])
    rows = []
    for minute in range(375):
        for symbol, price in (("NIFTY", 25_000.0), (SYMBOL, 100.0 + minute / 10)):
            known = at(minute + 1)
            volume = None if symbol == "NIFTY" else 65
            prices = (price, price, price, price)
            rows.append(
                Candle(symbol, 1, at(minute), "NIFTY", *prices, volume, None, "test", known, True)
            )
    write(connection, CANDLE, rows)
    return connection


def trades(connection, columns="history, fills, entered_at, entry_price"):
    query = f"select {columns} from signal_trade where horizon_minutes = 15 order by 1, 2, 3"
    return connection.execute(query).fetchall()


def test_a_revised_signal_is_bought_when_it_was_first_known_in_the_history_of_then(day):
    first = signal(10)
    later = first._replace(known_at=at(40), entry=101.0)
    write(day, SIGNAL, [first])
    write(day, SIGNAL, [later])
    write(day, SIGNAL, [later._replace(known_at=at(50))])
    (then,) = signals_as_first_given(day, SESSION, ["NIFTY"])
    assert then == first
    materialise_outcomes(day, ONLY, ("NIFTY",))
    assert trades(day) == [
        *(("corrected", 0, at(51), 105.1), ("corrected", 1, at(51), pytest.approx(105.2))),
        ("corrected", 2, at(51), pytest.approx(105.3)),
        *(("known_then", 0, at(11), 101.1), ("known_then", 1, at(11), pytest.approx(101.2))),
        ("known_then", 2, at(11), pytest.approx(101.3)),
    ]


def test_a_withdrawn_signal_counts_in_the_history_of_then_and_so_do_its_draws(day):
    write(day, SIGNAL, [signal(10), signal(30, withdrawn_at=at(60))])
    computed = materialise_outcomes(day, ONLY, ("NIFTY",))
    assert (computed.signals, computed.outcomes, computed.random) == (1, 4, 20)
    for history, count in (("corrected", 1), ("known_then", 2)):
        for fills in (0, 1, 2):
            found = read_stats(day, ONLY, horizon=15, case=Case(history, fills))
            assert [(row.n, row.random_n) for row in found] == [(count, 5 * count)]
    assert materialise_outcomes(day, ONLY, ("NIFTY",))[4:] == (0, 0)
    day.execute("update signal set withdrawn_at = %s", (at(100),))
    assert materialise_outcomes(day, ONLY, ("NIFTY",)).outcomes == 0
    assert {row[0] for row in trades(day)} == {"known_then"}


def test_draws_come_after_their_signal_and_cost_what_was_paid(day):
    write(day, SIGNAL, [signal(10)])
    materialise_outcomes(day, ONLY, ("NIFTY",))
    found = day.execute(
        "select entered_at, entry_price from random_outcome where horizon_minutes = 15"
    ).fetchall()
    assert len(found) == 5
    for entered_at, price in found:
        minute = (entered_at - OPEN) / timedelta(minutes=1)
        assert 11 < minute <= 21
        assert price == pytest.approx(100 + minute / 10 + 0.1)


def test_stored_bid_and_ask_are_what_is_paid(day):
    write(day, SIGNAL, [signal(10)])
    quotes = [
        Quote(SYMBOL, at(11), 100.5, 102.0, 65, 65, "test", at(11)),
        Quote(SYMBOL, at(26), 101.0, None, 65, None, "test", at(26)),
        Quote(SYMBOL, at(26, 1), 90.0, 95.0, 65, 65, "test", at(26, 1)),
    ]
    write(day, QUOTE, quotes)
    materialise_outcomes(day, ONLY, ("NIFTY",))
    found = {row[1]: row[2:] for row in trades(day, "history, fills, entry_price, exit_price")}
    assert found[0] == (101.1, 102.5)
    assert found[1] == (102.0, 101.0)


def test_without_a_candle_only_what_was_over_before_is_told(day):
    day.execute("delete from candle where symbol = %s and open_time = %s", (SYMBOL, at(40)))
    write(day, SIGNAL, [signal(10), signal(20, target1=102.5)])
    computed = materialise_outcomes(day, ONLY, ("NIFTY",))
    assert (computed.outcomes, computed.unresolved) == (6, 2)
    # The second reached its target at minute 25; the first was still held.
    (end,) = read_stats(day, ONLY, horizon=0)
    assert (end.n, end.n_missing, end.hits) == (1, 1, 1)
    assert (end.hit_rate_if_lost, end.hit_rate_if_won) == (0.5, 1.0)
    assert end.mean_mfe_points is None
