"""Sealed sessions: seals, openings for registered versions, and what these came to."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from db.market.frames import Range
from db.signals.strategies import StrategyVersion

SEAL = "insert into holdout (session, note) select unnest(%(sessions)s::date[]), %(note)s"
KNOWN = "select session from holdout where session = any(%(sessions)s)"
SEALED = """
select session from holdout
 where session between %(first)s and %(last)s and is_sealed(session)
 order by session
"""
# Per session how often and for whom it was opened; null strategies are ends of seals.
SEALS = """
select h.session, h.sealed_at, h.sealed_by, h.note, h.outcomes_before,
       is_sealed(h.session) as sealed,
       array(select concat_ws(' ', strategy, version) from holdout_opening o
              where o.session = h.session and strategy is not null order by opened_at) as opened_for
  from holdout h
 order by h.session
"""
OPEN = """
insert into holdout_opening (session, strategy, version, params_hash, params, horizon_minutes,
                             command)
select unnest(%(sessions)s::date[]), %(strategy)s, %(version)s, %(params_hash)s, %(params)s,
       %(horizon)s, %(command)s
"""
OPENED = """
select session, opened_at, look, horizon_minutes from holdout_opening
 where strategy = %(strategy)s and version = %(version)s
   and session between %(first)s and %(last)s
 order by session
"""
# A session without random entries beside its signals has no luck to compare with. Summed in a fixed
# order: another differs by binary dust, and a verdict is the same whenever it is computed.
COMPARED = """
with ours as (
    select s.session, count(*) as entered,
           sum(o.return_points order by s.signal_id) as points
      from signal s join signal_outcome o using (signal_id)
     where s.strategy = %(strategy)s and s.version = %(version)s and s.withdrawn_at is null
       and s.session = any(%(sessions)s) and o.horizon_minutes = %(horizon)s
       and o.exit_reason <> 'not_entered'
     group by s.session
), luck as (
    select o.session, avg(o.return_points order by o.underlying, o.draw) as mean
      from random_outcome o join signal s on s.signal_id = o.beside
     where o.strategy = %(strategy)s and o.version = %(version)s and s.withdrawn_at is null
       and o.session = any(%(sessions)s) and o.horizon_minutes = %(horizon)s
     group by o.session
)
select ours.session, ours.entered, ours.points, luck.mean as luck_mean
  from ours left join luck using (session)
 order by ours.session
"""
INSERT_VERDICT = """
insert into holdout_verdict (strategy, version, first_session, last_session, horizon_minutes, look,
                             level, sessions, entered, mean_return_points, luck_points,
                             difference_points, difference_low_points, p_value, better, verdict)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
VERDICTS = """
select strategy, version, first_session, last_session, horizon_minutes, look, level, sessions,
       entered, mean_return_points, luck_points, difference_points, difference_low_points, p_value,
       better, verdict
  from holdout_verdict
 where %(strategy)s::text is null or strategy = %(strategy)s and version = %(version)s
 order by judged_at
"""
END = """
insert into holdout_opening (session, command)
select unnest(%(sessions)s::date[]), %(command)s
"""
HAS_ROWS = """
select day from unnest(%(sessions)s::date[]) day
 where exists (select from candle c join session_hours(day) h on true
                where c.open_time >= h.open_time and c.open_time < h.close_time)
"""


class Seal(NamedTuple):
    """A row of `holdout`, whether it still holds, and the versions it was opened for."""

    session: date
    sealed_at: datetime
    sealed_by: str
    note: str
    outcomes_before: int
    sealed: bool
    opened_for: list[str]


class Opening(NamedTuple):
    """One session that a version was registered for."""

    session: date
    opened_at: datetime
    look: int
    horizon_minutes: int


class Compared(NamedTuple):
    """A session of a version; points after costs, `luck_mean` null without random entries."""

    session: date
    entered: int
    points: float
    luck_mean: float | None


