"""The question whether candles form, on the kind of connection that the live feed has."""

import asyncio
from collections.abc import AsyncGenerator

from pipelines.probing.visit import Visit
from pipelines.sources.errors import SourceUnavailable
from pipelines.sources.probe import Finding
from pipelines.sources.roles import StreamSession
from pipelines.sources.series import BarUpdate

ROLE = "stream"
BARS = 10
# Seconds of this computer. An index moves every second while the market is open.
PATIENCE = 10.0
STEP = 0.05
SILENT = "look whether the token has ended, and whether the source's own page moves"


async def ask_stream(visit: Visit) -> AsyncGenerator[Finding, None]:
    """Follow the index for a moment.

    Raises:
        SourceError: There is no connection, or no series on it.
    """
    if visit.opened.stream is None:
        return
    async with visit.opened.stream.connect() as session:
        await session.watch(visit.underlying)
        visit.keep_history(await session.subscribe(visit.underlying, 1, BARS))
        change = asyncio.create_task(_first_change(session))
        try:
            moved = await _listen(visit, session, change)
        finally:
            change.cancel()
        session.note_delay()
        visit.told_by = session.delay_told_by
        if session.failure is not None and not moved:
            raise session.failure
    if moved:
        yield Finding("candles as they form", "ok", f"{visit.underlying} moves", role=ROLE)
    elif visit.times.is_open:
        found = f"{visit.underlying} did not move for {PATIENCE:g} s in an open market"
        yield Finding("candles as they form", "warning", found, SILENT, ROLE)
    else:
        found = f"{visit.underlying} can be followed; whether it moves is not to be seen now:"
        found += f" {visit.times.closed_note}"
        yield Finding("candles as they form", "unseen", found, role=ROLE)


async def _first_change(session: StreamSession) -> BarUpdate:
    async for update in session.updates():
        return update
    raise SourceUnavailable("the stream ended")


async def _listen(visit: Visit, session: StreamSession, change: asyncio.Task[BarUpdate]) -> bool:
    """Return whether something moved; until then, and until the delay is told, be patient."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while loop.time() < until and session.failure is None:
        moved = change.done() or not visit.times.is_open
        if moved and session.delay_seconds is not None:
            break
        await asyncio.sleep(STEP)
    return change.done() and not change.cancelled() and change.exception() is None
