"""Upstox in its roles: listings, candle history with open interest, chain ladders.

What it can do, as documented: candles of 1 to 300 minutes from January 2022 on, a month of them a
request up to 15 minutes, in a request an instrument; today's by another path than those of past
days; contracts that have expired, of the last six months, in the paid plan. It may be asked 50
times a second, 500 times a minute, 2,000 times in half an hour.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any

from db.archive.source_budget import Window
from pipelines.sources.declaration import Office, Source
from pipelines.sources.errors import (
    PayloadInvalid,
    PlanTooSmall,
    SessionGone,
    SourceError,
    SourceRefused,
    SourceUnavailable,
)
from pipelines.sources.roles import Bars, Opened, Payload, Recall
from pipelines.sources.series import History, HistoryRequest, ignore
from pipelines.sources.upstox.client import Client
from pipelines.sources.upstox.instruments import INDEX_KEYS, parse_expiries
from pipelines.sources.upstox.keys import EXPIRED, Key, Keys
from pipelines.sources.upstox.parse import parse_candles, read
from pipelines.sources.upstox.probe import PROBE
from pipelines.sources.upstox.token import TokenFile
from strategy.clock import MarketClock
from strategy.contract import nearest_known_expiry
from strategy.session import current_or_last_session

NAME = "upstox"
ROLES = frozenset({"listings", "history", "ladders"})
FIRST_DAY = date(2022, 1, 1)
# A copy on the way may be that old, says the vendor in other words: "a minor delay". What ended
# within it may have been unfinished when the answer was made.
CACHED = timedelta(minutes=1)
# Of the 2,000 requests in half an hour: our clock is not the source's. Whoever follows a session
# asks for 1,450 of them; as many as here at once stay below the 500 a minute too.
WINDOW = Window(requests=1_950, length=timedelta(minutes=30), burst=400)
PARALLEL = 4
ON_ITS_WAY = 5  # candles that may have come before the answer
PATIENCE = 3  # questions without an answer, one after the other, before the rest is given up


class Upstox:
    """Asks in the words of the roles; every answer is handed on as it came."""

    def __init__(self, client: Client, recall: Recall = lambda _about: None) -> None:
        self._client = client
        self._keys = Keys(client, recall)

    async def listings(self, underlying: str, session: date) -> AsyncIterator[Payload]:
        """Ask for the options listed in a session, the nearest expiry's at least.

        Of a past session whose nearest expiry is over, only that expiry's are asked for.

        Raises:
            SourceError: As `Client.get`.
        """
        nearest = nearest_known_expiry(underlying, session)
        today = self._keys.today()
        if session >= today or (nearest is not None and nearest >= today):
            payload = await self._keys.instruments(underlying)
            yield payload
            await self._keys.keep_instruments(payload.body)
            return
        payload = await self._keys.expiries(underlying)
        yield payload
        expiry = _nearest(parse_expiries(payload.body), session, nearest)
        payload = await self._keys.expired_options(underlying, expiry)
        yield payload
        self._keys.keep_expired_options(underlying, expiry, payload.body)

    async def ladder(
        self, underlying: str, expiry: date, until: datetime | None = None
    ) -> AsyncIterator[Payload]:
        """Ask for the ladder of an expiry as it is now.

        Raises:
            SessionGone: An earlier moment was asked for: the chain is of now only.
            SourceError: As `Client.get`.
        """
        if until is not None:
            raise SessionGone(f"{NAME} has the chain of now only, not that of {until:%H:%M} UTC")
        query = {"instrument_key": INDEX_KEYS[underlying], "expiry_date": expiry.isoformat()}
        about = {"source": self._client.source, "kind": "chain"}
        about |= {"underlying": underlying, "expiry": expiry.isoformat()}
        yield await self._client.get(about, "/v2/option/chain", query)

    async def histories(
        self,
        requests: Iterable[HistoryRequest],
        taken: Callable[[History], None] = ignore,
    ) -> dict[str, History | SourceError]:
        """Return each symbol's candles of its session, or why there are none.

        Without a session it is the one that is open or was the last. Of today's the newest `count`
        are taken and those that come while questions wait for their turn, of an earlier one all.
        Nothing more is asked after a refusal, or when several questions in a row went unanswered.
        """
        asked = list(requests)
        if len({request.symbol for request in asked}) < len(asked):
            raise ValueError("a symbol is asked for twice")
        round_ = _Round(self, taken, self._client.clock.now())
        waiting = iter(asked)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(PARALLEL):
                tasks.create_task(round_.work(waiting))
        return round_.answers(asked)

    async def history(self, request: HistoryRequest, wanted_at: datetime) -> History:
        """Return the candles of one symbol; its `count` was right at a time.

        Raises:
            PayloadInvalid: The answer is not of the known form; it has the bytes.
            SourceError: As `Client.get` and `Keys.of`.
        """
        clock = self._client.clock
        session = request.session or current_or_last_session(clock.now())
        if session < FIRST_DAY:
            raise SessionGone(f"{NAME} has candles from {FIRST_DAY} on, not of {session}")
        today = session >= self._keys.today()
        key = await self._keys.of(request.symbol, session)
        path = _today(key, request) if today else _past(key, request, session)
        about = {
            "source": self._client.source,
            "kind": "history",
            "symbol": request.symbol,
            "minutes": request.minutes,
            "session": session.isoformat(),
            "key": key.text,
            "newest": _newest(request, clock.now() - wanted_at) if today else None,
            "whole": not today,
            "request": f"GET {path}",
        }
        payload = await self._client.get(about, path)
        found = _bars(about, payload.body)
        asked_at = payload.asked_at - (CACHED if today else timedelta(0))
        return History(
            request.symbol,
            request.minutes,
            found.bars,
            payload.body,
            about,
            _wall(clock, asked_at),
            _wall(clock, payload.received_at),
            refused=found.refused,
        )


class _Round:
    """The answers to one call, and why what was not asked any more has none."""

    def __init__(
        self, upstox: Upstox, taken: Callable[[History], None], begun_at: datetime
    ) -> None:
        self._upstox = upstox
        self._taken = taken
        self._begun_at = begun_at
        self._answers: dict[str, History | SourceError] = {}
        self._given_up: SourceError | None = None
        self._unanswered = 0

    async def work(self, waiting: Iterator[HistoryRequest]) -> None:
        """Ask what is waiting, until there is nothing or no use in it."""
        for request in waiting:
            if self._given_up is not None:
                return
            try:
                history = await self._upstox.history(request, self._begun_at)
            except SourceError as error:
                self._failed(request, error)
            else:
                self._unanswered = 0
                self._answers[request.symbol] = history
                self._taken(history)

    def answers(self, asked: Iterable[HistoryRequest]) -> dict[str, History | SourceError]:
        """Return what there is for each symbol, in the order of the requests."""
        found: dict[str, History | SourceError] = {}
        for request in asked:
            answer = self._answers.get(request.symbol, self._given_up)
            if answer is None:
                raise RuntimeError(f"{request.symbol} was neither asked nor given up")
            found[request.symbol] = answer
        return found

    def _failed(self, request: HistoryRequest, error: SourceError) -> None:
        self._answers[request.symbol] = error
        self._unanswered += isinstance(error, SourceUnavailable)
        refused = isinstance(error, SourceRefused) and not isinstance(error, PlanTooSmall)
        if refused or self._unanswered >= PATIENCE:
            self._given_up = error


def _newest(request: HistoryRequest, waited: timedelta) -> int:
    """Return how many candles to take of the day's, as the newest are others by now."""
    return request.count + math.ceil(waited / timedelta(minutes=request.minutes)) + ON_ITS_WAY


