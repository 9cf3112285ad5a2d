"""Which contract a position among the expiries means on a date, and back.

Sources ask for `near`, `next` or `far`, which mean other contracts once an expiry rolls. What a
source lists wins over the calendar: where the listed expiries are given, only they count.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Literal

from strategy.contract import Contract, OptionType, upcoming_expiries
from strategy.errors import ExpiryUnlistedError

Position = Literal["near", "next", "far"]
POSITIONS: tuple[Position, ...] = ("near", "next", "far")


def _upcoming(underlying: str, session: date, listed: Iterable[date] | None) -> Iterator[date]:
    if listed is None:
        return upcoming_expiries(underlying, session)
    return iter(sorted({expiry for expiry in listed if expiry >= session}))


def resolve(
    underlying: str,
    session: date,
    strike: int,
    option_type: OptionType,
    position: Position = "near",
    listed: Iterable[date] | None = None,
) -> Contract:
    """Return the contract at a position among the expiries on or after a session.

    Raises:
        ExpiryUnlistedError: Fewer expiries are listed.
        CalendarUnknownError: None are given, and the calendar does not know the expiry.
    """
    place = POSITIONS.index(position)
    expiry = next(islice(_upcoming(underlying, session, listed), place, None), None)
    if expiry is None:
        raise ExpiryUnlistedError(f"{underlying}: no {position} expiry is listed on {session}")
    return Contract(underlying, expiry, strike, option_type)


def position_of(
    underlying: str, expiry: date, session: date, listed: Iterable[date] | None = None
) -> Position | None:
    """Return where an expiry stands on a session; None when it has no position.

    Raises:
        CalendarUnknownError: None are given, and the calendar does not know one up to it.
    """
    upcoming = _upcoming(underlying, session, listed)
    # The positions come first, so that no expiry beyond the last of them is asked for.
    for position, found in zip(POSITIONS, upcoming, strict=False):
        if found >= expiry:
            return position if found == expiry else None
    return None
