"""What one check found."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from strategy.proof.compare import Difference

Advance = Callable[[float], None]  # takes how much of a check is done, up to 1
Place = TypeVar("Place")


class Check(NamedTuple):
    """One claim about a session's rows, and whether it holds.

    Attributes:
        claim: What should be so.
        tried: How often it was looked at.
        of: What was counted: moments, intervals or rows.
        total: How many there are, where not all were tried.
        difference: The first place where it is not so.
        remark: What else was seen.
    """

    claim: str
    tried: int
    of: str
    difference: Difference | None = None
    total: int = 0
    remark: str = ""

    @property
    def verdict(self) -> str:
        """`equal`, `different`, or `not compared`: nothing to look at is no proof."""
        if self.difference is not None:
            return "different"
        return "equal" if self.tried else "not compared"


def looked_at(
    claim: str,
    of: str,
    places: Sequence[Place],
    look: Callable[[Place], Difference | None],
    advance: Advance,
) -> Check:
    """Return the check of a claim, looked at from place to place until it does not hold."""
    for tried, place in enumerate(places, 1):
        difference = look(place)
        advance(tried / len(places))
        if difference is not None:
            return Check(claim, tried, of, difference)
    return Check(claim, len(places), of)
