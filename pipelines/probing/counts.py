"""Whether counts are units or lots, in words. Pure."""

from collections.abc import Iterable

from pipelines.sources.counts import units_each

UNCLEAR = "not clear whether units or lots"
NONE = "none"


def counted_in(counts: Iterable[float | None], lot: int | None) -> str:
    """Return `units`, `lots`, `none` where there are no counts, or that it is not clear."""
    found = [int(count) for count in counts if count]
    if not found:
        return NONE
    scale = units_each(found, lot)
    if scale is None:
        return UNCLEAR
    return "units" if scale == 1 else "lots"
