"""What signals of a range came to, beside random entries of the same sessions."""

from datetime import date
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import class_row

from db.pages.history import Span
from db.server.connection import load_sql
from db.writing.rows import Equity, SignalRejection, Split, Stats

VERSIONS = load_sql("sql/signal_version_list.sql")
STATS = load_sql("sql/signal_stats_read.sql")
SPLITS = load_sql("sql/signal_splits_read.sql")
EQUITY = load_sql("sql/signal_equity_read.sql")
RETURN_BINS = load_sql("sql/signal_return_bins.sql")
REJECTIONS = load_sql("sql/signal_rejection_read.sql")

# Sealed sessions have no outcomes; who reads statistics is told which are missing.
SEALED = """
select session from holdout
 where is_sealed(session)
   and (session + 1)::timestamp at time zone 'Asia/Kolkata' > %(start)s::timestamptz
   and session::timestamp at time zone 'Asia/Kolkata' < %(stop)s::timestamptz
 order by session
"""

# Widths of bins, in points: round numbers that people read an axis by.
STEPS = [factor * 10.0**power for power in range(-2, 6) for factor in (1.0, 2.0, 5.0)]
BINS_AT_MOST = 24


class Choice(NamedTuple):
    """Which signals are asked about; None means all."""

    underlying: str
    span: Span
    strategy: str | None = None
    version: str | None = None
    direction: str | None = None
    history: str = "corrected"
    fills: int = 1  # spreads in a round trip

    def parameters(self) -> dict[str, Any]:
        """Return query parameters."""
        values = self._asdict()
        return {**values.pop("span")._asdict(), **values}


class VersionCount(NamedTuple):
    """One strategy in one version: how many of its signals stand, how many were withdrawn."""

    strategy: str
    version: str
    signals: int
    withdrawn: int


class Bin(NamedTuple):
    """Numbers of returns from `bin * width` up to `(bin + 1) * width` points."""

    strategy: str
    version: str
    width: float
    bin: int
    signals: int
    random: int


class Rejections(NamedTuple):
    """The newest rejected candidates, newest first, of `total` that are stored."""

    total: int
    rows: list[SignalRejection]


async def read_versions(connection: AsyncConnection[Any], choice: Choice) -> list[VersionCount]:
    """Return the strategies and versions with signals in a range, whichever is chosen."""
    async with connection.cursor(row_factory=class_row(VersionCount)) as cursor:
        await cursor.execute(VERSIONS, choice.parameters())
        return await cursor.fetchall()


async def read_stats(connection: AsyncConnection[Any], choice: Choice) -> list[Stats]:
    """Return the statistics of a range by strategy, version and horizon, shortest first.

    Random entries are those that stand beside the chosen signals.
    """
    async with connection.cursor(row_factory=class_row(Stats)) as cursor:
        await cursor.execute(STATS, choice.parameters())
        return await cursor.fetchall()


async def read_sealed_sessions(connection: AsyncConnection[Any], choice: Choice) -> list[date]:
    """Return the sessions of a range that are sealed: only versions they were opened for count."""
    cursor = await connection.execute(SEALED, choice.parameters())
    return [row[0] for row in await cursor.fetchall()]


async def read_splits(
    connection: AsyncConnection[Any], choice: Choice, split: str, horizon: int
) -> list[Split]:
    """Return the parts of a range's entered signals by `time`, `expiry` or `volatility`."""
    async with connection.cursor(row_factory=class_row(Split)) as cursor:
        await cursor.execute(SPLITS, {**choice.parameters(), "split": split, "horizon": horizon})
        return await cursor.fetchall()


async def read_equity(
    connection: AsyncConnection[Any], choice: Choice, horizon: int
) -> list[Equity]:
    """Return what a range's entered signals came to by the end of each session."""
    async with connection.cursor(row_factory=class_row(Equity)) as cursor:
        await cursor.execute(EQUITY, {**choice.parameters(), "horizon": horizon})
        return await cursor.fetchall()


async def read_return_bins(
    connection: AsyncConnection[Any], choice: Choice, horizon: int
) -> list[Bin]:
    """Return how returns after costs at a horizon are distributed; only bins that hold any."""
    parameters = {
        **choice.parameters(), "horizon": horizon, "steps": STEPS, "bins": BINS_AT_MOST
    }  # fmt: skip
    async with connection.cursor(row_factory=class_row(Bin)) as cursor:
        await cursor.execute(RETURN_BINS, parameters)
        return await cursor.fetchall()


async def read_rejections(
    connection: AsyncConnection[Any], choice: Choice, limit: int
) -> Rejections:
    """Return rejected candidates of a range; they have no direction to choose by."""
    cursor = await connection.execute(REJECTIONS, {**choice.parameters(), "limit": limit})
    rows = await cursor.fetchall()
    return Rejections(rows[0][-1] if rows else 0, [SignalRejection(*row[:-1]) for row in rows])
