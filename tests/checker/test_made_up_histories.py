"""The checker itself: of made-up histories it finds what is wrong with each, and only that."""

import pytest

from db.pages.change_log import Cursor
from tests.checker.history import Answer, Event, Reset, Written, check, unkept

A, B, C = (("candle", "NIFTY", minute) for minute in (0, 60, 120))
STORED = {A: (2,), B: (1,), C: (1,)}


def at(seq: int, stretch: str = "") -> Cursor:
    return Cursor("log", seq, stretch)


@pytest.fixture
def written() -> Written:
    found = Written()
    for rows in ({A: (1,)}, {B: (1,)}, {A: (2,)}, {C: (1,)}, {C: (2,)}):
        found.send(rows)
    return found


START = Answer(at(1), {A: (1,)}, resumes=True)
SECOND, THIRD, FOURTH = Event(at(2), B, (1,)), Event(at(3), A, (2,)), Event(at(4), C, (1,))
WHOLE = [START, SECOND, THIRD, FOURTH]
RESET = Reset(at(2, "other"), "epoch")
AGAIN = Answer(at(3, "other"), {A: (2,), B: (1,)}, resumes=False)


@pytest.mark.parametrize(
    "history",
    [
        WHOLE,
        [Answer(at(0), {}, resumes=True), SECOND, THIRD, FOURTH],  # A came once, as it is now
        [START, SECOND, Event(at(3), A, (2,)), RESET, AGAIN, Event(at(4, "other"), C, (1,))],
        # After a reset numbers come again, and what is older than the history may follow it.
        [*WHOLE, RESET, AGAIN, Event(at(3, "other"), A, (1,)), Event(at(4, "other"), C, (1,))],
        [*WHOLE, RESET, AGAIN._replace(resumes=True), Event(at(4, "other"), C, (1,))],
    ],
)
def test_nothing_is_found_where_nothing_is_wrong(written: Written, history):
    assert check(history, written, STORED, resets_at_most=1) == []


@pytest.mark.parametrize(
    ("kind", "history"),
    [
        ("lost", [START, SECOND, THIRD]),
        ("lost", [START, SECOND, FOURTH]),  # a later state of a row that is known
        ("lost", [*WHOLE, RESET, AGAIN]),
        ("doubled", [START, SECOND, SECOND, THIRD, FOURTH]),
        ("doubled", [START, SECOND, THIRD, SECOND, FOURTH]),
        ("doubled", [*WHOLE, RESET, AGAIN, *2 * [Event(at(4, "other"), C, (1,))]]),
        ("out of order", [START, THIRD, SECOND, FOURTH]),
        ("out of order", [START._replace(cursor=at(2)), SECOND, THIRD, FOURTH]),
        ("out of order", [*WHOLE, Event(at(5), A, (1,)), Event(at(6), A, (2,))]),
        ("out of order", [*WHOLE, RESET, AGAIN, Event(at(2, "other"), C, (1,))]),
        ("invented", [START, SECOND, Event(at(3), A, (7,)), THIRD._replace(cursor=at(4)), FOURTH]),
        ("invented", [*WHOLE, Event(at(5), ("candle", "NIFTY", 180), (1,))]),
        ("invented", [*WHOLE, Event(at(5), C, (2,))]),  # written, but a restore took it back
        ("invented", [*WHOLE, RESET, AGAIN._replace(rows={**STORED, B: (9,)}), SECOND]),
        ("needless reset", [*WHOLE, RESET, AGAIN._replace(rows=STORED)] * 2),
    ],
)
def test_each_fault_is_found(written: Written, kind: str, history):
    found = check(history, written, STORED, resets_at_most=1)
    assert kind in {fault.kind for fault in found}, found


@pytest.mark.parametrize("stored", [{}, {A: (1,)}])
def test_an_acknowledged_row_that_is_not_stored_is_found(written: Written, stored):
    written.acknowledge({A: (2,)})
    assert [fault.kind for fault in unkept(written, stored)] == ["not kept"]
    assert list(unkept(written, STORED)) == []
