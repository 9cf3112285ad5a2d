"""Which key names a symbol in a session: from what the source lists, asked for once."""

import asyncio
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import quote

from pipelines.sources.errors import SymbolUnknown
from pipelines.sources.roles import Payload, Recall
from pipelines.sources.upstox.client import Client
from pipelines.sources.upstox.instruments import (
    INDEX_KEYS,
    contract_rows,
    future_keys,
    instrument_rows,
    option_keys,
)
from strategy.contract import Contract, monthly_expiry, parse_symbol, underlying_of
from strategy.errors import CalendarUnknownError
from strategy.session import session_of

EXPIRED = "/v2/expired-instruments"


class Key(NamedTuple):
    """An instrument's key, and whether it is one of the expired."""

    text: str
    expired: bool = False

    @property
    def in_path(self) -> str:
        """Return the key as a part of a path."""
        return quote(self.text, safe="")


class Keys:
    """Finds keys; what it asks for them is kept, and what was archived is not asked again."""

    def __init__(self, client: Client, recall: Recall) -> None:
        self._client = client
        self._recall = recall
        self._lock = asyncio.Lock()
        self._listed_on: date | None = None
        self._options: dict[str, dict[str, str]] = {}
        self._futures: dict[str, dict[date, str]] = {}
        self._expired_options: dict[tuple[str, date], dict[str, str]] = {}
        self._expired_futures: dict[tuple[str, date], dict[date, str]] = {}

    def today(self) -> date:
        """Return the date in India by the market's clock."""
        return session_of(self._client.clock.now())

    async def instruments(self, underlying: str) -> Payload:
        """Ask for today's instruments."""
        return await self._client.instruments(self._about("instruments", underlying))

    async def keep_instruments(self, body: bytes) -> None:
        """Keep the keys of today's instruments.

        Raises:
            PayloadInvalid: The answer is not of the known form.
        """
        rows = await asyncio.to_thread(instrument_rows, body)  # some ten megabytes of text
        self._options = {each: option_keys(rows, each) for each in INDEX_KEYS}
        self._futures = {each: future_keys(rows, each) for each in INDEX_KEYS}
        self._listed_on = self.today()

    async def expiries(self, underlying: str) -> Payload:
        """Ask for the expiries that are over."""
        query = {"instrument_key": INDEX_KEYS[underlying]}
        return await self._client.get(
            self._about("expiries", underlying), f"{EXPIRED}/expiries", query
        )

    async def expired_options(self, underlying: str, expiry: date) -> Payload:
        """Ask for the options of an expiry that is over."""
        return await self._expired("expired-options", "option", underlying, expiry)

    def keep_expired_options(self, underlying: str, expiry: date, body: bytes) -> None:
        """Keep the keys of options that are over.

        Raises:
            PayloadInvalid: The answer is not of the known form.
        """
        self._expired_options[underlying, expiry] = option_keys(contract_rows(body), underlying)

    async def of(self, symbol: str, session: date) -> Key:
        """Return the key of a symbol in a session.

        Raises:
            SymbolUnknown: The source does not list it.
            PayloadInvalid: What it lists is not of the known form.
            SourceError: As asking does.
        """
        if symbol in INDEX_KEYS:
            return Key(INDEX_KEYS[symbol])
        contract = parse_symbol(symbol)
        if underlying_of(symbol) not in INDEX_KEYS:
            raise SymbolUnknown(f"{symbol} is of no underlying that we know on Upstox")
        async with self._lock:
            if contract is None:
                return await self._future(underlying_of(symbol), session)
            return await self._option(contract)

    async def _option(self, contract: Contract) -> Key:
        underlying, expiry = contract.underlying, contract.expiry
        over = expiry < self.today()
        keys = await (
            self._options_over(underlying, expiry) if over else self._options_listed(underlying)
        )
        if contract.symbol not in keys:
            raise SymbolUnknown(f"{contract.symbol} is not among Upstox's instruments")
        return Key(keys[contract.symbol], expired=over)

    async def _options_listed(self, underlying: str) -> dict[str, str]:
        await self._have_instruments(underlying)
        return self._options[underlying]

    async def _options_over(self, underlying: str, expiry: date) -> dict[str, str]:
        if (underlying, expiry) not in self._expired_options:
            body = self._recall(self._about("expired-options", underlying, expiry))
            if body is None:
                body = (await self.expired_options(underlying, expiry)).body
            self.keep_expired_options(underlying, expiry, body)
        return self._expired_options[underlying, expiry]

    async def _future(self, underlying: str, session: date) -> Key:
        try:
            expiry = monthly_expiry(underlying, session)
        except CalendarUnknownError as error:
            raise SymbolUnknown(f"{underlying}'s front future of {session}: {error}") from error
        over = expiry < self.today()
        if over:
            futures = await self._futures_over(underlying, expiry)
        else:
            await self._have_instruments(underlying)
            futures = self._futures[underlying]
        # What the source lists wins over the calendar.
        front = min((each for each in futures if each >= session), default=None)
        if front is None:
            raise SymbolUnknown(f"{underlying}'s front future is not among Upstox's instruments")
        return Key(futures[front], expired=over)

    async def _futures_over(self, underlying: str, expiry: date) -> dict[date, str]:
        if (underlying, expiry) not in self._expired_futures:
            payload = await self._expired("expired-futures", "future", underlying, expiry)
            rows = contract_rows(payload.body)
            self._expired_futures[underlying, expiry] = future_keys(rows, underlying)
        return self._expired_futures[underlying, expiry]

    async def _have_instruments(self, underlying: str) -> None:
        """Have today's keys; a new day has new instruments."""
        if self._listed_on == self.today():
            return
        body = self._recall(self._about("instruments", underlying))
        await self.keep_instruments(body or (await self.instruments(underlying)).body)

    async def _expired(self, kind: str, what: str, underlying: str, expiry: date) -> Payload:
        query = {"instrument_key": INDEX_KEYS[underlying], "expiry_date": expiry.isoformat()}
        about = self._about(kind, underlying, expiry)
        return await self._client.get(about, f"{EXPIRED}/{what}/contract", query)

    def _about(self, kind: str, underlying: str, expiry: date | None = None) -> dict[str, Any]:
        """Return a question about contracts in our own words."""
        about = {"source": self._client.source, "kind": kind, "underlying": underlying}
        return about | ({"expiry": expiry.isoformat()} if expiry else {})
