"""Delta Volume over any number of sessions and underlyings at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter

import numpy as np
import pandas as pd

from strategy.axes import Key
from strategy.delta_volume.choices import decide_all
from strategy.delta_volume.clusters import Points, place_clusters
from strategy.delta_volume.inputs import Inputs, read_inputs
from strategy.delta_volume.parameters import DEFAULTS, Parameters
from strategy.delta_volume.rows import missing_rows, no_reference
from strategy.frames import Flags
from strategy.signals import Evaluation, Rejection, Signal, rejection_frame, signal_frame


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Leave the search for cycles until later: rows by the thousand hold none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def evaluate(
    build_ups: pd.DataFrame,
    reference: pd.DataFrame,
    contracts: pd.DataFrame,
    parameters: Parameters = DEFAULTS,
) -> Evaluation:
    """Return the signals and rejections of all sessions and underlyings in the frames.

    Args:
        build_ups: 5-minute rows of the contracts of each expiry that is the nearest at some time,
            each contract's ascending: session, underlying, symbol, expiry, strike, option_type
            ('C', 'P'), open_time, close, open_interest and volume (units; null if unknown),
            known_at.
        reference: What places ATM, each underlying's rows ascending: session, underlying,
            open_time, spot, spot_known_at, future, future_known_at (NaN and NaT if not stored).
        contracts: What is listed, as `strategy.ladders.Ladders` takes it.
        parameters: The numbers of the rules.

    Returns:
        Frames with the columns of `Signal` and `Rejection`. A signal uses nothing later than
        its own interval; its `known_at` is the latest one of the rows it was computed from.

    Raises:
        FrameContractError: A frame lacks a column or holds values that are null, negative,
            naive, unsorted, duplicate or of a wrong type; or an expiry was over.
    """
    signals, rejections = evaluate_rows(build_ups, reference, contracts, parameters)
    return Evaluation(signal_frame(signals), rejection_frame(rejections))


@_collector_paused()
def evaluate_rows(
    build_ups: pd.DataFrame,
    reference: pd.DataFrame,
    contracts: pd.DataFrame,
    parameters: Parameters = DEFAULTS,
) -> tuple[list[Signal], list[Rejection]]:
    """Return what `evaluate` does as rows of plain Python values, as `step` gives them."""
    inputs = read_inputs(build_ups, reference, contracts, parameters)
    points = place_clusters(inputs, parameters)
    lacking = _without_volume(inputs, points)
    complete = np.all((points.rows >= 0) & (points.rows_before >= 0) & ~lacking, axis=1)
    rejections = [*_without_cluster(inputs), *_incomplete(inputs, points, lacking, ~complete)]
    signals, against = decide_all(inputs, points.of(complete), parameters)
    rejections += against
    rejections.sort(key=itemgetter(0))
    return signals, [rejection for _, rejection in rejections]


def _without_cluster(inputs: Inputs) -> Iterator[tuple[Key, Rejection]]:
    """Yield the rejections of intervals with rows or a reference, but not both."""
    priced = ~np.isnan(inputs.reference.price)
    # The first interval of a session has no interval before it, so it never has a verdict.
    for key in _keys(inputs.recorded & ~priced):
        yield key, no_reference(inputs.moment(*key), inputs.reference.used(key))
    for key in _keys(priced & ~inputs.recorded):
        moment = inputs.moment(*key)
        yield key, missing_rows(moment, recorded=False, strikes=[], contracts=[])


def _keys(chosen: Flags) -> list[Key]:
    """Return group and slot of the chosen ones after their session's first interval."""
    groups, slots = np.nonzero(chosen[:, 1:])
    return list(zip(groups.tolist(), (slots + 1).tolist(), strict=True))


def _without_volume(inputs: Inputs, points: Points) -> Flags:
    """Return whose delta volume is unknown; where the price stood still it is zero."""
    lacking = np.zeros(points.rows.shape, dtype=bool)
    if not inputs.volume.known.all():
        there = (points.rows >= 0) & (points.rows_before >= 0)
        rows, before = points.rows[there], points.rows_before[there]
        changed = inputs.close[rows] != inputs.close[before]
        lacking[there] = ~inputs.volume.known[rows] & changed
    return lacking


def _incomplete(
    inputs: Inputs, points: Points, lacking: Flags, chosen: Flags
) -> Iterator[tuple[Key, Rejection]]:
    """Yield the rejections of clusters that lack a row, a volume, or a strike that is known."""
    points, lacking = points.of(chosen), lacking[chosen]
    found = np.stack([points.rows >= 0, points.rows_before >= 0, lacking], axis=2).tolist()
    for group, slot, strikes, contracts in zip(
        points.group.tolist(), points.slot.tolist(), points.strikes.tolist(), found, strict=True
    ):
        key = group, slot
        yield (
            key,
            missing_rows(
                inputs.moment(*key),
                recorded=True,
                strikes=[strike if strike >= 0 else None for strike in strikes],
                contracts=contracts,
            ),
        )
