"""How TradingView names and describes this market's symbols."""

import json
from typing import Any

from simulator.forming import TICK
from simulator.market import Market
from strategy.contract import future_symbol, parse_symbol
from strategy.session import IST, trading_hours

EXCHANGE = "NSE"
DELAYED = "NSE_DLY"
PRICE_SCALE = 100


def requested_symbol(text: str) -> str | None:
    """Return the canonical symbol of `NSE:X` or `={"symbol":"NSE:X"}`; None for all else."""
    asked: object = text
    if text.startswith("="):
        try:
            asked = json.loads(text[1:])["symbol"]
        except (ValueError, KeyError, TypeError):
            return None
    prefix = f"{EXCHANGE}:"
    if not isinstance(asked, str) or not asked.startswith(prefix):
        return None
    return asked.removeprefix(prefix)


def full_name(symbol: str) -> str:
    """Return a symbol with its exchange."""
    return f"{EXCHANGE}:{symbol}"


def describe(market: Market, symbol: str, *, delayed: bool = False) -> dict[str, Any]:
    """Return what `symbol_resolved` tells about a symbol.

    The fields are those of a recording of December 2025. A listing with a delayed twin names it in
    `alternatives`; who may only see the twin gets that as `full_name` and `base_name`, and in
    `pro_perm` what is lacking.
    """
    contract = parse_symbol(symbol)
    opens, closes = trading_hours(market.day)
    kind = "option" if contract else "index"
    if symbol in {future_symbol(underlying) for underlying in market.underlyings}:
        kind = "futures"
    twin = f"{DELAYED}:{symbol}"
    shown = twin if delayed else full_name(symbol)
    return {
        "name": symbol,
        "full_name": shown,
        "pro_name": full_name(symbol),
        "base_name": [shown],
        "alternatives": [] if delayed else [twin],
        "pro_perm": "nse" if delayed else "",
        "provider_id": "ice",
        "source_id": EXCHANGE,
        "country": "IN",
        "short_name": symbol,
        "description": f"{symbol} (simulated)",
        "exchange": EXCHANGE,
        "listed_exchange": EXCHANGE,
        "type": kind,
        "typespecs": [],
        "currency_code": "INR",
        "currency_id": "INR",
        "timezone": IST.key,
        "session": f"{opens:%H%M}-{closes:%H%M}",
        "subsession_id": "regular",
        "pricescale": PRICE_SCALE,
        "minmov": round(TICK * PRICE_SCALE),
        "minmove2": 0,
        "fractional": False,
        "has_intraday": True,
        "visible_plots_set": "ohlcv",
        "volume_type": "base",
    }
