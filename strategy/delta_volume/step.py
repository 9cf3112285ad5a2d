"""Delta Volume one interval at a time: explicit state in, state and rows out."""

from dataclasses import replace
from datetime import UTC, date, datetime

from strategy.build_up import INTERVAL
from strategy.continuing import require_next
from strategy.contract import STRIKE_STEPS, cluster_strikes
from strategy.delta_volume.interval import ContractRow, Interval
from strategy.delta_volume.parameters import DEFAULTS, Parameters
from strategy.delta_volume.rows import STRATEGY, VERSION, missing_rows, no_reference
from strategy.delta_volume.rules import Cluster, Observed, decide, judge
from strategy.delta_volume.state import Past, State, Stored
from strategy.errors import FrameContractError
from strategy.ladders import OPTION_TYPES
from strategy.session import session_hours, spot_is_reliable
from strategy.signals import Moment, Rejection, Signal


def step(
    state: State, interval: Interval, parameters: Parameters = DEFAULTS
) -> tuple[State, list[Signal], list[Rejection]]:
    """Take one interval; return the next state and the interval's rows.

    The rows equal those of `evaluate` over the same data. Intervals come in order; one in which
    nothing was stored may be left out. An interval outside the session's hours changes nothing.

    Raises:
        FrameContractError: The interval belongs to another session or underlying, is not
            later than the last one, or holds rows that break the contract.
    """
    if interval.underlying not in parameters.stop_points:
        raise FrameContractError(f"interval.underlying: no stop for {interval.underlying}")
    interval.check()
    require_next(state, interval)
    first, close = session_hours(interval.session)
    if not first <= interval.open_time < close:
        return state, [], []
    signals: list[Signal] = []
    rejections: list[Rejection] = []
    # The first interval of a session has no interval before it, so it never has a verdict.
    if interval.open_time > first:
        signals, rejections = _outcome(state, interval, parameters)
    return _after(state, interval, parameters), signals, rejections


def _key(expiry: date | None, strike: int, option_type: str) -> str:
    return f"{expiry}{option_type}{strike}"


def _after(state: State, interval: Interval, parameters: Parameters) -> State:
    contracts = dict(state.contracts)
    for row in interval.rows:
        key = _key(row.expiry, row.strike, row.option_type)
        earlier = contracts[key].window if key in contracts else ()
        now = Past(row.volume, float(row.close), row.known_at)
        window = (*earlier, now)[-parameters.spike_window :]
        contracts[key] = Stored(interval.open_time, now.close, row.open_interest, window)
    return replace(state, open_time=interval.open_time, contracts=contracts)


def _outcome(
    state: State, interval: Interval, parameters: Parameters
) -> tuple[list[Signal], list[Rejection]]:
    end = (interval.open_time + INTERVAL).astimezone(UTC)
    version = parameters.version(VERSION)
    moment = Moment(STRATEGY, version, interval.underlying, interval.session, end)
    reference = "spot" if spot_is_reliable(end) else "future"
    found = interval.price(reference)
    rows = {
        (row.strike, row.option_type): row
        for row in interval.rows
        if row.expiry == interval.expiry and (row.strike, row.option_type) in interval.listed
    }
    if found is None:
        return [], [no_reference(moment, reference)] if rows else []
    if not rows:
        return [], [missing_rows(moment, recorded=False, strikes=[], contracts=[])]

    price, price_known_at = found
    ladder = sorted({strike for strike, _ in interval.listed})
    wings, step = parameters.wings, STRIKE_STEPS[interval.underlying]
    strikes = cluster_strikes(price, ladder, step, wings)
    contracts = [(strike or 0, kind) for strike in strikes for kind in OPTION_TYPES]
    earlier = interval.open_time - INTERVAL
    pairs = [
        (
            rows.get(contract),
            _stored_at(state, _key(interval.expiry, *contract), earlier)
            if contract in interval.listed
            else None,
        )
        for contract in contracts
    ]
    seen = [(row, stored) for row, stored in pairs if row and stored]
    unknown = [_lacks_volume(*pair) for pair in pairs]
    if len(seen) < len(pairs) or any(unknown):
        there = [
            (row is not None, stored is not None, lacks)
            for (row, stored), lacks in zip(pairs, unknown, strict=True)
        ]
        return [], [missing_rows(moment, recorded=True, strikes=strikes, contracts=there)]
    known = [strike for strike in strikes if strike is not None]
    cluster = Cluster(
        moment=moment,
        atm_strike=known[wings],
        price=price,
        reference=reference,
        strikes=known,
        known_at=max(price_known_at, *(_known_at(*pair) for pair in seen)).astimezone(UTC),
    )
    observed = [_observed(row, stored) for row, stored in seen]
    verdicts = [judge(one, parameters) for one in observed]
    return decide(cluster, verdicts, [one.traded_range for one in observed], parameters)


def _lacks_volume(row: ContractRow | None, before: Stored | None) -> bool:
    """Tell whether a contract's delta volume is unknown; where the price stood still it is zero."""
    return bool(row and before and row.volume is None and row.close != before.close)


def _stored_at(state: State, key: str, open_time: datetime) -> Stored | None:
    stored = state.contracts.get(key)
    return stored if stored and stored.open_time == open_time else None


def _observed(row: ContractRow, before: Stored) -> Observed:
    volumes = [past.volume for past in before.window if past.volume is not None]
    closes = [float(row.close), *(past.close for past in before.window)]
    return Observed(
        symbol=row.symbol,
        strike=row.strike,
        option_type=row.option_type,
        close=float(row.close),
        close_before=before.close,
        open_interest=row.open_interest,
        open_interest_before=before.open_interest,
        volume=row.volume,
        volume_sum=sum(volumes),
        volume_count=len(volumes),
        traded_range=max(closes) - min(closes),
    )


def _known_at(row: ContractRow, before: Stored) -> datetime:
    return max(row.known_at, *(past.known_at for past in before.window))
