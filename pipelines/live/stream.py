"""One connection's forming candles: subscribed, archived part by part, written."""

import logging
import secrets
import time
from datetime import date, datetime, timedelta

from db.archive.raw_payloads import Part, Receipt, archive_part
from db.archive.words import brief
from pipelines.ingest.candles import take_history
from pipelines.ingest.derive import Deriver
from pipelines.ingest.desk import Desk
from pipelines.ingest.plan import RESOLUTIONS
from pipelines.sources.errors import (
    ResolutionUnavailable,
    SeriesFailed,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    SymbolUnknown,
)
from pipelines.sources.roles import Bars, StreamSession
from pipelines.sources.series import BarUpdate
from strategy.session import session_hours

logger = logging.getLogger(__name__)

# How long a series may be silent after its bar's end: market time, and of this computer.
SETTLE_MARKET = timedelta(seconds=3)
SETTLE_WALL_SECONDS = 1.5
# An index trades every second: a connection without any bar or quote so long has died, even if
# heartbeats come. Market time, and of this computer.
MUTE_MARKET = timedelta(minutes=2)
MUTE_WALL_SECONDS = 5.0


class Stream:
    """What one connection streams of a session."""

    def __init__(self, desk: Desk, session: date, source: str, connection: StreamSession) -> None:
        self._desk = desk
        self._session = session
        self._source = source
        self._connection = connection
        self._deriver = Deriver(desk.connection, session, keeps_forming=True)
        self._name = secrets.token_hex(4)
        self._updates: list[BarUpdate] = []
        self._asked: set[str] = set()
        self._newest: datetime | None = None
        market_grace = timedelta(seconds=SETTLE_WALL_SECONDS * desk.clock.speed)
        self._grace = max(SETTLE_MARKET, market_grace).total_seconds()

    async def read(self) -> None:
        """Collect what arrives, until the connection breaks."""
        async for update in self._connection.updates():
            self._updates.append(update)

    async def subscribe(self, symbol: str) -> None:
        """Follow one symbol; one that fails alone is left to Dagster's runs until we reconnect.

        A series that the source itself gave up is asked for again when this is called again.
        """
        if symbol in self._asked:
            return
        self._asked.add(symbol)
        began = time.time()
        elapsed = max(timedelta(0), self._desk.now() - session_hours(self._session)[0])
        for minutes in RESOLUTIONS:
            count = int(elapsed / timedelta(minutes=minutes)) + 3
            try:
                history = await self._connection.subscribe(symbol, minutes, count)
            except ResolutionUnavailable:
                continue
            except SeriesFailed as error:
                self._asked.discard(symbol)
                logger.warning("%s is not followed: %s", symbol, error)
                return
            except SourceError as error:
                if isinstance(error, SourceUnavailable):
                    error = self._connection.give_up_if_mute(began) or error
                broken = self._connection.failure is not None
                if isinstance(error, SourceRefused) or (
                    broken and not isinstance(error, SymbolUnknown)
                ):
                    raise error from None
                self._desk.keep_unparsed(self._source, self._session, error)
                logger.warning("%s is not followed: %s", symbol, error)
                return
            opens = [bar.open_time for bar in history.bars[-1:]]
            self._newest = max([*opens, self._newest] if self._newest else opens, default=None)
            take_history(
                *(self._desk, self._source, self._deriver, history, count, self._newest),
                connection=self._name,
            )
            return
        logger.warning("%s has no candles of %s minutes", symbol, RESOLUTIONS)

    def write(self) -> bool:
        """Archive what arrived, then write the candles it changed.

        Returns:
            Whether a final one is among them: signals may follow from it.
        """
        updates, self._updates = self._updates, []
        for update in updates:
            if update.error is not None:
                self._asked.discard(update.symbol)
                logger.warning("%s streams no more: %s", update.symbol, update.error)
        self._connection.note_delay()
        self._require_data()
        # What was taken, not what is still on its way to us: no two states have the same time.
        newest = max(
            (update.received_at_wall for update in updates), default=self._connection.data_at_wall
        )
        heard = self._desk.clock.at(newest)
        charts = {update.chart_session: (update.symbol, update.minutes) for update in updates}
        about = {
            "source": self._source,
            "kind": "stream",
            "connection": self._name,
            "grace": self._grace,
        }
        part = Part(
            self._desk.settings.label(self._source),
            self._session,
            about | {"charts": charts},
            heard,
            b"".join(update.raw for update in updates),
        )
        bars = [
            Bars(update.symbol, update.minutes, update.bars, update.refused) for update in updates
        ]
        taken = self._deriver.stream(Receipt.of(part), bars)
        if updates:
            self._desk.report_up(self._source)
        if not updates and not taken.candles:
            return False
        refused = brief("; ".join(taken.refused)) or None
        archive_part(self._desk.connection, part._replace(parser_error=refused))
        if refused:
            logger.warning("bars refused: %s", refused)
        return any(row.final for row in self._deriver.write_stream())

    def _require_data(self) -> None:
        """Give up a connection that brings nothing but heartbeats in an open market."""
        clock, now = self._desk.clock, self._desk.now()
        opens, closes = session_hours(self._session)
        allowed = max(MUTE_MARKET, timedelta(seconds=MUTE_WALL_SECONDS * clock.speed))
        late = timedelta(seconds=self._connection.delay_seconds or 0)
        if self._connection.subscribed and opens + late + allowed <= now < closes:
            self._connection.give_up_if_mute(time.time() - allowed.total_seconds() / clock.speed)
