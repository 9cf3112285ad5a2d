"""Time-range reads for charts, in columns.

PostgreSQL writes the columns as JSON text: nothing is unpacked and packed again on the way to the
browser, which made this faster than COPY of the same rows.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import args_row, class_row

from db.server.connection import load_sql
from db.writing.rows import Signal

CANDLES = load_sql("sql/candle_columns.sql")
BUCKETS = load_sql("sql/candle_bucket_columns.sql")
BUILD_UPS = load_sql("sql/build_up_columns.sql")
REVISIONS = load_sql("sql/signal_revision_read.sql")
SIGNALS = load_sql("sql/signal_read.sql")
OUTCOMES = load_sql("sql/signal_outcome_read.sql")
SESSIONS = load_sql("sql/session_list.sql")
PREVIOUS = load_sql("sql/previous_session.sql")
EXTENT = load_sql("sql/candle_extent.sql")


class Span(NamedTuple):
    """The times [start, stop), in UTC."""

    start: datetime
    stop: datetime


EVER = Span(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


class CandleColumns(NamedTuple):
    """One symbol's candles: `{minutes, t, o, h, l, c, v, oi, final, k}` as JSON text."""

    symbol: str
    minutes: int
    columns: str


class BuildUpColumns(NamedTuple):
    """One symbol's build-ups: `{t, close, oi, oi_change, volume, label, k}` as JSON text."""

    symbol: str
    columns: str


class ShownSignal(Signal):
    """A stored signal with what its contract's greeks were, as known with it; None if not."""

    iv: float | None = None
    delta: float | None = None

    @classmethod
    def of(cls, *values: Any) -> Self:
        """Return the signal of a query's row, whose last two columns are its greeks."""
        shown = cls._make(values[:-2])
        shown.iv, shown.delta = values[-2:]
        return shown


class Outcome(NamedTuple):
    """What became of a signal within a horizon (0: the session's end); points of premium."""

    signal_id: UUID
    horizon_minutes: int
    entered_at: datetime | None
    entry_price: float | None
    exited_at: datetime | None
    exit_price: float | None
    gross_points: float | None
    costs_points: float | None
    mfe_points: float | None
    mae_points: float | None
    return_points: float
    hit: bool
    exit_reason: str
    lot_size: int | None


class PreviousSession(NamedTuple):
    """What a symbol did in its last stored session before another."""

    symbol: str
    session: date
    open: float
    high: float
    low: float
    close: float


class StoredSession(NamedTuple):
    """Numbers of stored rows of one underlying and trading date."""

    underlying: str
    session: date
    candles: int
    build_ups: int
    signals: int


async def read_candles(
    connection: AsyncConnection[Any],
    symbols: Sequence[str],
    span: Span,
    minutes: int = 1,
    *,
    only_final: bool = False,
) -> list[CandleColumns]:
    """Return the candles of each symbol that has any.

    Args:
        connection: Its snapshot counts.
        symbols: Which instruments.
        span: Candles that start in it.
        minutes: 1 for the finest stored interval of each session, else the width of the buckets
            built from it, from the session's open on; what is wider stays as it is.
        only_final: Leave out rows that still form.
    """
    parameters = {
        "symbols": list(symbols),
        **span._asdict(),
        "only_final": only_final,
        "width": minutes,
    }
    async with connection.cursor(row_factory=class_row(CandleColumns)) as cursor:
        await cursor.execute(CANDLES if minutes == 1 else BUCKETS, parameters)
        return await cursor.fetchall()


async def read_build_ups(
    connection: AsyncConnection[Any], symbols: Sequence[str], span: Span
) -> list[BuildUpColumns]:
    """Return the build-ups of each symbol that has any."""
    async with connection.cursor(row_factory=class_row(BuildUpColumns)) as cursor:
        await cursor.execute(BUILD_UPS, {"symbols": list(symbols), **span._asdict()})
        return await cursor.fetchall()


async def read_signals(
    connection: AsyncConnection[Any],
    underlying: str,
    span: Span,
    strategy: str | None = None,
    version: str | None = None,
) -> list[ShownSignal]:
    """Return signals by the end of their interval, oldest first, withdrawn ones included."""
    parameters = {
        "underlying": underlying,
        **span._asdict(),
        "strategy": strategy,
        "version": version,
    }
    async with connection.cursor(row_factory=args_row(ShownSignal.of)) as cursor:
        await cursor.execute(SIGNALS, parameters)
        return await cursor.fetchall()


async def read_revisions(
    connection: AsyncConnection[Any], signal_id: UUID
) -> list[tuple[ShownSignal, datetime]] | None:
    """Return a signal as it was before each correction, oldest first, and when it was replaced.

    Their greeks are not kept. None where there is no such signal.
    """
    cursor = await connection.execute(REVISIONS, {"signal_id": signal_id})
    rows = await cursor.fetchall()
    return [(ShownSignal(*row[:-1]), row[-1]) for row in rows if row[0]] if rows else None


async def read_outcomes(
    connection: AsyncConnection[Any], signal_ids: Sequence[UUID]
) -> dict[UUID, list[Outcome]]:
    """Return the stored outcomes of signals, shortest horizon first."""
    found: dict[UUID, list[Outcome]] = {}
    async with connection.cursor(row_factory=class_row(Outcome)) as cursor:
        await cursor.execute(OUTCOMES, {"signal_ids": list(signal_ids)})
        for outcome in await cursor.fetchall():
            found.setdefault(outcome.signal_id, []).append(outcome)
    return found


async def read_sessions(
    connection: AsyncConnection[Any], underlyings: Sequence[str]
) -> list[StoredSession]:
    """Return the stored sessions, newest first."""
    async with connection.cursor(row_factory=class_row(StoredSession)) as cursor:
        await cursor.execute(SESSIONS, {"underlyings": list(underlyings)})
        return await cursor.fetchall()


async def read_previous(
    connection: AsyncConnection[Any],
    symbols: Sequence[str],
    before: datetime,
    *,
    only_final: bool = False,
) -> list[PreviousSession]:
    """Return the last session before a time of each symbol that has any, its finest candles'."""
    parameters = {"symbols": list(symbols), "before": before, "only_final": only_final}
    async with connection.cursor(row_factory=class_row(PreviousSession)) as cursor:
        await cursor.execute(PREVIOUS, parameters)
        return await cursor.fetchall()


async def read_extent(
    connection: AsyncConnection[Any], underlying: str, span: Span = EVER
) -> tuple[datetime, datetime] | None:
    """Return the starts of an underlying's first and last candle in a span; None without any."""
    cursor = await connection.execute(EXTENT, {"underlying": underlying, **span._asdict()})
    row = await cursor.fetchone()
    return (row[0], row[1]) if row and row[0] is not None else None