def _nearest(listed: list[date], session: date, computed: date | None) -> date:
    """Return a session's nearest expiry of those listed, which win over the calendar.

    The list begins somewhere: its first expiry is the nearest of a session before it only if the
    calendar says so.
    """
    nearest = next((expiry for expiry in listed if expiry >= session), None)
    if nearest is None or (listed[0] >= session and nearest != computed):
        raise SessionGone(f"{NAME} lists no expiry of {session} any more: it is too long ago")
    return nearest


def _wall(clock: MarketClock, moment: datetime) -> float:
    """Return the epoch second of this computer at which the market's clock shows a time."""
    return clock.wall_start + (moment - clock.market_start).total_seconds() / clock.speed


def _bars(about: Mapping[str, Any], body: bytes) -> Bars:
    try:
        found = parse_candles(body, about["symbol"], about["minutes"])
    except PayloadInvalid as error:
        error.body = body
        raise
    return found._replace(bars=found.bars[-(about["newest"] or 0) :])


def _today(key: Key, request: HistoryRequest) -> str:
    return f"/v3/historical-candle/intraday/{key.in_path}/minutes/{request.minutes}"


def _past(key: Key, request: HistoryRequest, session: date) -> str:
    if key.expired:
        kind = f"{request.minutes}minute"
        return f"{EXPIRED}/historical-candle/{key.in_path}/{kind}/{session}/{session}"
    return f"/v3/historical-candle/{key.in_path}/minutes/{request.minutes}/{session}/{session}"


def token_fault(settings: Any) -> str | None:
    """Return why there is no token to ask with, and what to do; None where all is well."""
    try:
        TokenFile(settings.upstox_token_file).read(settings.clock.now())
    except SourceRefused as error:
        return str(error)
    return None


@asynccontextmanager
async def _open(office: Office) -> AsyncIterator[Opened]:
    settings = office.settings
    clock = office.clock
    budget = office.budget(NAME, settings.upstox_requests_per_second, window=WINDOW)
    token = TokenFile(settings.upstox_token_file)
    async with Client(settings.upstox_url, token, clock, budget) as client:
        upstox = Upstox(client, office.recall)
        yield Opened(listings=upstox, history=upstox, ladders=upstox)


SOURCE = Source(
    *(NAME, ROLES, _open, read),
    past_sessions=True,
    open_interest=True,
    probe=PROBE,
)
