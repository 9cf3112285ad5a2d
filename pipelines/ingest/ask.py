"""One question to a source: each answer is archived before anybody reads it."""

from collections.abc import AsyncIterator
from datetime import date
from typing import NamedTuple

from pipelines.ingest.derive import Deriver
from pipelines.ingest.desk import Desk
from pipelines.sources.errors import SourceError
from pipelines.sources.roles import Ladder, Payload


class Asked(NamedTuple):
    """What a question brought: requests, rows that changed per table, the newest ladder.

    `unasked` says what was not asked, because the day's allowance is kept for something else.
    """

    requests: int = 0
    contracts: int = 0
    chain_rows: int = 0
    build_ups: int = 0
    ladder: Ladder | None = None
    unasked: tuple[str, ...] = ()

    def plus(self, other: "Asked") -> "Asked":
        """Return what both brought; of ladders the newer one."""
        return Asked(
            self.requests + other.requests,
            self.contracts + other.contracts,
            self.chain_rows + other.chain_rows,
            self.build_ups + other.build_ups,
            other.ladder or self.ladder,
            self.unasked + other.unasked,
        )


async def ask(desk: Desk, session: date, source: str, answers: AsyncIterator[Payload]) -> Asked:
    """Archive and write what comes; an answer that cannot be read stays, marked with the reason.

    Args:
        desk: Handles.
        session: Of the rows.
        source: Who is asked.
        answers: What it answers, one after the other.

    Raises:
        SourceError: The source does not answer, refuses, or answers with something else.
    """
    deriver = Deriver(desk.connection, session)
    asked = Asked()
    async for payload in _kept(desk, session, source, answers):
        receipt = desk.archive_payload(payload, session)
        try:
            derived = deriver.take(receipt)
        except SourceError as error:
            desk.mark(receipt, [str(error)])
            raise type(error)(f"payload {receipt.payload_id}: {error}") from error
        desk.mark(receipt, derived.refused)
        asked = asked.plus(
            Asked(1, derived.contracts, derived.chain_rows, derived.build_ups, derived.ladder)
        )
    return asked


async def _kept(
    desk: Desk, session: date, source: str, answers: AsyncIterator[Payload]
) -> AsyncIterator[Payload]:
    """Yield the answers; of one that is no payload at all the bytes are kept."""
    try:
        async for payload in answers:
            yield payload
    except SourceError as error:
        desk.keep_unparsed(source, session, error)
        raise
