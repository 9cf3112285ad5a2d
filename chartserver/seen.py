"""Everything that is looked at every two seconds, read in one snapshot."""

from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from chartserver.parameters import ist_day
from db.market.calendar import read_overrides_async
from db.pages.feed_faults import FeedFault, read_failing
from db.pages.freshness import Freshness, read_freshness
from db.pages.held_back import HeldBack, read_held_back
from db.pages.loss_limit import Reached, read_reached
from db.pages.operations import Operations, read_operations
from db.pages.switched_off import SwitchedOff, read_switched_off
from strategy.contract import UNDERLYINGS
from strategy.session import session_of, use_overrides


class Seen(NamedTuple):
    """What the database says of the market, the sources and its own operation.

    Attributes:
        session: Whose requests and checks `operations` counts; None before anything was read.
        freshness: As of when the newest rows are, and the sources' states.
        reached: Strategies at their daily loss limit.
        held_back: Failing checks that hold signals back.
        switched_off: Strategies that are not computed.
        feed_faults: Parts of the feed that fail and are started again.
        operations: Requests, failing checks and whether a feed runs.
    """

    session: date | None
    freshness: Freshness
    reached: list[Reached]
    held_back: list[HeldBack]
    switched_off: list[SwitchedOff]
    feed_faults: list[FeedFault]
    operations: Operations


NOTHING = Seen(None, Freshness([], []), [], [], [], [], Operations([], {}, feed_running=False))


async def look(connection: AsyncConnection[Any], now: datetime) -> Seen:
    """Return what is to be seen at a market time; the calendar's overrides are in use after it."""
    use_overrides(await read_overrides_async(connection))
    session = session_of(now)
    return Seen(
        session,
        await read_freshness(connection, UNDERLYINGS),
        await read_reached(connection, UNDERLYINGS, ist_day(now), now),
        await read_held_back(connection, session),
        await read_switched_off(connection),
        await read_failing(connection),
        await read_operations(connection, session),
    )
