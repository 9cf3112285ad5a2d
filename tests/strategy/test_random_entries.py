"""Random entries: the same in every database, on the contract that was ATM, beside the signals."""

from datetime import date, timedelta

from traded_days import EMPTY, SESSION, frame, minute, rows, signal

from strategy.contract import Contract
from strategy.random_entries import DRAWS, Ladder, atm_symbols, random_outcomes
from strategy.series import series_of

EXPIRY = date(2026, 1, 27)
LADDER = Ladder(EXPIRY, [24_900, 25_000, 25_100])
CALL, PUT = "NIFTY260127C25000", "NIFTY260127P25000"


def symbol(strike, kind="C"):
    return Contract("NIFTY", EXPIRY, strike, kind).symbol


def market(step=0.5, without=()):
    """An index that rises by a step a minute from 24,900, and calls and puts that stand still."""
    index = [(24_900 + step * n,) * 4 for n in range(375)]
    lines = rows(index, symbol="NIFTY")
    for strike in LADDER.strikes:
        for kind, price in (("C", 100), ("P", 50)):
            if symbol(strike, kind) not in without:
                lines += rows(
                    [(price, price + 1, price - 1, price)] * 375, symbol=symbol(strike, kind)
                )
    return series_of(frame(lines))


SERIES = market()
LOTS = {name: 65 for name, _ in SERIES}


def drawn(signals, series=SERIES):
    """One line per draw: number, symbol, minute, and the levels."""
    found = random_outcomes(signals, LADDER, series, LOTS)
    return {
        draw.number: (draw.symbol, outcome.entered_at, draw.order[1:], draw.beside.signal_id)
        for draw, outcome in found
    }


def test_each_signal_has_twenty_draws_of_its_side_and_distances():
    signals = [signal(10, CALL), signal(20, PUT, entry=60.0, stop=45.0, target1=90.0)]
    found = drawn(signals)
    assert list(found) == list(range(2 * DRAWS))
    calls, puts = list(found.values())[:DRAWS], list(found.values())[DRAWS:]
    assert {line[2] for line in calls} == {(100.0, 80.0, 130.0)}
    assert {line[2] for line in puts} == {(50.0, 35.0, 80.0)}
    assert all("C2" in line[0] for line in calls)
    assert all("P2" in line[0] for line in puts)
    assert {line[3] for line in calls} == {signals[0].signal_id}


def test_what_is_bought_was_at_the_money_by_the_close_before():
    for name, entered_at, _, _ in drawn([signal(10, CALL)]).values():
        close = 24_900 + 0.5 * ((entered_at - minute(0)) / timedelta(minutes=1) - 1)
        nearest = min(LADDER.strikes, key=lambda strike: (abs(strike - close), strike))
        assert name == symbol(nearest)
        assert entered_at > minute(0)


def test_the_same_signals_draw_the_same_and_other_names_draw_others():
    one = drawn([signal(10, CALL)])
    assert drawn([signal(10, CALL)]) == one
    moments = {number: line[1] for number, line in one.items()}
    assert len(set(moments.values())) > DRAWS / 2
    for other in (signal(10, CALL, version="2"), signal(10, CALL, strategy="other")):
        assert {number: line[1] for number, line in drawn([other]).items()} != moments
    # An earlier signal takes the first numbers; a number's minute does not depend on its signal.
    both = drawn([signal(12, CALL), signal(5, CALL)])
    assert {number: both[number][1] for number in moments} == moments
    # 1 + the first 8 bytes of sha256 of test|1|NIFTY|2026-01-21|0|0, modulo 374.
    assert one[0][1] == minute(81)


def test_draws_that_find_no_candles_are_repeated():
    lacking = market(without={symbol(24_900)})
    found = drawn([signal(10, CALL)], lacking)
    assert len(found) == DRAWS
    assert symbol(24_900) not in {line[0] for line in found.values()}
    full = drawn([signal(10, CALL)])
    same = [number for number in full if full[number][0] != symbol(24_900)]
    assert {number: found[number] for number in same} == {number: full[number] for number in same}


def test_without_index_ladder_lot_or_any_contract_there_are_none():
    one = [signal(10, CALL)]
    assert list(random_outcomes(one, Ladder(EXPIRY, []), SERIES, LOTS)) == []
    assert list(random_outcomes(one, LADDER, SERIES, {})) == []
    index = {key: value for key, value in SERIES.items() if key[0] == "NIFTY"}
    assert list(random_outcomes(one, LADDER, index, LOTS)) == []
    options = {key: value for key, value in SERIES.items() if key[0] != "NIFTY"}
    assert list(random_outcomes(one, LADDER, options, LOTS)) == []


def test_after_the_closing_auction_has_begun_the_index_places_nothing():
    session = date(2026, 8, 4)
    index = rows([(25_000,) * 4] * 385, symbol="NIFTY", session=session)
    option = rows([(100, 101, 99, 100)] * 385, symbol=CALL, session=session)
    found = drawn(
        [signal(at, CALL, session=session) for at in range(10, 60, 5)],
        series_of(frame([*index, *option])),
    )
    assert max(line[1] for line in found.values()) <= index[360][3]


def test_every_contract_that_was_at_the_money_is_asked_for():
    index = SERIES["NIFTY", SESSION]
    expected = {symbol(strike, kind) for strike in LADDER.strikes for kind in "CP"}
    assert atm_symbols(index, "NIFTY", LADDER) == expected
    assert atm_symbols(index, "NIFTY", Ladder(EXPIRY, [])) == set()
    quiet = series_of(frame([*rows([(24_900,) * 4, EMPTY], symbol="NIFTY")]))["NIFTY", SESSION]
    assert atm_symbols(quiet, "NIFTY", LADDER) == {symbol(24_900), symbol(24_900, "P")}