class Verdict(NamedTuple):
    """A row of `holdout_verdict`; points of premium after costs."""

    strategy: str
    version: str
    first_session: date
    last_session: date
    horizon_minutes: int
    look: int
    level: float
    sessions: int
    entered: int
    mean_return_points: float | None
    luck_points: float | None
    difference_points: float | None
    difference_low_points: float | None
    p_value: float | None
    better: bool
    verdict: str


def seal(connection: Connection[Any], sessions: Sequence[date], note: str) -> list[date]:
    """Seal sessions; return those that were not sealed before.

    Raises:
        psycopg.errors.CheckViolation: A sweep has seen one of them; then none is sealed.
    """
    with connection.transaction():
        known = {row[0] for row in connection.execute(KNOWN, {"sessions": list(sessions)})}
        fresh = [session for session in sessions if session not in known]
        connection.execute(SEAL, {"sessions": fresh, "note": note})
    return fresh


def sealed_sessions(connection: Connection[Any], sessions: Range) -> list[date]:
    """Return the sessions of a range that are sealed for sweeps and other versions."""
    return [row[0] for row in connection.execute(SEALED, sessions._asdict())]


def read_seals(connection: Connection[Any]) -> list[Seal]:
    """Return all seals, those that have ended included, in time's order."""
    with connection.cursor(row_factory=class_row(Seal)) as cursor:
        return cursor.execute(SEALS).fetchall()


def open_for(
    connection: Connection[Any],
    sessions: Sequence[date],
    version: StrategyVersion,
    horizon: int,
    command: str,
) -> None:
    """Register a version for sealed sessions: it may be judged there from now on."""
    connection.execute(
        OPEN,
        {
            **version._asdict(),
            "params": Jsonb(version.params),
            "sessions": list(sessions),
            "horizon": horizon,
            "command": command,
        },
    )


def openings_of(
    connection: Connection[Any], sessions: Range, strategy: str, version: str
) -> list[Opening]:
    """Return the sessions of a range that a version is registered for."""
    parameters = {**sessions._asdict(), "strategy": strategy, "version": version}
    with connection.cursor(row_factory=class_row(Opening)) as cursor:
        return cursor.execute(OPENED, parameters).fetchall()


def end_seals(connection: Connection[Any], sessions: Sequence[date], command: str) -> None:
    """End seals for everybody; the seals and this end stay on record."""
    connection.execute(END, {"sessions": list(sessions), "command": command})


def compare(
    connection: Connection[Any], version: StrategyVersion, sessions: Sequence[date], horizon: int
) -> list[Compared]:
    """Return what a version's standing signals came to, session by session, and luck beside it."""
    parameters = {
        "strategy": version.strategy,
        "version": version.version,
        "sessions": list(sessions),
        "horizon": horizon,
    }
    with connection.cursor(row_factory=class_row(Compared)) as cursor:
        return cursor.execute(COMPARED, parameters).fetchall()


def store_verdict(connection: Connection[Any], verdict: Verdict) -> None:
    """Store what a version came to."""
    connection.execute(INSERT_VERDICT, verdict)


def read_verdicts(
    connection: Connection[Any], version: StrategyVersion | None = None
) -> list[Verdict]:
    """Return the verdicts of a version, or all, oldest first."""
    parameters = {
        "strategy": version and version.strategy,
        "version": version and version.version,
    }
    with connection.cursor(row_factory=class_row(Verdict)) as cursor:
        return cursor.execute(VERDICTS, parameters).fetchall()


def stored_sessions(connection: Connection[Any], sessions: Sequence[date]) -> list[date]:
    """Return which of some sessions have candles."""
    rows = connection.execute(HAS_ROWS, {"sessions": list(sessions)}).fetchall()
    return [row[0] for row in rows]


def faults(connection: Connection[Any]) -> list[str]:
    """Return what shows that a seal was gone around."""
    return [row[0] for row in connection.execute("select fault from holdout_faults()")]


def fingerprint(connection: Connection[Any]) -> str:
    """Return the hash of all seals and openings, to be noted elsewhere."""
    with connection.transaction():
        connection.execute("set local timezone to 'UTC'")
        row = connection.execute("select holdout_fingerprint()").fetchone()
    return str(row[0]) if row else ""
