"""What ingestion works with: the database, the clock, and the chosen sources by their roles."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, NamedTuple, TypeVar

from psycopg import Connection

from db.archive.raw_payloads import Answer, Receipt, archive, mark, recall
from db.archive.source_status import report_access, report_down, report_up
from db.archive.words import brief
from db.market.calendar import read_overrides
from db.market.frames import listed_contracts
from db.server.connection import connect
from db.server.migrate import require_current
from db.server.timeouts import WRITES
from db.writing.opinions import prefer_sources
from pipelines.ingest.plan import Listed
from pipelines.known_sources import KNOWN
from pipelines.settings import Settings
from pipelines.sources.declaration import Office, Source
from pipelines.sources.errors import PayloadInvalid, SourceError
from pipelines.sources.roles import (
    BuildUpSource,
    CandleStream,
    ChainLadders,
    Listings,
    Opened,
    Payload,
    Recall,
)
from pipelines.sources.series import HistorySource
from strategy.clock import MarketClock
from strategy.session import session_of, use_overrides

logger = logging.getLogger(__name__)

Client = TypeVar("Client", covariant=True)
LARGEST_UNPARSED = 2**20  # bytes of one: nobody can use them, and the next one may be as large


class Filled(NamedTuple, Generic[Client]):
    """A source, and its client for a role."""

    source: Source
    client: Client


@dataclass
class Desk:
    """One process's handles; every market time comes from `now`.

    `opened` holds each source's clients, in order of preference. Who asks goes by role: the first
    that fills it is asked first.
    """

    settings: Settings
    connection: Connection[Any]
    clock: MarketClock
    opened: Mapping[str, Opened]

    def now(self) -> datetime:
        """Return the market time."""
        return self.clock.now()

    @property
    def listings(self) -> list[Filled[Listings]]:
        """Who tells which contracts there are."""
        return [Filled(KNOWN[name], it.listings) for name, it in self.opened.items() if it.listings]

    @property
    def histories(self) -> list[Filled[HistorySource]]:
        """Who has candles of the past."""
        return [Filled(KNOWN[name], it.history) for name, it in self.opened.items() if it.history]

    @property
    def streams(self) -> list[Filled[CandleStream]]:
        """Who tells how candles form."""
        return [Filled(KNOWN[name], it.stream) for name, it in self.opened.items() if it.stream]

    @property
    def ladders(self) -> list[Filled[ChainLadders]]:
        """Who tells the open interest of all strikes."""
        return [Filled(KNOWN[name], it.ladders) for name, it in self.opened.items() if it.ladders]

    @property
    def build_ups(self) -> list[Filled[BuildUpSource]]:
        """Who tells five-minute rows of single contracts."""
        found = self.opened.items()
        return [Filled(KNOWN[name], it.build_ups) for name, it in found if it.build_ups]

    def left(self, source: str) -> int | None:
        """Return how many requests a source is still willing to answer today; None: any number."""
        count = self.opened[source].left
        return count() if count else None

    def archive(self, answer: Answer) -> Receipt:
        """Store an answer before anybody derives rows from it."""
        answer = answer._replace(
            source=self.settings.label(answer.source),
            about={"source": answer.source, **answer.about},
        )
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

    def archive_payload(self, payload: Payload, session: date) -> Receipt:
        """Store one answer to a question about a session."""
        return self.archive(
            Answer(
                *(payload.source, payload.request, payload.about, session),
                *(payload.asked_at, payload.received_at, payload.body),
            )
        )

    def keep_unparsed(self, source: str, session: date, error: SourceError) -> None:
        """Archive the bytes of an answer that its client could not parse; of many the first."""
        if isinstance(error, PayloadInvalid) and error.body:
            now = self.now()
            about = {"kind": "malformed"}
            kept, number = error.body[:LARGEST_UNPARSED], len(error.body)
            answer = Answer(source, "unparsed", about, session, now, now, kept)
            cut = (
                [f"the first {len(kept):,} of {number:,} bytes are kept"]
                if number > len(kept)
                else []
            )
            self.mark(self.archive(answer), [str(error), *cut])

    def mark(self, receipt: Receipt, reasons: Sequence[str]) -> None:
        """Keep why parts of an archived answer, or all of it, could not be used."""
        if reasons and receipt.payload_id is not None:
            told = brief("; ".join(reasons))
            mark(self.connection, receipt.payload_id, told)
            logger.warning("payload %d: %s", receipt.payload_id, told)

    def report_up(self, source: str, fault: str | None = None) -> None:
        """Note that a source answered, and what it did not answer among the rest."""
        report_up(self.connection, source, self.now(), fault)
        self._report_access(source)

    def report_down(self, source: str, error: Exception) -> None:
        """Note that a source does not answer, for the page and the checks."""
        report_down(self.connection, source, self.now(), str(error) or type(error).__name__)
        self._report_access(source)

    def _report_access(self, source: str) -> None:
        if access := self.opened[source].access:
            report_access(self.connection, source, access())

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
    dsn = settings.database_url.get_secret_value()
    with connect(dsn, WRITES) as connection:
        require_current(connection)
        use_overrides(read_overrides(connection))
        prefer_sources(connection, settings.sources)
        clock = settings.clock

        def remembered(source: str) -> Recall:
            def look(about: Mapping[str, Any]) -> bytes | None:
                today = session_of(clock.now())
                return recall(connection, today, {"source": source, **about})

            return look

        async with AsyncExitStack() as stack:
            opened = {}
            for name in settings.sources:
                office = Office(settings, clock, connection, remembered(name))
                opened[name] = await stack.enter_async_context(KNOWN[name].open(office))
            yield Desk(settings, connection, clock, opened)
