"""Trendlyne's answers into `contract`, `chain_oi` and `build_up`: fetch, archive, parse, write."""

import logging
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from db.archive.raw_payloads import asked_since
from db.market.frames import reference_prices
from db.market.gaps import missed_snapshots, missing_build_ups
from pipelines.ingest.derive import Deriver
from pipelines.ingest.desk import TRENDLYNE, Desk
from pipelines.ingest.plan import BUILD_UP_MINUTES, Listed, contracts_around, newest_closed
from pipelines.ingest.trendlyne_questions import Near, ask_build_ups, ask_chain, find_near
from pipelines.sources.errors import (
    SessionGone,
    SourceError,
    SourceRefused,
    WrongTradingDate,
)
from strategy.session import session_hours, session_of

logger = logging.getLogger(__name__)

# The last rows appear minutes after the close: so long after it each contract is asked once more.
LAST_ROWS = timedelta(minutes=10)
# Until so long after the open the source may still answer for the session before.
FIRST_ROWS = timedelta(minutes=15)
# How many missed strike ladders are asked for in one go while the session is on; then all.
SNAPSHOTS_AT_ONCE = 6


class PositionReport(NamedTuple):
    """What a run did: rows that changed per table, and contracts asked for."""

    contracts: int = 0
    chain_rows: int = 0
    build_ups: int = 0
    asked: int = 0


async def ingest_positions(desk: Desk, session: date) -> PositionReport:
    """Bring contracts, chain open interest and build-ups of today's session up to date.

    Asks only while something is missing: contracts not listed yet, or an ended 5-minute
    interval without rows for a contract that a cluster needs; and, when the session is over, once
    more for all.

    Raises:
        SourceError: Trendlyne does not answer, refuses, or answers with something else.
    """
    try:
        report = await _ingest_all(desk, session)
    except SessionGone:  # our question was wrong; the source is well
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
        except (SourceRefused, SessionGone):
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
    today = session == session_of(desk.now())
    missed = today and listed and _missed(desk, session, underlying, listed[0].expiry)
    settled = expected in {None, *prices} or _over(desk, session)
    if listed and not due and not missed and settled:
        return PositionReport()
    if not today:
        raise SessionGone(f"{session} cannot be asked again: Trendlyne serves today only")
    near = await find_near(desk, session, underlying, listed)
    deriver = Deriver(desk.connection, session)
    until = min(desk.now(), session_hours(session)[1])
    derived, chain = await ask_chain(desk, deriver, underlying, near, until)
    if chain.trading_date != session:
        words = f"{underlying}: Trendlyne still answers for {chain.trading_date}"
        if desk.now() >= session_hours(session)[0] + FIRST_ROWS:
            raise WrongTradingDate(words)
        logger.info(words)
        return PositionReport(contracts=derived.contracts, asked=1)
    # The chain's own spot stands in where the index is not there, so that one source being down
    # does not lose the other's rows, which nobody can ask again. Strikes are added during a day.
    seen = [*prices.values(), chain.spot]
    due = _due(desk, session, desk.listed(session, underlying), seen, expected)
    build_ups = await _ingest_contracts(desk, deriver, underlying, near, due)
    chain_rows = derived.chain_rows
    missed = _missed(desk, session, underlying, near.expiry)
    for moment in missed:
        found, _ = await ask_chain(desk, deriver, underlying, near, moment)
        chain_rows += found.chain_rows
    asked = 1 + len(due) + len(missed)
    return PositionReport(derived.contracts, chain_rows, build_ups, asked)


async def _ingest_contracts(
    desk: Desk, deriver: Deriver, underlying: str, near: Near, due: list[Listed]
) -> int:
    """Ask for each contract; one that fails does not keep the others from being asked."""
    build_ups = 0
    failure: SourceError | None = None
    for contract in due:
        try:
            build_ups += await ask_build_ups(desk, deriver, underlying, near, contract)
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


def _over(desk: Desk, session: date) -> bool:
    """Tell whether the session's last rows should be there."""
    return desk.now() >= session_hours(session)[1] + LAST_ROWS


def _missed(desk: Desk, session: date, underlying: str, expiry: date) -> list[datetime]:
    """Return the moments whose strike ladder to ask for now."""
    now = desk.now()
    newest = newest_closed(session, now, BUILD_UP_MINUTES)
    missed = missed_snapshots(desk.connection, session, underlying, expiry, newest)
    return missed if now >= session_hours(session)[1] else missed[:SNAPSHOTS_AT_ONCE]


def _due(
    desk: Desk,
    session: date,
    listed: list[Listed],
    prices: Iterable[float],
    expected: datetime | None,
) -> list[Listed]:
    """Return the contracts that lack a row of an ended interval."""
    wanted = contracts_around(listed, prices, desk.settings.build_up_wings)
    if expected is None:
        return []
    start, close = session_hours(session)
    symbols = [contract.symbol for contract in wanted]
    missing = set(missing_build_ups(desk.connection, start, expected, symbols))
    if session == session_of(desk.now()) and _over(desk, session):
        missing.update(symbols)
        missing -= asked_since(desk.connection, session, "build_ups", close + LAST_ROWS)
    return [contract for contract in wanted if contract.symbol in missing]
