"""Whole sessions brought up to date one after the other, for the command line."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from db.market.frames import Range
from pipelines.ingest.candles import CandleReport, ingest_candles
from pipelines.ingest.desk import Desk, open_desk
from pipelines.ingest.heal import heal
from pipelines.ingest.missing import Missing, still_missing
from pipelines.ingest.positions import PositionReport, ingest_positions
from pipelines.settings import Settings
from pipelines.signals.greeks import materialise_greeks
from pipelines.signals.materialise import Materialised, materialise_signals
from pipelines.sources.errors import SourceError


class Ingested(NamedTuple):
    """What was done for one session, and what could not be."""

    session: date
    from_archive: int
    candles: CandleReport
    positions: PositionReport
    signals: int
    missing: Missing
    problems: list[str]

    @property
    def line(self) -> str:
        """One line for a person."""
        done = (
            f"{self.session}: {self.from_archive} rows from the archive; from the sources"
            f" {self.candles.rows} candles and {self.positions.build_ups} build-ups;"
            f" {self.signals} signals new or changed"
        )
        missing = self.missing.line
        return "; ".join([done, *([missing] if missing else []), *self.problems])

    @property
    def whole(self) -> bool:
        """Whether nothing failed, and candles and build-ups are there; ladders only help to it."""
        return not (self.problems or self.missing.candles or self.missing.build_ups)

    def as_dict(self) -> dict[str, Any]:
        """Return everything for a program to read."""
        return {
            **self._asdict(),
            "candles": self.candles._asdict(),
            "positions": self.positions._asdict(),
            "missing": self.missing._asdict(),
        }


def ingest_sessions(dsn: str, sessions: Sequence[date]) -> Iterator[Ingested]:
    """Bring sessions up to date, one after the other; what is stored already costs nothing.

    Args:
        dsn: The database, instead of the one that the settings name.
        sessions: Which.
    """
    settings = Settings(database_url=dsn)
    for session in sessions:
        yield asyncio.run(_ingest(settings, session))


async def _ingest(settings: Settings, session: date) -> Ingested:
    async with open_desk(settings) as desk:
        filled = heal(desk, session, always=True)
        problems: list[str] = []
        candles, positions = CandleReport(0, 0, {}), PositionReport()
        # Contracts tell whose candles to fetch, and candles whose positions.
        if not all(desk.listed(session, underlying) for underlying in settings.underlyings):
            positions = await _positions(desk, session, problems)
        try:
            candles = await ingest_candles(desk, session)
        except SourceError as error:
            problems.append(f"candles: {error}")
        more = await _positions(desk, session, problems)
        positions = positions.plus(more)
        problems += [f"{symbol}: {reason}" for symbol, reason in candles.failures.items()]
        stored = _signals(desk, session)
        problems += [
            f"signals held back, these checks fail: {', '.join(checks)}"
            for checks in stored.blocked.values()
        ]
        problems += positions.unasked
        told = list(dict.fromkeys(problems))
        missing = still_missing(desk, session)
        return Ingested(session, filled, candles, positions, stored.written, missing, told)


async def _positions(desk: Desk, session: date, problems: list[str]) -> PositionReport:
    try:
        return await ingest_positions(desk, session)
    except SourceError as error:
        problems.append(f"positions: {error}")
        return PositionReport()


def _signals(desk: Desk, session: date) -> Materialised:
    underlyings, sessions = desk.settings.underlyings, Range(session, session)
    materialise_greeks(desk.connection, sessions, underlyings)
    return materialise_signals(desk.connection, sessions, underlyings, desk.now())
