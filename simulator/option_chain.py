"""All strikes of an expiry with prices, in the form of Trendlyne's `fno/option/chain`.

Names and order of the columns are those that the public client of the endpoint in
`so_option_chain_fetcher.py` found in live answers of July to September 2026. What it found empty is
empty here; volatilities and greeks are null, as nobody here reads them. No time stands in an
answer: it is of the newest five-minute mark that the source has digested, and in the morning of the
session before, for whose volume that of the day itself stands.
"""

from collections.abc import Iterable
from datetime import date
from random import Random
from typing import Any, NamedTuple

from simulator.build_ups import LABELS, percent
from simulator.market import Market, Series, units_per_lot
from strategy.contract import Contract, OptionType, atm_strike

SIDES: dict[str, OptionType] = {"call": "C", "put": "P"}
Row = dict[str, Any]


class Question(NamedTuple):
    """Whose chain, and the epoch second up to which the source has its data; None before any."""

    underlying: str
    expiry: date
    seen: float | None
    in_lots: bool


def option_chain_rows(market: Market, question: Question) -> list[Row]:
    """Return the strikes of an expiry, ascending, by the columns' names; none for an unlisted one.

    A side that never traded has zeros, or null where nothing at all is known of it.
    """
    underlying, expiry, *_ = question
    return [
        {
            **_side(market, question, Contract(underlying, expiry, strike, "C"), "call"),
            "strike_price": strike,
            **_side(market, question, Contract(underlying, expiry, strike, "P"), "put"),
        }
        for strike in market.strikes(underlying, expiry)
    ]


def option_chain_body(market: Market, question: Question, rows: list[Row]) -> dict[str, Any]:
    """Return the body of an answer; the order of its columns changes with every mark."""
    names = list(rows[0]) if rows else []
    Random(f"{question.underlying} {question.expiry} {question.seen}").shuffle(names)
    spot = _spot(market.series.get(question.underlying), question.seen)
    strikes = [row["strike_price"] for row in rows]
    listed = bool(rows)
    return {
        "tableHeaders": [{"type": _kind(name), "unique_name": name} for name in names],
        "tableData": [[row[name] for name in names] for row in rows],
        "atTheMoney": atm_strike(spot, strikes) if listed and spot else None,
        "maxPain": None,
        "MWPL": None,
        "IV": None,
        "futureData": {},
        "expiryLevelPCRValues": {"pcr_oi": _put_call_ratio(rows)} if listed else {},
        "stockLevelData": {"stockCurrentPrice": spot} if listed else {},
    }


def _kind(name: str) -> str:
    return "string" if name.startswith(("chart", "get_built")) else "number"


def _spot(series: Series | None, seen: float | None) -> float | None:
    if series is None:
        return None
    newest = series.last_closed(seen) if seen is not None else None
    return newest.close if newest else series.previous_close


def _put_call_ratio(rows: Iterable[Row]) -> float | None:
    calls, puts = (
        sum(row[f"open_interest_{side}"] or 0 for row in rows) for side in ("call", "put")
    )
    return round(puts / calls, 4) if calls else None


def _side(market: Market, question: Question, contract: Contract, side: str) -> Row:
    series = market.series.get(contract.symbol)
    start, close = market.hours
    at = start if question.seen is None else question.seen
    old_close = series.previous_close if series else None
    newest = series.last_closed(at) if series else None
    total = series.total_volume(close if question.seen is None else at) if series else None
    oi = series.open_interest(at) if series else None
    before = series.reference_oi(at) if series else None
    price = newest.close if newest else 0.0
    if question.seen is None:
        price = old_close or 0.0
    rise = price - old_close if price and old_close else 0.0
    change = oi - before if oi is not None and before is not None else 0
    lot = units_per_lot(contract) if question.in_lots else 1
    values = {
        "current_price": price,
        "day_change": round(percent(rise, old_close), 2),
        "traded_contracts": (total or 0) // lot,
        "traded_contracts_change": None,
        "ttv": round(price * (total or 0), 2),
        "open_interest": None if oi is None else oi // lot,
        "oi_change": round(percent(change, before), 2),
        "implied_volatility": None,
        "iv_change": None,
        "delta_calc": None,
        "gamma_calc": None,
        "rho_calc": None,
        "theta_calc": None,
        "vega_calc": None,
        "get_built_up_str": LABELS[rise > 0, change > 0] if rise and change else None,
        "chart": "",
        "pk": None,
    }
    return {f"{name}_{side}": value for name, value in values.items()}
