"""What `volume_gross` of build-up rows means, decided from the answer itself. Pure.

Recorded rows of a future (21 January 2026) hold the day's running total: it never falls, and
`volume_change` is its growth in percent. Public clients read it as the interval's volume. Under
both readings `volume_change` is the change against the row before, so where it is anything else
neither fits. Then it is the falls that decide: a running total has none, volumes of intervals have
many. A series that falls now and then is neither. While all rows known so far rise, the reading
that was recorded is taken; a later fall corrects it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from pipelines.sources.errors import PayloadInvalid

INTERVAL = timedelta(minutes=5)
# Percentages come with two decimals, rounded or cut off.
ROUNDING = 0.011
# Of the steps from row to row, at least so many fall where volumes are the intervals'.
FALLING = 0.25


class GrossVolume(NamedTuple):
    """A row's `volume_gross` in units and `volume_change` in percent, None where null."""

    open_time: datetime
    gross: int | None
    change: float | None


class _Step(NamedTuple):
    """From one row to the next one; `adjacent` if no interval lies between."""

    old: int
    new: int
    change: float | None
    adjacent: bool

    @property
    def is_told(self) -> bool:
        """Whether `volume_change` can be compared: there is one, with a base, of neighbours."""
        return self.change is not None and self.old > 0 and self.adjacent

    @property
    def growth(self) -> float:
        """In percent of the old value."""
        return 100 * (self.new - self.old) / self.old


def interval_volumes(rows: Sequence[GrossVolume], first_open: datetime) -> list[int | None]:
    """Return each row's volume of its interval in units, None where it cannot be told.

    A running total tells an interval's volume only beside the total before it: the first row's is
    its own only if it is of the session's first interval, and after a missing interval or an
    unknown total there is none, unless nothing was traded.

    Args:
        rows: Ascending, each interval once.
        first_open: When the session's first interval opens.

    Raises:
        PayloadInvalid: Neither reading fits.
    """
    if not is_running_total(rows):
        return [row.gross for row in rows]
    volumes = [row.gross if row.open_time == first_open else None for row in rows[:1]]
    for before, row in pairwise(rows):
        grown = None
        if before.gross is not None and row.gross is not None:
            grown = row.gross - before.gross
        adjacent = row.open_time - before.open_time == INTERVAL
        volumes.append(grown if adjacent or grown == 0 else None)
    return volumes


def is_running_total(rows: Sequence[GrossVolume]) -> bool:
    """Tell whether volumes are the day's running total; if not, they are the intervals' own.

    Raises:
        PayloadInvalid: Neither reading fits.
    """
    steps = [
        _Step(a.gross, b.gross, b.change, b.open_time - a.open_time == INTERVAL)
        for a, b in pairwise(rows)
        if a.gross is not None and b.gross is not None
    ]
    told = [step for step in steps if step.is_told]
    for step in told:
        if abs((step.change or 0.0) - step.growth) > ROUNDING:
            raise PayloadInvalid(
                f"body.data_v2: volume_change {step.change} is not the growth of volume_gross"
                f" from {step.old} to {step.new}, {step.growth:.2f} %: neither a running total nor"
                " volumes of intervals"
            )
    falls = sum(1 for step in steps if step.new < step.old)
    if falls == 0:
        _require_a_witness(steps, told)
        return True
    if falls < FALLING * len(steps):
        raise PayloadInvalid(
            f"body.data_v2: volume_gross falls in {falls} of {len(steps)} steps: neither a running"
            " total nor volumes of intervals"
        )
    return False


def _require_a_witness(steps: Sequence[_Step], told: Sequence[_Step]) -> None:
    """Refuse rising values that no `volume_change` speaks of: they may be either."""
    if not told and any(step.old and step.new for step in steps if step.adjacent):
        raise PayloadInvalid(
            "body.data_v2: no row's volume_change tells what volume_gross is: a running total or"
            " volumes of intervals"
        )
