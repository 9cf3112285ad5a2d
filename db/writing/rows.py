"""One row type per written table; fields are the table's columns in COPY order."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID


class Contract(NamedTuple):
    """A listed option as a source or a file named it; the strike in rupees."""

    symbol: str
    underlying: str
    expiry: date
    strike: int
    option_type: str
    lot_size: int | None
    first_seen: date
    last_seen: date
    source: str
    listed_at: datetime | None = None  # when it was first known
    tick_size: float | None = None  # rupees


class Candle(NamedTuple):
    """Prices over [open_time, open_time + interval); volume and open interest in units."""

    symbol: str
    interval_minutes: int
    open_time: datetime
    underlying: str
    open: float
    high: float
    low: float
    close: float
    volume: int | None
    open_interest: int | None
    source: str
    known_at: datetime
    final: bool
    backfilled: bool = (
        False  # fetched after its session: known at its interval's end, seen by nobody
    )


class BuildUp(NamedTuple):
    """Five minutes of one contract's positioning; volume and open interest in units.

    `made_from` is `rows` of a source, `ladders` (and candles beside them), or `candles` alone.
    """

    symbol: str
    open_time: datetime
    underlying: str
    close_time: datetime
    close: float
    open_interest: int | None
    oi_change: int | None
    volume: int | None
    label: str
    source: str
    known_at: datetime
    made_from: str = "rows"
    backfilled: bool = False


class ChainOi(NamedTuple):
    """Open interest of one strike at one observation, in units."""

    underlying: str
    expiry: date
    strike: int
    observed_at: datetime
    call_oi: int | None
    put_oi: int | None
    call_prev_oi: int | None
    put_prev_oi: int | None
    source: str
    known_at: datetime


class Quote(NamedTuple):
    """Best bid and ask of one contract at a moment, in rupees and units; None is unknown.

    A side that nobody takes has no price and a quantity of 0.
    """

    symbol: str
    moment: datetime
    bid: float | None
    ask: float | None
    bid_quantity: int | None
    ask_quantity: int | None
    source: str
    known_at: datetime


class Greeks(NamedTuple):
    """One option candle's implied volatility and greeks, as `strategy.greeks` documents them."""

    symbol: str
    interval_minutes: int
    open_time: datetime
    underlying: str
    forward: float
    forward_source: str
    implied_volatility: float | None
    delta: float | None
    gamma: float | None
    theta: float | None
    vega: float | None
    known_at: datetime


class Signal(NamedTuple):
    """One signal as `strategy` built it; prices in premium points, reasons JSON-able."""

    signal_id: UUID
    strategy: str
    version: str
    underlying: str
    session: date
    event_time: datetime
    symbol: str
    direction: str
    kind: str
    atm_strike: int
    spot: float
    net_delta_volume: int | None
    strikes: list[int]
    entry: float
    stop: float
    target1: float
    target2: float | None
    entry_order: str
    reasons: Any
    params_hash: str
    input_watermark: datetime
    known_at: datetime
    withdrawn_at: datetime | None
    revision: int = 1


class SignalRejection(NamedTuple):
    """A candidate that gave no signal."""

    strategy: str
    version: str
    underlying: str
    session: date
    event_time: datetime
    reason: str
    symbol: str
    details: Any
    known_at: datetime | None


class Stats(NamedTuple):
    """A row of `signal_statistics`: intervals of 95 % by session, means in premium points.

    None where `n` is 0, intervals also where sessions are too few. `horizon_minutes` of 0 is the
    session's end. docs/outcomes.md says what each column means.
    """

    strategy: str
    version: str
    underlying: str
    horizon_minutes: int
    n: int  # entered ones
    n_not_entered: int
    hit_rate: float | None
    hit_rate_low: float | None
    hit_rate_high: float | None
    mean_mfe_points: float | None
    mean_mae_points: float | None
    mean_return_points: float | None
    random_n: int
    random_hit_rate: float | None
    random_hit_rate_low: float | None
    random_hit_rate_high: float | None
    random_mean_mfe_points: float | None
    random_mean_mae_points: float | None
    random_mean_return_points: float | None
    history: str
    fills: int
    sessions: int
    n_missing: int
    hits: int
    hits_that_lost: int
    hit_rate_if_lost: float | None
    hit_rate_if_won: float | None
    mean_return_low: float | None
    mean_return_high: float | None
    median_return_points: float | None
    profit_factor: float | None  # also None where nothing was lost
    total_points: float | None
    total_rupees: float | None
    losing_run: int | None
    worst_run_points: float | None
    worst_run_rupees: float | None
    drawdown_points: float | None
    drawdown_rupees: float | None
    matched_n: int
    matched_sessions: int
    difference_points: float | None
    difference_low: float | None
    difference_high: float | None
    hit_difference: float | None
    hit_difference_low: float | None
    hit_difference_high: float | None
    comparisons: int
    adjusted_low: float | None
    adjusted_high: float | None
    verdict: str  # better, worse, same, few_sessions, no_draws or not_entered


class Split(NamedTuple):
    """A part of a strategy's entered signals, by time of day, days to expiry or volatility."""

    strategy: str
    version: str
    underlying: str
    horizon_minutes: int
    place: int  # of the part, ascending
    part: str
    n: int
    sessions: int
    hits: int
    hits_that_lost: int
    hit_rate: float
    mean_return_points: float
    median_return_points: float
    total_points: float
    profit_factor: float | None
    matched_n: int
    matched_sessions: int
    difference_points: float | None


class Equity(NamedTuple):
    """What a strategy's signals came to by the end of a session, one lot or unit each."""

    strategy: str
    version: str
    underlying: str
    horizon_minutes: int
    session: date
    n: int
    points: float
    rupees: float | None
    equity_points: float
    equity_rupees: float | None
    matched_n: int
    random_equity_points: float
