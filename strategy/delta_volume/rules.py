"""What one cluster of contracts decides: the rules that batch and step share.

Both bring a `Cluster` of plain values; choice, levels and reasons are made here, so that the
same session gives the same bytes whichever way it was computed.
"""

from datetime import datetime
from typing import Any, NamedTuple, TypedDict

from strategy.build_up import BuildUp, build_up
from strategy.delta_volume.parameters import Parameters
from strategy.risk import Levels, levels
from strategy.signals import Moment, Rejection, Signal, signal_id


class Observed(NamedTuple):
    """One contract of the cluster: its rows of t and t - 5 minutes, and its earlier volume."""

    symbol: str
    strike: int
    option_type: str
    close: float
    close_before: float
    open_interest: int | None
    open_interest_before: int | None
    volume: int | None
    volume_sum: int  # of the earlier intervals whose volume is known
    volume_count: int
    traded_range: float  # between the highest and the lowest close of t and the window before it


class Verdict(TypedDict):
    """One contract of the cluster as stored in a signal's reasons."""

    symbol: str
    strike: int
    option_type: str
    close: float
    price_change: float
    open_interest: int | None
    oi_change: int | None
    volume: int | None
    mean_volume: float | None  # None while too few earlier intervals are stored
    volume_spike: bool
    label: BuildUp
    delta_volume: int
    covering: bool


VERDICT_FIELDS = tuple(Verdict.__annotations__)


class Cluster(NamedTuple):
    """The strikes around ATM at one moment, and what placed it."""

    moment: Moment
    atm_strike: int
    price: float
    reference: str
    strikes: list[int]
    known_at: datetime


def judge(seen: Observed, parameters: Parameters) -> Verdict:
    """Return what one contract did in the interval; its price changed in a known volume, or not."""
    change = seen.close - seen.close_before
    oi_change = None
    if seen.open_interest is not None and seen.open_interest_before is not None:
        oi_change = seen.open_interest - seen.open_interest_before
    mean = None
    if seen.volume_count >= parameters.spike_minimum:
        mean = seen.volume_sum / seen.volume_count
    delta, spike = 0, None
    if seen.volume is not None:
        delta = seen.volume * ((change > 0) - (change < 0))
        spike = mean is not None and seen.volume > parameters.spike_factor * mean
    label = build_up(change, oi_change)
    return Verdict(
        symbol=seen.symbol,
        strike=seen.strike,
        option_type=seen.option_type,
        close=seen.close,
        price_change=round(change * 1e6) / 1e6,
        open_interest=seen.open_interest,
        oi_change=oi_change,
        volume=seen.volume,
        mean_volume=mean,
        volume_spike=bool(spike),
        label=label,
        delta_volume=delta,
        covering=bool(spike) and label == "short_covering",
    )


def decide(
    cluster: Cluster, verdicts: list[Verdict], ranges: list[float], parameters: Parameters
) -> tuple[list[Signal], list[Rejection]]:
    """Return the cluster's signal, if any, and its covering contracts against the net delta.

    Verdicts and traded ranges are those of all its contracts, by strike, the call before the put.
    """
    covering = [verdict for verdict in verdicts if verdict["covering"]]
    if not covering:
        return [], []
    net = sum(
        verdict["delta_volume"] * (1 if verdict["option_type"] == "C" else -1)
        for verdict in verdicts
    )
    with_net = [v for v in covering if (net > 0 if v["option_type"] == "C" else net < 0)]
    signals = []
    if with_net:
        # Calls are in the money below, puts above: that side wins between two equally near.
        nearest = min(
            with_net,
            key=lambda v: (
                abs(v["strike"] - cluster.atm_strike),
                v["strike"] if v["option_type"] == "C" else -v["strike"],
            ),
        )
        traded_range = ranges[verdicts.index(nearest)]
        trade = levels(nearest["close"], cluster.moment.underlying, parameters, traded_range)
        signals.append(to_signal(cluster, verdicts, nearest, net, trade, traded_range, parameters))
    return signals, [to_rejection(cluster, one, net) for one in covering if one not in with_net]


def to_signal(
    cluster: Cluster,
    verdicts: list[Verdict],
    bought: Verdict,
    net: int,
    trade: Levels,
    traded_range: float,
    parameters: Parameters,
) -> Signal:
    """Return the signal to buy one contract of the cluster."""
    moment = cluster.moment
    symbol = bought["symbol"]
    return Signal(
        signal_id(moment, symbol),
        *moment,
        symbol,
        "BULLISH" if bought["option_type"] == "C" else "BEARISH",
        "short_covering",
        cluster.atm_strike,
        cluster.price,
        net,
        cluster.strikes,
        *trade,
        "market",
        reasons(cluster.reference, verdicts, traded_range, parameters),
        parameters.params_hash(),
        moment.event_time,
        cluster.known_at,
    )


def reasons(
    reference: str, verdicts: list[Verdict], traded_range: float, parameters: Parameters
) -> dict[str, Any]:
    """Return what led to a signal, and to its levels where they are made of more than points."""
    why: dict[str, Any] = {"reference": reference, "contracts": verdicts}
    if parameters.level_unit == "range":
        why["traded_range"] = round(traded_range * 1e6) / 1e6
    return why


def to_rejection(cluster: Cluster, against: Verdict, net: int) -> Rejection:
    """Return the rejection of a contract that covers against the cluster's net delta."""
    details = {
        "net_delta_volume": net,
        "atm_strike": cluster.atm_strike,
        "spot": cluster.price,
        "reference": cluster.reference,
        "contract": against,
    }
    symbol = against["symbol"]
    return Rejection(*cluster.moment, "against_net_delta", symbol, details, cluster.known_at)
