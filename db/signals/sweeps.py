"""Sweeps: which combinations of numbers were tried, and what each would have given."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

INSERT_SWEEP = """
insert into sweep (started_at, strategy, code_version, grid, first_session, last_session, sessions,
                   horizon_minutes, combinations, warning)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
returning sweep_id
"""
INSERT_RESULT = """
insert into sweep_result (sweep_id, version, params_hash, params, signals, entered, not_entered,
                          unresolved, hits, hit_rate, hit_rate_low, hit_rate_high, chosen_rate_low,
                          chosen_rate_high, mean_return_points, total_return_points, worst_session,
                          worst_session_points)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class Sweep(NamedTuple):
    """A row of `sweep`."""

    started_at: datetime
    strategy: str
    code_version: str
    grid: Mapping[str, Sequence[float]]
    first_session: date
    last_session: date
    sessions: int
    horizon_minutes: int
    combinations: int
    warning: str


class SweepResult(NamedTuple):
    """A row of `sweep_result`: one combination over all sessions; points of premium."""

    version: str
    params_hash: str
    params: Mapping[str, Any]
    signals: int
    entered: int
    not_entered: int
    unresolved: int
    hits: int
    hit_rate: float | None
    hit_rate_low: float | None
    hit_rate_high: float | None
    chosen_rate_low: float | None
    chosen_rate_high: float | None
    mean_return_points: float | None
    total_return_points: float
    worst_session: date | None
    worst_session_points: float | None


def store_sweep(connection: Connection[Any], sweep: Sweep, results: Sequence[SweepResult]) -> int:
    """Store a whole sweep in one transaction; return its number."""
    with connection.transaction(), connection.cursor() as cursor:
        row = sweep._replace(grid=Jsonb(sweep.grid))  # type: ignore[arg-type]
        cursor.execute(INSERT_SWEEP, row)
        stored = cursor.fetchone()
        number = int(stored[0]) if stored else 0
        rows = [(number, *one._replace(params=Jsonb(one.params))) for one in results]  # type: ignore[arg-type]
        cursor.executemany(INSERT_RESULT, rows)
    return number
