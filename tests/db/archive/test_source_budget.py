"""Places for requests, and pauses after refusals, as several processes share them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.archive.source_budget import (
    Breaker,
    Window,
    forget_later,
    note_answer,
    note_refusal,
    paused,
    reserve,
)
from db.server.connection import connect

OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
BREAKER = Breaker(limit=2, pause=timedelta(minutes=5), longest=timedelta(minutes=12))
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def shared(fresh_database):
    """One connection for all rounds of a property; each round has a source of its own."""
    with fresh_database() as dsn, connect(dsn) as opened:
        yield opened


@given(st.lists(st.floats(0, 2), min_size=1, max_size=20), st.integers(1, 5))
@settings(max_examples=30)
def test_places_never_come_faster_than_the_rate(shared, gaps, per_second):
    source, spacing = uuid4().hex, timedelta(seconds=1 / per_second)
    now, places = OPEN, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        place = reserve(shared, source, now, spacing)
        earliest = max([now, *(before + spacing for before in places[-1:])])
        assert abs(place - earliest) <= timedelta(microseconds=1), "as soon as it may be"
        places.append(place)


@given(
    st.lists(st.floats(0, 120), min_size=1, max_size=60),
    st.integers(2, 12),
    st.integers(1, 11),
)
@settings(max_examples=30)
def test_no_stretch_of_time_has_more_places_than_the_window_allows(shared, gaps, requests, burst):
    window = Window(requests, timedelta(minutes=5), min(burst, requests - 1))
    source, now, places = uuid4().hex, OPEN, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        places.append(reserve(shared, source, now, SECOND / 10, window=window))
    for place in places:
        assert sum(place <= other < place + window.length for other in places) <= requests
    at_once = places[: window.burst]
    idle = [sum(gaps[: n + 1]) for n in range(len(at_once))]
    assert all(
        place - OPEN <= timedelta(seconds=waited + 1.2)
        for place, waited in zip(at_once, idle, strict=True)
    ), "a burst waits for nothing but its spacing"


def test_processes_share_the_window_of_a_source(database: str):
    window = Window(30, timedelta(minutes=30), 10)

    def ask(_: int) -> list[datetime]:
        with connect(database) as connection:
            places = [reserve(connection, "x", OPEN, timedelta(), window=window) for _ in range(20)]
            return [place for place in places if place]

    with ThreadPoolExecutor(4) as pool:
        places = sorted(place for mine in pool.map(ask, range(4)) for place in mine)
    assert places[:10] == [OPEN] * 10
    assert places[10:] == [OPEN + n * timedelta(seconds=90) for n in range(1, 71)]


def test_processes_that_ask_at_once_get_different_places(database: str):
    def ask(_: int) -> list[datetime]:
        with connect(database) as connection:
            return [reserve(connection, "trendlyne", OPEN, SECOND) for _ in range(20)]

    with ThreadPoolExecutor(4) as pool:
        places = [place for mine in pool.map(ask, range(4)) for place in mine]
    assert sorted(places) == [OPEN + n * SECOND for n in range(80)]


def test_sources_do_not_wait_for_each_other(connection: psycopg.Connection):
    assert reserve(connection, "trendlyne", OPEN, SECOND) == OPEN
    assert reserve(connection, "tradingview", OPEN, SECOND) == OPEN


def refuse(connection: psycopg.Connection, now: datetime, **options: timedelta) -> None:
    reserve(connection, "trendlyne", now, timedelta())
    note_refusal(connection, "trendlyne", now, "HTTP 429", BREAKER, **options)


def test_each_refusal_after_a_pause_doubles_it_up_to_the_longest(connection: psycopg.Connection):
    refuse(connection, OPEN)
    assert paused(connection, "trendlyne", OPEN) is None
    pauses, now = [], OPEN
    for _ in range(3):
        refuse(connection, now)
        pause = paused(connection, "trendlyne", now)
        assert paused(connection, "trendlyne", pause.until) is None
        pauses.append((pause.until - now, pause.refusals, pause.last_error))
        now = pause.until
    minutes = [timedelta(minutes=n) for n in (5, 10, 12)]
    assert pauses == [(minutes[n], n + 2, "HTTP 429") for n in range(3)]


def test_refusals_of_requests_on_their_way_do_not_lengthen_a_pause(connection: psycopg.Connection):
    for n in range(6):
        refuse(connection, OPEN + n * SECOND)
    pause = paused(connection, "trendlyne", OPEN + SECOND)
    assert (pause.until, pause.refusals) == (OPEN + SECOND + timedelta(minutes=5), 2)


def test_the_pause_that_a_source_asks_for_begins_at_once_and_is_kept(
    connection: psycopg.Connection,
):
    refuse(connection, OPEN, retry_after=timedelta(hours=2))
    refuse(connection, OPEN, retry_after=timedelta(hours=1))
    assert paused(connection, "trendlyne", OPEN).until == OPEN + timedelta(hours=2)


def test_an_answer_forgets_only_the_refusals_before_its_question(connection: psycopg.Connection):
    for _ in range(2):
        refuse(connection, OPEN + SECOND)
    note_answer(connection, "trendlyne", OPEN)
    assert paused(connection, "trendlyne", OPEN + SECOND)
    note_answer(connection, "trendlyne", OPEN + 2 * SECOND)
    assert paused(connection, "trendlyne", OPEN + SECOND) is None
    refuse(connection, OPEN + 3 * SECOND)
    assert paused(connection, "trendlyne", OPEN + 3 * SECOND) is None, "counted from zero again"


def test_a_clock_that_was_set_back_waits_for_nothing_of_the_day_before(
    connection: psycopg.Connection,
):
    late = OPEN + timedelta(hours=6)
    for _ in range(2):
        refuse(connection, late)
    forget_later(connection, "trendlyne", OPEN + timedelta(minutes=1))
    assert paused(connection, "trendlyne", OPEN) is None
    assert reserve(connection, "trendlyne", OPEN, SECOND) == OPEN
    forget_later(connection, "trendlyne", OPEN + timedelta(minutes=1))
    assert reserve(connection, "trendlyne", OPEN, SECOND) == OPEN + SECOND, "today's are kept"
