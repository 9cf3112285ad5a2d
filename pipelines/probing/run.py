"""A first contact with all sources at the same time: one that fails takes nothing from others."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from psycopg import Connection

from pipelines.known_sources import KNOWN
from pipelines.probing.contact import Contact
from pipelines.probing.outcome import Outcome, Outcomes
from pipelines.probing.times import times_at
from pipelines.settings import Settings
from pipelines.sources.declaration import Office


async def probe(
    names: tuple[str, ...],
    settings: Settings,
    connection: Connection[Any] | None,
    done: Callable[[int], None] = lambda _count: None,
) -> Outcomes:
    """Ask all sources and return what came, in the order of the names.

    Args:
        names: Of the sources.
        settings: Of this installation; the first of its underlyings is asked for.
        connection: Where all processes share the sources' budgets; None where there is none.
        done: Told how many sources are through.

    Raises:
        CalendarUnknownError: The calendar does not cover today or the next session.
    """
    times = times_at(settings.clock.now())
    underlying = settings.underlyings[0]
    through = 0

    async def one(name: str) -> Outcome:
        nonlocal through
        office = Office(settings, settings.clock, connection, _recall_nothing)
        outcome = await Contact(KNOWN[name], office, times, underlying).make()
        through += 1
        done(through)
        return outcome

    return Outcomes(times, underlying, list(await asyncio.gather(*map(one, names))))


def _recall_nothing(_about: Mapping[str, Any]) -> bytes | None:
    """Return no earlier answer: a first contact is with the source itself."""
    return None
