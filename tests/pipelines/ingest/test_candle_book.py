"""Which streamed bars are final: by a newer one, or by silence in the source's own time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.bars import Series, candle_rows, complete_to, empty_opens
from pipelines.ingest.candle_book import CandleBook
from pipelines.sources.series import Bar

SESSION = date(2026, 1, 21)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
CLOSE = datetime(2026, 1, 21, 10, 0, tzinfo=UTC)
GRACE = timedelta(seconds=3)


def bar(minute: int, close: float = 100.0) -> Bar:
    return Bar(OPEN + timedelta(minutes=minute), close, close, close, close, 65.0)


def at(minute: float) -> datetime:
    return OPEN + timedelta(minutes=minute)


def final(book: CandleBook) -> dict[int, float]:
    rows = (row for row in book.drain() if row.final)
    return {round((row.open_time - OPEN).total_seconds() / 60): row.close for row in rows}


def test_a_newer_bar_makes_the_one_before_it_final():
    book = CandleBook(SESSION, "test")
    book.take("NIFTY", 1, [bar(0, 100.0)], at(0.5))
    assert final(book) == {}
    book.take("NIFTY", 1, [bar(0, 101.0), bar(1, 102.0)], at(1.01))
    assert final(book) == {0: 101.0}


def test_silence_settles_a_bar_when_another_series_has_gone_on_for_a_while():
    book = CandleBook(SESSION, "test")
    book.take("NIFTY", 1, [bar(0)], at(0.01))
    book.take("NIFTY1!", 1, [bar(0)], at(0.01))
    book.settle(at(1.1), GRACE)
    assert final(book) == {}, "data that came proves nothing of a later time"
    book.take("NIFTY1!", 1, [bar(1)], at(1.1))
    book.settle(at(1.12), GRACE)
    assert final(book) == {0: 100.0}
    assert book.waiting == 0
    book.settle(at(1.15), GRACE)
    assert final(book) == {0: 100.0}
    book.settle(at(1.2), GRACE)
    assert book.waiting == 0, "once"


def test_heartbeats_alone_settle_nothing():
    """However long they come: data was last heard when the other series' bar began."""
    book = CandleBook(SESSION, "test")
    book.take("NIFTY", 1, [bar(0)], at(0.01))
    book.take("NIFTY1!", 1, [bar(1)], at(1.0))
    book.drain()
    for _ in range(100):
        book.settle(at(1.0), GRACE)
    assert book.waiting == 0


def test_a_series_that_streams_no_more_is_not_settled_by_its_silence():
    book = CandleBook(SESSION, "test")
    book.take("NIFTY", 1, [bar(0)], at(0.01))
    book.take("NIFTY1!", 1, [bar(0)], at(0.01))
    book.drain()
    book.drop("NIFTY", 1)
    book.take("NIFTY1!", 1, [bar(1)], at(1.0))
    book.settle(at(2.0), GRACE)
    assert {(row.symbol, row.final) for row in book.drain()} == {
        ("NIFTY1!", True),
        ("NIFTY1!", False),
    }


def test_a_source_that_becomes_late_makes_nothing_final_that_it_still_forms():
    """In real time until 10:00, then fifteen minutes late on the same connection."""
    book = CandleBook(SESSION, "test")
    for minute in range(46):
        book.take("NIFTY", 1, [bar(minute)], at(minute))
        book.take("NIFTY1!", 1, [bar(minute)], at(minute))
    book.drain()
    for second in range(0, 60, 5):  # the bar of 10:00 goes on forming at 10:15
        now = at(60 + second / 60)
        book.take("NIFTY", 1, [bar(45, 100.0 + second)], now)
        book.settle(now, GRACE)
    assert all(row.open_time < at(45) for row in book.drain() if row.final)


