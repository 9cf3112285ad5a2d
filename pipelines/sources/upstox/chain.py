"""The option chain as a ladder. Pure."""

from datetime import date
from typing import Any

from pipelines.sources import limits
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.refused import Refused
from pipelines.sources.roles import Ladder, LadderRow, LadderSide
from pipelines.sources.strict_json import number, shown
from pipelines.sources.upstox.fields import day, entry, listed, parse_data, units
from pipelines.sources.upstox.instruments import INDEX_KEYS

Row = dict[str, Any]


def parse_chain(body: bytes, underlying: str) -> Ladder:
    """Return the ladder of an option chain, strikes ascending.

    No time stands in it: it is of the moment of its receipt. A price or a bid of 0 is none; its
    quantity stays.

    Raises:
        PayloadInvalid: Not of the known form, or another underlying's.
    """
    found: dict[int, LadderRow] = {}
    refused = Refused()
    spots: set[float] = set()
    expiries: set[date] = set()
    for n, row in enumerate(listed(parse_data(body), "data")):
        where = f"data[{n}]"
        if isinstance(row, dict) and row.get("underlying_key") != INDEX_KEYS[underlying]:
            key = shown(entry(row, "underlying_key", where))
            raise PayloadInvalid(f"{where}.underlying_key: {key} is not {underlying}'s")
        try:
            expiry = day(entry(row, "expiry", where), f"{where}.expiry")
            spot = _price(row.get("underlying_spot_price"), f"{where}.underlying_spot_price")
            strike = _strike(row, where)
            call, put = (_side(row, name, where) for name in ("call_options", "put_options"))
        except PayloadInvalid as error:
            refused.add(error)
            continue
        expiries.add(expiry)
        spots |= {spot} if spot is not None else set()
        if found.setdefault(strike, LadderRow(strike, call, put)) != (strike, call, put):
            raise PayloadInvalid(f"{where}.strike_price: a second, different row of {strike}")
    if len(expiries) > 1:
        raise PayloadInvalid(f"data: rows of {len(expiries)} expiries")
    rows = [found[strike] for strike in sorted(found)]
    return Ladder(
        underlying=underlying,
        expiry=expiries.pop() if expiries else None,
        trading_date=None,
        moment=None,
        spot=spots.pop() if len(spots) == 1 else None,
        rows=rows if _tells_open_interest(rows) else [_without_open_interest(row) for row in rows],
        refused=refused.told(len(found)),
    )


def _strike(row: Row, where: str) -> int:
    place = f"{where}.strike_price"
    return limits.strike(number(entry(row, "strike_price", where), place), place)


def _side(row: Row, name: str, where: str) -> LadderSide | None:
    if row.get(name) is None:
        return None
    where = f"{where}.{name}.market_data"
    data = entry(row[name], "market_data", where.removesuffix(".market_data"))
    if data is None:
        return None
    return LadderSide(
        open_interest=units(entry(data, "oi", where), f"{where}.oi"),
        previous_open_interest=units(data.get("prev_oi"), f"{where}.prev_oi"),
        price=_price(data.get("ltp"), f"{where}.ltp"),
        volume=units(data.get("volume"), f"{where}.volume"),
        bid=_price(data.get("bid_price"), f"{where}.bid_price"),
        ask=_price(data.get("ask_price"), f"{where}.ask_price"),
        bid_quantity=units(data.get("bid_qty"), f"{where}.bid_qty"),
        ask_quantity=units(data.get("ask_qty"), f"{where}.ask_qty"),
    )


def _price(value: Any, where: str) -> float | None:
    if value is None:
        return None
    result = number(value, where)
    if result < 0:
        raise PayloadInvalid(f"{where}: {shown(value)} is negative")
    return limits.price(result, where) or None


def _tells_open_interest(rows: list[LadderRow]) -> bool:
    return any(side and side.open_interest for row in rows for side in (row.call, row.put))


def _without_open_interest(row: LadderRow) -> LadderRow:
    call, put = (side and side._replace(open_interest=None) for side in (row.call, row.put))
    return LadderRow(row.strike, call, put)
