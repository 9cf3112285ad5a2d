"""Trendlyne's answers into `contract`, `chain_oi` and `build_up`: fetch, archive, parse, write."""

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar

import pandas as pd

from db.bulk import BUILD_UP, CHAIN_OI, CONTRACT, write
from db.market import last_build_ups, reference_prices
from db.rows import BuildUp, ChainOi
from db.rows import Contract as ContractRow
from pipelines.desk import TRENDLYNE, Desk
from pipelines.errors import PayloadInvalid, SourceError, WrongTradingDate
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
    report = PositionReport()
    try:
        for underlying in desk.settings.underlyings:
            done = await _ingest_underlying(desk, session, underlying)
            report = PositionReport(*map(sum, zip(report, done, strict=True)))
    except SourceError as error:
        desk.report_down(TRENDLYNE, error)
        raise
    if report.asked:
        desk.report_up(TRENDLYNE)
    return report


async def _ingest_underlying(desk: Desk, session: date, underlying: str) -> PositionReport:
    listed = desk.listed(session, underlying)
    expected = newest_closed(session, desk.now(), BUILD_UP_MINUTES)
    due = _due(desk, session, underlying, listed, expected)
    if listed and not due:
        return PositionReport()
    if session != session_of(desk.now()):
        raise WrongTradingDate(f"{session} cannot be asked again: Trendlyne serves today only")
    near = await _near(desk, session, underlying)
    chain, archived_at = await _chain(desk, session, near)
    contracts = 0
    if not listed:
        contracts = _write_contracts(desk, session, underlying, near.expiry, chain)
        due = _due(desk, session, underlying, desk.listed(session, underlying), expected)
    if chain.trading_date != session:
        # Before the first minutes, and off hours, the last session is answered: nothing to write.
        logger.info("%s: Trendlyne still answers for %s", underlying, chain.trading_date)
        return PositionReport(contracts=contracts, asked=1)
    chain_rows = _write_chain(desk, underlying, near.expiry, chain, archived_at)
    build_ups = 0
    for contract in due:
        build_ups += await _ingest_build_ups(desk, session, underlying, near, contract)
    return PositionReport(contracts, chain_rows, build_ups, 1 + len(due))


def _due(
    desk: Desk, session: date, underlying: str, listed: list[Listed], expected: datetime | None
) -> list[Listed]:
    prices = [
        future if spot is None else spot
        for _, spot, future in reference_prices(desk.connection, session, underlying)
    ]
    known = [price for price in prices if price is not None]
    wanted = contracts_around(listed, known, desk.settings.build_up_wings)
    return due_contracts(wanted, last_build_ups(desk.connection, session, [underlying]), expected)


def _parsed(desk: Desk, session: date, payload: Payload, parse: Callable[[bytes], T]) -> T:
    """Archive first; an answer that cannot be parsed stays, marked with the reason."""
    archived = desk.archive(payload, session)
    try:
        return parse(payload.body)
    except PayloadInvalid as error:
        desk.mark_unparsed(archived, str(error))
        raise PayloadInvalid(f"payload {archived.payload_id}: {error}") from error


async def _near(desk: Desk, session: date, underlying: str) -> Near:
    if underlying not in desk.stock_ids:
        found = await desk.trendlyne.search(underlying)
        desk.stock_ids[underlying] = _parsed(
            desk, session, found, lambda body: parse_stock_id(body, underlying)
        )
    stock_id = desk.stock_ids[underlying]
    expiries = sorted(
        _parsed(desk, session, await desk.trendlyne.expiries(stock_id), parse_expiries)
    )
    upcoming = [expiry for expiry in expiries if expiry >= session]
    if not upcoming:
        raise PayloadInvalid(f"{underlying}: no expiry on or after {session} is listed")
    return Near(stock_id, upcoming[0], POSITIONS[expiries.index(upcoming[0])])


async def _chain(desk: Desk, session: date, near: Near) -> tuple[Chain, datetime]:
    until = min(desk.now(), session_hours(session)[1]).astimezone(IST)
    payload = await desk.trendlyne.chain(near.stock_id, near.expiry, f"{until:%H:%M}")
    return _parsed(desk, session, payload, parse_chain), payload.received_at


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
    asked_at = desk.now()
    payload = await desk.trendlyne.build_ups(
        underlying, near.expiry, near.position, contract.strike, contract.option_type
    )
    rows = _parsed(desk, session, payload, lambda body: parse_build_ups(body, session))
    ended = [row for row in rows if row.close_time + SETTLE <= asked_at]
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