@pytest.mark.parametrize("delay", [0.0, 15.0, -2.0])
def test_a_source_that_is_behind_or_ahead_is_taken_by_its_own_time(delay: float):
    """Fifteen minutes late, as without a subscription, every bar is old and still forms."""
    book = CandleBook(SESSION, "test")
    for second in range(180):
        now = at(second / 60 + delay)
        book.take("NIFTY", 1, [bar(second // 60, 100.0 + second)], now)
        book.settle(now, GRACE)
        assert set(final(book)) <= {second // 60 - 1}


def test_a_correction_of_an_earlier_bar_is_final():
    book = CandleBook(SESSION, "test")
    book.take("NIFTY", 1, [bar(0), bar(1)], at(1.01))
    book.drain()
    book.take("NIFTY", 1, [bar(0, 99.0)], at(1.5))
    assert final(book) == {0: 99.0}


def test_the_first_receipt_of_a_value_counts():
    book = CandleBook(SESSION, "test")
    for minute in (0.1, 0.2, 0.3):
        book.take("NIFTY", 1, [bar(0)], at(minute))
    assert [row.known_at for row in book.drain()] == [at(0.1)]


@given(st.lists(st.tuples(st.integers(0, 374), st.floats(1, 1e5)), max_size=30), st.randoms())
def test_bars_of_a_message_may_come_in_any_order(values, order):
    bars = [bar(minute, close) for minute, close in dict(values).items()]
    shuffled = order.sample(bars, len(bars))
    books = [CandleBook(SESSION, "test") for _ in range(2)]
    for book, found in zip(books, (bars, shuffled), strict=True):
        book.take("NIFTY", 1, found, at(375))
    assert sorted(books[0].drain()) == sorted(books[1].drain())


def test_bars_of_other_days_are_left_out_and_bars_that_are_none_refused():
    book = CandleBook(SESSION, "test")
    book.take("NIFTY", 1, [bar(-1), bar(375), bar(3)._replace(high=1.0)], at(4))
    assert book.waiting == 0
    assert len(book.refused) == 1
    assert "high 1.0" in book.refused[0]


def test_an_index_or_its_future_at_zero_is_refused_and_an_option_is_not():
    book = CandleBook(SESSION, "test")
    for symbol in ("NIFTY", "NIFTY1!", "NIFTY260127C25000"):
        book.take(symbol, 1, [bar(0, 0.0)], at(0.5))
        book.take(symbol, 1, [bar(1)._replace(low=0.0)], at(1.5))
    assert {row.symbol for row in book.drain()} == {"NIFTY260127C25000"}
    assert len(book.refused) == 4
    assert all("neither an index nor its future is ever 0" in words for words in book.refused)
    rows = candle_rows(Series("NIFTY", 1, SESSION, "test"), [bar(0, 0.0), bar(1)], None, at(2))
    assert ([row.open_time for row in rows.candles], len(rows.refused)) == ([at(1)], 1)


def test_how_far_an_answer_is_complete_follows_the_newest_bar_of_the_source():
    asked = at(30.5)
    grace = timedelta(seconds=2)
    assert complete_to(SESSION, asked, 1, at(30)) == at(30)
    assert complete_to(SESSION, asked, 1, at(29)) == at(29), "perhaps forty seconds late"
    assert complete_to(SESSION, asked, 1, at(15)) == at(15), "fifteen minutes late"
    assert complete_to(SESSION, asked, 1, None) is None
    assert complete_to(SESSION, asked, 1, at(29), at(30.4)) == at(30.4) - grace
    assert complete_to(SESSION, asked, 1, at(29), at(31)) == asked - grace
    assert complete_to(SESSION, asked, 1, at(30), at(29.5)) == at(30)
    assert complete_to(SESSION, CLOSE + grace, 1, at(374), CLOSE) == CLOSE, "no later bar comes"
    assert complete_to(SESSION, CLOSE + 2 * grace, 1, at(374)) == at(374)
    assert complete_to(SESSION, at(0.5), 1, at(0)) is None, "no bar has ended"
    late = CLOSE + timedelta(minutes=21)
    assert complete_to(SESSION, late, 1, at(200)) == late - timedelta(seconds=2)


def test_an_answer_tells_which_minutes_had_no_trade_between_its_bars_only():
    series = Series("NIFTY260127C25000", 1, SESSION, "test")
    bars = [bar(2), bar(3), bar(6)]
    assert empty_opens(series, bars, whole=False, complete=at(9)) == [at(4), at(5)]
    assert empty_opens(series, bars, whole=True, complete=at(9)) == [at(0), at(1), at(4), at(5)]
    yesterday = [Bar(OPEN - timedelta(hours=18), *[1.0] * 5), *bars]
    assert empty_opens(series, yesterday, whole=False, complete=None)[:2] == [at(0), at(1)]
    over = empty_opens(series, bars, whole=False, complete=CLOSE)
    assert over == [at(4), at(5), *(at(minute) for minute in range(7, 375))]
    assert empty_opens(series, [], whole=True, complete=CLOSE) == []
