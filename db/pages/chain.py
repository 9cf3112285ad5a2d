"""Which contracts there were, and the strike ladder as it was known at a time."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from db.pages.history import Span
from db.server.connection import load_sql

EXPIRIES = load_sql("sql/expiry_list.sql")
STRIKES = load_sql("sql/strike_list.sql")
SPOT_FIRST = load_sql("sql/spot_first.sql")
SPOT_LAST = load_sql("sql/spot_last.sql")
KNOWN = load_sql("sql/symbol_known.sql")
LADDER = load_sql("sql/ladder_read.sql")
DUE = load_sql("sql/ladder_due.sql")


class Spot(NamedTuple):
    """A price that places ATM, with the instrument it is of and who reported it."""

    symbol: str
    price: float
    source: str


class Ladder(NamedTuple):
    """Which strike ladder."""

    underlying: str
    expiry: date


class Rung(NamedTuple):
    """One contract of the ladder; open interest in units.

    The price is as of `price_ended_at` and became known at `price_at`, from a `candle` or a
    `build_up`. The open interest is as of `oi_at`, its `oi_change` since the last session. The
    label and `oi_change_5m` are of the last 5 minutes of the grid that had ended by `oi_at`, which
    `label_at` names; None while they are unknown. The greeks are those of the newest interval that
    has any, which ended at `greeks_at`.
    """

    strike: int
    option_type: str
    symbol: str
    price: float | None
    price_at: datetime | None
    price_ended_at: datetime | None
    price_from: str | None
    label: str | None
    label_at: datetime | None
    oi_change_5m: int | None
    open_interest: int | None
    oi_at: datetime | None
    oi_change: int | None
    implied_volatility: float | None
    delta: float | None
    gamma: float | None
    theta: float | None
    vega: float | None
    forward: float | None
    forward_source: str | None
    greeks_at: datetime | None


async def read_expiries(
    connection: AsyncConnection[Any], underlying: str, session: date, span: Span
) -> list[date]:
    """Return expiries on or after a session with contracts of that session, nearest first.

    Args:
        connection: Its snapshot counts.
        underlying: Whose contracts.
        session: Contracts listed on that date count,
        span: and those with candles in it.
    """
    async with connection.cursor(row_factory=scalar_row) as cursor:
        parameters = {"underlying": underlying, "session": session, **span._asdict()}
        await cursor.execute(EXPIRIES, parameters)
        return await cursor.fetchall()


async def read_strikes(
    connection: AsyncConnection[Any], underlying: str, expiry: date
) -> list[int]:
    """Return the listed strikes of one expiry, ascending; empty if it is not listed."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(STRIKES, {"underlying": underlying, "expiry": expiry})
        return await cursor.fetchall()


async def read_spot(
    connection: AsyncConnection[Any],
    symbols: Sequence[str],
    span: Span,
    *,
    first: bool = False,
    at: datetime | None = None,
) -> Spot | None:
    """Return the opening or last price of the first of the symbols that has any in the span.

    Args:
        connection: Its snapshot counts.
        symbols: In order of preference.
        span: Where to look.
        first: The opening price instead of the last one.
        at: For the last price, only what was known then.
    """
    async with connection.cursor(row_factory=class_row(Spot)) as cursor:
        parameters = {"symbols": list(symbols), **span._asdict(), "at": at}
        await cursor.execute(SPOT_FIRST if first else SPOT_LAST, parameters)
        return await cursor.fetchone()


async def read_known(
    connection: AsyncConnection[Any], underlying: str, symbols: Sequence[str]
) -> set[str]:
    """Return those of the symbols that belong to the underlying and are stored."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(KNOWN, {"underlying": underlying, "symbols": list(symbols)})
        return set(await cursor.fetchall())


async def read_ladder(
    connection: AsyncConnection[Any],
    ladder: Ladder,
    span: Span,
    at: datetime,
    strikes: Sequence[int] | None = None,
) -> list[Rung]:
    """Return a ladder as known at a time; strikes ascend, call before put.

    Args:
        connection: Its snapshot counts.
        ladder: Which one.
        span: The session whose rows count.
        at: Only what was known then.
        strikes: Only these.
    """
    parameters = {**ladder._asdict(), **span._asdict(), "at": at}
    chosen = list(strikes) if strikes is not None else None
    async with connection.cursor(row_factory=class_row(Rung)) as cursor:
        await cursor.execute(LADDER, {**parameters, "strikes": chosen})
        return await cursor.fetchall()


async def read_due(
    connection: AsyncConnection[Any], ladder: Ladder, span: Span, at: datetime
) -> datetime | None:
    """Return when a ladder that was read at a time shows more without a write; None for never."""
    parameters = {**ladder._asdict(), **span._asdict(), "at": at}
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(DUE, parameters)
        return await cursor.fetchone()
