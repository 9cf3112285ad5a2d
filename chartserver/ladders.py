"""The strike ladders that clients watch: which strikes changed, and the events that say so.

The log names what changed; the rows are read as `/api/chain` reads them, in the snapshot of the
log's page. What no entry tells is that time passes: rows that are stored and not yet known, a later
session that begins. `due` is the moment from which a ladder has to be read whole for that reason.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any

from psycopg import AsyncConnection

from chartserver.frames import event
from chartserver.parameters import ist_day
from chartserver.rungs import Picture, head_object, row_objects
from db.pages.chain import Ladder, Rung, read_due, read_ladder, read_spot
from db.pages.change_log import Cursor, Touch
from db.pages.history import EVER, Span, read_extent
from strategy.clock import MarketClock
from strategy.contract import future_symbol, parse_symbol

AN_INSTANT = timedelta(microseconds=1)

_parse = lru_cache(maxsize=10_000)(parse_symbol)


class _Watched:
    """One ladder as it was read last, and what changed since."""

    def __init__(self, ladder: Ladder) -> None:
        self.clients = 0
        self.day: Span | None = None  # none before it was read
        self.rungs: dict[int, list[Rung]] = {}
        self.due: datetime | None = None
        self.dirty: set[int] = set()
        self.moved = False  # what stands above the rows, at least
        self.anew = False
        self._ladder = ladder
        self._places_atm = {ladder.underlying, future_symbol(ladder.underlying)}

    def mark(self, touch: Touch, at: datetime) -> None:
        """Note what an entry of the log changes."""
        if self.day and touch.relation != "contract":  # which are shown whatever the session
            if touch.moment < self.day.start:
                return
            if touch.moment >= self.day.stop:
                if touch.relation == "candle":
                    self.anew |= touch.moment < at
                    self._expect(touch.moment + AN_INSTANT, at)
                return
        contract = _parse(touch.symbol)
        if contract and contract[:2] == self._ladder:
            self.dirty.add(contract.strike)
        elif touch.symbol in self._places_atm:
            self.moved = True
        else:
            return
        if touch.known_at:
            self._expect(touch.known_at, at)

    def _expect(self, moment: datetime, at: datetime) -> None:
        if moment > at:
            self.due = min(moment, self.due or moment)

    def is_stale(self, at: datetime) -> bool:
        """Whether there is something to tell at a time."""
        self.anew |= self.due is not None and self.due <= at
        return self.anew or self.moved or bool(self.dirty)

    def take(self, day: Span, rungs: Iterable[Rung], at: datetime, due: datetime | None) -> None:
        """Keep the whole ladder as read at a time."""
        self.day, self.anew = day, False
        self.rungs = _by_strike(rungs)
        self.due = min(
            (moment for moment in (self.due, due) if moment and moment > at), default=None
        )

    def all_rungs(self) -> list[Rung]:
        """Return what was read last, by strike."""
        return [rung for strike in sorted(self.rungs) for rung in self.rungs[strike]]


class Ladders:
    """The hub's ladders; one task marks and reads, any may watch."""

    def __init__(self, clock: MarketClock) -> None:
        self._clock = clock
        self._watched: dict[Ladder, _Watched] = {}

    def __bool__(self) -> bool:
        return bool(self._watched)

    @contextmanager
    def watched(self, ladders: Sequence[Ladder]) -> Iterator[None]:
        """Follow ladders for one more client, from now on: then it may read them whole."""
        for ladder in ladders:
            self._watched.setdefault(ladder, _Watched(ladder)).clients += 1
        try:
            yield
        finally:
            for ladder in ladders:
                self._watched[ladder].clients -= 1
                if not self._watched[ladder].clients:
                    del self._watched[ladder]

    def forget(self) -> None:
        """Read all ladders whole at the next look: what changed meanwhile is not known."""
        for watched in self._watched.values():
            watched.anew = True

    def mark(self, touched: Sequence[Touch]) -> None:
        """Note what entries of the log change."""
        at = self._clock.now()
        for ladder, watched in self._watched.items():
            for touch in touched:
                if touch.underlying == ladder.underlying:
                    watched.mark(touch, at)

    async def read(self, connection: AsyncConnection[Any], cursor: Cursor) -> dict[Ladder, bytes]:
        """Return the events of ladders that changed.

        Args:
            connection: In the snapshot of the page that was marked.
            cursor: The event's id, where the page ends.
        """
        at = self._clock.now()
        stale = [pair for pair in self._watched.items() if pair[1].is_stale(at)]
        pictures: dict[str, Picture] = {}
        events: dict[Ladder, bytes] = {}
        for ladder, watched in stale:
            name = ladder.underlying
            if name not in pictures:
                pictures[name] = await read_picture(connection, name, at)
            found = await _renewed(connection, ladder, watched, pictures[name], at)
            events[ladder] = event("ladder", found, cursor)
        return events

    async def whole(
        self, connection: AsyncConnection[Any], ladders: Sequence[Ladder]
    ) -> list[dict[str, Any]]:
        """Return ladders as the snapshot of a connection has them; keep what was not read yet."""
        at = self._clock.now()
        objects = []
        for ladder in ladders:
            picture = await read_picture(connection, ladder.underlying, at)
            rungs = await read_ladder(connection, ladder, picture.day, at)
            objects.append(_object(ladder, picture, at, rungs, rungs, whole=True))
            watched = self._watched.get(ladder)
            if watched and watched.day is None:
                due = await read_due(connection, ladder, picture.day, at)
                if watched.day is None:
                    watched.take(picture.day, rungs, at, due)
        return objects


async def read_picture(connection: AsyncConnection[Any], underlying: str, at: datetime) -> Picture:
    """Return what ladders of an underlying are read against at a time."""
    # The last session that had begun by then: before an open, the ladder stands as it closed.
    extent = await read_extent(connection, underlying, Span(EVER.start, at))
    day = ist_day(extent[1] if extent else at)
    names = (underlying, future_symbol(underlying))
    return Picture(day, await read_spot(connection, names, day, at=at))


async def _renewed(
    connection: AsyncConnection[Any],
    ladder: Ladder,
    watched: _Watched,
    picture: Picture,
    at: datetime,
) -> dict[str, Any]:
    """Read what changed, or all where that is not known; return the event's object."""
    whole = watched.anew or picture.day != watched.day
    strikes = None if whole else sorted(watched.dirty)
    rungs = [] if strikes == [] else await read_ladder(connection, ladder, picture.day, at, strikes)
    if whole:
        due = await read_due(connection, ladder, picture.day, at)
        watched.take(picture.day, rungs, at, due)
    else:
        watched.rungs |= _by_strike(rungs)
    watched.dirty.clear()
    watched.moved = False
    return _object(ladder, picture, at, watched.all_rungs(), rungs, whole=whole)


def _object(
    ladder: Ladder,
    picture: Picture,
    at: datetime,
    rungs: Sequence[Rung],
    shown: Iterable[Rung],
    *,
    whole: bool,
) -> dict[str, Any]:
    head = head_object(*ladder, picture, at, rungs)
    return {**head, "whole": whole, "rows": row_objects(shown)}


def _by_strike(rungs: Iterable[Rung]) -> dict[int, list[Rung]]:
    return {strike: list(group) for strike, group in groupby(rungs, attrgetter("strike"))}
