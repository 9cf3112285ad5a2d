"""What ingestion works with: the database, the clock and one client per source."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from db.archive.raw_payloads import Answer, Receipt, archive, mark
from db.archive.source_status import report_down, report_up
from db.market.calendar import read_overrides
from db.market.frames import listed_contracts
from db.server.connection import connect
from db.server.migrate import require_current
from pipelines.ingest.plan import Listed
from pipelines.settings import Settings
from pipelines.sources.errors import PayloadInvalid, SourceError
from pipelines.sources.politeness import Budget, SharedBudget
from pipelines.sources.series import HistorySource
from pipelines.sources.tradingview.client import TradingView
from pipelines.sources.tradingview.pool import HistoryPool, PoolLimits
from pipelines.sources.tradingview.tvdatafeed import TvDatafeedHistory
from pipelines.sources.trendlyne.client import Trendlyne
from strategy.clock import MarketClock
from strategy.session import use_overrides

logger = logging.getLogger(__name__)

TRADINGVIEW = "tradingview"
TRENDLYNE = "trendlyne"


@dataclass
class Desk:
    """One process's handles; every market time comes from `now`."""

    settings: Settings
    connection: Connection[Any]
    tradingview: TradingView
    history: HistorySource
    trendlyne: Trendlyne
    clock: MarketClock
    stock_ids: dict[str, int] = field(default_factory=dict)

    def now(self) -> datetime:
        """Return the market time."""
        return self.clock.now()

    def archive(self, answer: Answer) -> Receipt:
        """Store an answer before anybody derives rows from it."""
        answer = answer._replace(source=self.settings.label(answer.source))
        payload_id = archive(self.connection, answer)
        return Receipt(
            payload_id,
            answer.source,
            answer.about,
            answer.asked_at,
            answer.received_at,
            answer.complete_to,
            answer.body,
        )

    def keep_unparsed(self, session: date, error: SourceError) -> None:
        """Archive the bytes of a TradingView answer that its client could not parse."""
        if isinstance(error, PayloadInvalid) and error.body:
            now = self.now()
            answer = Answer(
                TRADINGVIEW, "unparsed", {"kind": "malformed"}, session, now, now, error.body
            )
            self.mark(self.archive(answer), [str(error)])

    def mark(self, receipt: Receipt, reasons: Sequence[str]) -> None:
        """Keep why parts of an archived answer, or all of it, could not be used."""
        if reasons and receipt.payload_id is not None:
            mark(self.connection, receipt.payload_id, "; ".join(reasons))
            logger.warning("payload %d: %s", receipt.payload_id, "; ".join(reasons))

    def report_up(self, source: str) -> None:
        """Note that a source answered."""
        report_up(self.connection, source, self.now())

    def report_down(self, source: str, error: Exception) -> None:
        """Note that a source does not answer, for the page and the checks."""
        report_down(self.connection, source, self.now(), str(error) or type(error).__name__)

    def listed(self, session: date, underlying: str) -> list[Listed]:
        """Return the stored options of the nearest expiry, as listed in a session."""
        rows = listed_contracts(self.connection, session, underlying)
        return [
            Listed(symbol, expiry, strike, "C" if kind == "C" else "P")
            for symbol, expiry, strike, kind in rows
        ]


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """Open the handles of one process.

    Raises:
        DatabaseUnavailableError: No database answers.
        SchemaOutdatedError: It has to be migrated first.
    """
    with connect(settings.database_url.get_secret_value()) as connection:
        require_current(connection)
        use_overrides(read_overrides(connection))
        clock = settings.clock
        trendlyne_budget = SharedBudget(
            connection, TRENDLYNE, clock, settings.trendlyne_requests_per_second
        )
        tradingview_budget = SharedBudget(
            connection, TRADINGVIEW, clock, settings.tradingview_requests_per_second
        )
        token = settings.tradingview_token
        secret = token.get_secret_value() if token else None
        tradingview = TradingView(
            settings.tradingview_url, secret, budget=tradingview_budget, clock=clock
        )
        async with Trendlyne(settings.trendlyne_url, clock, trendlyne_budget) as trendlyne:
            yield Desk(
                settings=settings,
                connection=connection,
                tradingview=tradingview,
                history=_history(settings, tradingview, secret, tradingview_budget),
                trendlyne=trendlyne,
                clock=clock,
            )


def _history(
    settings: Settings, tradingview: TradingView, token: str | None, budget: Budget
) -> HistorySource:
    connections, parallel = settings.tradingview_connections, settings.tradingview_parallel
    if settings.history_adapter == "session":
        return HistoryPool(tradingview, PoolLimits(connections, parallel))
    # The package opens a connection a request.
    return TvDatafeedHistory(
        settings.tradingview_url,
        token,
        budget=budget,
        parallel=connections,
        clock=settings.clock,
    )
