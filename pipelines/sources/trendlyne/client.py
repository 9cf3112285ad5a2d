"""Trendlyne's smart options over HTTPS: requests to payloads.

Answers are parsed only to ask the next question, so that the bytes can be archived first.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from pipelines.sources.errors import ExpiryGone
from pipelines.sources.politeness import Budget, Unlimited
from pipelines.sources.roles import Payload, Recall
from pipelines.sources.trendlyne.parse import parse_expiries, parse_stock_id
from pipelines.sources.trendlyne.site import NAME, OURSELVES, Site, Visitor
from strategy.clock import MarketClock
from strategy.contract import Contract
from strategy.resolver import Position, position_of
from strategy.session import IST, OPEN, session_hours, session_of

DEFAULT_URL = "https://smartoptions.trendlyne.com/phoenix/api"
# Not strftime, whose month names follow the locale.
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# An expiry leaves the list after its close: from then on a list is good for so long.
EXPIRIES_KEPT = timedelta(minutes=15)


class Trendlyne:
    """A client of one host; without a budget nothing limits it.

    `listings`, `ladder` and `build_ups` are roles of a source: whoever asks archives each payload
    before the next one. The other methods are single questions. All raise as `search` does; roles
    also what reading their own earlier answers raises, and `ExpiryGone`.
    """

    def __init__(
        self,
        base_url: str,
        clock: MarketClock,
        budget: Budget | None = None,
        recall: Recall | None = None,
        timeout: float = 15.0,
        visitor: Visitor = OURSELVES,
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Args:
            base_url: Of the API.
            clock: Market time.
            budget: Who may ask when.
            recall: What was archived of the session, so that lists are not asked for again.
            timeout: Seconds of this computer for each request.
            visitor: How we present ourselves.
        """
        self._site = Site(base_url, clock, budget or Unlimited(), timeout, visitor)
        self._clock = clock
        self._recall = recall
        self._stock_ids: dict[str, int] = {}
        self._expiries: dict[str, tuple[datetime, list[date]]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._site.close()

    async def listings(self, underlying: str, session: date) -> AsyncIterator[Payload]:
        """Ask for the options of the nearest expiry on or after a session."""
        async for payload in self._introduction(underlying):
            yield payload
        payload = await self.expiries(underlying, self._stock_ids[underlying])
        yield payload
        listed = self._keep_expiries(underlying, payload)
        expiry = min((expiry for expiry in listed if expiry >= session), default=None)
        if expiry is None:
            raise ExpiryGone(f"{underlying}: no expiry on or after {session} is listed")
        yield await self.strikes(underlying, self._stock_ids[underlying], expiry)

    async def ladder(
        self, underlying: str, expiry: date, until: datetime | None
    ) -> AsyncIterator[Payload]:
        """Ask for an expiry's open interest by strike, now or up to a minute of today.

        After the close the whole day is answered, whatever the minute.
        """
        async for payload in self._introduction(underlying):
            yield payload
        now = self._clock.now()
        moment = until or min(now, session_hours(session_of(now))[1])
        minute = f"{moment.astimezone(IST):%H:%M}"
        yield await self.chain(underlying, self._stock_ids[underlying], expiry, minute)

    async def build_ups(self, contract: Contract, session: date) -> AsyncIterator[Payload]:
        """Ask for a contract's five-minute rows of today."""
        underlying, expiry, *_ = contract
        listed = self._known_expiries(underlying, session)
        if listed is None:
            async for payload in self._introduction(underlying):
                yield payload
            payload = await self.expiries(underlying, self._stock_ids[underlying])
            yield payload
            listed = self._keep_expiries(underlying, payload)
        position = position_of(underlying, expiry, session, listed)
        if position is None:
            # After its close an expiry leaves the list, and positions then mean other contracts.
            raise ExpiryGone(f"{underlying}: expiry {expiry} is not listed any more")
        yield await self.contract_rows(contract, position)

    async def search(self, underlying: str) -> Payload:
        """Ask which stocks match an underlying's code, for their numbers.

        Raises:
            SourceUnavailable: No answer in time, or an error of the server.
            SourceRefused: The server forbids it, or did so often that we pause; or the file of
                cookies cannot be read.
        """
        about = {"kind": "search", "underlying": underlying}
        return await self._site.get("/search-contract-stock/", {"query": underlying.lower()}, about)

    async def expiries(self, underlying: str, stock_id: int) -> Payload:
        """Ask for the listed option expiries of an underlying."""
        query = {"mtype": "options", "stock_id": str(stock_id)}
        about = {"kind": "expiries", "underlying": underlying}
        return await self._site.get("/fno/get-expiry-dates/", query, about)

    async def strikes(self, underlying: str, stock_id: int, expiry: date) -> Payload:
        """Ask for the listed strikes of an expiry.

        The question is that for a ladder at the open, which nobody else asks, so that the archive
        never takes a ladder for a listing.
        """
        about = {"kind": "listing", "underlying": underlying, "expiry": expiry.isoformat()}
        return await self._live_oi(stock_id, expiry, f"{OPEN:%H:%M}", about)

    async def chain(self, underlying: str, stock_id: int, expiry: date, until: str) -> Payload:
        """Ask for the open interest by strike up to an IST minute `HH:MM` of the session."""
        about = {"kind": "chain", "underlying": underlying, "expiry": expiry.isoformat()}
        return await self._live_oi(stock_id, expiry, until, about | {"until": until})

    async def option_chain(self, underlying: str, expiry: date) -> Payload:
        """Ask for price, volume and open interest of all strikes; the answer names no moment."""
        query = {"stockCode": underlying, "expDate": expiry.isoformat()}
        about = {"kind": "option_chain", "underlying": underlying, "expiry": expiry.isoformat()}
        return await self._site.get("/fno/option/chain/", query, about)

    async def contract_rows(self, contract: Contract, position: Position) -> Payload:
        """Ask for the session's 5-minute rows of one contract.

        `position` is the expiry's place among the listed ones; it changes as expiries roll.
        """
        underlying, expiry, strike, kind = contract
        day = f"{expiry.day:02d}-{MONTHS[expiry.month - 1]}-{expiry.year}"
        return await self._site.get(
            f"/fno/buildup-5/{day}-{position}/{underlying}/",
            {
                "fno_mtype": "options",
                "strikePrice": str(strike),
                "option_type": "call" if kind == "C" else "put",
            },
            {"kind": "build_ups", "symbol": contract.symbol},
        )

    async def _introduction(self, underlying: str) -> AsyncIterator[Payload]:
        """Ask for the source's number of an underlying, unless it is known."""
        if underlying in self._stock_ids:
            return
        body = self._recalled("search", underlying)
        if body is None:
            payload = await self.search(underlying)
            yield payload
            body = payload.body
        self._stock_ids[underlying] = parse_stock_id(body, underlying)

    def _recalled(self, kind: str, underlying: str) -> bytes | None:
        if self._recall is None:
            return None
        return self._recall({"source": NAME, "kind": kind, "underlying": underlying})

    def _keep_expiries(self, underlying: str, payload: Payload) -> list[date]:
        listed = parse_expiries(payload.body)
        self._expiries[underlying] = (payload.asked_at, listed)
        return listed

    def _known_expiries(self, underlying: str, session: date) -> list[date] | None:
        """Return the expiries as listed in a session; None if they have to be asked for."""
        now, close = self._clock.now(), session_hours(session)[1]
        if (kept := self._expiries.get(underlying)) and session_of(kept[0]) == session:
            asked_at, listed = kept
            if now < close or (asked_at >= close and now - asked_at < EXPIRIES_KEPT):
                return listed
        if now >= close:
            return None
        body = self._recalled("expiries", underlying)
        return None if body is None else parse_expiries(body)

    async def _live_oi(
        self, stock_id: int, expiry: date, until: str, about: Mapping[str, Any]
    ) -> Payload:
        query = {
            "stockId": str(stock_id),
            "expDateList": expiry.isoformat(),
            "minTime": f"{OPEN:%H:%M}",
            "maxTime": until,
        }
        return await self._site.get("/live-oi-data/", query, about)
