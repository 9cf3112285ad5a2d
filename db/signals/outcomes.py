"""Outcomes of signals and of random entries: what they are made of, and how they are stored."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from db.market.frames import Range
from db.writing.bulk import merge, require_idle
from db.writing.relations import Relation
from db.writing.rows import Signal, Split, Stats

SESSIONS = """
select distinct session from signal
 where session between %(first)s and %(last)s and underlying = any(%(underlyings)s)
 order by session
"""
SIGNALS = """
select signal_id, strategy, version, underlying, session, event_time, symbol, direction, kind,
       atm_strike, spot, net_delta_volume, strikes, entry, stop, target1, target2, entry_order,
       reasons, params_hash, input_watermark, known_at, withdrawn_at, revision
  from signal
 where session = %(session)s and underlying = any(%(underlyings)s) and withdrawn_at is null
   and not is_sealed(session, strategy, version)
 order by strategy, version, underlying, event_time, symbol
"""
# As they were when they were first given; a revision keeps what a signal was before.
FIRST_GIVEN = """
with known as (
    select distinct on (signal_id) signal_id, {columns}
      from (select signal_id, {columns}, revision from signal_revision
             where session = %(session)s and underlying = any(%(underlyings)s)
            union all
            select signal_id, {columns}, revision from signal
             where session = %(session)s and underlying = any(%(underlyings)s)) each
     where not is_sealed(session, strategy, version)
     order by signal_id, revision
)
select signal_id, {columns} from known order by strategy, version, underlying, event_time, symbol
"""
LADDER = """
with nearest as (
    select underlying, min(expiry) as expiry from contract
     where underlying = any(%(underlyings)s) and expiry >= %(session)s
       and first_seen <= %(session)s
     group by underlying
)
select underlying, expiry, array_agg(distinct c.strike)
  from nearest join contract c using (underlying, expiry)
 where c.first_seen <= %(session)s
 group by underlying, expiry
"""
LOT_SIZES = "select symbol, lot_size from contract where symbol = any(%(symbols)s)"
FORGET_SIGNALS = """
delete from signal_outcome o using signal s
 where s.signal_id = o.signal_id and s.session = %(session)s and s.underlying = any(%(underlyings)s)
   and not exists (
       select from unnest(%(signal_ids)s::uuid[], %(horizons)s::integer[]) kept (id, horizon)
        where kept.id = o.signal_id and kept.horizon = o.horizon_minutes)
"""
FORGET_CASES = """
delete from signal_outcome_case o using signal s
 where s.signal_id = o.signal_id and s.session = %(session)s and s.underlying = any(%(underlyings)s)
   and not exists (
       select from unnest(%(case_ids)s::uuid[], %(case_horizons)s::integer[],
                          %(histories)s::text[], %(fills)s::integer[])
                   kept (id, horizon, history, fills)
        where kept.id = o.signal_id and kept.horizon = o.horizon_minutes
          and kept.history = o.history and kept.fills = o.fills)
"""
FORGET_RANDOM = """
delete from random_outcome o
 where session = %(session)s and underlying = any(%(underlyings)s)
   and not exists (
       select from unnest(%(strategies)s::text[], %(versions)s::text[], %(names)s::text[],
                          %(draws)s::integer[], %(horizons)s::integer[])
                   kept (strategy, version, underlying, draw, horizon)
        where kept.strategy = o.strategy and kept.version = o.version
          and kept.underlying = o.underlying and kept.draw = o.draw
          and kept.horizon = o.horizon_minutes)
"""
STATS = """
select * from signal_statistics(%(history)s, %(fills)s, %(first)s, %(last)s,
                                of_strategy => %(strategy)s)
 where %(horizon)s::integer is null or horizon_minutes = %(horizon)s
 order by strategy, version, underlying, horizon_minutes = 0, horizon_minutes
