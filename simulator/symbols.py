"""How TradingView names and describes this market's symbols."""

import json
from typing import Any

from simulator.forming import TICK
from simulator.market import Market
from strategy.contract import future_symbol, parse_symbol
from strategy.session import IST, trading_hours

EXCHANGE = "NSE"
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


def describe(market: Market, symbol: str) -> dict[str, Any]:
    """Return what `symbol_resolved` tells about a symbol."""
    contract = parse_symbol(symbol)
    opens, closes = trading_hours(market.day)
    kind = "option" if contract else "index"
    if symbol in {future_symbol(underlying) for underlying in market.underlyings}:
        kind = "futures"
    return {
        "name": symbol,
        "full_name": full_name(symbol),
        "pro_name": full_name(symbol),
        "short_name": symbol,
        "description": f"{symbol} (simulated)",
        "exchange": EXCHANGE,
        "listed_exchange": EXCHANGE,
        "type": kind,
        "currency_code": "INR",
        "timezone": IST.key,
        "session": f"{opens:%H%M}-{closes:%H%M}",
        "pricescale": PRICE_SCALE,
        "minmov": round(TICK * PRICE_SCALE),
        "has_intraday": True,
        "volume_type": "base",
    }
