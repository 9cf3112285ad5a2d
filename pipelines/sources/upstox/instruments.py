"""Which options and futures an answer lists, and the keys that name them. Pure."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from pipelines.sources.roles import ListedContract
from pipelines.sources.strict_json import number
from pipelines.sources.upstox.fields import (
    day,
    entry,
    listed,
    parse_data,
    parse_json,
    units,
)
from strategy.contract import Contract, OptionType

INDEX_KEYS = {"NIFTY": "NSE_INDEX|Nifty 50", "BANKNIFTY": "NSE_INDEX|Nifty Bank"}
OPTION_TYPES: dict[str, OptionType] = {"CE": "C", "PE": "P"}
FUTURE = "FUT"
PAISE = 100
Row = dict[str, Any]


def instrument_rows(body: bytes) -> list[Row]:
    """Return the rows of the daily file of all instruments."""
    return [row for row in listed(parse_json(body), "instruments") if isinstance(row, dict)]


def contract_rows(body: bytes) -> list[Row]:
    """Return the rows of an answer about contracts."""
    return [row for row in listed(parse_data(body), "data") if isinstance(row, dict)]


def parse_expiries(body: bytes) -> list[date]:
    """Return the expiries of an answer, ascending."""
    days = listed(parse_data(body), "data")
    return sorted({day(value, f"data[{n}]") for n, value in enumerate(days)})


def parse_options(rows: Iterable[Row], underlying: str) -> list[ListedContract]:
    """Return an underlying's options, ascending by expiry, strike and type.

    Strikes that are no whole rupees cannot be named by our symbols and are left out.
    """
    found = []
    for row in _of(rows, underlying):
        kind = OPTION_TYPES.get(str(row.get("instrument_type")))
        where = str(row.get("instrument_key"))
        if kind is None:
            continue
        strike = number(entry(row, "strike_price", where), f"{where}.strike_price")
        if not strike.is_integer():
            continue
        expiry = day(entry(row, "expiry", where), f"{where}.expiry")
        contract = Contract(underlying, expiry, int(strike), kind)
        lot = units(row.get("lot_size"), f"{where}.lot_size")
        found.append(ListedContract(contract.symbol, *contract, lot, _tick_size(row, where)))
    return sorted(found, key=lambda listed: listed[1:5])


def option_keys(rows: Iterable[Row], underlying: str) -> dict[str, str]:
    """Return the keys of an underlying's options by symbol."""
    kept = list(_of(rows, underlying))
    keys = {}
    for row in kept:
        for contract in parse_options([row], underlying):
            keys[contract.symbol] = str(entry(row, "instrument_key", contract.symbol))
    return keys


def future_keys(rows: Iterable[Row], underlying: str) -> dict[date, str]:
    """Return the keys of an underlying's futures by expiry."""
    keys = {}
    for row in _of(rows, underlying):
        if row.get("instrument_type") == FUTURE:
            where = str(entry(row, "instrument_key", "instruments"))
            keys[day(entry(row, "expiry", where), f"{where}.expiry")] = where
    return keys


def _of(rows: Iterable[Row], underlying: str) -> Iterable[Row]:
    for row in rows:
        if row.get("segment") == "NSE_FO" and row.get("underlying_symbol") == underlying:
            yield row


def _tick_size(row: Row, where: str) -> float | None:
    """Return rupees: the source tells paise, and older descriptions of it tell rupees below one."""
    if row.get("tick_size") is None:
        return None
    tick = number(row["tick_size"], f"{where}.tick_size")
    return round(tick if tick < 1 else tick / PAISE, 4) or None
