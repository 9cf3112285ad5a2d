"""Trendlyne's answers into `contract`, `chain_oi` and `build_up`: fetch, archive, parse, write."""

import logging
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar

import pandas as pd

from db.bulk import BUILD_UP, CHAIN_OI, CONTRACT, write
from db.market import last_build_ups, reference_prices
from db.rows import BuildUp, ChainOi
from db.rows import Contract as ContractRow
from pipelines.desk import TRENDLYNE, Desk
from pipelines.errors import PayloadInvalid, SourceError, SourceRefused, WrongTradingDate
from pipelines.plan import BUILD_UP_MINUTES, Listed, contracts_around, due_contracts, newest_closed
from pipelines.sources.trendlyne import Payload, Position
from pipelines.sources.trendlyne_parse import (
    BuildUpRow,
    Chain,
    parse_build_ups,
    parse_chain,
    parse_expiries,
    parse_stock_id,
)
from strategy.build_up import label_build_ups
from strategy.contract import Contract, OptionType, lot_size
from strategy.session import IST, session_hours, session_of

logger = logging.getLogger(__name__)

POSITIONS: tuple[Position, ...] = ("near", "next", "far")
# A row counts as ended only so long after its interval: the source may serve it unfinished.
SETTLE = timedelta(seconds=5)
T = TypeVar("T")


class PositionReport(NamedTuple):
    """What a run did: rows that changed per table, and contracts asked for."""

    contracts: int = 0
    chain_rows: int = 0
    build_ups: int = 0
    asked: int = 0


class Near(NamedTuple):
    """The nearest listed expiry of an underlying and its place among the listed ones."""

    stock_id: int
    expiry: date
    position: Position


async def ingest_positions(desk: Desk, session: date) -> PositionReport:
    """Bring contracts, chain open interest and build-ups of today's session up to date.

    Asks only while something is missing: contracts not listed yet, or an ended 5-minute
    interval without rows for a contract that a cluster needs.

    Raises:
        SourceError: Trendlyne does not answer, refuses, or answers with something else.
    """
    try:
        report = await _ingest_all(desk, session)
    except WrongTradingDate:  # our question was wrong; the source is well
        raise
    except SourceError as error:
        desk.report_down(TRENDLYNE, error)
        raise
    if report.asked:
        desk.report_up(TRENDLYNE)
    return report


async def _ingest_all(desk: Desk, session: date) -> PositionReport:
    report = PositionReport()
    failure: SourceError | None = None
    for underlying in desk.settings.underlyings:
        try:
            done = await _ingest_underlying(desk, session, underlying)
        except (SourceRefused, WrongTradingDate):
            raise
        except SourceError as error:  # of this underlying; the others may be well
            failure = failure or error
        else:
            report = PositionReport(*map(sum, zip(report, done, strict=True)))
    if failure is not None:
        raise failure
    return report


async def _ingest_underlying(desk: Desk, session: date, underlying: str) -> PositionReport:
    listed = desk.listed(session, underlying)
    expected = newest_closed(session, desk.now(), BUILD_UP_MINUTES)
    prices = _prices(desk, session, underlying)
    due = _due(desk, session, listed, prices.values(), expected)
    if listed and not due and (expected is None or expected in prices):
        return PositionReport()
    if session != session_of(desk.now()):
        raise WrongTradingDate(f"{session} cannot be asked again: Trendlyne serves today only")
    near = await _near(desk, session, underlying, listed)
    chain, archived_at = await _chain(desk, session, near)
    if chain.trading_date != session:
        # Before the first minutes, and off hours, the last session is answered: nothing to write
        # but the strikes, which are listed from the morning on.
        logger.info("%s: Trendlyne still answers for %s", underlying, chain.trading_date)
        fresh = 0 if listed else _write_contracts(desk, session, underlying, near.expiry, chain)
        return PositionReport(contracts=fresh, asked=1)
    # Strikes are added during a day when the market moves far.
    contracts = _write_contracts(desk, session, underlying, near.expiry, chain)
    chain_rows = _write_chain(desk, underlying, near.expiry, chain, archived_at)
    # The chain's own spot stands in where the index is not there, so that one source being down
    # does not lose the other's rows, which nobody can ask again.
    seen = [*prices.values(), chain.spot]
    due = _due(desk, session, desk.listed(session, underlying), seen, expected)
    build_ups = await _ingest_contracts(desk, session, underlying, near, due)
    return PositionReport(contracts, chain_rows, build_ups, 1 + len(due))


async def _ingest_contracts(
    desk: Desk, session: date, underlying: str, near: Near, due: list[Listed]
) -> int:
    """Ask for each contract; one that fails does not keep the others from being asked."""
    build_ups = 0
    failure: SourceError | None = None
    for contract in due:
        try:
            build_ups += await _ingest_build_ups(desk, session, underlying, near, contract)
        except SourceRefused:
            raise
        except SourceError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return build_ups


def _prices(desk: Desk, session: date, underlying: str) -> dict[datetime, float]:
    """Return what places ATM, by the start of the 5-minute intervals that have a price."""
    closes = reference_prices(desk.connection, session, underlying)
    prices = {moment: future if spot is None else spot for moment, spot, future in closes}
    return {moment: price for moment, price in prices.items() if price is not None}


