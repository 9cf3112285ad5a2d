"""Rows in the order in which they became known."""

from collections.abc import Sequence
from datetime import date
from heapq import merge
from operator import attrgetter
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from db.connection import load_sql
from db.history import Span, read_signals
from db.rows import BuildUp, Candle, Signal

CANDLES = load_sql("sql/replay_candles.sql")
BUILD_UPS = load_sql("sql/replay_build_ups.sql")
SESSIONS = load_sql("sql/session_dates.sql")

_known_at = attrgetter("known_at")


async def read_session_dates(
    connection: AsyncConnection[Any], underlying: str, span: Span
) -> list[date]:
    """Return the IST dates with candles in a span, ascending."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(SESSIONS, {"underlying": underlying, **span._asdict()})
        return await cursor.fetchall()


async def read_known_rows(
    connection: AsyncConnection[Any],
    underlying: str,
    span: Span,
    symbols: Sequence[str] | None = None,
) -> list[Candle | BuildUp | Signal]:
    """Return final candles, build-ups and signals of a span by `known_at`.

    Args:
        connection: Its snapshot counts.
        underlying: Whose rows.
        span: Of open times; of event times for signals, which all come.
        symbols: Only candles and build-ups of these.
    """
    parameters = {
        "underlying": underlying,
        **span._asdict(),
        "symbols": list(symbols) if symbols is not None else None,
    }
    async with connection.cursor(row_factory=class_row(Candle), binary=True) as cursor:
        await cursor.execute(CANDLES, parameters)
        candles = await cursor.fetchall()
    async with connection.cursor(row_factory=class_row(BuildUp), binary=True) as cursor:
        await cursor.execute(BUILD_UPS, parameters)
        build_ups = await cursor.fetchall()
    signals = await read_signals(connection, underlying, span)
    signals.sort(key=_known_at)
    # Stable: of what became known at once, candles come before what was made from them.
    return list(merge(candles, build_ups, signals, key=_known_at))
