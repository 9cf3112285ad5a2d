"""Who chooses at random is not called skilled, and who has an edge is found."""

from collections.abc import Iterable, Iterator
from datetime import date
from statistics import pstdev

import psycopg
import pytest

from db.market.frames import Range
from db.server.connection import connect
from db.signals.outcomes import OUTCOME_CASE, Case, read_stats
from db.writing.bulk import write
from db.writing.relations import SIGNAL
from db.writing.rows import Signal, Stats
from tests.long import in_full, runs_in_full
from tests.no_skill import CHOOSERS, judged

SEEDS = 200 if runs_in_full() else 12
# Of two-sided intervals of 95 % one in forty lies above nothing: 5 of 200.
CALLED_AT_MOST = 10 if runs_in_full() else 2
NAIVE = """
select avg(return_points - random_return_points)
           / (stddev(return_points - random_return_points) / sqrt(count(*)))
  from signal_trade where strategy like 'bursts %' and random_n > 0
 group by strategy, horizon_minutes
"""
EVER = Range(date(2025, 1, 1), date(2027, 1, 1))
CASE = Case("known_then", 1)
# What docs/outcomes.md states: enough for an edge of 0.3 standard deviations a trade.
SESSIONS_SCATTERED, SESSIONS_IN_BURSTS = 30, 80
HORIZON = 15


def fill(
    connection: psycopg.Connection,
    seeds: Iterable[int],
    sessions: int = 40,
    choosers: Iterable[str] = CHOOSERS,
) -> None:
    """Store what random choosers chose and what became of it, under the names of their seeds."""
    for seed in seeds:
        found = list(judged(seed, sessions, choosers))
        write(connection, SIGNAL, [Signal(*signal, None) for signal, _ in found])
        cases = [case for _, result in found for case in result.cases(CASE.history)]
        write(connection, OUTCOME_CASE, [case for case in cases if case.fills == CASE.fills])


@pytest.fixture(scope="module")
def stored(fresh_database) -> Iterator[str]:
    with fresh_database() as dsn:
        with connect(dsn) as connection:
            fill(connection, range(SEEDS))
        yield dsn


@pytest.fixture(scope="module")
def stats(stored: str) -> list[Stats]:
    with connect(stored) as connection:
        return read_stats(connection, EVER, case=CASE)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("horizon", [5, 15, 30, 0])
@pytest.mark.parametrize("chooser", CHOOSERS)
def test_a_strategy_that_chooses_at_random_is_not_better_than_luck(stats, chooser, horizon):
    mine = [
        row
        for row in stats
        if row.strategy.split()[0] == chooser and row.horizon_minutes == horizon
    ]
    assert len(mine) == SEEDS
    assert min(row.matched_sessions for row in mine) >= 10
    above = [row for row in mine if row.difference_low > 0]
    below = [row for row in mine if row.difference_high < 0]
    assert len(above) <= CALLED_AT_MOST
    assert len(below) <= 1.6 * CALLED_AT_MOST
    assert sum(row.verdict == "better" for row in mine) <= CALLED_AT_MOST / 2


def test_intervals_that_count_signals_as_independent_would_call_luck_skill(stored):
    """That the test above can fail: a burst is hardly more than one signal."""
    with connect(stored) as connection:
        apart = connection.execute(NAIVE).fetchall()
    assert len(apart) == 4 * SEEDS
    assert sum(z > 1.96 for (z,) in apart) > 0.05 * len(apart)
    assert sum(abs(z) > 1.96 for (z,) in apart) > 0.15 * len(apart)


def planted(connection: psycopg.Connection, chooser: str) -> list[str]:
    """Give every signal 0.3 standard deviations more; return the verdicts at one horizon."""
    rows = connection.execute(
        "select strategy, return_points from signal_trade"
        " where horizon_minutes = %s and strategy like %s",
        (HORIZON, f"{chooser} %"),
    ).fetchall()
    for strategy in sorted({strategy for strategy, _ in rows}):
        edge = 0.3 * pstdev(points for name, points in rows if name == strategy)
        connection.execute(
            "update signal_outcome_case o set return_points = return_points + %s from signal s"
            " where s.signal_id = o.signal_id and s.strategy = %s",
            (edge, strategy),
        )
    found = read_stats(connection, EVER, horizon=HORIZON, case=CASE)
    return [row.verdict for row in found if row.strategy.split()[0] == chooser]


def test_an_edge_is_found_at_the_number_of_sessions_that_the_documents_state(connection):
    fill(connection, range(500, 500 + SEEDS), SESSIONS_SCATTERED, ["uniform"])
    verdicts = planted(connection, "uniform")
    assert len(verdicts) == SEEDS
    assert verdicts.count("better") >= 0.8 * len(verdicts)


@in_full
@pytest.mark.timeout(3600)
def test_an_edge_in_bursts_is_found_with_more_sessions(connection):
    fill(connection, range(700, 760), SESSIONS_IN_BURSTS, ["bursts"])
    verdicts = planted(connection, "bursts")
    assert verdicts.count("better") >= 0.8 * len(verdicts)
