"""What the clusters that cover decide: the vectorised twin of `rules.decide`."""

from itertools import repeat
from typing import Any

import numpy as np

from strategy.axes import Key
from strategy.delta_volume.clusters import Points
from strategy.delta_volume.inputs import Inputs
from strategy.delta_volume.parameters import Parameters
from strategy.delta_volume.rules import Cluster, Verdict, reasons, to_rejection
from strategy.delta_volume.verdicts import Baseline, judge_all, verdict_rows
from strategy.frames import NO_TIME, Flags, Floats, Ints, instants
from strategy.ladders import OPTION_TYPES
from strategy.risk import level_columns
from strategy.signals import Rejection, Signal, signal_ids


def decide_all(
    inputs: Inputs, points: Points, parameters: Parameters
) -> tuple[list[Signal], list[tuple[Key, Rejection]]]:
    """Return the signals of complete clusters, and the contracts that cover against the net."""
    baseline = Baseline(inputs, parameters)
    points = points.of(_any_covering(inputs, points, baseline))
    verdicts = judge_all(inputs, points.rows, points.lines, baseline)
    size = points.rows.shape[1]
    side = np.array([1 if kind == "C" else -1 for kind in OPTION_TYPES] * points.strikes.shape[1])
    net = (verdicts.delta_volume * side).sum(axis=1)
    with_net = verdicts.covering & (np.sign(net)[:, None] == side)

    chosen = with_net.any(axis=1)
    bought = _nearest(points, with_net, side)[chosen]
    signalled = points.of(chosen)
    places = np.flatnonzero(verdicts.covering & ~with_net)
    rows = verdict_rows(
        *(inputs, points, verdicts),
        np.concatenate([np.flatnonzero(np.repeat(chosen, size)), places]),
    )
    signals = _signals(
        _columns(inputs, signalled, baseline),
        inputs.axes.ends(signalled.group, signalled.slot),
        rows[: size * len(bought)],
        bought.tolist(),
        net[chosen].tolist(),
        inputs.close[signalled.rows[np.arange(len(bought)), bought]],
        _traded_ranges(signalled, bought, baseline),
        parameters,
    )
    against = Points(*(column[places // size] for column in points))
    rejections = [
        (key, to_rejection(Cluster(*cluster), verdict, volume))
        for key, cluster, verdict, volume in zip(
            zip(against.group.tolist(), against.slot.tolist(), strict=True),
            zip(*_columns(inputs, against, baseline), strict=True),
            rows[size * len(bought) :],
            net[places // size].tolist(),
            strict=True,
        )
    ]
    return signals, rejections


def _signals(
    clusters: tuple[list[Any], ...],
    events: Ints,
    verdicts: list[Verdict],
    bought: list[int],
    net: list[int],
    closes: Floats,
    ranges: Floats,
    parameters: Parameters,
) -> list[Signal]:
    """Return signals as `rules.to_signal` makes one; by columns, since there are many.

    Args:
        clusters: The fields of `Cluster`, of each signal.
        events: The ends of their intervals, in microseconds.
        verdicts: Of all contracts of those clusters, one cluster after the other.
        bought: Which contract of each cluster is bought.
        net: The net delta volume of each cluster.
        closes: Of the contracts bought, rupees.
        ranges: Of the same, as `Observed.traded_range`.
        parameters: The numbers of the rules.
    """
    moments, atm, prices, references, strikes, known_at = clusters
    size = len(verdicts) // max(len(net), 1)
    contracts = [verdicts[size * n : size * (n + 1)] for n in range(len(net))]
    options = [mine[column] for mine, column in zip(contracts, bought, strict=True)]
    symbols = [option["symbol"] for option in options]
    columns = (
        signal_ids(moments, events, symbols),
        *zip(*moments, strict=True),
        symbols,
        ["BULLISH" if option["option_type"] == "C" else "BEARISH" for option in options],
        repeat("short_covering"),
        *(atm, prices, net, strikes),
        *level_columns(closes, [moment.underlying for moment in moments], parameters, ranges),
        repeat("market"),
        [
            reasons(reference, mine, traded, parameters)
            for reference, mine, traded in zip(references, contracts, ranges.tolist(), strict=True)
        ],
        repeat(parameters.params_hash()),
        *([moment.event_time for moment in moments], known_at),
    )
    return list(map(Signal._make, zip(*columns, strict=False)))


def _traded_ranges(signalled: Points, bought: Ints, baseline: Baseline) -> Floats:
    places = np.arange(len(bought)), bought
    return baseline.traded_ranges(signalled.rows[places], signalled.lines[places])


def _any_covering(inputs: Inputs, points: Points, baseline: Baseline) -> Flags:
    """Return which clusters have a covering contract; most contracts are ruled out by signs."""
    close, (interest, known) = inputs.close, inputs.open_interest
    covered = np.zeros(len(close), dtype=bool)  # wherever the row before is of 5 minutes before
    covered[1:] = (close[1:] > close[:-1]) & (interest[1:] < interest[:-1])
    covered[1:] &= known[1:] & known[:-1]
    likely = np.flatnonzero(covered.take(points.rows))
    *_, spike = baseline.spikes(points.rows.ravel()[likely], points.lines.ravel()[likely])
    found = np.zeros(len(points.rows), dtype=bool)
    found[likely[spike] // points.rows.shape[1]] = True
    return found


def _nearest(points: Points, eligible: Flags, side: Ints) -> Ints:
    """Return, per cluster, the column of the eligible contract nearest to ATM."""
    distance = np.repeat(points.strikes, len(OPTION_TYPES), axis=1) - points.atm[:, None]
    # Calls are in the money below, puts above: that side wins between two equally near.
    rank = 2 * np.abs(distance) + (distance * side > 0)
    nearest: Ints = np.where(eligible, rank, np.iinfo(np.int64).max).argmin(axis=1)
    return nearest


def _columns(inputs: Inputs, points: Points, baseline: Baseline) -> tuple[list[Any], ...]:
    """Return the fields of `Cluster`, each for all points."""
    at = points.group, points.slot
    known_at = np.maximum(
        baseline.known_at(points.rows, points.lines).max(axis=1, initial=NO_TIME),
        inputs.reference.known_at[at],
    )
    return (
        inputs.moments(points.group, points.slot),
        points.atm.tolist(),
        inputs.reference.price[at].tolist(),
        np.where(inputs.reference.uses_spot[at], "spot", "future").tolist(),
        points.strikes.tolist(),
        instants(known_at),
    )
