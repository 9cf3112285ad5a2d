"""Upstox's answers, from bytes to what we know of the market. Pure.

Fields as in the vendor's documentation (upstox.com/developer/api-documentation: instruments,
get-pc-option-chain, v3/get-intra-day-candle-data, v3/get-historical-candle-data,
get-expired-option-contracts), the official Python SDK and recorded answers of 2024 and 2025. None
of it was tried against the live service.

Zero and unknown are not the same. An index has no volume and no open interest, though the source
sends 0 for both. A whole answer of open interest 0 is one that does not know it: whether expired
contracts have any is not documented.
"""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.roles import Bars, Listing, Reading
from pipelines.sources.series import Bar
from pipelines.sources.strict_json import number
from pipelines.sources.upstox.chain import parse_chain
from pipelines.sources.upstox.fields import entry, listed, parse_data, units
from pipelines.sources.upstox.instruments import (
    contract_rows,
    instrument_rows,
    parse_expiries,
    parse_options,
)
from strategy.contract import UNDERLYINGS


def read(
    about: Mapping[str, Any],
    body: bytes,
    session: date,
    _received_at: datetime | None = None,
) -> Reading:
    """Return what an archived answer says; None where it only leads to the next question.

    Args:
        about: The question, as the client noted it.
        body: The answer's bytes.
        session: For which it was asked; options that expired before it are left out.

    Raises:
        PayloadInvalid: It is not of the known form, with the place.
    """
    match about["kind"]:
        case "instruments":
            contracts = parse_options(instrument_rows(body), about["underlying"])
            if not contracts:
                raise PayloadInvalid(f"no options of {about['underlying']} among the instruments")
            return Listing(about["underlying"], [c for c in contracts if c.expiry >= session])
        case "expired-options":
            contracts = parse_options(contract_rows(body), about["underlying"])
            return Listing(about["underlying"], [c for c in contracts if c.expiry >= session])
        case "history":
            symbol, minutes = about["symbol"], about["minutes"]
            return Bars(symbol, minutes, parse_candles(body, symbol)[-(about.get("newest") or 0) :])
        case "chain":
            ladder = parse_chain(body, about["underlying"])
            if ladder.expiry not in {None, date.fromisoformat(about["expiry"])}:
                raise PayloadInvalid(
                    f"a chain of {ladder.expiry} where {about['expiry']} was asked"
                )
            return ladder
        case "expiries":
            parse_expiries(body)  # what cannot be read shall be told of it too
            return None
        case kind:
            raise PayloadInvalid(f"no answer of Upstox is a {kind!r}")


def parse_candles(body: bytes, symbol: str) -> list[Bar]:
    """Return the candles of an answer, ascending; the newest may still be forming.

    A price that is null comes as not a number: whoever stores bars refuses it by itself.

    Raises:
        PayloadInvalid: Not of the known form, or two different candles of one interval.
    """
    rows = listed(entry(parse_data(body), "candles", "data"), "data.candles")
    found: dict[datetime, Bar] = {}
    for n, row in enumerate(rows):
        bar = _bar(listed(row, f"data.candles[{n}]"), f"data.candles[{n}]")
        if found.setdefault(bar.open_time, bar) != bar:
            raise PayloadInvalid(f"data.candles[{n}]: a second, different {bar.open_time}")
    bars = [found[moment] for moment in sorted(found)]
    if symbol in UNDERLYINGS:
        return [bar._replace(volume=None, open_interest=None) for bar in bars]
    if not any(bar.open_interest for bar in bars):
        return [bar._replace(open_interest=None) for bar in bars]
    return bars


def _bar(row: list[Any], where: str) -> Bar:
    if len(row) not in {6, 7}:
        raise PayloadInvalid(f"{where}: {len(row)} values where 7 belong")
    try:
        opened = datetime.fromisoformat(row[0])
    except (TypeError, ValueError) as error:
        raise PayloadInvalid(f"{where}[0]: {row[0]!r} is no time") from error
    if opened.tzinfo is None:
        raise PayloadInvalid(f"{where}[0]: {row[0]!r} has no offset")
    first, high, low, last = (
        math.nan if row[n] is None else number(row[n], f"{where}[{n}]") for n in range(1, 5)
    )
    volume = units(row[5], f"{where}[5]")
    traded = None if volume is None else float(volume)
    held = units(row[6], f"{where}[6]") if len(row) > 6 else None
    return Bar(opened.astimezone(UTC), first, high, low, last, traded, held)
