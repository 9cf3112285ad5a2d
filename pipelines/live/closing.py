"""What is left to do when a session is over: at its close, or at the next start.

A feed may be killed at any moment, and Dagster need not run. So what was done is noted when it is
done, and whatever starts next looks for what is not.
"""

import asyncio
import logging
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

from db.archive.raw_payloads import seal_parts
from db.market.frames import Range
from db.pages.closed_sessions import close, log_state, reopen, unclosed
from pipelines.ingest.candles import CandleReport, ingest_candles
from pipelines.ingest.desk import Desk
from pipelines.ingest.heal import heal
from pipelines.ingest.positions import ingest_positions
from pipelines.live.aside import Aside
from pipelines.live.place import compute_session
from pipelines.sources.errors import SessionGone, SourceError
from strategy.errors import CalendarUnknownError
from strategy.session import is_session, previous_session, session_hours, session_of

logger = logging.getLogger(__name__)

LATE = timedelta(minutes=22)  # by then everything of the session can be asked for once more
LOOKED_BACK = 3  # sessions, as many as Dagster makes up a closing run for


def left_unclosed(desk: Desk) -> list[date]:
    """Return the last finished sessions whose closing work was begun nowhere, or not ended."""
    names = desk.settings.underlyings
    finished = {day: Range(day, day).parameters(names) for day in _finished(desk)}
    return unclosed(desk.connection, finished)


def _finished(desk: Desk) -> Iterator[date]:
    now = desk.now()
    day = session_of(now)
    if is_session(day) and now >= session_hours(day)[1] + LATE:
        yield day
    for _ in range(LOOKED_BACK):
        try:
            day = previous_session(day)
        except CalendarUnknownError:  # the calendar begins here
            return
        yield day


async def close_session(desk: Desk, session: date, aside: Aside) -> None:
    """Heal a finished session, then compute all that follows from its rows.

    What stays missing is the checks' to report. It is done when nothing is left that could be
    asked for again.
    """
    reopen(desk.connection, session)
    # On a connection of its own and for seconds: who asks us to stop is heard meanwhile.
    await asyncio.to_thread(heal, desk, session, always=True)
    whole = True
    # Candles are of the contracts that positions list, and these lie around candles' prices.
    for ingest in (ingest_positions, ingest_candles, ingest_positions):
        try:
            report = await ingest(desk, session)
            if isinstance(report, CandleReport) and report.fault:
                whole = False
                logger.warning("session %s not healed: %s", session, report.fault)
        except SessionGone as error:
            logger.warning("%s", error)
        except SourceError as error:
            whole = False
            logger.warning("session %s not healed: %s", session, error)
    seal_parts(desk.connection, session)
    log = log_state(desk.connection)
    settings = desk.settings
    work = partial(compute_session, session, settings.underlyings, desk.now(), settings.clock.speed)
    if await aside.do(work) and whole:
        close(desk.connection, session, desk.now(), log)
