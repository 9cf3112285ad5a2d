"""Random entries: the same in every database, beside the signals, and as far from the money."""

from datetime import date, timedelta

from traded_days import EMPTY, OPEN, SESSION, frame, minute, rows, signal

from strategy.contract import Contract
from strategy.random_entries import DRAWS, WITHIN, Ladder, places, random_entries
from strategy.series import series_of
from strategy.signals import Moment, signal_id

EXPIRY = date(2026, 1, 27)
LADDER = Ladder(EXPIRY, [24_900, 25_000, 25_100])
CALL, PUT = "NIFTY260127C25000", "NIFTY260127P25000"


def symbol(strike, kind="C"):
    return Contract("NIFTY", EXPIRY, strike, kind).symbol


def market(step=0.5, without=(), empty=()):
    """An index that rises by a step a minute from 24,900, and calls and puts that stand still."""
    index = [(24_900 + step * n,) * 4 for n in range(375)]
    lines = rows(index, symbol="NIFTY")
    for strike in LADDER.strikes:
        for kind, price in (("C", 100), ("P", 50)):
            if symbol(strike, kind) not in without:
                prices = [(price, price + 1, price - 1, price)] * 375
                for place in empty:
                    prices[place] = EMPTY
                lines += rows(prices, symbol=symbol(strike, kind))
    return series_of(frame(lines))


SERIES = market()
LOTS = {name: 65 for name, _ in SERIES}


def drawn(signals, series=SERIES, ladder=LADDER, lots=LOTS):
    """One line per draw: number, symbol, minute, the levels, and the signal."""
    found = {}
    for draw, held, measure in random_entries(signals, ladder, series, lots, {}):
        entered_at = measure.outcome(held).entered_at
        found[draw.number] = (draw.symbol, entered_at, draw.order[1:], draw.beside.signal_id)
    return found


def test_each_signal_has_five_draws_of_its_side_and_distances():
    signals = [signal(10, CALL), signal(20, PUT, entry=60.0, stop=45.0, target1=90.0)]
    found = drawn(signals)
    assert list(found) == list(range(2 * DRAWS))
    calls, puts = list(found.values())[:DRAWS], list(found.values())[DRAWS:]
    assert {line[2] for line in calls} == {(100.0, 80.0, 130.0)}
    assert {line[2] for line in puts} == {(50.0, 35.0, 80.0)}
    assert all("C2" in line[0] for line in calls)
    assert all("P2" in line[0] for line in puts)
    assert {line[3] for line in calls} == {signals[0].signal_id}


def test_draws_are_bought_in_the_ten_minutes_after_their_signal_each_in_its_own():
    for at in (10, 100, 300):
        entry = minute(at + 1)  # known twenty seconds after the minute
        moments = [line[1] for line in drawn([signal(at, CALL)]).values()]
        assert len(set(moments)) == DRAWS
        assert all(entry < moment <= entry + WITHIN for moment in moments)
    near = [line[1] for line in drawn([signal(370, CALL)]).values()]
    assert sorted(near) == [minute(372), minute(373), minute(374)]
    assert drawn([signal(373, CALL)]) == {}


def test_what_is_bought_was_as_far_from_the_money_as_the_signal_by_the_close_before():
    for bought, atm in ((25_000, 25_000), (25_000, 24_900), (24_900, 25_000)):
        for at in (98, 295):  # the money moves one strike on
            one = signal(at, symbol(bought), atm_strike=atm)
            for name, entered_at, _, _ in drawn([one]).values():
                close = 24_900 + 0.5 * ((entered_at - minute(0)) / timedelta(minutes=1) - 1)
                nearest = min(LADDER.strikes, key=lambda strike: (abs(strike - close), strike))
                assert name == symbol(nearest + bought - atm)


def test_the_same_signal_draws_the_same_and_other_names_draw_others():
    one = drawn([signal(10, CALL)])
    assert drawn([signal(10, CALL)]) == one
    moments = [line[1] for line in one.values()]
    key = Moment("test", "1", "NIFTY", SESSION, minute(10))
    for name in (key._replace(version="2"), key._replace(strategy="other")):
        other = signal(10, CALL, signal_id=signal_id(name, CALL))
        assert [line[1] for line in drawn([other]).values()] != moments
    # Whatever becomes of others: an earlier signal takes the first numbers, no more.
    both = drawn([signal(12, CALL), signal(10, CALL), signal(5, CALL)])
    assert [line[1] for line in list(both.values())[DRAWS : 2 * DRAWS]] == moments
    # In the order of sha256 of the signal's id, "|" and the minute in ISO form.
    assert [(moment - OPEN) / timedelta(minutes=1) for moment in moments] == [20, 16, 19, 18, 12]


def test_only_what_could_be_bought_then_is_drawn():
    lacking = market(without={symbol(24_900)})
    assert drawn([signal(10, CALL, atm_strike=25_000)], lacking) == {}
    quiet = market(empty=(12, 13, 14, 15, 16, 17, 18))
    moments = [line[1] for line in drawn([signal(10, CALL)], quiet).values()]
    assert sorted(moments) == [minute(19), minute(20), minute(21)]


def test_beside_a_signal_that_was_not_entered_nothing_is_drawn():
    waiting = signal(10, CALL, entry_order="stop", entry=120.0)
    assert drawn([waiting]) == {}
    filled = signal(10, CALL, entry_order="stop", entry=101.0)
    assert len(drawn([filled])) == DRAWS
    # What had to happen before it was bought is no luck of the draws: they come after.
    late = market()
    late[CALL, SESSION].high[200] = 125.0
    assert min(line[1] for line in drawn([waiting], late).values()) > minute(200)


def test_without_index_ladder_lot_or_any_contract_there_are_none():
    one = [signal(10, CALL)]
    assert drawn(one, ladder=Ladder(EXPIRY, [])) == {}
    assert drawn(one, lots={}) == {}
    index = {key: value for key, value in SERIES.items() if key[0] == "NIFTY"}
    assert drawn(one, index) == {}
    options = {key: value for key, value in SERIES.items() if key[0] != "NIFTY"}
    assert drawn(one, options) == {}


def test_after_the_closing_auction_has_begun_the_index_places_nothing():
    session = date(2026, 8, 4)
    index = rows([(25_000,) * 4] * 385, symbol="NIFTY", session=session)
    option = rows([(100, 101, 99, 100)] * 385, symbol=CALL, session=session)
    found = drawn(
        [signal(at, CALL, session=session) for at in range(300, 370, 5)],
        series_of(frame([*index, *option])),
    )
    assert index[355][3] < max(line[1] for line in found.values()) <= index[360][3]


def test_every_contract_that_may_be_drawn_is_named():
    early, later = signal(95, CALL), signal(298, PUT)
    asked = {place.symbol for place in places(early, LADDER, SERIES, LOTS)}
    assert asked == {symbol(24_900), symbol(25_000)}
    assert {place.symbol for place in places(later, LADDER, SERIES, LOTS)} == {
        *(symbol(25_000, "P"), symbol(25_100, "P")),
    }
