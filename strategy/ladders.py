"""Listed strikes: the ladder of an expiry as a session had it."""

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from strategy.frames import CheckedFrame, Ints, runs

LADDER_COLUMNS = ("underlying", "expiry", "strike", "first_seen")
_NONE: Ints = np.zeros(0, dtype=np.int64)


class _Ladder(NamedTuple):
    strikes: Ints  # ascending, each once
    first_seen: Ints  # of each, as an ordinal
    latest: int  # of these


class Ladders:
    """The ladders of a frame of listed strikes; the same strike twice counts from the earlier.

    Args:
        contracts: underlying, expiry, strike, first_seen: the first session it was listed in.

    Raises:
        FrameContractError: A column is absent, or holds nulls or values of a wrong kind.
    """

    def __init__(self, contracts: pd.DataFrame) -> None:
        listed = CheckedFrame(contracts, "contracts", LADDER_COLUMNS)
        underlyings, expiries = listed.texts("underlying"), listed.dates("expiry")
        seen, strikes = listed.dates("first_seen"), listed.integers("strike")
        listed.refuse("strike", strikes <= 0, "not above zero")
        first_seen = np.array([day.toordinal() for day in seen.distinct], dtype=np.int64)
        firsts = first_seen[seen.small]
        keys = underlyings.small, expiries.small, strikes
        order = np.lexsort((firsts, *reversed(keys)))
        once = order[runs(*(key[order] for key in keys))[0]]  # of the same strikes the earliest
        self._ladders: dict[tuple[str, date | None], _Ladder] = {}
        for start, size in zip(*runs(*(key[once] for key in keys[:2])), strict=True):
            mine = once[start : start + size]
            name = (
                underlyings.distinct[underlyings.small[mine[0]]],
                expiries.distinct[expiries.small[mine[0]]],
            )
            self._ladders[name] = _Ladder(strikes[mine], firsts[mine], int(firsts[mine].max()))

    def at(self, underlying: str, expiry: date | None, session: date) -> Ints:
        """Return the strikes listed by a session, ascending; none where no expiry is known."""
        ladder = self._ladders.get((underlying, expiry))
        if ladder is None:
            return _NONE
        day = session.toordinal()
        return ladder.strikes if ladder.latest <= day else ladder.strikes[ladder.first_seen <= day]
