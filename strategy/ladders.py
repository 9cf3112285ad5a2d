"""Listed contracts: the nearest expiry's ladder as it was known at each moment of a session.

A contract counts from the moment it was first known; those of earlier sessions count from the
start. So what is listed during a session changes nothing before.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from strategy.frames import NO_TIME, CheckedFrame, Flags, Ints, microseconds, runs

OPTION_TYPES = ("C", "P")
LISTED_COLUMNS = ("underlying", "expiry", "strike", "option_type", "first_seen", "listed_at")

_NEVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Ladder:
    """The contracts of the nearest expiry that are known from a moment on.

    Attributes:
        since: The moment, in microseconds UTC; `NO_TIME` if from the session's start.
        expiry: The nearest of those known.
        strikes: Of its known contracts, ascending, each once.
        known: Of each strike whether its call is known, and whether its put is.
    """

    since: int
    expiry: date
    strikes: Ints
    known: Flags

    @cached_property
    def contracts(self) -> frozenset[tuple[int, str]]:
        """Strike and type of each known contract."""
        places, sides = np.nonzero(self.known)
        strikes = self.strikes[places].tolist()
        return frozenset(
            (strike, OPTION_TYPES[side])
            for strike, side in zip(strikes, sides.tolist(), strict=True)
        )


class _Expiry:
    """The contracts of one expiry, ascending by strike and type."""

    def __init__(self, day: date, strikes: Ints, sides: Ints, seen: Ints, listed: Ints) -> None:
        self.day = day
        self.strikes, self.sides, self.seen, self.listed = strikes, sides, seen, listed
        self.first, self.latest = int(seen.min()), int(seen.max())

    @cached_property
    def whole(self) -> Ladder:
        """All of them, known from a session's start on."""
        return self.ladder(NO_TIME, np.ones(len(self.strikes), dtype=bool))

    @cached_property
    def earliest(self) -> int:
        """When the first of them was known, on the day on which it was listed."""
        return int(self.since(self.first).min())

    def since(self, day: int) -> Ints:
        """Return from when on each is known in a session, given as an ordinal."""
        known = np.where(self.listed == NO_TIME, _NEVER, self.listed)
        since: Ints = np.where(self.seen < day, NO_TIME, np.where(self.seen > day, _NEVER, known))
        return since

    def ladder(self, since: int, chosen: Flags) -> Ladder:
        """Return the ladder of the chosen ones, of which there is one at least."""
        strikes, sides = self.strikes[chosen], self.sides[chosen]
        other = np.append(True, strikes[1:] != strikes[:-1])
        known = np.zeros((np.count_nonzero(other), len(OPTION_TYPES)), dtype=bool)
        known[np.cumsum(other) - 1, sides] = True
        return Ladder(since, self.day, strikes[other], known)


class Ladders:
    """The ladders of a frame of listed contracts; the same one twice counts from the earlier.

    Args:
        contracts: underlying, expiry, strike, option_type ('C', 'P'), first_seen: the first session
            it was listed in, listed_at: when it was first known; where that is null the contract
            counts from the session after its first.

    Raises:
        FrameContractError: A column is absent, or holds nulls or values of a wrong kind.
    """

    def __init__(self, contracts: pd.DataFrame) -> None:
        frame = CheckedFrame(contracts, "contracts", LISTED_COLUMNS)
        underlyings, expiries = frame.texts("underlying"), frame.dates("expiry")
        kinds, days = frame.texts("option_type", OPTION_TYPES), frame.dates("first_seen")
        strikes = frame.integers("strike")
        frame.refuse("strike", strikes <= 0, "not above zero")
        sides = np.array([kind == "P" for kind in kinds.distinct], dtype=np.int64)[kinds.small]
        seen = np.array([day.toordinal() for day in days.distinct], dtype=np.int64)[days.small]
        listed = frame.instants("listed_at", optional=True)
        keys = underlyings.small, expiries.small, strikes, sides
        # Of the same contract the earliest comes first; an unknown moment after all known ones.
        order = np.lexsort((np.where(listed == NO_TIME, _NEVER, listed), seen, *reversed(keys)))
        once = order[runs(*(key[order] for key in keys))[0]]
        found: dict[str, list[_Expiry]] = {name: [] for name in underlyings.distinct}
        for start, size in zip(*runs(*(key[once] for key in keys[:2])), strict=True):
            mine = once[start : start + size]
            name = underlyings.distinct[underlyings.small[mine[0]]]
            columns = (column[mine] for column in (strikes, sides, seen, listed))
            found[name].append(_Expiry(expiries.distinct[expiries.small[mine[0]]], *columns))
        self._expiries = {
            name: sorted(mine, key=lambda each: each.day) for name, mine in found.items()
        }
        self._days = {name: [each.day for each in mine] for name, mine in self._expiries.items()}
        self._found: dict[tuple[str, date], list[Ladder]] = {}

    def of_session(self, underlying: str, session: date) -> list[Ladder]:
        """Return a session's ladders one after the other; none where nothing is listed."""
        key = underlying, session
        if key not in self._found:
            self._found[key] = self._ladders(*key)
        return self._found[key]

    def at(self, underlying: str, session: date, moment: datetime) -> Ladder | None:
        """Return the ladder as it was known at a moment of a session; None before the first."""
        ladders = self.of_session(underlying, session)
        place = bisect_right(ladders, microseconds(moment), key=lambda ladder: ladder.since)
        return ladders[place - 1] if place else None

    def _ladders(self, underlying: str, session: date) -> list[Ladder]:
        day, found, sooner = session.toordinal(), list[_Expiry](), _NEVER
        first = bisect_left(self._days.get(underlying, []), session)
        for each in self._expiries.get(underlying, [])[first:]:
            if each.first < day:
                found.append(each)
                break  # known from the start, so no later one is ever the nearest
            if each.first == day and each.earliest < sooner:
                found.append(each)
                sooner = each.earliest
        if len(found) == 1 and found[0].latest < day:
            return [found[0].whole]
        return _one_after_the_other(found, [each.since(day) for each in found])


def _one_after_the_other(expiries: list[_Expiry], since: list[Ints]) -> list[Ladder]:
    """Return a ladder for each moment at which the known contracts of the nearest one change."""
    ladders: list[Ladder] = []
    before = None
    for moment in sorted({*np.concatenate(since).tolist()} - {_NEVER} if since else ()):
        known = [mine <= moment for mine in since]
        place = next(place for place, chosen in enumerate(known) if chosen.any())
        now = place, int(np.count_nonzero(known[place]))
        if now != before:
            ladders.append(expiries[place].ladder(moment, known[place]))
        before = now
    return ladders
