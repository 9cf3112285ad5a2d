"""What leads to Trendlyne's data: numbers of stocks, listed expiries and strikes. Pure.

The interface is undocumented: shapes as recorded or as other clients describe them. Whatever
differs raises `PayloadInvalid` with its place; nothing is guessed, because the bytes are archived
and can be parsed again.
"""

from datetime import date

from pipelines.sources import limits
from pipelines.sources.errors import PayloadInvalid, SymbolUnknown
from pipelines.sources.refused import Refused
from pipelines.sources.roles import ListedContract, Listing
from pipelines.sources.strict_json import shown
from pipelines.sources.trendlyne.fields import (
    day,
    entry,
    integer,
    list_entry,
    object_entry,
    parse_body,
    units,
)
from strategy.contract import Contract, OptionType

TYPES: tuple[OptionType, ...] = ("C", "P")


def parse_stock_id(body: bytes, code: str) -> int:
    """Return the source's number of an underlying from a `search-contract-stock` answer.

    Raises:
        SymbolUnknown: No entry has exactly that code; the first one may be another stock.
        PayloadInvalid: The answer is not of the known form.
    """
    stocks = list_entry(parse_body(body), "data", "body")
    for n, stock in enumerate(stocks):
        if isinstance(stock, dict) and stock.get("stock_code") == code:
            where = f"body.data[{n}]"
            return units(entry(stock, "stock_id", where), f"{where}.stock_id")
    raise SymbolUnknown(f"{code} is not among the {len(stocks)} stocks found")


def parse_expiries(body: bytes) -> list[date]:
    """Return the listed expiries of a `get-expiry-dates` answer, ascending.

    Raises:
        PayloadInvalid: The answer is of neither known form.
    """
    content = parse_body(body)
    if "expiryDates" in content:
        where, days = "body.expiryDates", list_entry(content, "expiryDates", "body")
    else:
        where = "body.data.all_exp_list"
        days = list_entry(object_entry(content, "data", "body"), "all_exp_list", "body.data")
    return sorted({day(text, f"{where}[{n}]") for n, text in enumerate(days)})


def parse_listing(body: bytes, underlying: str, expiry: date) -> Listing:
    """Return the contracts of an expiry from a `live-oi-data` answer, strikes ascending.

    Its `strikePriceList` has all listed strikes, its rows only those around spot. Lots and ticks
    are not told. What is no strike is left out, with the reason.

    Raises:
        PayloadInvalid: The answer is not of the known form, or of another expiry.
    """
    content = parse_body(body, head_required=True)
    overall = object_entry(content, "overallData", "body")
    place = "body.overallData.strikePriceList"
    found = list_entry(overall, "strikePriceList", "body.overallData")
    strikes: set[int] = set()
    refused = Refused()
    for n, strike in enumerate(found):
        try:
            strikes.add(limits.strike(integer(strike, f"{place}[{n}]"), f"{place}[{n}]"))
        except PayloadInvalid as error:
            refused.add(error)
    asked = object_entry(content, "inputData", "body")
    answered = list_entry(asked, "expDateList", "body.inputData")
    if answered != [expiry.isoformat()]:
        told = ", ".join(map(shown, answered[:3])) or "none"
        raise PayloadInvalid(f"asked for expiry {expiry}, answered for {told}")
    options = [
        Contract(underlying, expiry, strike, kind) for strike in sorted(strikes) for kind in TYPES
    ]
    contracts = [ListedContract(option.symbol, *option) for option in options]
    return Listing(underlying, contracts, refused.told(len(strikes)))
