"""Candles of the past into `candle`: ask for what is missing, archive, derive."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from db.archive.raw_payloads import Answer, asked_since
from db.market.counts import lacking_counts
from db.market.frames import latest_price, price_range, reference_prices, stored_minutes
from db.market.gaps import missing_candles
from pipelines.ingest.bars import LONGEST_DELAY, complete_to
from pipelines.ingest.derive import Deriver
from pipelines.ingest.desk import Desk, Filled
from pipelines.ingest.plan import RESOLUTIONS, bars_to_ask, candle_symbols, newest_ended
from pipelines.sources.errors import (
    PayloadInvalid,
    PlanTooSmall,
    ResolutionUnavailable,
    SeriesFailed,
    SourceError,
    SourceUnavailable,
    SymbolUnknown,
)
from pipelines.sources.series import History, HistoryRequest, HistorySource
from strategy.contract import parse_symbol
from strategy.session import session_hours, session_of

logger = logging.getLogger(__name__)

# Ladders may still bring the open interest of an interval that ended less long ago.
COUNTS_DUE = timedelta(minutes=10)


class CandleReport(NamedTuple):
    """What a run did: rows that changed, and why symbols have none.

    `unanswered` are those of them of which asking again may bring more.
    """

    rows: int
    asked: int
    failures: dict[str, str]
    unanswered: int = 0

    @property
    def fault(self) -> str | None:
        """Return which symbols were not answered, with one reason; None where all were."""
        if not self.unanswered:
            return None
        symbol, reason = next(iter(self.failures.items()))
        more = f" and {self.unanswered - 1} more" if self.unanswered > 1 else ""
        return f"{symbol}{more}: {reason}"


def session_symbols(desk: Desk, session: date) -> list[str]:
    """Return the symbols whose candles a session needs, by the prices seen so far.

    While it is on these are the newest at any look; of an earlier day all between low and high, so
    that none is missed that would have been followed then.
    """
    symbols: list[str] = []
    for underlying in desk.settings.underlyings:
        closes = reference_prices(desk.connection, session, underlying)
        latest = latest_price(desk.connection, session, underlying)
        prices = [
            price for price in (*(spot for _, spot, _ in closes), latest) if price is not None
        ]
        if session_of(desk.now()) > session:
            prices += price_range(desk.connection, session, underlying)
        listed = desk.listed(session, underlying)
        symbols += candle_symbols(underlying, listed, prices, desk.settings.candle_wings)
    return symbols


async def ingest_candles(desk: Desk, session: date) -> CandleReport:
    """Fetch and write every candle of the session that should exist and is not stored.

    The indices come first: they tell which options are around ATM. When the session is over all
    of it is asked for once more: gaps and corrections show then.

    Whoever is preferred is asked first, and another one for what that has not. Counts of options
    that are lacking come from whoever carries them, be the candles as complete as they may.

    Raises:
        SourceError: Nobody who has candles of the past answers.
    """
    report = CandleReport(0, 0, {})
    failure: SourceError | None = None
    whole = False
    for filled in desk.histories:
        if whole:
            report = await _ingest_counts(desk, session, filled, report)
            continue
        try:
            found = await _ingest_from(desk, session, filled)
        except SourceError as error:
            desk.report_down(filled.source.name, error)
            failure = error
            continue
        failure = None
        report = found._replace(rows=report.rows + found.rows, asked=report.asked + found.asked)
        whole = not report.failures
    if failure is not None:
        raise failure
    return report


async def _ingest_counts(
    desk: Desk, session: date, filled: Filled[HistorySource], report: CandleReport
) -> CandleReport:
    """Ask for the counts alone that stored candles lack; without an answer they stay unknown."""
    wanted = _wanted(desk, session, session_symbols(desk, session))
    first = _without_counts(desk, session, filled, wanted)
    lacking = _requests(session, desk.now(), wanted, first)
    if not lacking:
        return report
    try:
        found = await _fetch(desk, session, filled, lacking)
    except SourceError as error:
        name = filled.source.name
        desk.report_down(name, error)
        reason = f"open interest and volume of {len(lacking)} symbols stay unknown: {error}"
        return report._replace(
            failures=report.failures | {name: reason}, unanswered=report.unanswered + len(lacking)
        )
    desk.report_up(filled.source.name, found.fault)
    return _sum(report, found)


async def _ingest_from(desk: Desk, session: date, filled: Filled[HistorySource]) -> CandleReport:
    report = CandleReport(0, 0, {})
    symbols = session_symbols(desk, session)
    requests = missing_bars(desk, session, symbols, filled)
    for _ in range(2):  # the second round for options that the index's candles revealed
        if not requests:
            break
        report = _sum(report, await _fetch(desk, session, filled, requests))
        desk.report_up(filled.source.name, report.fault)
        fresh = [name for name in session_symbols(desk, session) if name not in symbols]
        symbols += fresh
        requests = missing_bars(desk, session, fresh, filled)
    return report


def _sum(first: CandleReport, second: CandleReport) -> CandleReport:
    return CandleReport(
        first.rows + second.rows,
        first.asked + second.asked,
        first.failures | second.failures,
        first.unanswered + second.unanswered,
    )


def missing_bars(
    desk: Desk, session: date, symbols: Sequence[str], filled: Filled[HistorySource]
) -> list[HistoryRequest]:
    """Return what to ask for: series with a gap, and after the session each series once.

    So are those whose counts are lacking, if this source carries them.
    """
    start, close = session_hours(session)
    now = desk.now()
    wanted = _wanted(desk, session, symbols)
    gaps = missing_candles(desk.connection, start, wanted, newest_ended(session, now))
    first = {symbol: gap.first for symbol, gap in gaps.items()}
    if now >= close + LONGEST_DELAY:
        asked = asked_since(desk.connection, session, "history", close + LONGEST_DELAY)
        first |= {symbol: start for symbol in symbols if symbol not in asked}
    for symbol, moment in _without_counts(desk, session, filled, wanted).items():
        first[symbol] = min(moment, first.get(symbol, moment))
    return _requests(session, now, wanted, first)


def _wanted(desk: Desk, session: date, symbols: Sequence[str]) -> dict[str, int]:
    """Return the minutes of each symbol's candles."""
    known = stored_minutes(desk.connection, session, symbols)
    return {symbol: known.get(symbol, RESOLUTIONS[0]) for symbol in symbols}


