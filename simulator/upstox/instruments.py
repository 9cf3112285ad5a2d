"""The instruments of a market in Upstox's form, and the keys that name them.

A row of the daily file has its expiry in epoch milliseconds, the last one of the day; answers
about expired contracts have a date instead, and it is part of their key. `tick_size` is in paise.
"""

import gzip
import json
import zlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any

from simulator.forming import TICK
from simulator.market import Market
from strategy.contract import Contract, future_symbol, lot_size, monthly_expiry
from strategy.errors import CalendarUnknownError
from strategy.session import IST

INDEX_NAMES = {"NIFTY": "Nifty 50", "BANKNIFTY": "Nifty Bank"}
INDEX_TOKENS = {"NIFTY": "26000", "BANKNIFTY": "26009"}
KINDS = {"C": "CE", "P": "PE"}
PAISE = 100
# What else the file holds: of other segments, of the same letters, and of no use to anybody here.
OTHERS: list[dict[str, Any]] = [
    {
        "segment": "NSE_EQ",
        "name": "RELIANCE INDUSTRIES LTD",
        "exchange": "NSE",
        "isin": "INE002A01018",
        "instrument_type": "EQ",
        "instrument_key": "NSE_EQ|INE002A01018",
        "lot_size": 1,
        "freeze_quantity": 100000.0,
        "exchange_token": "2885",
        "tick_size": 10.0,
        "trading_symbol": "RELIANCE",
        "qty_multiplier": 1.0,
    },
    {
        "segment": "NSE_INDEX",
        "name": "India VIX",
        "exchange": "NSE",
        "instrument_type": "INDEX",
        "instrument_key": "NSE_INDEX|India VIX",
        "exchange_token": "26017",
        "trading_symbol": "INDIA VIX",
    },
    {
        "weekly": False,
        "segment": "NSE_FO",
        "name": "NIFTYNXT50",
        "exchange": "NSE",
        "expiry": 1769538599000,
        "instrument_type": "CE",
        "asset_symbol": "NIFTYNXT50",
        "underlying_symbol": "NIFTYNXT50",
        "instrument_key": "NSE_FO|37059",
        "lot_size": 25,
        "freeze_quantity": 600.0,
        "exchange_token": "37059",
        "minimum_lot": 25,
        "underlying_key": "NSE_INDEX|Nifty Next 50",
        "tick_size": 5.0,
        "underlying_type": "INDEX",
        "trading_symbol": "NIFTYNXT50 69000 CE 27 JAN 26",
        "strike_price": 69000.0,
        "qty_multiplier": 1.0,
    },
]


def index_key(underlying: str) -> str:
    """Return an index's key, e.g. `NSE_INDEX|Nifty 50`."""
    return f"NSE_INDEX|{INDEX_NAMES[underlying]}"


def contract_key(name: str) -> str:
    """Return a contract's key, e.g. `NSE_FO|51414`; the same one in every session."""
    return f"NSE_FO|{zlib.crc32(name.encode())}"


def option_key(contract: Contract) -> str:
    """Return an option's key."""
    return contract_key(contract.symbol)


def future_key(underlying: str, expiry: date) -> str:
    """Return a future's key."""
    return contract_key(f"{underlying}{expiry:%y%m%d}F")


def keys(market: Market) -> dict[str, str]:
    """Return the symbols of a session by their keys; the future's is that of the front one."""
    found = {index_key(underlying): underlying for underlying in market.underlyings}
    found |= {option_key(contract): contract.symbol for contract in market.contracts}
    found |= {future_key(*each): future_symbol(each[0]) for each in front_futures(market)}
    return {key: symbol for key, symbol in found.items() if symbol in market.series}


def front_futures(market: Market) -> list[tuple[str, date]]:
    """Return underlying and expiry of each front future, where the calendar knows it."""
    found = []
    for underlying in market.underlyings:
        with suppress(CalendarUnknownError):
            found.append((underlying, monthly_expiry(underlying, market.day)))
    return found


def instruments_file(market: Market) -> bytes:
    """Return the day's gzipped file of all instruments."""
    rows = [*OTHERS, *map(_index_row, market.underlyings)]
    rows += [_in_file(future_row(*each)) for each in front_futures(market)]
    rows += [_in_file(option_row(contract)) for contract in market.contracts]
    return gzip.compress(json.dumps(rows).encode(), 6, mtime=0)


def option_row(contract: Contract) -> dict[str, Any]:
    """Return an option's row as the answers about contracts have it."""
    kind = KINDS[contract.option_type]
    row = _row(contract.underlying, contract.expiry, option_key(contract), kind)
    weekly = (contract.expiry + timedelta(days=7)).month == contract.expiry.month
    name = f"{contract.underlying} {contract.strike} {kind} {_day(contract.expiry)}"
    return row | {
        "trading_symbol": name,
        "tick_size": TICK * PAISE,
        "strike_price": float(contract.strike),
        "weekly": weekly,
    }


def future_row(underlying: str, expiry: date) -> dict[str, Any]:
    """Return a future's row as the answers about contracts have it."""
    row = _row(underlying, expiry, future_key(underlying, expiry), "FUT")
    return row | {"trading_symbol": f"{underlying} FUT {_day(expiry)}", "tick_size": 10.0}


def expired_rows(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with the expiry in their keys."""
    return [
        row | {"instrument_key": expired_key(row["instrument_key"], row["expiry"])} for row in rows
    ]


def expired_key(key: str, expiry: str) -> str:
    """Return the key of an expired contract: the normal one with the expiry, day first."""
    return f"{key}|{date.fromisoformat(expiry):%d-%m-%Y}"


def _row(underlying: str, expiry: date, key: str, kind: str) -> dict[str, Any]:
    lot = lot_size(underlying, expiry) or 1
    return {
        "name": underlying,
        "segment": "NSE_FO",
        "exchange": "NSE",
        "expiry": expiry.isoformat(),
        "instrument_key": key,
        "exchange_token": key.partition("|")[2],
        "lot_size": lot,
        "instrument_type": kind,
        "freeze_quantity": 24.0 * lot,
        "underlying_key": index_key(underlying),
        "underlying_type": "INDEX",
        "underlying_symbol": underlying,
        "minimum_lot": lot,
    }


def _in_file(row: dict[str, Any]) -> dict[str, Any]:
    end = datetime.combine(date.fromisoformat(row["expiry"]) + timedelta(days=1), time(), IST)
    expiry = (int(end.timestamp()) - 1) * 1000
    extra = {"expiry": expiry, "asset_symbol": row["name"], "qty_multiplier": 1.0}
    return {"strike_price": 0.0} | row | extra


def _index_row(underlying: str) -> dict[str, Any]:
    return {
        "segment": "NSE_INDEX",
        "name": INDEX_NAMES[underlying],
        "exchange": "NSE",
        "instrument_type": "INDEX",
        "instrument_key": index_key(underlying),
        "exchange_token": INDEX_TOKENS[underlying],
        "trading_symbol": underlying,
    }


def _day(day: date) -> str:
    # Not strftime, whose month names follow the locale.
    months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    return f"{day.day:02d} {months[day.month - 1]} {day:%y}"
