"""Sweeps: which combinations of numbers were tried, and what each would have given."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection, Cursor
from psycopg.types.json import Jsonb

INSERT_SWEEP = """
insert into sweep (started_at, strategy, code_version, grid, first_session, last_session, sessions,
                   horizon_minutes, combinations, warning, sealed, tried_ever, expected_sharpe,
                   best_version, deflated_sharpe, reality_p, verdict)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
returning sweep_id
"""
INSERT_RESULT = """
insert into sweep_result (sweep_id, version, params_hash, params, signals, entered, not_entered,
                          unresolved, hits, hit_rate, hit_rate_low, hit_rate_high,
                          chosen_rate_low, chosen_rate_high, mean_return_points,
                          total_return_points, worst_session, worst_session_points, sharpe,
                          neighbours, neighbour_mean_points)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
INSERT_SESSION = """
insert into sweep_session (sweep_id, params_hash, session, entered, hits, total_points)
select %(sweep_id)s, *
  from unnest(%(hashes)s::text[], %(sessions)s::date[], %(entered)s::integer[], %(hits)s::integer[],
              %(points)s::double precision[])
"""
INSERT_WALK = """
insert into sweep_walk (sweep_id, fit_sessions, judge_sessions, entered, total_points,
                        luck_total_points, luck_low_points, luck_high_points, luck_chance)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
INSERT_WINDOW = """
insert into sweep_window (sweep_id, number, fit_first, fit_last, judge_first, judge_last,
                          params_hash, version, fit_mean_points, entered, total_points,
                          luck_entered, luck_total_points)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
INSERT_JUDGED = """
insert into sweep_judged (sweep_id, session, number, entered, points, total_points, luck_low,
                          luck_median, luck_high)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# Once each: of several sweeps of the same numbers the newest counts. What was computed under a
# version of its own was tried as well, at whichever horizon.
TRIED = """
select distinct on (s.code_version, r.params_hash, s.horizon_minutes)
       s.code_version, r.params_hash, s.horizon_minutes, r.sharpe
  from sweep s join sweep_result r using (sweep_id)
 where s.strategy = %(strategy)s
 order by s.code_version, r.params_hash, s.horizon_minutes, s.sweep_id desc
"""
COMPUTED = """
select split_part(version, '+', 1), params_hash from strategy_version where strategy = %(strategy)s
"""


class Tried(NamedTuple):
    """One version of a strategy that was ever tried, and at which horizon.

    Attributes:
        horizon_minutes: None for one that was computed, but never swept.
    """

    code_version: str
    params_hash: str
    horizon_minutes: int | None


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
    sealed: int
    tried_ever: int
    expected_sharpe: float
    best_version: str | None
    deflated_sharpe: float | None
    reality_p: float | None
    verdict: str


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
    sharpe: float | None
    neighbours: int = 0
    neighbour_mean_points: float | None = None


class SweepSession(NamedTuple):
    """A row of `sweep_session`: one combination in one session; points of premium."""

    params_hash: str
    session: date
    entered: int
    hits: int
    total_points: float


class SweepWalk(NamedTuple):
    """A row of `sweep_walk`: what choosing came to, and choosing at random."""

    fit_sessions: int
    judge_sessions: int
    entered: int
    total_points: float
    luck_total_points: float
    luck_low_points: float
    luck_high_points: float
    luck_chance: float


class SweepWindow(NamedTuple):
    """A row of `sweep_window`; numbers, version and mean are null where nothing was chosen."""

    number: int
    fit_first: date
    fit_last: date
    judge_first: date
    judge_last: date
    params_hash: str | None
    version: str | None
    fit_mean_points: float | None
    entered: int
    total_points: float
    luck_entered: float
    luck_total_points: float


class SweepJudged(NamedTuple):
    """A row of `sweep_judged`: the equity at one session's end, beside choices at random."""

    session: date
    number: int
    entered: int
    points: float
    total_points: float
    luck_low: float
    luck_median: float
    luck_high: float


class WalkRows(NamedTuple):
    """All that a walk-forward stores."""

    walk: SweepWalk
    windows: list[SweepWindow]
    judged: list[SweepJudged]


def read_tried(connection: Connection[Any], strategy: str) -> dict[Tried, float | None]:
    """Return what was ever tried of a strategy, with its Sharpe ratio by session if it is known."""
    parameters = {"strategy": strategy}
    rows = connection.execute(TRIED, parameters).fetchall()
    tried: dict[Tried, float | None] = {Tried._make(row[:3]): row[3] for row in rows}
    swept = {(one.code_version, one.params_hash) for one in tried}
    computed = connection.execute(COMPUTED, parameters).fetchall()
    tried |= {
        Tried(code, numbers, None): None
        for code, numbers in computed
        if (code, numbers) not in swept
    }
    return tried


def store_sweep(
    connection: Connection[Any],
    sweep: Sweep,
    results: Sequence[SweepResult],
    sessions: Sequence[SweepSession],
    walked: WalkRows | None,
) -> int:
    """Store a whole sweep in one transaction; return its number.

    Raises:
        psycopg.errors.CheckViolation: A session was sealed meanwhile.
    """
    with connection.transaction(), connection.cursor() as cursor:
        row = sweep._replace(grid=Jsonb(sweep.grid))  # type: ignore[arg-type]
        cursor.execute(INSERT_SWEEP, row)
        stored = cursor.fetchone()
        number = int(stored[0]) if stored else 0
        rows = [one._replace(params=Jsonb(one.params)) for one in results]  # type: ignore[arg-type]
        cursor.executemany(INSERT_RESULT, list(_of(number, rows)))
        columns = [list(column) for column in zip(*sessions, strict=True)] or [[]] * 5
        names = ("hashes", "sessions", "entered", "hits", "points")
        given = {"sweep_id": number, **dict(zip(names, columns, strict=True))}
        cursor.execute(INSERT_SESSION, given)
        if walked is not None:
            _store_walk(cursor, number, walked)
    return number


def _store_walk(cursor: Cursor[Any], number: int, rows: WalkRows) -> None:
    cursor.execute(INSERT_WALK, (number, *rows.walk))
    cursor.executemany(INSERT_WINDOW, list(_of(number, rows.windows)))
    cursor.executemany(INSERT_JUDGED, list(_of(number, rows.judged)))


def _of(number: int, rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    return ((number, *row) for row in rows)
