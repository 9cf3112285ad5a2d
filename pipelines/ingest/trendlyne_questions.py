"""Questions to Trendlyne: each answer is archived before anybody parses it."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from db.archive.raw_payloads import Answer, Receipt
from pipelines.ingest.answers import build_ups_of, chain_of
from pipelines.ingest.derive import Derived, Deriver
from pipelines.ingest.desk import TRENDLYNE, Desk
from pipelines.ingest.plan import Listed
from pipelines.sources.errors import ExpiryGone, SourceError
from pipelines.sources.trendlyne.client import Payload
from pipelines.sources.trendlyne.parse import Chain, parse_expiries, parse_stock_id
from strategy.resolver import Position, position_of
from strategy.session import IST

T = TypeVar("T")


class Near(NamedTuple):
    """The nearest listed expiry of an underlying and its place among the listed ones."""

    stock_id: int
    expiry: date
    position: Position


async def _answer(
    desk: Desk,
    session: date,
    about: dict[str, Any],
    ask: Awaitable[Payload],
    parse: Callable[[Receipt], T],
) -> tuple[Receipt, T]:
    """Archive first; an answer that cannot be parsed stays, marked with the reason."""
    payload = await ask
    receipt = desk.archive(
        Answer(
            source=TRENDLYNE,
            request=payload.request,
            about=about,
            session=session,
            asked_at=payload.asked_at,
            received_at=payload.received_at,
            body=payload.body,
        )
    )
    try:
        return receipt, parse(receipt)
    except SourceError as error:
        desk.mark(receipt, [str(error)])
        raise type(error)(f"payload {receipt.payload_id}: {error}") from error


async def find_near(desk: Desk, session: date, underlying: str, listed: list[Listed]) -> Near:
    """Return the expiry that the session's contracts have, else the nearest one listed.

    Raises:
        ExpiryGone: It is not listed any more.
    """
    about = {"underlying": underlying}
    if underlying not in desk.stock_ids:
        _, desk.stock_ids[underlying] = await _answer(
            desk,
            session,
            {"kind": "search", **about},
            desk.trendlyne.search(underlying),
            lambda receipt: parse_stock_id(receipt.body, underlying),
        )
    stock_id = desk.stock_ids[underlying]
    _, expiries = await _answer(
        desk,
        session,
        {"kind": "expiries", **about},
        desk.trendlyne.expiries(stock_id),
        lambda receipt: parse_expiries(receipt.body),
    )
    upcoming = min((expiry for expiry in expiries if expiry >= session), default=None)
    expiry = next((contract.expiry for contract in listed), upcoming)
    position = position_of(underlying, expiry, session, expiries) if expiry else None
    if expiry is None or position is None:
        # After its close an expiry leaves the list, and positions then mean other contracts.
        raise ExpiryGone(f"{underlying}: expiry {expiry or session} is not listed any more")
    return Near(stock_id, expiry, position)


async def ask_chain(
    desk: Desk, deriver: Deriver, underlying: str, near: Near, until: datetime
) -> tuple[Derived, Chain]:
    """Ask for the strike ladder up to a minute, and write it."""
    minute = f"{until.astimezone(IST):%H:%M}"
    about = {"kind": "chain", "underlying": underlying, "expiry": near.expiry.isoformat()}
    receipt, chain = await _answer(
        desk,
        deriver.session,
        about | {"until": minute},
        desk.trendlyne.chain(near.stock_id, near.expiry, minute),
        lambda receipt: chain_of(receipt, near.expiry),
    )
    return deriver.chain(receipt, chain), chain


async def ask_build_ups(
    desk: Desk, deriver: Deriver, underlying: str, near: Near, contract: Listed
) -> int:
    """Ask for a contract's rows of the day, and write them; return how many changed."""
    asking = desk.trendlyne.build_ups(
        underlying, near.expiry, near.position, contract.strike, contract.option_type
    )
    about = {"kind": "build_ups", "symbol": contract.symbol}
    receipt, rows = await _answer(
        desk,
        deriver.session,
        about,
        asking,
        lambda receipt: build_ups_of(receipt, deriver.session),
    )
    return deriver.build_ups(receipt, rows).build_ups
