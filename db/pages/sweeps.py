"""Stored sweeps for the page of sweeps, and what became of the sealed sessions."""

from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

# How many sweeps are listed.
AT_MOST = 200

LIST = """
select s.sweep_id, s.started_at, s.strategy, s.code_version, s.first_session, s.last_session,
       s.sessions, s.sealed, s.horizon_minutes, s.combinations, s.tried_ever, w.fit_sessions,
       w.judge_sessions
  from sweep s left join sweep_walk w using (sweep_id)
 where %(strategy)s::text is null or s.strategy = %(strategy)s
 order by s.sweep_id desc limit %(limit)s
"""
SWEEP = """
select sweep_id, started_at, strategy, code_version, grid, first_session, last_session, sessions,
       sealed, horizon_minutes, combinations, tried_ever, warning, verdict, best_version,
       expected_sharpe, deflated_sharpe, reality_p
  from sweep
 where sweep_id = coalesce(%(sweep_id)s, (select max(sweep_id) from sweep))
"""
RESULTS = """
select version, params_hash, params, signals, entered, not_entered, unresolved, hits, hit_rate,
       hit_rate_low, hit_rate_high, mean_return_points, total_return_points, worst_session,
       worst_session_points, sharpe, neighbours, neighbour_mean_points
  from sweep_result where sweep_id = %(sweep_id)s
 order by mean_return_points desc nulls last, version
"""
WALK = """
select fit_sessions, judge_sessions, entered, total_points, luck_total_points, luck_low_points,
       luck_high_points, luck_chance
  from sweep_walk where sweep_id = %(sweep_id)s
"""
WINDOWS = """
select number, fit_first, fit_last, judge_first, judge_last, params_hash, version, fit_mean_points,
       entered, total_points, luck_entered, luck_total_points
  from sweep_window where sweep_id = %(sweep_id)s order by number
"""
JUDGED = """
select session, number, entered, points, total_points, luck_low, luck_median, luck_high
  from sweep_judged where sweep_id = %(sweep_id)s order by session
"""
SEALS = """
select count(*) as sessions, min(session) as first, max(session) as last
  from holdout where is_sealed(session)
"""
VERDICTS = """
select strategy, version, judged_at, first_session, last_session, horizon_minutes, look, level,
       sessions, entered, mean_return_points, luck_points, difference_points,
       difference_low_points, p_value, better, verdict
  from holdout_verdict order by judged_at desc limit %(limit)s
"""

Row = dict[str, Any]


class Listed(NamedTuple):
    """One sweep in the list; `fit_sessions` is null where it was not walked forward."""

    sweep_id: int
    started_at: datetime
    strategy: str
    code_version: str
    first_session: date
    last_session: date
    sessions: int
    sealed: int
    horizon_minutes: int
    combinations: int
    tried_ever: int | None
    fit_sessions: int | None
    judge_sessions: int | None


class Stored(NamedTuple):
    """A sweep with all its rows by column; `walk` is None where it was not walked forward."""

    sweep: Row
    results: list[Row]
    walk: Row | None
    windows: list[Row]
    judged: list[Row]


class Sealed(NamedTuple):
    """How many sessions are sealed, from which to which, and the newest verdicts."""

    sessions: int
    first: date | None
    last: date | None
    verdicts: list[Row]


async def read_sweeps(connection: AsyncConnection[Any], strategy: str | None) -> list[Listed]:
    """Return the newest sweeps, newest first."""
    async with connection.cursor(row_factory=class_row(Listed)) as cursor:
        await cursor.execute(LIST, {"strategy": strategy, "limit": AT_MOST})
        return await cursor.fetchall()


async def read_sweep(connection: AsyncConnection[Any], sweep_id: int | None) -> Stored | None:
    """Return a sweep, by default the newest; None if there is none."""
    found = await _rows(connection, SWEEP, {"sweep_id": sweep_id})
    if not found:
        return None
    asked = {"sweep_id": found[0]["sweep_id"]}
    walk = await _rows(connection, WALK, asked)
    return Stored(
        found[0],
        await _rows(connection, RESULTS, asked),
        walk[0] if walk else None,
        await _rows(connection, WINDOWS, asked),
        await _rows(connection, JUDGED, asked),
    )


async def read_sealed(connection: AsyncConnection[Any]) -> Sealed:
    """Return what is sealed now, and what registered versions came to there."""
    (seals,) = await _rows(connection, SEALS, {})
    return Sealed(**seals, verdicts=await _rows(connection, VERDICTS, {"limit": AT_MOST}))


async def _rows(connection: AsyncConnection[Any], query: str, asked: dict[str, Any]) -> list[Row]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, asked)
        return await cursor.fetchall()
