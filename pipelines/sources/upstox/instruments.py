"""Which options and futures an answer lists, and the keys that name them. Pure."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from pipelines.sources import limits
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.refused import Refused
from pipelines.sources.roles import ListedContract, Listing
from pipelines.sources.strict_json import number, shown
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
_KEY = re.compile(r"[ -~]{1,60}")
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


def parse_options(rows: Iterable[Row], underlying: str) -> Listing:
    """Return an underlying's options, ascending by expiry, strike and type.

    Strikes that are no whole rupees cannot be named by our symbols and are left out, and so are
    rows that are not of the known form, with the reason.

    Raises:
        PayloadInvalid: There are some of the underlying, and not one is of the known form.
    """
    found, refused = _options(rows, underlying)
    contracts = sorted((contract for contract, _ in found), key=lambda listed: listed[1:5])
    return Listing(underlying, contracts, refused)


def option_keys(rows: Iterable[Row], underlying: str) -> dict[str, str]:
    """Return the keys of an underlying's options by symbol; raises as `parse_options` does."""
    return {contract.symbol: key for contract, key in _options(rows, underlying)[0]}


def future_keys(rows: Iterable[Row], underlying: str) -> dict[date, str]:
    """Return the keys of an underlying's futures by expiry.

    Raises:
        PayloadInvalid: There are some, and not one is of the known form.
    """
    keys, refused = {}, Refused()
    for row in _of(rows, underlying):
        if row.get("instrument_type") == FUTURE:
            try:
                key = _key(row)
                keys[day(entry(row, "expiry", key), f"{key}.expiry")] = key
            except PayloadInvalid as error:
                refused.add(error)
    refused.told(len(keys))
    return keys


def _options(
    rows: Iterable[Row], underlying: str
) -> tuple[list[tuple[ListedContract, str]], tuple[str, ...]]:
    """Return an underlying's options with their keys, and why others are left out."""
    found, refused = [], Refused()
    for row in _of(rows, underlying):
        kind = row.get("instrument_type")
        if not isinstance(kind, str) or kind not in OPTION_TYPES:
            continue
        try:
            key = _key(row)
            strike = number(entry(row, "strike_price", key), f"{key}.strike_price")
            if not strike.is_integer():
                continue
            contract = Contract(
                underlying,
                day(entry(row, "expiry", key), f"{key}.expiry"),
                limits.strike(strike, f"{key}.strike_price"),
                OPTION_TYPES[kind],
            )
            told = ListedContract(
                contract.symbol, *contract, _lot_size(row, key), _tick_size(row, key)
            )
        except PayloadInvalid as error:
            refused.add(error)
            continue
        found.append((told, key))
    return found, refused.told(len(found))


def _key(row: Row) -> str:
    """Return the key of an instrument, which names it in questions."""
    key = entry(row, "instrument_key", "instrument")
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise PayloadInvalid(f"instrument_key: {shown(key)} is no key")
    return key


def _lot_size(row: Row, where: str) -> int | None:
    lot = units(row.get("lot_size"), f"{where}.lot_size")
    if lot is not None and lot > limits.LARGEST_LOT:
        raise PayloadInvalid(f"{where}.lot_size: {lot} is no lot of this market")
    return lot


def _of(rows: Iterable[Row], underlying: str) -> Iterable[Row]:
    for row in rows:
        if row.get("segment") == "NSE_FO" and row.get("underlying_symbol") == underlying:
            yield row


def _tick_size(row: Row, where: str) -> float | None:
    """Return rupees: the source tells paise, and older descriptions of it tell rupees below one."""
    if row.get("tick_size") is None:
        return None
    tick = limits.price(number(row["tick_size"], f"{where}.tick_size"), f"{where}.tick_size")
    return round(tick if tick < 1 else tick / PAISE, 4) or None
