"""The rejections of Delta Volume's intervals."""

from collections.abc import Sequence

from strategy.signals import Moment, Rejection

STRATEGY = "delta_volume"
VERSION = "2"


def no_reference(moment: Moment, reference: str) -> Rejection:
    """Return the rejection of an interval without the price that would have placed ATM."""
    return Rejection(*moment, "no_reference", None, {"reference": reference}, None)


def missing_rows(
    moment: Moment,
    *,
    recorded: bool,
    strikes: list[int | None],
    contracts: Sequence[tuple[bool, bool, bool]],
) -> Rejection:
    """Return the rejection of an interval whose cluster is not complete.

    Args:
        moment: The interval.
        recorded: Whether any row of the underlying was stored for the interval.
        strikes: The cluster's strikes; None where one is not known.
        contracts: Per strike its call and its put: whether it has a row now, and before, and
            whether its price changed in a volume that is unknown.
    """
    if not recorded:
        return Rejection(*moment, "missing_rows", None, {"recorded": False}, None)
    listed = [
        (f"{strike}{option_type}", contracts[2 * place + side])
        for place, strike in enumerate(strikes)
        if strike is not None
        for side, option_type in enumerate("CP")
    ]
    details = {
        "recorded": True,
        "strikes": strikes,
        "missing": [name for name, (now, _, _) in listed if not now],
        "missing_before": [name for name, (_, before, _) in listed if not before],
        "missing_volume": [name for name, (_, _, unknown) in listed if unknown],
    }
    return Rejection(*moment, "missing_rows", None, details, None)
