"""The option chain of an expiry in Upstox's form: all strikes, with bid and ask. Pure.

No time stands in it: it is of the moment of the answer. Bid and ask lie around the last price, one
tick in twenty rupees away and at least one; there is none where nothing was traded.
"""

from datetime import date, datetime
from typing import Any

from simulator.forming import TICK
from simulator.market import Market
from simulator.upstox.instruments import index_key, option_key
from strategy.contract import Contract

RUPEES_PER_TICK = 20.0
GREEKS = ("vega", "theta", "gamma", "delta", "iv")  # 0, as the source's own often are
Side = dict[str, Any]


def chain_rows(market: Market, underlying: str, expiry: date, at: datetime) -> list[dict[str, Any]]:
    """Return the rows of an expiry as seen at a market time, strikes ascending."""
    spot = market.last(underlying, at) if underlying in market.series else None
    rows = []
    for strike in market.strikes(underlying, expiry):
        call = _side(market, Contract(underlying, expiry, strike, "C"), at)
        put = _side(market, Contract(underlying, expiry, strike, "P"), at)
        held = [side["market_data"]["oi"] if side else 0 for side in (call, put)]
        row: dict[str, Any] = {
            "expiry": expiry.isoformat(),
            "pcr": round(held[1] / held[0], 4) if held[0] else 0,
            "strike_price": float(strike),
            "underlying_key": index_key(underlying),
            "underlying_spot_price": spot.close if spot else 0,
        }
        sides = {"call_options": call, "put_options": put}
        rows.append(row | {name: side for name, side in sides.items() if side})
    return rows


def _side(market: Market, contract: Contract, at: datetime) -> Side | None:
    series = market.series.get(contract.symbol)
    if series is None:
        return None
    newest, moment = market.last(contract.symbol, at), at.timestamp()
    volume = series.total_volume(moment)
    price = newest.close if newest else series.previous_close
    traded = newest is not None and bool(volume)
    spread = max(1, round((price or 0) / RUPEES_PER_TICK)) * TICK
    bid = max(round((price or 0) - spread, 2), 0.0) if traded else 0.0
    lots = 1 + contract.strike // 50 % 7
    return {
        "instrument_key": option_key(contract),
        "market_data": {
            "ltp": price or 0,
            "volume": volume or 0,
            "oi": float(series.open_interest(moment) or 0),
            "close_price": series.previous_close or 0,
            "bid_price": bid,
            "bid_qty": lots * series.unit if bid else 0,
            "ask_price": round((price or 0) + spread, 2) if traded else 0.0,
            "ask_qty": (8 - lots) * series.unit if traded else 0,
            "prev_oi": float(series.reference_oi(moment) or 0),
        },
        "option_greeks": dict.fromkeys(GREEKS, 0),
    }
