"""What archived answers say: parsed, and refused where they cannot be true."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from db.archive.raw_payloads import Receipt
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.series import Bar
from pipelines.sources.tradingview.wire import BAR_METHODS, Message, decode, parse_series
from pipelines.sources.trendlyne.parse import (
    CLOCKS_DIFFER,
    BuildUpRow,
    Chain,
    parse_build_ups,
    parse_chain,
)
from strategy.contract import lot_size, parse_symbol


def chain_of(receipt: Receipt, expiry: date) -> Chain:
    """Return the strike ladder of an answer to a question about one expiry.

    Raises:
        PayloadInvalid: It is not of the documented form, or cannot be true.
    """
    chain = parse_chain(receipt.body)
    if chain.expiry not in {None, expiry}:
        raise PayloadInvalid(f"asked for expiry {expiry}, answered for {chain.expiry}")
    if chain.observed_at > receipt.received_at + CLOCKS_DIFFER:
        raise PayloadInvalid(
            f"observed at {chain.observed_at}, received at {receipt.received_at}: one of the"
            " clocks is wrong"
        )
    counts = [count for row in chain.rows for count in (row.call_oi, row.put_oi)]
    require_units(counts, lot_size(receipt.about["underlying"], expiry))
    return chain


def require_units(counts: Iterable[int], lot: int | None) -> None:
    """Refuse counts that are plainly not in units; single odd ones are a check's business.

    Raises:
        PayloadInvalid: Most of them are no multiples of the lot.
    """
    found = [count for count in counts if count]
    odd = sum(1 for count in found if lot and count % lot)
    if odd * 2 > len(found):
        raise PayloadInvalid(
            f"{odd} of {len(found)} counts are no multiples of the lot {lot}: not in units"
        )


def build_ups_of(receipt: Receipt, session: date) -> list[BuildUpRow]:
    """Return the rows of a contract's answer, if they can be of that session.

    Raises:
        PayloadInvalid: It is not of the documented form, or not in units.
        WrongTradingDate: Rows lie in the future of the answer: it repeats another day.
    """
    rows = parse_build_ups(receipt.body, session, receipt.received_at)
    contract = parse_symbol(receipt.about["symbol"])
    counts = [count for row in rows for count in (row.open_interest, row.volume)]
    require_units(counts, lot_size(contract.underlying, contract.expiry) if contract else None)
    return rows


def stream_bars(
    body: bytes, charts: Mapping[str, Sequence[Any]]
) -> list[tuple[str, int, list[Bar]]]:
    """Return symbol, minutes and bars of each frame of a stream's part, in the order received.

    Raises:
        PayloadInvalid: The bytes are not frames of the documented form.
    """
    found = []
    for message in _bar_messages(body):
        series = charts.get(message.session or "")
        if series is not None:
            found.append((series[0], series[1], parse_series(message)))
    return found


def require_readable(body: bytes) -> None:
    """Look whether a message that broke a connection can be parsed by now.

    Raises:
        PayloadInvalid: It still cannot.
    """
    for message in _bar_messages(body):
        parse_series(message)


def _bar_messages(body: bytes) -> Iterator[Message]:
    for frame in decode(body):
        if isinstance(frame, Message) and frame.method in BAR_METHODS:
            yield frame
