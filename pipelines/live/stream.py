"""One connection's forming candles: subscribed, archived part by part, written."""

import logging
import secrets
from datetime import date, datetime, timedelta

from db.archive.raw_payloads import Part, Receipt, archive_part
from pipelines.ingest.candles import take_history
from pipelines.ingest.derive import Deriver
from pipelines.ingest.desk import TRADINGVIEW, Desk
from pipelines.ingest.plan import RESOLUTIONS
from pipelines.sources.errors import (
    ResolutionUnavailable,
    SourceError,
    SourceRefused,
    SymbolUnknown,
)
from pipelines.sources.series import BarUpdate
from pipelines.sources.tradingview.client import Session as TradingViewSession
from strategy.session import session_hours

logger = logging.getLogger(__name__)

# How long a series may be silent after its bar's end: market time, and of this computer.
SETTLE_MARKET = timedelta(seconds=3)
SETTLE_WALL_SECONDS = 1.5


class Stream:
    """What one connection streams of a session."""

    def __init__(self, desk: Desk, session: date, tradingview: TradingViewSession) -> None:
        self._desk = desk
        self._session = session
        self._tradingview = tradingview
        self._deriver = Deriver(desk.connection, session, keeps_forming=True)
        self._name = secrets.token_hex(4)
        self._source = desk.settings.label(TRADINGVIEW)
        self._updates: list[BarUpdate] = []
        self._asked: set[str] = set()
        self._newest: datetime | None = None
        market_grace = timedelta(seconds=SETTLE_WALL_SECONDS * desk.clock.speed)
        self._grace = max(SETTLE_MARKET, market_grace).total_seconds()

    async def read(self) -> None:
        """Collect what arrives, until the connection breaks."""
        async for update in self._tradingview.updates():
            self._updates.append(update)

    async def subscribe(self, symbol: str) -> None:
        """Follow one symbol; one that fails alone is left to Dagster's runs until we reconnect."""
        if symbol in self._asked:
            return
        self._asked.add(symbol)
        elapsed = max(timedelta(0), self._desk.now() - session_hours(self._session)[0])
        for minutes in RESOLUTIONS:
            count = int(elapsed / timedelta(minutes=minutes)) + 3
            try:
                history = await self._tradingview.subscribe(symbol, minutes, count)
            except ResolutionUnavailable:
                continue
            except SourceError as error:
                broken = self._tradingview.failure is not None
                if isinstance(error, SourceRefused) or (
                    broken and not isinstance(error, SymbolUnknown)
                ):
                    raise
                self._desk.keep_unparsed(self._session, error)
                logger.warning("%s is not followed: %s", symbol, error)
                return
            opens = [bar.open_time for bar in history.bars[-1:]]
            self._newest = max([*opens, self._newest] if self._newest else opens, default=None)
            take_history(
                self._desk, self._deriver, history, count, self._newest, connection=self._name
            )
            return
        logger.warning("%s has no candles of %s minutes", symbol, RESOLUTIONS)

    def write(self) -> bool:
        """Archive what arrived, then write the candles it changed.

        Returns:
            Whether a final one is among them: signals may follow from it.
        """
        updates, self._updates = self._updates, []
        heard = self._desk.clock.at(self._tradingview.heard_at_wall)
        charts = {update.chart_session: (update.symbol, update.minutes) for update in updates}
        about = {"kind": "stream", "connection": self._name, "grace": self._grace}
        part = Part(
            self._source,
            self._session,
            about | {"charts": charts},
            heard,
            b"".join(update.raw for update in updates),
        )
        bars = [(update.symbol, update.minutes, update.bars) for update in updates]
        taken = self._deriver.stream(Receipt.of(part), bars)
        if updates:
            self._desk.report_up(TRADINGVIEW)
        if not updates and not taken.candles:
            return False
        refused = "; ".join(taken.refused) or None
        archive_part(self._desk.connection, part._replace(parser_error=refused))
        if refused:
            logger.warning("bars refused: %s", refused)
        return any(row.final for row in self._deriver.write_stream())
