"""Rows in the order in which they became known."""

from collections.abc import Sequence
from datetime import date, datetime
from heapq import merge
from operator import attrgetter
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from db.pages.history import ShownSignal, Span, read_signals
from db.server.connection import load_sql
from db.writing.rows import BuildUp, Candle

CANDLES = load_sql("sql/replay_candles.sql")
BUILD_UPS = load_sql("sql/replay_build_ups.sql")
SESSIONS = load_sql("sql/session_dates.sql")
LISTED = load_sql("sql/listed_contracts.sql")
REVISED = load_sql("sql/revised_signals.sql")

# A session of a whole chain is tens of thousands of rows; other tasks run between the pieces.
PIECE_ROWS = 1_000

KnownRow = Candle | BuildUp | ShownSignal
Row = TypeVar("Row", Candle, BuildUp)

_known_at = attrgetter("known_at")


async def read_session_dates(
    connection: AsyncConnection[Any], underlying: str, span: Span
) -> list[date]:
    """Return the IST dates with candles in a span, ascending."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(SESSIONS, {"underlying": underlying, **span._asdict()})
        return await cursor.fetchall()


async def read_listed(
    connection: AsyncConnection[Any], underlying: str, sessions: Sequence[date]
) -> dict[date, dict[date, list[int]]]:
    """Return the contracts that were known in each session: strikes, ascending, by expiry."""
    cursor = await connection.execute(
        LISTED, {"underlying": underlying, "sessions": list(sessions)}
    )
    found: dict[date, dict[date, list[int]]] = {}
    for session, expiry, strikes in await cursor.fetchall():
        found.setdefault(session, {})[expiry] = strikes
    return found


async def read_revised(
    connection: AsyncConnection[Any], underlying: str, span: Span
) -> list[tuple[ShownSignal, datetime]]:
    """Return a span's signals as they were before each correction, and when it counted."""
    cursor = await connection.execute(REVISED, {"underlying": underlying, **span._asdict()})
    return [(ShownSignal(*row[:-1]), row[-1]) for row in await cursor.fetchall()]


async def read_known_rows(
    connection: AsyncConnection[Any],
    underlying: str,
    span: Span,
    symbols: Sequence[str] | None = None,
) -> list[KnownRow]:
    """Return final candles, build-ups and signals of a span by `known_at`.

    Args:
        connection: In a transaction; its snapshot counts.
        underlying: Whose rows.
        span: Of open times; of event times for signals, which all come.
        symbols: Only candles and build-ups of these.
    """
    parameters = {
        "underlying": underlying,
        **span._asdict(),
        "symbols": list(symbols) if symbols is not None else None,
    }
    candles = await _in_pieces(connection, Candle, CANDLES, parameters)
    build_ups = await _in_pieces(connection, BuildUp, BUILD_UPS, parameters)
    signals = await read_signals(connection, underlying, span)
    signals.sort(key=_known_at)
    # Stable: of what became known at once, candles come before what was made from them.
    return list(merge(candles, build_ups, signals, key=_known_at))


async def _in_pieces(
    connection: AsyncConnection[Any], kind: type[Row], query: bytes, parameters: dict[str, Any]
) -> list[Row]:
    rows: list[Row] = []
    async with connection.cursor("replay", binary=True, row_factory=class_row(kind)) as cursor:
        await cursor.execute(query, parameters)
        while piece := await cursor.fetchmany(PIECE_ROWS):
            rows += piece
    return rows
