"""Contracts, strike ladders and build-ups of a session, from whoever fills those roles."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar

from db.archive.raw_payloads import asked_since
from db.market.frames import reference_prices
from db.market.gaps import Gap, missing_build_ups
from db.server.connection import advisory_lock
from pipelines.ingest.ask import Asked, ask
from pipelines.ingest.build_ups import make_build_ups
from pipelines.ingest.desk import Desk, Filled
from pipelines.ingest.ladders import ask_now, ingest_ladders
from pipelines.ingest.plan import BUILD_UP_MINUTES, Listed, contracts_around, newest_closed
from pipelines.sources.errors import PlanTooSmall, SessionGone, SourceError, SourceRefused
from pipelines.sources.roles import BuildUpSource
from strategy.contract import Contract
from strategy.session import session_hours, session_of

logger = logging.getLogger(__name__)

Client = TypeVar("Client")

POSITIONS_LOCK = 7_346_007
# The last rows appear minutes after the close: so long after it each contract is asked once more.
LAST_ROWS = timedelta(minutes=10)


class PositionReport(NamedTuple):
    """What a run did: rows that changed per table, requests, and what no allowance was left for."""

    contracts: int = 0
    chain_rows: int = 0
    build_ups: int = 0
    requests: int = 0
    unasked: tuple[str, ...] = ()

    def plus(self, other: "Asked | PositionReport") -> "PositionReport":
        """Return this with what another run or question brought."""
        return PositionReport(
            self.contracts + other.contracts,
            self.chain_rows + other.chain_rows,
            self.build_ups + other.build_ups,
            self.requests + other.requests,
            self.unasked + other.unasked,
        )


async def ingest_positions(
    desk: Desk, session: date, since: datetime | None = None
) -> PositionReport:
    """Bring contracts, ladders and build-ups of a session up to date, asking only what is due.

    One process asks at a time: two would ask the same, and use up what a day allows. The other one
    still makes build-ups of what is stored.

    Args:
        desk: Handles.
        session: Which.
        since: Make build-ups only of intervals that start then or later.

    Raises:
        SourceError: Somebody does not answer, refuses, or answers with something else. What others
            brought is written all the same.
        SessionGone: Rows are missing, and nobody can be asked for that session any more.
    """
    report = PositionReport()
    failures: list[SourceError] = []
    with advisory_lock(desk.connection, POSITIONS_LOCK) as held:
        if held:
            for underlying in desk.settings.underlyings:
                report = await _ingest_underlying(desk, session, underlying, report, failures)
    if desk.settings.build_up_source != "rows":
        made = make_build_ups(desk.connection, session, desk.settings.underlyings, since)
        report = report._replace(build_ups=report.build_ups + made)
    if failures:
        raise failures[0]
    if session != session_of(desk.now()):
        _require_whole(desk, session)
    return report


async def _ingest_underlying(
    desk: Desk,
    session: date,
    underlying: str,
    report: PositionReport,
    failures: list[SourceError],
) -> PositionReport:
    """Ask each role about one underlying; one that fails does not keep the others from it."""
    today = session == session_of(desk.now())
    if not desk.listed(session, underlying):
        able = [each for each in desk.listings if today or each.source.past_sessions]
        report = report.plus(
            await _first_answer(
                *(desk, able, failures),
                lambda each: ask(
                    *(desk, session, each.source.name),
                    each.client.listings(underlying, session),
                ),
                enough=lambda: bool(desk.listed(session, underlying)),
            )
        )
    if not today:
        return report
    report = report.plus(
        await _first_answer(
            *(desk, desk.ladders, failures),
            lambda each: ingest_ladders(desk, session, underlying, each),
        )
    )
    if desk.settings.build_up_source == "rows":
        for rows in desk.build_ups[:1]:
            report = await _ingest_rows(desk, session, underlying, rows, report, failures)
    return report


async def _first_answer(
    desk: Desk,
    able: Sequence[Filled[Client]],
    failures: list[SourceError],
    question: Callable[[Filled[Client]], Awaitable[Asked]],
    enough: Callable[[], bool] = lambda: True,
) -> Asked:
    """Ask those that fill a role, the preferred one first, until one answers with `enough`.

    Failures are noted of each, and only where nobody answered is something missing.
    """
    missed: list[SourceError] = []
    found = Asked()
    for filled in able:
        asked = await _asked(desk, filled, question(filled), missed)
        found = found.plus(asked or Asked())
        if asked is not None and enough():
            return found
    failures += missed
    return found


async def _asked(
    desk: Desk, filled: Filled[Client], question: Awaitable[Asked], failures: list[SourceError]
) -> Asked | None:
    """Note whether a source answered; keep its failure for the end, and return None."""
    try:
        asked = await question
    except PlanTooSmall as error:  # it works, and has nothing for this account
        failures.append(error)
        return None
    except SourceError as error:
        desk.report_down(filled.source.name, error)
        failures.append(error)
        return None
    if asked.requests:
        desk.report_up(filled.source.name)
    return asked


async def _ingest_rows(
    desk: Desk,
    session: date,
    underlying: str,
    filled: Filled[BuildUpSource],
    report: PositionReport,
    failures: list[SourceError],
) -> PositionReport:
    """Ask for the rows of each contract that lacks one, dear as that is: by choice only.

    Rows carry no date: a ladder of the same fetch tells which session is answered.
    """
    due = _due(desk, session, underlying, filled.source.ladder_lag)
    for ladders in desk.ladders[:1] if due else ():
        question = ask_now(desk, session, underlying, ladders)
        asked = await _asked(desk, ladders, question, failures)
        if asked is None:
            return report
        report = report.plus(asked)
        if asked.ladder is None or asked.ladder.trading_date != session:
            return report
    for contract in due:
        option = Contract(underlying, contract.expiry, contract.strike, contract.option_type)
        answers = filled.client.build_ups(option, session)
        question = ask(desk, session, filled.source.name, answers)
        report = report.plus(await _asked(desk, filled, question, failures) or Asked())
        if failures and isinstance(failures[-1], SourceRefused):
            break
    return report


def _require_whole(desk: Desk, session: date) -> None:
    """Say so where rows of a past session are missing that only its day could have given.

    Raises:
        SessionGone: Some are.
    """
    for underlying in desk.settings.underlyings:
        if not desk.listed(session, underlying) or _due(desk, session, underlying):
            raise SessionGone(
                f"{session} cannot be asked again: what is missing of {underlying}'s contracts and"
                " build-ups nobody in SOURCES gives after its day"
            )


def lacking_build_ups(desk: Desk, session: date, lag: timedelta = timedelta(0)) -> int:
    """Return how many intervals of contracts around ATM that ended so long ago have no build-up."""
    return sum(
        gap.number
        for underlying in desk.settings.underlyings
        for gap in _gaps(desk, session, _around(desk, session, underlying), lag).values()
    )


def _prices(desk: Desk, session: date, underlying: str) -> list[float]:
    """Return what places ATM in the 5-minute intervals that have a price."""
    closes = reference_prices(desk.connection, session, underlying)
    prices = (future if spot is None else spot for _, spot, future in closes)
    return [price for price in prices if price is not None]


def _due(desk: Desk, session: date, underlying: str, lag: timedelta = timedelta(0)) -> list[Listed]:
    """Return the contracts around ATM that lack a row of an interval that ended so long ago."""
    if newest_closed(session, desk.now() - lag, BUILD_UP_MINUTES) is None:
        return []
    wanted = _around(desk, session, underlying)
    close = session_hours(session)[1]
    symbols = [contract.symbol for contract in wanted]
    missing = set(_gaps(desk, session, wanted, lag))
    if session == session_of(desk.now()) and desk.now() >= close + LAST_ROWS:
        missing.update(symbols)
        missing -= asked_since(desk.connection, session, "build_ups", close + LAST_ROWS)
    return [contract for contract in wanted if contract.symbol in missing]


def _around(desk: Desk, session: date, underlying: str) -> list[Listed]:
    """Return the contracts around ATM at any of the session's prices."""
    prices = _prices(desk, session, underlying)
    listed = desk.listed(session, underlying)
    return contracts_around(listed, prices, desk.settings.build_up_wings)


def _gaps(desk: Desk, session: date, wanted: Sequence[Listed], lag: timedelta) -> dict[str, Gap]:
    """Return the gaps of contracts' rows of intervals that ended so long ago."""
    expected = newest_closed(session, desk.now() - lag, BUILD_UP_MINUTES)
    if expected is None:
        return {}
    start, _ = session_hours(session)
    return missing_build_ups(
        desk.connection, start, expected, [contract.symbol for contract in wanted]
    )