def _without_counts(
    desk: Desk, session: date, filled: Filled[HistorySource], wanted: dict[str, int]
) -> dict[str, datetime]:
    """Return the first candle of each option whose counts this source may know."""
    if not filled.source.open_interest:
        return {}
    options = {symbol: minutes for symbol, minutes in wanted.items() if parse_symbol(symbol)}
    hours, by = session_hours(session), desk.now() - COUNTS_DUE
    return lacking_counts(desk.connection, filled.source.name, hours, by, options)


def _requests(
    session: date, now: datetime, wanted: dict[str, int], first: dict[str, datetime]
) -> list[HistoryRequest]:
    """Return requests that reach back to a moment of each series.

    In the order of the symbols, indices first: their newest bars tell how far the source is.
    """
    return [
        HistoryRequest(symbol, minutes, bars_to_ask(session, now, minutes, first[symbol]), session)
        for symbol, minutes in wanted.items()
        if symbol in first
    ]


class Fetched(NamedTuple):
    """Answers by symbol, and how many rows those that are histories changed."""

    answers: dict[str, History | SourceError]
    rows: int


async def _fetch(
    desk: Desk, session: date, filled: Filled[HistorySource], requests: list[HistoryRequest]
) -> CandleReport:
    answers, rows = await _ask(desk, session, filled, requests)
    coarser = [
        replace(request, minutes=RESOLUTIONS[-1])
        for request in requests
        if isinstance(answers[request.symbol], ResolutionUnavailable)
    ]
    if coarser:
        fetched = await _ask(desk, session, filled, coarser)
        answers, rows = answers | fetched.answers, rows + fetched.rows
    histories = [answer for answer in answers.values() if isinstance(answer, History)]
    failures = {
        symbol: answer for symbol, answer in answers.items() if isinstance(answer, SourceError)
    } | _without_bars(histories)
    for answer in _distinct(failures.values()):
        desk.keep_unparsed(filled.source.name, session, answer)
    # After writing what did come. Only a few among good answers are to blame for themselves; a
    # refusal is of all.
    of_one = (SymbolUnknown, ResolutionUnavailable, PlanTooSmall)
    again = {name: it for name, it in failures.items() if not isinstance(it, of_one)}
    usable = sum(1 for history in histories if history.bars)
    for answer in again.values():
        few = len(again) <= usable and isinstance(answer, (SourceUnavailable, PayloadInvalid))
        if not few and not (histories and isinstance(answer, SeriesFailed)):
            raise answer
    reasons = {symbol: str(answer) for symbol, answer in (again | failures).items()}
    return CandleReport(rows, len(requests) + len(coarser), reasons, len(again))