def _due(
    desk: Desk,
    session: date,
    listed: list[Listed],
    prices: Iterable[float],
    expected: datetime | None,
) -> list[Listed]:
    wanted = contracts_around(listed, prices, desk.settings.build_up_wings)
    newest = last_build_ups(desk.connection, session, desk.settings.underlyings)
    return due_contracts(wanted, newest, expected)


def _parsed(desk: Desk, session: date, payload: Payload, parse: Callable[[bytes], T]) -> T:
    """Archive first; an answer that cannot be parsed stays, marked with the reason."""
    archived = desk.archive(payload, session)
    try:
        return parse(payload.body)
    except PayloadInvalid as error:
        desk.mark_unparsed(archived, str(error))
        raise PayloadInvalid(f"payload {archived.payload_id}: {error}") from error


async def _near(desk: Desk, session: date, underlying: str, listed: list[Listed]) -> Near:
    """Return the expiry that the session's contracts have, else the nearest one listed."""
    if underlying not in desk.stock_ids:
        found = await desk.trendlyne.search(underlying)
        desk.stock_ids[underlying] = _parsed(
            desk, session, found, lambda body: parse_stock_id(body, underlying)
        )
    stock_id = desk.stock_ids[underlying]
    expiries = _parsed(desk, session, await desk.trendlyne.expiries(stock_id), parse_expiries)
    upcoming = sorted(expiry for expiry in expiries if expiry >= session)[: len(POSITIONS)]
    expiry = next((contract.expiry for contract in listed), upcoming[0] if upcoming else None)
    if expiry not in upcoming:
        # After its close an expiry leaves the list, and positions then mean other contracts.
        raise PayloadInvalid(f"{underlying}: expiry {expiry or session} is not listed any more")
    return Near(stock_id, expiry, POSITIONS[upcoming.index(expiry)])


async def _chain(desk: Desk, session: date, near: Near) -> tuple[Chain, datetime]:
    until = min(desk.now(), session_hours(session)[1]).astimezone(IST)
    payload = await desk.trendlyne.chain(near.stock_id, near.expiry, f"{until:%H:%M}")
    chain = _parsed(desk, session, payload, parse_chain)
    if chain.expiry not in {None, near.expiry}:
        raise PayloadInvalid(f"asked for expiry {near.expiry}, answered for {chain.expiry}")
    return chain, payload.received_at


def _write_contracts(desk: Desk, session: date, underlying: str, expiry: date, chain: Chain) -> int:
    kinds: tuple[OptionType, ...] = ("C", "P")
    options = [
        Contract(underlying, expiry, row.strike, kind) for row in chain.rows for kind in kinds
    ]
    source = desk.settings.label(TRENDLYNE)
    rows = [
        ContractRow(
            *(option.symbol, *option),
            lot_size=lot_size(underlying, expiry),
            first_seen=session,
            last_seen=session,
            source=source,
        )
        for option in options
    ]
    return write(desk.connection, CONTRACT, rows)


def _write_chain(
    desk: Desk, underlying: str, expiry: date, chain: Chain, received_at: datetime
) -> int:
    source = desk.settings.label(TRENDLYNE)
    rows = [
        ChainOi(
            *(underlying, expiry, row.strike, chain.observed_at),
            *(row.call_oi, row.put_oi, row.call_prev_oi, row.put_prev_oi),
            source=source,
            known_at=received_at,
        )
        for row in chain.rows
    ]
    return write(desk.connection, CHAIN_OI, rows)


async def _ingest_build_ups(
    desk: Desk, session: date, underlying: str, near: Near, contract: Listed
) -> int:
    payload = await desk.trendlyne.build_ups(
        underlying, near.expiry, near.position, contract.strike, contract.option_type
    )
    rows = _parsed(
        desk, session, payload, lambda body: parse_build_ups(body, session, payload.received_at)
    )
    ended = [row for row in rows if row.close_time + SETTLE <= payload.asked_at]
    source = desk.settings.label(TRENDLYNE)
    return write(
        desk.connection,
        BUILD_UP,
        build_up_rows(contract.symbol, underlying, ended, source, payload.received_at),
    )


def build_up_rows(
    symbol: str, underlying: str, rows: list[BuildUpRow], source: str, known_at: datetime
) -> list[BuildUp]:
    """Return the rows of one contract and session with our own label and change."""
    frame = pd.DataFrame(
        {
            "symbol": symbol,
            "open_time": pd.to_datetime([row.open_time for row in rows], utc=True),
            "close": [row.close for row in rows],
            "open_interest": pd.array([row.open_interest for row in rows], dtype="Int64"),
        }
    )
    if not rows:
        return []
    labelled = label_build_ups(frame)
    changes = labelled["oi_change"].astype(object)
    return [
        BuildUp(
            symbol=symbol,
            open_time=row.open_time,
            underlying=underlying,
            close_time=row.close_time,
            close=row.close,
            open_interest=row.open_interest,
            oi_change=None if pd.isna(change) else int(change),
            volume=row.volume,
            label=label,
            source=source,
            known_at=known_at,
        )
        for row, change, label in zip(rows, changes, labelled["label"], strict=True)
    ]
