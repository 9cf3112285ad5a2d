"""Bid and ask of a strike ladder, where its answer has them. Pure."""

from datetime import date, datetime

from db.archive.raw_payloads import Receipt
from db.writing.rows import Quote
from pipelines.sources.counts import units_each
from pipelines.sources.roles import Ladder, LadderSide
from strategy.contract import Contract, OptionType, lot_size


def ladder_quotes(receipt: Receipt, ladder: Ladder, expiry: date, moment: datetime) -> list[Quote]:
    """Return the quotes of a ladder's options that have any, as the source tells them.

    Quantities that are not in units for certain are unknown; the prices stay.
    """
    sides = _quoted(ladder, expiry)
    counts = [count for _, side in sides for count in (side.bid_quantity, side.ask_quantity)]
    in_units = units_each(counts, lot_size(ladder.underlying, expiry)) == 1
    return [
        Quote(
            *(contract.symbol, moment, side.bid, side.ask),
            bid_quantity=side.bid_quantity if in_units else None,
            ask_quantity=side.ask_quantity if in_units else None,
            source=receipt.source,
            known_at=receipt.received_at,
        )
        for contract, side in sides
    ]


def _quoted(ladder: Ladder, expiry: date) -> list[tuple[Contract, LadderSide]]:
    kinds: tuple[OptionType, ...] = ("C", "P")
    return [
        (Contract(ladder.underlying, expiry, row.strike, kind), side)
        for row in ladder.rows
        for kind, side in zip(kinds, (row.call, row.put), strict=True)
        if side is not None
        and (side.bid, side.ask, side.bid_quantity, side.ask_quantity) != (None,) * 4
    ]
