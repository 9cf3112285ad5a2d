"""TradingView history into `candle`: fetch what is missing, archive, parse, write."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from db.bulk import CANDLE, write
from db.market import last_final_candles, latest_price, reference_prices
from pipelines.candles import Series, candle_rows
from pipelines.desk import TRADINGVIEW, Desk
from pipelines.errors import ResolutionUnavailable, SourceError, SymbolUnknown
from pipelines.plan import bars_missing, candle_symbols
from pipelines.sources.series import History, HistoryRequest
from pipelines.sources.tradingview import Session
from pipelines.sources.trendlyne import Payload

logger = logging.getLogger(__name__)

# One-minute candles where the source has them, five where only that exists.
RESOLUTIONS = (1, 5)


class CandleReport(NamedTuple):
    """What a run did: rows that changed, and why symbols have none."""

    rows: int
    asked: int
    failures: dict[str, str]


def session_symbols(desk: Desk, session: date) -> list[str]:
    """Return the symbols whose candles a session needs, by the prices seen so far."""
    symbols: list[str] = []
    for underlying in desk.settings.underlyings:
        closes = reference_prices(desk.connection, session, underlying)
        latest = latest_price(desk.connection, session, underlying)
        prices = [
            price for price in (*(spot for _, spot, _ in closes), latest) if price is not None
        ]
        listed = desk.listed(session, underlying)
        symbols += candle_symbols(underlying, listed, prices, desk.settings.candle_wings)
    return symbols


async def ingest_candles(desk: Desk, session: date) -> CandleReport:
    """Fetch and write every candle of the session that should exist and is not stored.

    The indices come first: they tell which options are around ATM.

    Raises:
        SourceUnavailable: TradingView cannot be reached.
        SourceRefused: It does not want the connection.
    """
    report = CandleReport(0, 0, {})
    symbols = session_symbols(desk, session)
    requests = _requests(desk, session, symbols)
    if not requests:
        return report
    try:
        async with desk.tradingview.connect() as tradingview:
            for _ in range(2):  # the second round for options that the index's candles revealed
                report = _sum(report, await _fetch(desk, tradingview, session, requests))
                fresh = [name for name in session_symbols(desk, session) if name not in symbols]
                symbols += fresh
                requests = _requests(desk, session, fresh)
                if not requests:
                    break
    except SourceError as error:
        desk.report_down(TRADINGVIEW, error)
        raise
    desk.report_up(TRADINGVIEW)
    return report


def _sum(first: CandleReport, second: CandleReport) -> CandleReport:
    return CandleReport(
        first.rows + second.rows, first.asked + second.asked, first.failures | second.failures
    )


def _requests(desk: Desk, session: date, symbols: Sequence[str]) -> list[HistoryRequest]:
    stored = last_final_candles(desk.connection, session, symbols)
    requests = []
    for symbol in symbols:
        minutes, newest, number = stored.get(symbol, (RESOLUTIONS[0], None, 0))
        if count := bars_missing(session, desk.now(), minutes, newest, number):
            requests.append(HistoryRequest(symbol, minutes, count))
    return requests


async def _fetch(
    desk: Desk, tradingview: Session, session: date, requests: list[HistoryRequest]
) -> CandleReport:
    rows, failures = 0, {}
    answers = await tradingview.history_many(requests)
    coarser = [
        HistoryRequest(request.symbol, RESOLUTIONS[-1], request.count)
        for request in requests
        if isinstance(answers[request.symbol], ResolutionUnavailable)
    ]
    answers |= await tradingview.history_many(coarser)
    unanswered = None
    for symbol, answer in answers.items():
        if isinstance(answer, History):
            rows += write_history(desk, session, answer)
        else:
            failures[symbol] = str(answer)
            desk.keep_unparsed(session, answer)
            if not isinstance(answer, SymbolUnknown | ResolutionUnavailable):
                unanswered = answer
    if unanswered is not None:  # after writing what did come
        raise unanswered
    return CandleReport(rows, len(requests) + len(coarser), failures)


def write_history(desk: Desk, session: date, history: History) -> int:
    """Archive an answer, then write its candles; return how many changed."""
    asked_at = desk.clock.at(history.asked_at_wall)
    received_at = desk.clock.at(history.received_at_wall)
    request = (
        f"history {history.symbol} {history.minutes} {history.chart_session}"
        f" asked {asked_at.isoformat()}"
    )
    archived = desk.archive(
        Payload(TRADINGVIEW, request, received_at, asked_at, history.raw), session
    )
    series = Series(history.symbol, history.minutes, session, desk.settings.label(TRADINGVIEW))
    rows = candle_rows(series, history.bars, asked_at, received_at)
    if rows.refused:
        desk.mark_unparsed(archived, "; ".join(rows.refused))
        logger.warning("payload %d: %s", archived.payload_id, "; ".join(rows.refused))
    return write(desk.connection, CANDLE, rows.candles)
