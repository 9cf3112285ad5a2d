"""What orders pay beyond the last price: by hand, and on a recorded book."""

from datetime import date, timedelta
from math import floor, nan

import numpy as np
import pandas as pd
import pytest
from traded_days import SESSION, SYMBOL, minute, series, signal

from strategy.book import Book
from strategy.contract import parse_symbol
from strategy.costs import charges_on, costs_points
from strategy.fills import SPREADS, Fills, filling_on
from strategy.frames import microseconds
from strategy.outcomes import outcomes_of
from strategy.series import series_of

CALM = (100, 105, 95, 100)
LOTS = {SYMBOL: 65}
RECORDED = date(2025, 12, 15)


def at(moment):
    return microseconds(moment)


def book(*quotes):
    """Quotes as (known, of when, bid, ask), minutes of the session."""
    known, moments, bids, asks = zip(*quotes, strict=True)
    times = [np.array([at(minute(one)) for one in column]) for column in (known, moments)]
    return Book(*times, np.array(bids, float), np.array(asks, float))


def by_spreads(one, candles, horizon=15, books=None):
    """Entry, exit and gross points for 0, 1 and 2 spreads."""
    found = []
    for spreads in SPREADS:
        resolved, _ = outcomes_of([one], {(SYMBOL, SESSION): candles}, LOTS, books, spreads)
        (outcome,) = [row for _, row in resolved if row.horizon_minutes == horizon]
        costs = costs_points(charges_on(SESSION), outcome.entry_price, outcome.exit_price, 65)
        assert outcome.costs_points == round(costs, 6)
        found.append((outcome.entry_price, outcome.exit_price, outcome.gross_points))
    return found


@pytest.mark.parametrize(
    ("symbol", "atm", "spread"),
    [
        ("NIFTY260127C25000", 25_000, 0.20),
        ("NIFTY260127P24000", 25_000, 0.20),
        ("BANKNIFTY260127C58400", 58_400, 1.15),
        ("BANKNIFTY260127C58500", 58_400, 1.15),
        ("BANKNIFTY260127C58600", 58_400, 0.90),
        ("BANKNIFTY260127P58600", 58_400, 1.55),  # a put above the money is in it
        ("BANKNIFTY260127P58000", 58_400, 0.70),
        ("BANKNIFTY260127C58000", 58_400, 2.00),
        ("BANKNIFTY260127C50000", 58_400, 2.00),
        ("SENSEX260127C80000", 80_000, None),
    ],
)
def test_the_spread_is_that_of_the_underlying_and_of_the_distance_from_the_money(
    symbol, atm, spread
):
    assert filling_on(SESSION).spread(parse_symbol(symbol), atm) == spread


def test_before_anything_was_measured_nothing_is_assumed():
    assert filling_on(date(2023, 3, 31)) is None
    assert filling_on(date(2023, 4, 1)).latency == timedelta(seconds=1)


def test_half_the_spread_is_paid_on_each_side_and_stops_slip():
    end = series([CALM] * 375)
    assert by_spreads(signal(), end) == [(100, 100, 0), (100.1, 99.9, -0.2), (100.2, 99.8, -0.4)]
    stopped = series([*[CALM] * 8, (100, 101, 79, 85), *[CALM] * 366])
    assert by_spreads(signal(), stopped) == [
        *((100, 80, -20), (100.1, 79.46, -20.64)),  # 80 - 0.10 - 0.44
        (100.2, 78.92, -21.28),
    ]
    reached = series([*[CALM] * 8, (100, 131, 99, 130), *[CALM] * 366])
    assert by_spreads(signal(), reached) == [
        *((100, 130, 30), (100.1, 129.9, 29.8)),
        (100.2, 129.8, 29.6),
    ]


def test_a_stop_order_slips_when_it_buys():
    order = signal(entry_order="stop", entry=104.0)
    assert by_spreads(order, series([CALM] * 375))[1] == (104.54, 99.9, -4.64)


def test_no_sale_brings_less_than_a_tick_or_more_than_its_price():
    fills = Fills(0.2, 0.44, timedelta(0))
    assert fills.sold(0.3, 0, 1, "stop") == 0.05
    assert fills.sold(0.0, 0, 2, "horizon") == 0.0


