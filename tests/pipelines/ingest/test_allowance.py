"""What a day's allowance is spent on: every interval of the preferred underlying first."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.plan import may_ask

INTERVALS = st.integers(1, 80)
UNDERLYINGS = st.integers(1, 4)


def spend(allowance: int, intervals: int, underlyings: int, repeats: list[bool]) -> list[list[int]]:
    """Ask for each interval's ladders in turn; return those asked for, by underlying.

    `repeats` says where an answer was not there yet, so that the same is asked once more.
    """
    asked: list[list[int]] = [[] for _ in range(underlyings)]
    left = allowance
    for interval in range(intervals):
        ahead = intervals - interval - 1
        for place in range(underlyings):
            again = False
            for _ in range(1 + repeats[interval % len(repeats)]):
                if may_ask(left, ahead, place, underlyings, again=again):
                    left -= 1
                    if not again:
                        asked[place].append(interval)
                again = True
    assert left >= 0
    return asked


@given(st.integers(0, 400), INTERVALS, UNDERLYINGS, st.lists(st.booleans(), min_size=1))
def test_the_first_underlying_gets_all_that_the_day_allows(
    allowance: int, intervals: int, underlyings: int, repeats: list[bool]
):
    first, *_ = spend(allowance, intervals, underlyings, repeats)
    assert len(first) == min(allowance, intervals)


@given(INTERVALS, UNDERLYINGS, st.lists(st.booleans(), min_size=1))
def test_nobody_is_left_out_where_there_is_enough_for_all(
    intervals: int, underlyings: int, repeats: list[bool]
):
    asked = spend(2 * intervals * underlyings, intervals, underlyings, repeats)
    assert all(found == list(range(intervals)) for found in asked)


@given(st.integers(0, 50), INTERVALS, UNDERLYINGS)
def test_what_is_asked_again_never_costs_anybody_a_first_question(
    more: int, intervals: int, underlyings: int
):
    asked = spend(intervals * underlyings + more, intervals, underlyings, [True])
    assert [len(found) for found in asked] == [intervals] * underlyings


@given(st.integers(0, 400), INTERVALS)
def test_without_a_count_everything_may_be_asked(ahead: int, preferred: int):
    assert may_ask(None, ahead, preferred, preferred + 1, again=True)