def _distinct(failures: Iterable[SourceError]) -> Iterator[SourceError]:
    """Yield one of those whose answers are the same bytes."""
    bodies: set[bytes] = set()
    for failure in failures:
        body = failure.body if isinstance(failure, PayloadInvalid) else b""
        if not body or body not in bodies:
            yield failure
        bodies.add(body)


async def _ask(
    desk: Desk, session: date, filled: Filled[HistorySource], requests: Sequence[HistoryRequest]
) -> Fetched:
    """Ask, and write each history when it comes: a budget spreads them over seconds."""
    counts = {request.symbol: request.count for request in requests}
    deriver = Deriver(desk.connection, session)
    arrived: asyncio.Queue[History | None] = asyncio.Queue()
    asking = asyncio.create_task(filled.client.histories(requests, arrived.put_nowait))
    asking.add_done_callback(lambda _: arrived.put_nowait(None))
    rows = 0
    newest: datetime | None = None
    try:
        while (history := await arrived.get()) is not None:
            newest = max(filter(None, (newest, _newest_open(history))), default=None)
            rows += take_history(
                *(desk, filled.source.name, deriver, history),
                *(counts[history.symbol], newest),
            )
            # Writing takes a while: answers that came meanwhile are read before they count as late.
            await asyncio.sleep(0)
        return Fetched(await asking, rows)
    finally:
        asking.cancel()


def _without_bars(histories: Iterable[History]) -> dict[str, SourceError]:
    """Return what has no bars at all, though it trades every minute; an option may not."""
    return {
        history.symbol: SourceUnavailable(f"{history.symbol}: a history without bars")
        for history in histories
        if not history.bars and parse_symbol(history.symbol) is None
    }


def _newest_open(history: History) -> datetime | None:
    return history.bars[-1].open_time if history.bars else None


def take_history(
    desk: Desk,
    source: str,
    deriver: Deriver,
    history: History,
    count: int,
    newest: datetime | None,
    connection: str | None = None,
) -> int:
    """Archive an answer, then write its candles; return how many changed.

    Args:
        desk: Handles.
        source: Who answered.
        deriver: Of the session.
        history: The answer.
        count: How many bars were asked for.
        newest: The newest bar's start that the source gave of anything.
        connection: Where the series goes on streaming, if it does.
    """
    asked_at = desk.clock.at(history.asked_at_wall)
    about: dict[str, Any] = {"kind": "history", "symbol": history.symbol, "count": count}
    about |= {"minutes": history.minutes, **history.about}
    receipt = desk.archive(
        Answer(
            source=source,
            request=f"history {history.symbol} {history.minutes} {count}",
            about=about | ({"connection": connection} if connection else {}),
            session=deriver.session,
            asked_at=asked_at,
            received_at=desk.clock.at(history.received_at_wall),
            body=history.raw,
            complete_to=complete_to(
                deriver.session, asked_at, history.minutes, newest, history.reached
            ),
        )
    )
    derived = deriver.history(receipt, history.bars, history.refused)
    desk.mark(receipt, derived.refused)
    return derived.candles
