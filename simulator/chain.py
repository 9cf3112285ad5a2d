"""The open interest of a whole chain at a moment, in the form of Trendlyne's `live-oi-data`.

The totals of the changes are swapped between calls and puts, as the source's are.
"""

import math
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from simulator.build_ups import percent
from simulator.market import Market
from strategy.contract import Contract, atm_strike
from strategy.session import IST, previous_session, session_hours

RANGE = 0.05


class Snapshot(NamedTuple):
    """What an answer is about: the session, the moment told, and the one data is read at."""

    trading_date: date
    told: datetime
    read: float


def chain_body(
    market: Market,
    underlying: str,
    expiry: date,
    seen: datetime,
    window: tuple[datetime, datetime],
) -> dict[str, Any]:
    """Return the body of an answer.

    Args:
        market: The day.
        underlying: Whose chain.
        expiry: Of which expiry.
        seen: Market time up to which the source has digested its data.
        window: First and last time asked for; the answer is of the last.
    """
    snapshot = _snapshot(market, underlying, expiry, seen, window[1])
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
            "lastUpdatedDateTime": snapshot.told.astimezone(IST).isoformat(),
            "minTime": f"{window[0]:%H:%M}",
            "maxTime": f"{window[1]:%H:%M}",
            "minStrikePrice": low,
            "maxStrikePrice": high,
            "expDateList": [expiry.isoformat()],
        },
    }


def _snapshot(
    market: Market, underlying: str, expiry: date, seen: datetime, until: datetime
) -> Snapshot:
    """Before the first interval's data the source answers with the session before.

    Once there is data, the first five minutes asked for again still hold the old values.
    """
    opened, _ = session_hours(market.day)
    if market.snapshot_end(underlying, expiry, seen.timestamp()) is None:
        before = previous_session(market.day)
        return Snapshot(before, session_hours(before)[1], opened.timestamp())
    end = market.snapshot_end(underlying, expiry, min(seen, until).timestamp())
    if end is None:
        return Snapshot(market.day, opened, opened.timestamp())
    return Snapshot(market.day, datetime.fromtimestamp(end, UTC), end)


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
