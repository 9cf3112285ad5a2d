"""Whether counts are units or lots: the lot tells. Pure.

Counts in units are multiples of the lot, all but a few. Counts of lots are multiples of it only by
chance, so that more of these are units among lots. Open interest and volume are judged apart, each
with all its counts: one may be in units while the other is not.
"""

from collections.abc import Iterable
from math import sqrt

from pipelines.sources.errors import PayloadInvalid

# Shares of counts that are no multiples of the lot.
STRAY = 0.1
LOTS = 0.75
# How many standard deviations beyond what chance gives are no chance.
CHANCE = 4.0


def units_each(counts: Iterable[int | None], lot: int | None) -> int | None:
    """Return what a count has to be multiplied with for units, 1 or the lot; None if unclear.

    Args:
        counts: As they came; unknown ones and zeros tell nothing.
        lot: Units of a lot, None where it is not known: then nothing is clear but zeros.
    """
    found = [count for count in counts if count]
    if not found:
        return 1
    if lot is None:
        return None
    odd = sum(1 for count in found if count % lot)
    if odd <= STRAY * len(found):
        return 1
    by_chance = len(found) / lot
    even = len(found) - odd
    if odd < LOTS * len(found) or even > 1 + by_chance + CHANCE * sqrt(by_chance):
        return None
    return lot


def require_units(what: str, counts: Iterable[int | None], lot: int | None) -> None:
    """Refuse counts that are plainly not in units; single odd ones are a check's business.

    Raises:
        PayloadInvalid: Most of them are no multiples of the lot.
    """
    found = [count for count in counts if count]
    odd = sum(1 for count in found if lot and count % lot)
    if odd * 2 > len(found):
        raise PayloadInvalid(
            f"{what}: {odd} of {len(found)} counts are no multiples of the lot {lot}: not in units"
        )
