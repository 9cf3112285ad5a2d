"""Histories of the whole universe over a few connections of our own session."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from pipelines.sources.errors import (
    ConnectionWornOut,
    SeriesFailed,
    SourceError,
    SourceUnavailable,
)
from pipelines.sources.questions import Questions
from pipelines.sources.series import History, HistoryRequest, ignore
from pipelines.sources.tradingview.client import Session, TradingView
from strategy.contract import underlying_of

# A lane stops after so many connections in a row that broke before they answered anything.
BARREN_LIMIT = 2


class PoolLimits(NamedTuple):
    """How many connections at most, chart sessions at once on each, and requests until renewal."""

    connections: int = 2
    parallel: int = 4
    renew_after: int = 40


class HistoryPool:
    """A history source on our own session: connects when asked, and leaves nothing open.

    Each request has the session's deadline and its place in the budget. What a broken connection
    left unanswered is asked once more on a fresh one. Each connection begins with an index's quote,
    which tells how late its answers are.
    """

    def __init__(self, tradingview: TradingView, limits: PoolLimits) -> None:
        self._tradingview = tradingview
        self._limits = limits

    async def histories(
        self, requests: Iterable[HistoryRequest], taken: Callable[[History], None] = ignore
    ) -> dict[str, History | SourceError]:
        """Return each symbol's history, or why there is none.

        Raises:
            ValueError: A symbol is asked for twice.
        """
        requests = list(requests)
        questions = Questions(requests, taken)
        watched = underlying_of(requests[0].symbol) if requests else ""
        useful = -(-len(questions) // self._limits.parallel)
        async with asyncio.TaskGroup() as lanes:
            for _ in range(min(self._limits.connections, useful)):
                lanes.create_task(self._lane(questions, watched))
        return questions.answers()

    async def _lane(self, questions: Questions, watched: str) -> None:
        """Use one connection after the other while there is something to ask."""
        barren = 0
        while questions and barren < BARREN_LIMIT:
            try:
                async with self._tradingview.connect() as session:
                    answered = await self._ask_on(session, questions, watched)
                    if session.failure is not None:
                        barren = 0 if answered else barren + 1
                        questions.give_up(session.failure)
            except SourceError as error:  # no connection to be had: other lanes may be luckier
                questions.give_up(error)
                return

    async def _ask_on(self, session: Session, questions: Questions, watched: str) -> int:
        """Ask until the connection broke or is to be renewed; return how much was answered."""
        asked = answered = 0
        await session.watch(watched)

        async def ask_in_turn() -> None:
            nonlocal asked, answered
            while asked < self._limits.renew_after and (request := questions.next()):
                asked += 1
                answered += await self._ask(session, questions, request)
                if session.failure is not None:
                    return

        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._limits.parallel):
                tasks.create_task(ask_in_turn())
        return answered

    async def _ask(self, session: Session, questions: Questions, request: HistoryRequest) -> bool:
        began = time.time()
        try:
            answer = await session.history(request.symbol, request.minutes, request.count)
        except SourceError as error:
            if isinstance(error, SourceUnavailable) and not isinstance(error, SeriesFailed):
                error = session.give_up_if_mute(began) or error
            # Who comes after a connection's last chart session is asked again without loss.
            worn = isinstance(session.failure, ConnectionWornOut)
            questions.failed(request, error, broke=session.failure is not None, blameless=worn)
            return False
        questions.answered(request, answer)
        return True
