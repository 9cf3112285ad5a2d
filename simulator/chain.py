"""The open interest of a whole chain at a moment, in the form of Trendlyne's `live-oi-data`.

The totals of the changes are swapped between calls and puts, as the source's are. While the session
is on, the last minute asked for counts; once its last data is in, the answer is of the whole day,
whatever was asked (recorded on 23 January 2026: asked for 09:15, answered for 09:15 to 15:30).
"""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from simulator.build_ups import percent
from simulator.market import Market
from strategy.contract import Contract, atm_strike
from strategy.session import IST, previous_session, session_hours

RANGE = 0.05
# So long after the close the source is said to have been updated last.
SETTLED = timedelta(minutes=10)


class Snapshot(NamedTuple):
    """What an answer is about.

    `updated` is when the source says that it was updated last, `until` the last minute that it says
    to have answered for, `read` the epoch second that data is read at.
    """

    trading_date: date
    updated: datetime
    until: datetime
    read: float


def chain_body(
    market: Market,
    underlying: str,
    expiry: date,
    seen: datetime,
    window: tuple[datetime, datetime],
    *,
    whole_day: bool = True,
) -> dict[str, Any]:
    """Return the body of an answer.

    Args:
        market: The day.
        underlying: Whose chain.
        expiry: Of which expiry.
        seen: Market time up to which the source has digested its data.
        window: First and last time asked for; while the session is on the answer is of the last.
        whole_day: Whether it is of the whole day once the session's last data is in.
    """
    snapshot = _snapshot(market, underlying, expiry, seen, window[1], whole_day=whole_day)
    rows = _rows(market, underlying, expiry, snapshot.read)
    spot, change = _spot(market, underlying, snapshot)
    strikes = market.strikes(underlying, expiry)
    low, high = _strike_range(spot)
    near = {strike: row for strike, row in rows.items() if low <= strike <= high}
    return {
        "overallData": {
            "totalVol": _total_volume(market, underlying, expiry, snapshot.read),
            **_totals(near),
            "spotPrice": spot,
            "spotChange": round(change, 2),
            "spotChangeP": round(percent(change, spot - change if spot else None), 2),
            "atm": atm_strike(spot, strikes) if spot and strikes else None,
            "hideTimeSlider": True,
            "strikePriceList": strikes,
        },
        "oiData": {str(strike): row for strike, row in near.items()},
        "inputData": {
            "tradingDate": snapshot.trading_date.isoformat(),
            "lastUpdatedDateTime": snapshot.updated.astimezone(IST).isoformat(),
            "minTime": f"{min(window[0], snapshot.until).astimezone(IST):%H:%M}",
            "maxTime": f"{snapshot.until.astimezone(IST):%H:%M}",
            "minStrikePrice": low,
            "maxStrikePrice": high,
            "expDateList": [expiry.isoformat()],
        },
    }


def _snapshot(
    market: Market,
    underlying: str,
    expiry: date,
    seen: datetime,
    until: datetime,
    *,
    whole_day: bool,
) -> Snapshot:
    """Before the first interval's data the source answers with the session before.

    Once there is data, the first five minutes asked for again still hold the old values.
    """
    opened, closed = session_hours(market.day)
    newest = market.snapshot_end(underlying, expiry, seen.timestamp())
    if newest is None:
        before = previous_session(market.day)
        close = session_hours(before)[1]
        return Snapshot(before, close + SETTLED, close, opened.timestamp())
    if seen >= closed and (whole_day or until >= closed):
        return Snapshot(market.day, min(_marked(seen), closed + SETTLED), closed, newest)
    end = market.snapshot_end(underlying, expiry, min(seen, until).timestamp())
    updated = datetime.fromtimestamp(newest, UTC)
    return Snapshot(market.day, updated, until, opened.timestamp() if end is None else end)


def _marked(moment: datetime) -> datetime:
    """Return the five-minute mark at or before a moment."""
    return moment - timedelta(seconds=moment.timestamp() % 300)


def _spot(market: Market, underlying: str, snapshot: Snapshot) -> tuple[float | None, float]:
    """Return the index and its change from the day before; None where no index is recorded."""
    series = market.series.get(underlying)
    if series is None:
        return None, 0.0
    newest = series.last_closed(snapshot.read)
    spot = newest.close if newest else series.previous_close
    return spot, (spot or 0.0) - (series.previous_close or spot or 0.0)


def _strike_range(spot: float | None) -> tuple[int, int]:
    if spot is None:
        return 0, 10**9
    return math.ceil(spot * (1 - RANGE)), math.ceil(spot * (1 + RANGE))


def _rows(market: Market, underlying: str, expiry: date, at: float) -> dict[int, dict[str, float]]:
    """Return the strikes whose calls and puts are both known by then, ascending."""
    rows = {}
    for strike in market.strikes(underlying, expiry):
        put = _side(market, Contract(underlying, expiry, strike, "P"), at)
        call = _side(market, Contract(underlying, expiry, strike, "C"), at)
        if put and call:
            rows[strike] = put | call
    return rows


def _side(market: Market, contract: Contract, at: float) -> dict[str, float] | None:
    series = market.series.get(contract.symbol)
    oi = series.open_interest(at) if series else None
    if series is None or oi is None:
        return None
    before = series.reference_oi(at) or 0
    name = "call" if contract.option_type == "C" else "put"
    return {
        f"{name}Oi": float(oi),
        f"{name}PrevOi": float(before),
        f"{name}OiChange": float(oi - before),
        f"{name}OiChangeP": percent(oi - before, before),
    }


def _totals(rows: dict[int, dict[str, float]]) -> dict[str, float | None]:
    def total(name: str) -> float:
        return sum(row[name] for row in rows.values())

    calls, puts = total("callOi"), total("putOi")
    return {
        "totalCallOi": calls,
        "totalCallOiChange": total("putOiChange"),
        "totalCallOiChangeP": percent(total("putOiChange"), int(total("putPrevOi"))),
        "totalPutOi": puts,
        "totalPutOiChange": total("callOiChange"),
        "totalPutOiChangeP": percent(total("callOiChange"), int(total("callPrevOi"))),
        "totalPCR": puts / calls if calls else None,
    }


def _total_volume(market: Market, underlying: str, expiry: date, at: float) -> float:
    mine = (c for c in market.contracts if c[:2] == (underlying, expiry))
    return float(sum(market.series[c.symbol].total_volume(at) or 0 for c in mine))
