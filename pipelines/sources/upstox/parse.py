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
from datetime import date, datetime
from typing import Any

from pipelines.sources import limits
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.refused import Refused
from pipelines.sources.roles import Bars, Ladder, Listing, Reading
from pipelines.sources.series import Bar
from pipelines.sources.strict_json import number, shown
from pipelines.sources.upstox.chain import parse_chain
from pipelines.sources.upstox.fields import entry, listed, parse_data, parse_json, units
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
            listing = parse_options(instrument_rows(body), about["underlying"])
            if not listing.contracts:
                raise PayloadInvalid(f"no options of {about['underlying']} among the instruments")
            return _since(listing, session)
        case "expired-options":
            return _since(parse_options(contract_rows(body), about["underlying"]), session)
        case "history":
            found = parse_candles(body, about["symbol"], about["minutes"])
            return found._replace(bars=found.bars[-(about.get("newest") or 0) :])
        case "chain":
            return _chain(about, body)
        case "expiries":
            parse_expiries(body)  # what cannot be read shall be told of it too
            return None
        case "malformed":
            parse_json(body)
            # What was asked is lost with its answer.
            raise PayloadInvalid("can be parsed now: ingest the session again")
        case kind:
            raise PayloadInvalid(f"no answer of Upstox is a {kind!r}")


def _chain(about: Mapping[str, Any], body: bytes) -> Ladder:
    ladder = parse_chain(body, about["underlying"])
    if ladder.expiry not in {None, date.fromisoformat(about["expiry"])}:
        raise PayloadInvalid(f"a chain of {ladder.expiry} where {about['expiry']} was asked")
    return ladder


def _since(listing: Listing, session: date) -> Listing:
    return listing._replace(contracts=[c for c in listing.contracts if c.expiry >= session])


def parse_candles(body: bytes, symbol: str, minutes: int) -> Bars:
    """Return the candles of an answer, ascending; the newest may still be forming.

    A price that is null comes as not a number: whoever stores bars refuses it by itself. A row that
    is no candle is left out, with the reason.

    Raises:
        PayloadInvalid: Not of the known form, or two different candles of one interval.
    """
    rows = listed(entry(parse_data(body), "candles", "data"), "data.candles")
    found: dict[datetime, Bar] = {}
    refused = Refused()
    for n, row in enumerate(rows):
        try:
            bar = _bar(listed(row, f"data.candles[{n}]"), f"data.candles[{n}]")
        except PayloadInvalid as error:
            refused.add(error)
            continue
        if found.setdefault(bar.open_time, bar) != bar:
            raise PayloadInvalid(f"data.candles[{n}]: a second, different {bar.open_time}")
    bars = [found[moment] for moment in sorted(found)]
    if symbol in UNDERLYINGS:
        bars = [bar._replace(volume=None, open_interest=None) for bar in bars]
    elif not any(bar.open_interest for bar in bars):
        bars = [bar._replace(open_interest=None) for bar in bars]
    return Bars(symbol, minutes, bars, refused.told(len(bars)))


def _bar(row: list[Any], where: str) -> Bar:
    if len(row) not in {6, 7}:
        raise PayloadInvalid(f"{where}: {len(row)} values where 7 belong")
    try:
        opened = datetime.fromisoformat(row[0])
    except (TypeError, ValueError) as error:
        raise PayloadInvalid(f"{where}[0]: {shown(row[0])} is no time") from error
    open_time = limits.instant(opened, f"{where}[0]")
    first, high, low, last = (
        math.nan if row[n] is None else limits.price(number(row[n], place), place)
        for n, place in ((n, f"{where}[{n}]") for n in range(1, 5))
    )
    volume = units(row[5], f"{where}[5]")
    traded = None if volume is None else float(volume)
    held = units(row[6], f"{where}[6]") if len(row) > 6 else None
    return Bar(open_time, first, high, low, last, traded, held)