"""
SPLITS = """
select * from signal_splits(%(split)s, %(history)s, %(fills)s, %(first)s, %(last)s,
                            of_strategy => %(strategy)s)
 where %(horizon)s::integer is null or horizon_minutes = %(horizon)s
 order by strategy, version, underlying, horizon_minutes = 0, horizon_minutes, place
"""


class SignalOutcome(NamedTuple):
    """One signal over one horizon; points of premium, prices and times null if not entered."""

    signal_id: UUID
    horizon_minutes: int
    mfe_points: float | None
    mae_points: float | None
    return_points: float
    hit: bool
    exit_reason: str
    entered_at: datetime | None
    entry_price: float | None
    exited_at: datetime | None
    exit_price: float | None
    gross_points: float
    costs_points: float
    lot_size: int | None


class OutcomeCase(NamedTuple):
    """One signal over one horizon in another history or with other fills, beside its draws."""

    signal_id: UUID
    horizon_minutes: int
    history: str
    fills: int
    mfe_points: float | None
    mae_points: float | None
    return_points: float
    hit: bool
    exit_reason: str
    entered_at: datetime | None
    entry_price: float | None
    exited_at: datetime | None
    exit_price: float | None
    gross_points: float
    costs_points: float
    lot_size: int | None
    random_n: int
    random_hits: int
    random_mfe_points: float | None
    random_mae_points: float | None
    random_return_points: float | None


class RandomOutcome(NamedTuple):
    """One random entry over one horizon."""

    strategy: str
    version: str
    underlying: str
    session: date
    draw: int
    horizon_minutes: int
    beside: UUID
    symbol: str
    mfe_points: float | None
    mae_points: float | None
    return_points: float
    hit: bool
    exit_reason: str
    entered_at: datetime | None
    entry_price: float | None
    exited_at: datetime | None
    exit_price: float | None
    gross_points: float
    costs_points: float


class Stored(NamedTuple):
    """How many rows storing a session's outcomes changed."""

    written: int
    removed: int


_TRADE = "float8 float8 float8 bool text timestamptz float8 timestamptz float8 float8 float8"
SIGNAL_OUTCOME = Relation(
    "signal_outcome",
    SignalOutcome._fields,
    f"uuid int4 {_TRADE} int4",
    ("signal_id", "horizon_minutes"),
    ignored=(),
)
OUTCOME_CASE = Relation(
    "signal_outcome_case",
    OutcomeCase._fields,
    f"uuid int4 text int4 {_TRADE} int4 int4 int4 float8 float8 float8",
    ("signal_id", "horizon_minutes", "history", "fills"),
    ignored=(),
)
RANDOM_OUTCOME = Relation(
    "random_outcome",
    RandomOutcome._fields,
    f"text text text date int4 int4 uuid text {_TRADE}",
    ("strategy", "version", "underlying", "session", "draw", "horizon_minutes"),
    ignored=(),
)


def signal_extent(connection: Connection[Any]) -> Range | None:
    """Return the first and the last session with signals; None without any."""
    row = connection.execute("select min(session), max(session) from signal").fetchone()
    return Range(*row) if row and row[0] else None


def sessions_with_signals(
    connection: Connection[Any], sessions: Range, underlyings: Sequence[str]
) -> list[date]:
    """Return the sessions of a range that have signals, withdrawn ones included."""
    parameters = {**sessions._asdict(), "underlyings": list(underlyings)}
    return [row[0] for row in connection.execute(SESSIONS, parameters)]


def standing_signals(
    connection: Connection[Any], session: date, underlyings: Sequence[str]
) -> list[Signal]:
    """Return the signals of a session that were not withdrawn, of all strategies and versions.

    Of a sealed session only those of versions that it was opened for.
    """
    with connection.cursor(row_factory=class_row(Signal)) as cursor:
        parameters = {"session": session, "underlyings": list(underlyings)}
        return cursor.execute(SIGNALS, parameters).fetchall()