def test_stored_bid_and_ask_are_used_while_they_are_recent():
    """Bought at the open of minute 6, sold at the close of minute 20."""
    end = series([CALM] * 375)
    fresh = book((6, 6, 99, 101.5), (21, 21, 98, 100.4))
    assert by_spreads(signal(), end, books={SYMBOL: fresh}) == [
        *((100, 100, 0), (101.5, 98, -3.5)),
        (102.75, 96.8, -5.95),  # half of 2.5 and of 2.4 more
    ]
    old = book((5, 5, 99, 101), (18, 18, 98, 98.4))
    assert by_spreads(signal(), end, books={SYMBOL: old})[1] == (101, 99.8, -1.2)
    later = book((6.01, 6, 99, 101), (21.01, 21, 98, 98.4))
    assert by_spreads(signal(), end, books={SYMBOL: later})[1] == (100.1, 99.9, -0.2)
    ancient = book((-1, -1, 99, 101), (14, 14, 98, 98.4))
    assert by_spreads(signal(), end, books={SYMBOL: ancient})[1] == (100.1, 99.9, -0.2)
    one_sided = book((6, 6, nan, 101), (21, 21, 98, nan))
    assert by_spreads(signal(), end, books={SYMBOL: one_sided})[1] == (101, 98, -3)
    crossed = book((6, 6, 101, 99), (21, 21, 98, 97))
    assert by_spreads(signal(), end, books={SYMBOL: crossed})[1] == (99, 98, -1)


@pytest.fixture(scope="module")
def recorded(shared_data):
    """The recorded minutes and quotes of nine contracts."""
    files = ("banknifty_1m_2025-12-15.parquet", "banknifty_quotes_2025-12-15.parquet")
    return [pd.read_parquet(shared_data / name) for name in files]


def test_fills_on_a_recorded_book_equal_a_reading_of_its_quotes_by_hand(recorded):
    minutes, quotes = recorded
    compared = fresh = 0
    for symbol, rows in minutes[minutes["strike"].notna()].groupby("symbol"):
        mine = quotes[quotes["symbol"] == symbol].sort_values("ts", kind="stable")
        times = mine["ts"].dt.as_unit("us").astype("int64").to_numpy()
        stored = Book(times, times, mine["bid"].to_numpy(), mine["ask"].to_numpy())
        candles = rows.rename(columns={"ts": "open_time"}).assign(
            session=RECORDED, known_at=rows["ts"] + timedelta(minutes=1)
        )
        found = series_of(candles)
        for begin in range(20, 350, 30):
            one = signal(begin, symbol, session=RECORDED, stop=0.05, target1=9e4, atm_strike=59_500)
            resolved, _ = outcomes_of([one], found, {symbol: 35}, {symbol: stored})
            for outcome in (row for _, row in resolved if row.horizon_minutes == 15):
                bid_then, ask_then = by_hand(mine, outcome.entered_at)
                bid_later, _ = by_hand(mine, outcome.exited_at)
                if ask_then is not None:
                    assert outcome.entry_price == ask_then >= bid_then
                    fresh += 1
                if bid_later is not None:
                    assert outcome.exit_price == bid_later
                compared += 1
    assert compared > 60
    assert fresh > 0.75 * compared


def by_hand(quotes, moment):
    """The last bid and ask that came by a moment, if that is at most five seconds ago."""
    recent = quotes[(quotes["ts"] <= moment) & (quotes["ts"] >= moment - timedelta(seconds=5))]
    return (recent["bid"].iloc[-1], recent["ask"].iloc[-1]) if len(recent) else (None, None)


def test_the_spreads_assumed_are_those_of_the_recorded_book(recorded):
    """Once a second, by strikes from the money: nobody has to believe a table."""
    minutes, quotes = recorded
    spot = minutes[minutes["symbol"] == "BANKNIFTY"].set_index("ts")["close"]
    seen = {}
    for symbol, mine in quotes.groupby("symbol"):
        each = mine.set_index("ts")[["bid", "ask"]].resample("1s").last().dropna()
        each = each[(each["bid"] > 0) & (each["ask"] > each["bid"])]
        index = spot.reindex(each.index.floor("min")).ffill()
        contract = parse_symbol(symbol)
        for spread, level in zip(each["ask"] - each["bid"], index, strict=True):
            if level == level:
                atm = floor(level / 100 + 0.5) * 100
                assumed = filling_on(RECORDED).spread(contract, atm)
                seen.setdefault(assumed, []).append(spread)
    assert len(seen) == 5
    for assumed, spreads in seen.items():
        assert abs(float(np.median(spreads)) - assumed) <= 0.1
