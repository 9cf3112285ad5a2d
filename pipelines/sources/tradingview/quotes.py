"""Quotes of many symbols: the last known values, kept up to date."""

import asyncio
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Self

from pipelines.sources.errors import SeriesFailed, SymbolUnknown
from pipelines.sources.series import Quote
from pipelines.sources.tradingview.charts import session_name
from pipelines.sources.tradingview.connection import Connection, Delivery, deadline
from pipelines.sources.tradingview.inbox import Inbox
from pipelines.sources.tradingview.wire import (
    EXCHANGE,
    QUOTE_FIELDS,
    QuoteUpdate,
    exchange_symbol,
    parse_quote,
    words,
)


class QuoteBoard:
    """Merged last values of one quote session; iterate over it to be told of changes.

    An update names only the fields that changed, so the others keep their last value. A slow
    reader is told the newest values of each symbol once; it can neither fall behind nor fill a
    queue. What a quote says of its own time tells how late the connection's data is.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session: str | None = None
        self._asking = asyncio.Lock()
        self._values: dict[str, Quote] = {}
        self._unread: set[str] = set()
        self._changes: Inbox[str] = connection.inbox(bounded=False)
        self._first_answers: dict[str, Inbox[QuoteUpdate]] = {}

    @property
    def values(self) -> Mapping[str, Quote]:
        """The last known values by canonical symbol."""
        return MappingProxyType(self._values)

    async def follow(self, symbols: Collection[str]) -> None:
        """Ask for quotes and wait for none: what comes is in `values`.

        Raises:
            SourceError: The connection broke.
        """
        async with self._asking:
            await self._ask([symbol for symbol in symbols if symbol not in self._values])

    async def subscribe(self, symbols: Collection[str]) -> None:
        """Ask for quotes and wait until each symbol got its first answer.

        Raises:
            SymbolUnknown: The source refuses one of them; the others stay subscribed.
            SeriesFailed: The source ended the quote session; the next call opens another one.
            SourceUnavailable: One of them got no answer in time, or the connection broke.
        """
        async with self._asking:
            fresh = [symbol for symbol in dict.fromkeys(symbols) if symbol not in self._values]
            refused = [update for update in await self._first(fresh) if not _is_good(update)]
        if refused:
            names = ", ".join(f"{update.name} ({update.status})" for update in refused)
            raise SymbolUnknown(f"no quotes for {names}")

    async def _first(self, fresh: list[str]) -> list[QuoteUpdate]:
        if not fresh:
            return []
        answers = self._connection.inbox(bounded=False)
        self._first_answers.update(dict.fromkeys(fresh, answers))
        try:
            async with deadline(self._connection.timeout, f"no quote of {len(fresh)} symbols"):
                await self._ask(fresh)
                return [await answers.get() for _ in fresh]
        finally:
            self._connection.forget(answers)
            for symbol in fresh:
                self._first_answers.pop(symbol, None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Quote:
        symbol = await self._changes.get()
        self._unread.discard(symbol)
        return self._values[symbol]

    async def _ask(self, symbols: list[str]) -> None:
        if self._session is None:
            session = session_name("qs", "quotes", self._connection.count("quotes"))
            self._session = session
            self._connection.route(session, self._take)
            await self._connection.send("quote_create_session", session)
            await self._connection.send("quote_set_fields", session, *QUOTE_FIELDS)
        names = [exchange_symbol(symbol) for symbol in symbols]
        if self._session is not None:  # else its end is on its way to those who wait
            await self._connection.send("quote_add_symbols", self._session, *names)

    def _take(self, part: Delivery) -> None:
        if part.message.ends_session:
            self._end(part)
        if part.message.method != "qsd":
            return
        update = parse_quote(part.message)
        symbol = update.name.removeprefix(EXCHANGE)
        waiting = self._first_answers.pop(symbol, None)
        if waiting is not None:
            waiting.put(update)
        if _is_good(update):
            received_at = self._connection.received_at(part.received_at_wall)
            self._connection.delay.quoted(update.values, received_at)
            known = self._values.get(symbol, Quote(symbol))
            self._values[symbol] = known._replace(**update.values)
            if symbol not in self._unread:
                self._unread.add(symbol)
                self._changes.put(symbol)

    def _end(self, part: Delivery) -> None:
        """Let those who wait know, and the next who asks begin anew."""
        if self._session is not None:
            self._connection.unroute(self._session)
            self._session = None
        told = words(part.message.params[1:])
        for waiting in self._first_answers.values():
            waiting.fail(SeriesFailed(f"{part.message.method} for quotes: {told}"))
        self._values.clear()


def _is_good(update: QuoteUpdate) -> bool:
    return update.status == "ok"