def signals_as_first_given(
    connection: Connection[Any], session: date, underlyings: Sequence[str]
) -> list[Signal]:
    """Return every signal of a session that was ever given, as it first was, withdrawn ones too."""
    query = FIRST_GIVEN.format(columns=", ".join(Signal._fields[1:-2]))
    parameters = {"session": session, "underlyings": list(underlyings)}
    rows = connection.execute(query, parameters).fetchall()
    return [Signal._make((*row, None, 1)) for row in rows]


def nearest_ladders(
    connection: Connection[Any], session: date, underlyings: Sequence[str]
) -> dict[str, tuple[date, list[int]]]:
    """Return, per underlying, the nearest listed expiry and its strikes, ascending."""
    parameters = {"session": session, "underlyings": list(underlyings)}
    rows = connection.execute(LADDER, parameters).fetchall()
    return {underlying: (expiry, strikes) for underlying, expiry, strikes in rows}


def stored_lot_sizes(
    connection: Connection[Any], symbols: Collection[str]
) -> dict[str, int | None]:
    """Return the units per lot of contracts as their source named them, None where it did not."""
    return dict(connection.execute(LOT_SIZES, {"symbols": list(symbols)}).fetchall())


def store_outcomes(
    connection: Connection[Any],
    session: date,
    underlyings: Sequence[str],
    outcomes: Sequence[SignalOutcome],
    random: Sequence[RandomOutcome],
    cases: Sequence[OutcomeCase] = (),
) -> Stored:
    """Make the stored outcomes of a session equal the given ones."""
    scope = {"session": session, "underlyings": list(underlyings)}
    kept = {
        "signal_ids": [row.signal_id for row in outcomes],
        "horizons": [row.horizon_minutes for row in outcomes],
    }
    kept_cases = {
        "case_ids": [row.signal_id for row in cases],
        "case_horizons": [row.horizon_minutes for row in cases],
        "histories": [row.history for row in cases],
        "fills": [row.fills for row in cases],
    }
    kept_random = {
        "strategies": [row.strategy for row in random],
        "versions": [row.version for row in random],
        "names": [row.underlying for row in random],
        "draws": [row.draw for row in random],
        "horizons": [row.horizon_minutes for row in random],
    }
    require_idle(connection)
    # In one transaction: statistics never count a part of a session.
    with connection.transaction(), connection.cursor() as cursor:
        removed = cursor.execute(FORGET_SIGNALS, {**scope, **kept}).rowcount
        removed += cursor.execute(FORGET_CASES, {**scope, **kept_cases}).rowcount
        removed += cursor.execute(FORGET_RANDOM, {**scope, **kept_random}).rowcount
        written = merge(cursor, SIGNAL_OUTCOME, outcomes)
        written += merge(cursor, OUTCOME_CASE, cases)
        written += merge(cursor, RANDOM_OUTCOME, random)
    return Stored(written, removed)


class Case(NamedTuple):
    """Which history is counted, and how many spreads are paid in a round trip."""

    history: str = "corrected"
    fills: int = 1


def read_stats(
    connection: Connection[Any],
    sessions: Range,
    strategy: str | None = None,
    horizon: int | None = None,
    case: Case = Case(),  # noqa: B008 - a tuple of constants
) -> list[Stats]:
    """Return the statistics of a range of sessions, shortest horizon first, their end last."""
    parameters = {**sessions._asdict(), **case._asdict(), "strategy": strategy, "horizon": horizon}
    with connection.cursor(row_factory=class_row(Stats)) as cursor:
        return cursor.execute(STATS, parameters).fetchall()


def read_splits(
    connection: Connection[Any],
    sessions: Range,
    split: str,
    strategy: str | None = None,
    horizon: int | None = None,
    case: Case = Case(),  # noqa: B008 - a tuple of constants
) -> list[Split]:
    """Return the parts of a range's signals by `time`, `expiry` or `volatility`."""
    parameters = {**sessions._asdict(), **case._asdict(), "strategy": strategy, "horizon": horizon}
    with connection.cursor(row_factory=class_row(Split)) as cursor:
        return cursor.execute(SPLITS, {**parameters, "split": split}).fetchall()
