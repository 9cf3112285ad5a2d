"""Signals stepped live from the tables equal those computed at once, whatever came in between."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.market.frames import Range
from db.market.gaps import EmptySeries, note_empty
from db.signals.strategies import register_version, set_live
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, Relation
from db.writing.rows import Candle
from pipelines.live.signals import LiveSignals
from pipelines.signals.materialise import materialise_signals
from pipelines.signals.versions import Planned
from strategy.session import session_hours
from tests.long import examples
from tests.stored_days import LOT, SESSION, cover, market_rows, quiet_day, store, store_contracts

NAMES = ("NIFTY",)
NOW = session_hours(SESSION)[1] + timedelta(minutes=20)
LATER = NOW + timedelta(hours=1)
COLUMNS = "to_jsonb(signal) - 'withdrawn_at' - 'revision'"

Row = tuple[Relation, Sequence[Any]]


@pytest.fixture
def live() -> LiveSignals:
    return LiveSignals(SESSION, NAMES)


def at_once(connection: psycopg.Connection):
    return materialise_signals(connection, Range(SESSION, SESSION), NAMES, LATER)


def standing(connection: psycopg.Connection) -> list[dict[str, Any]]:
    query = f"select {COLUMNS} from signal where withdrawn_at is null order by signal_id"
    return [row[0] for row in connection.execute(query)]


def busy_day():
    day = quiet_day(12)
    for place, contract in ((4, "25000C"), (6, "24950P"), (9, "25050C"), (9, "25000P")):
        cover(day, place, contract)
    day.prices[8] |= {"spot": 25_080.0}
    return day


@pytest.fixture(scope="module")
def module_connection(fresh_database):
    with fresh_database() as dsn, psycopg.connect(dsn, autocommit=True) as opened:
        yield opened


@settings(
    max_examples=examples(15),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_rows_in_any_order_with_corrections_and_restarts_end_as_the_batch(
    module_connection: psycopg.Connection, data: st.DataObject
) -> None:
    connection = module_connection
    connection.execute("truncate candle, build_up, signal, signal_rejection, contract cascade")
    day = busy_day()
    store_contracts(connection, day)
    rows = list(market_rows(day))
    late = st.integers(0, 3).map(lambda steps: timedelta(minutes=4 * steps))
    arrivals: list[tuple[datetime, int, Row]] = [
        (row.known_at + data.draw(late), place, (relation, row))
        for place, (relation, row) in enumerate(rows)
    ]
    # What came may be corrected later.
    for place in data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=5, unique=True)):
        relation, row = rows[place]
        again = row.known_at + timedelta(minutes=data.draw(st.integers(13, 40)))
        changed = row._replace(known_at=again)
        if relation is BUILD_UP:
            changed = changed._replace(volume=changed.volume + 65 * data.draw(st.integers(-19, 40)))
        arrivals.append((again, place, (relation, changed)))
    arrivals.sort(key=itemgetter(0, 1))
    live = LiveSignals(SESSION, NAMES)
    while arrivals:
        size = data.draw(st.integers(1, 60))
        batch, arrivals = arrivals[:size], arrivals[size:]
        for wanted in (CANDLE, BUILD_UP):
            write(connection, wanted, [row for _, _, (kind, row) in batch if kind is wanted])
        live.advance(connection, batch[-1][0])
        if data.draw(st.integers(0, 9)) == 0:
            live = LiveSignals(SESSION, NAMES)
    before = standing(connection)
    assert at_once(connection) == (0, 0, 0, {})
    assert before == standing(connection)


def test_with_nothing_new_nothing_is_computed_or_written(connection, live) -> None:
    day = busy_day()
    store_contracts(connection, day)
    rows = sorted(market_rows(day), key=lambda pair: pair[1].known_at)
    halves = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    for half in halves:
        for wanted in (CANDLE, BUILD_UP):
            write(connection, wanted, [row for relation, row in half if relation is wanted])
        live.advance(connection, NOW)
    log = "select max(seq) from change_log"
    unchanged = connection.execute(log).fetchone()
    assert live.advance(connection, NOW) == (0, 0, 0, {})
    assert connection.execute(log).fetchone() == unchanged
    assert at_once(connection) == (0, 0, 0, {})
    assert len(standing(connection)) == 2


def test_prices_go_on_while_build_ups_are_late(connection, live) -> None:
    day = busy_day()
    store_contracts(connection, day)
    rows = list(market_rows(day))
    prices = [row for relation, row in rows if relation is CANDLE]
    build_ups = [row for relation, row in rows if relation is BUILD_UP]
    write(connection, CANDLE, prices[:8])
    write(connection, BUILD_UP, [row for row in build_ups if row.open_time <= day.opens[3]])
    live.advance(connection, NOW)
    for row in prices[8:]:
        write(connection, CANDLE, [row])
        live.advance(connection, NOW)
    late = [row for row in build_ups if row.open_time > day.opens[3]]
    write(connection, BUILD_UP, late)
    live.advance(connection, LATER)
    assert len(standing(connection)) == 2
    assert at_once(connection) == (0, 0, 0, {})


def test_a_quiet_interval_may_decide_that_a_trade_was_lost(connection, live) -> None:
    day = quiet_day(12)
    for place, contract in ((4, "25000C"), (6, "25050C"), (9, "24950C")):
        cover(day, place, contract)
    store(connection, day)
    symbol = day.rows[0, "25000C"]["symbol"]
    fallen = [
        Candle(
            *(day.rows[0, contract]["symbol"], 5, day.opens[place], "NIFTY"),
            *(101.0, 101.0, 50.0, 50.0, LOT, None, "test"),
            *(day.opens[place] + timedelta(minutes=5), True),
        )
        for contract, place in (("25000C", 6), ("25050C", 7))
    ]
    write(connection, CANDLE, fallen)
    live.advance(connection, NOW)
    assert len(standing(connection)) == 3, "nobody knows what the first trade came to"
    note_empty(connection, EmptySeries("candle", symbol, 5, "test"), [day.opens[5]], NOW)
    live.advance(connection, NOW)
    assert len(standing(connection)) == 2
    assert connection.execute("select reason, known_at from signal_rejection").fetchall() == [
        ("daily_loss_limit", NOW)
    ]
    assert at_once(connection) == (0, 0, 0, {})


def test_a_strike_listed_during_the_session_counts_from_then_on(connection, live) -> None:
    day = busy_day()
    store(connection, day)
    connection.execute("delete from contract where strike = 25050")
    live.advance(connection, NOW)
    assert standing(connection) == []
    store_contracts(connection, day, listed_at=day.opens[6])
    live.advance(connection, LATER)
    events = connection.execute(
        "select distinct event_time from signal where withdrawn_at is null order by 1"
    ).fetchall()
    assert events[0][0] == day.opens[6] + timedelta(minutes=5)
    assert at_once(connection) == (0, 0, 0, {})
    # Which it was, is corrected: an archived answer was first.
    store_contracts(connection, day)
    live.advance(connection, LATER)
    (first,) = connection.execute(
        "select min(event_time) from signal where withdrawn_at is null"
    ).fetchone()
    assert first == day.opens[4] + timedelta(minutes=5)
    assert at_once(connection) == (0, 0, 0, {})


def test_a_version_switched_on_during_the_session_is_computed_from_its_start(
    connection, live
) -> None:
    store(connection, busy_day())
    live.advance(connection, NOW)
    lax = Planned.of("delta_volume", {"spike_factor": 1.5})
    register_version(connection, lax.stored, NOW, live=True)
    set_live(connection, lax.stored)
    live.advance(connection, LATER)
    count = "select count(*) from signal where version = %s"
    (found,) = connection.execute(count, (lax.version,)).fetchone()
    assert found == 2
    assert at_once(connection) == (0, 0, 0, {})


def test_wrong_rows_stop_the_steps_until_they_are_corrected(connection, live) -> None:
    day = busy_day()
    store(connection, day)
    live.advance(connection, NOW)
    before = standing(connection)
    day.put(9, "25050C", volume=1_301)
    store(connection, day, known_at=LATER)
    assert live.advance(connection, LATER).blocked == {SESSION: ["build_up/whole_lots"]}
    assert standing(connection) == before
    cover(day, 9, "25050C")
    store(connection, day, known_at=LATER + timedelta(minutes=1))
    assert live.advance(connection, LATER).blocked == {}
    assert at_once(connection) == (0, 0, 0, {})
