"""Volatility and greeks in the ladder and beside signals, as known at a time."""

from datetime import timedelta

import psycopg
import pytest
from chart_help import OPEN, Stream, candle, contract, seconds, signal

from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT, GREEKS, SIGNAL
from db.writing.rows import Greeks

CALL, PUT = "NIFTY260127C25000", "NIFTY260127P25000"


def greeks(symbol: str, minute: int, delta: float | None, **changes) -> Greeks:
    """One minute's greeks; without a delta the price implied no volatility."""
    width = changes.get("interval_minutes", 1)
    values = (0.14, delta, 0.001, -12.5, 13.1) if delta is not None else (None,) * 5
    opens = OPEN + timedelta(minutes=minute)
    known = opens + timedelta(minutes=width, seconds=3)
    row = Greeks(symbol, width, opens, "NIFTY", 25_040.0 + minute, "parity", *values, known)
    return row._replace(**changes)


@pytest.fixture
def stored(connection: psycopg.Connection) -> psycopg.Connection:
    """A call and a put with a signal at 09:20 that was known twenty seconds later."""
    write(connection, CONTRACT, [contract(25_000, kind) for kind in "CP"])
    symbols = (("NIFTY", 25_010.0), (CALL, 150.0), (PUT, 140.0))
    write(
        connection, CANDLE, [candle(name, n, price) for name, price in symbols for n in range(10)]
    )
    write(connection, SIGNAL, [signal(CALL, 5)])
    return connection


def ladder(chart, minute: int, second: int = 0) -> dict:
    return chart.json(f"/api/chain?underlying=NIFTY&at={seconds(OPEN) + 60 * minute + second}")


def test_the_ladder_has_the_newest_greeks_that_were_known(stored, chart):
    write(stored, GREEKS, [greeks(CALL, 0, 0.51), greeks(CALL, 1, 0.53), greeks(PUT, 0, -0.49)])
    (row,) = ladder(chart, 2, 3)["rows"]
    assert row["call"] == {
        "symbol": CALL, "price": 150.0, "price_at": seconds(OPEN) + 120, "price_from": "candle",
        "oi": 6500, "oi_at": seconds(OPEN) + 120, "oi_change": None, "oi_change_5m": None,
        "label": None, "label_at": None, "price_ended_at": seconds(OPEN) + 120,
        "iv": 0.14, "delta": 0.53, "gamma": 0.001, "theta": -12.5, "vega": 13.1,
        "greeks_at": seconds(OPEN) + 120,
    }  # fmt: skip
    assert (row["put"]["delta"], row["put"]["greeks_at"]) == (-0.49, seconds(OPEN) + 60)
    (before,) = ladder(chart, 2, 2)["rows"]
    assert before["call"]["delta"] == 0.51


def test_the_ladder_says_what_the_newest_forward_was_and_where_it_is_from(stored, chart):
    assert [ladder(chart, 5)[name] for name in ("forward", "forward_source")] == [None, None]
    rows = [greeks(CALL, 0, 0.5), greeks(PUT, 1, -0.5, forward_source="future")]
    write(stored, GREEKS, rows)
    answer = ladder(chart, 5)
    assert (answer["forward"], answer["forward_source"]) == (25_041.0, "future")


def test_a_price_that_implies_no_volatility_shows_none_and_no_older_one(stored, chart):
    write(stored, GREEKS, [greeks(CALL, 0, 0.51), greeks(CALL, 1, None)])
    (row,) = ladder(chart, 5)["rows"]
    assert (row["call"]["iv"], row["call"]["delta"]) == (None, None)
    assert row["call"]["greeks_at"] == seconds(OPEN) + 120


@pytest.mark.parametrize(
    ("rows", "delta"),
    [
        ([greeks(CALL, 3, 0.51), greeks(CALL, 4, 0.53), greeks(CALL, 5, 0.6)], 0.53),
        ([greeks(CALL, 0, 0.51, interval_minutes=5)], 0.51),
        ([greeks(CALL, 3, 0.51), greeks(CALL, 4, 0.53, known_at=OPEN + timedelta(hours=1))], 0.51),
        ([greeks(CALL, -1, 0.51)], None),
        ([greeks(PUT, 4, -0.5)], None),
        ([greeks(CALL, 4, None)], None),
    ],
    ids=["newest of the interval", "five minutes", "known late", "before", "another", "none"],
)
def test_a_signal_has_its_contracts_greeks_as_known_with_it(stored, chart, rows, delta):
    write(stored, GREEKS, rows)
    volatility = 0.14 if delta else None
    for path in ("signals", "history", "replay"):
        (found,) = chart.json(f"/api/{path}?underlying=NIFTY&from=2026-01-21&to=2026-01-21")[
            "signals"
        ]
        assert (found["iv"], found["delta"]) == (volatility, delta), path


def test_a_streamed_signal_has_its_contracts_greeks(stored, chart):
    write(stored, GREEKS, [greeks(CALL, 4, 0.53)])
    as_of = chart.json("/api/history?underlying=NIFTY")["as_of"]
    with Stream(chart, underlying="NIFTY", since=as_of) as stream:
        write(stored, SIGNAL, [signal(CALL, 5, entry=101.0)])
        event = stream.take_kind("signal")
    assert (event.data["iv"], event.data["delta"]) == (0.14, 0.53)
