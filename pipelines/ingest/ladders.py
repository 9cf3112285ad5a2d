"""Strike ladders: each interval's once, when the source has it, within what a day allows.

A source counts requests, so that a ladder is asked for when it is due and not sooner, one that was
missed once more by its minute, and the first underlyings before the others.
"""

import logging
from datetime import date, datetime, timedelta

from db.market.ladder_asks import LadderAsks, ladder_asks, missed_snapshots
from pipelines.ingest.ask import Asked, ask
from pipelines.ingest.desk import Desk, Filled
from pipelines.ingest.plan import INTERVAL, interval_ends, may_ask
from pipelines.sources.errors import WrongTradingDate
from pipelines.sources.roles import ChainLadders, Ladder
from strategy.session import session_hours

logger = logging.getLogger(__name__)

# An interval that is not there yet is asked for again so much later, and so often at most.
AGAIN = timedelta(minutes=1)
TRIES = 3
# Until so long after the open a source may still answer for the session before.
FIRST_ROWS = timedelta(minutes=15)


async def ingest_ladders(
    desk: Desk, session: date, underlying: str, ladders: Filled[ChainLadders]
) -> Asked:
    """Ask for an underlying's ladders that are due and not stored.

    Raises:
        SourceError: The source does not answer, refuses, or answers with something else.
    """
    listed = desk.listed(session, underlying)
    newest = _newest_due(session, desk.now() - ladders.source.ladder_lag)
    if not listed or newest is None:
        return Asked()
    expiry = listed[0].expiry
    first = session_hours(session)[0] + INTERVAL
    missing = missed_snapshots(desk.connection, session, underlying, expiry, first, newest)
    before = LadderAsks(0, None)
    moments: list[datetime | None] = []
    if newest in missing:
        since = newest + ladders.source.ladder_lag
        name = ladders.source.name
        before = ladder_asks(desk.connection, session, name, underlying, newest, since)
        if not _is_time(before, desk.now()):
            return Asked()
        moments.append(None)  # the newest: as it is now
    if ladders.source.ladder_history:
        moments += [moment for moment in missing if moment != newest]
    asked = Asked()
    for moment in moments:
        again = moment is not None or before.number > 0
        if kept := _kept(desk, session, ladders, underlying, again=again):
            return asked._replace(unasked=(kept,))
        question = ladders.client.ladder(underlying, expiry, moment)
        asked = asked.plus(await ask(desk, session, ladders.source.name, question))
        if asked.ladder is None or not _goes_on(desk, session, underlying, asked.ladder, moment):
            break
    return asked


async def ask_now(
    desk: Desk, session: date, underlying: str, ladders: Filled[ChainLadders]
) -> Asked:
    """Ask for an underlying's ladder as it is now, due or not.

    Raises:
        WrongTradingDate: Another session's is answered, though this one's has been on for long.
        SourceError: The source does not answer, refuses, or answers with something else.
    """
    listed = desk.listed(session, underlying)
    if not listed:
        return Asked()
    question = ladders.client.ladder(underlying, listed[0].expiry, None)
    asked = await ask(desk, session, ladders.source.name, question)
    if asked.ladder is not None:
        _goes_on(desk, session, underlying, asked.ladder, None)
    return asked


def _goes_on(
    desk: Desk, session: date, underlying: str, ladder: Ladder, until: datetime | None
) -> bool:
    """Tell whether an answer is of a kind that further questions make sense."""
    if ladder.trading_date not in {None, session}:
        words = f"{underlying}: the source still answers for {ladder.trading_date}"
        if desk.now() >= session_hours(session)[0] + FIRST_ROWS:
            raise WrongTradingDate(words)
        logger.info(words)
        return False
    if until is not None and ladder.moment != until:
        logger.warning(
            "%s: the ladder of %s cannot be had any more, the source answers for %s",
            *(underlying, until, ladder.moment),
        )
        return False
    return True


def _newest_due(session: date, by: datetime) -> datetime | None:
    """Return the end of the newest interval that ended by a time; None before the first."""
    return max((end for end in interval_ends(session) if end <= by), default=None)


def _is_time(before: LadderAsks, now: datetime) -> bool:
    """Tell whether an interval that is not there yet may be asked for (again)."""
    if before.newest is None:
        return True
    return before.number < TRIES and now >= before.newest + AGAIN


def _kept(
    desk: Desk, session: date, ladders: Filled[ChainLadders], underlying: str, *, again: bool
) -> str | None:
    """Return for whom the rest of the day's allowance is kept; None where this may be asked."""
    left = desk.left(ladders.source.name)
    by = desk.now() - ladders.source.ladder_lag
    ahead = sum(1 for end in interval_ends(session) if end > by)
    names = desk.settings.underlyings
    place = names.index(underlying)
    if may_ask(left, ahead, place, len(names), again=again):
        return None
    others = "later intervals" if again else ", ".join(names[:place]) or "later intervals"
    return (
        f"{underlying}: {left} of {ladders.source.name}'s requests are left today, kept for"
        f" {others}"
    )
