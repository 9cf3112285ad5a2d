"""A client of the stream as the page is one, which notes all that it receives."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from db.pages.change_log import Cursor
from tests.chartserver.chart_help import OPEN
from tests.checker.batches import contracts
from tests.checker.history import Answer, Entry, Event, Key, Reset, Value

SILENCE_SECONDS = 12  # heartbeats come every ten
PATIENCE = httpx.Timeout(SILENCE_SECONDS, connect=5)
PAUSE_SECONDS = 0.3
HISTORY = {
    "underlying": "NIFTY",
    "from": OPEN.date().isoformat(),
    "to": OPEN.date().isoformat(),
    "interval": "1m",
    "symbols": ",".join(row.symbol for row in contracts()),
}
CANDLE = ("o", "h", "l", "c", "v", "oi", "final")
BUILD_UP = ("close", "oi", "oi_change", "volume", "label")
FIELDS = {"candle": CANDLE, "build_up": BUILD_UP}


class Client:
    """Follows the stream until it is cancelled.

    Args:
        url: Of the chart server, or of what stands before it.
        packed: Whether it takes the stream gzipped.
        stays: Whether it goes on with the stream that brought a reset, beside reading the history.
        news: Called after each entry.
    """

    def __init__(self, url: str, *, packed: bool, stays: bool, news: Callable[[], object]) -> None:
        self._url, self._stays, self._news = url, stays, news
        self._headers = {"Accept-Encoding": "gzip" if packed else "identity"}
        self._since: Cursor | None = None
        self._last_id: str | None = None
        self.history: list[Entry] = []
        self.rows: dict[Key, Value] = {}
        self.seq = 0
        self.connections = 0

    async def run(self) -> None:
        """Read the history, then the stream, for ever."""
        async with httpx.AsyncClient(timeout=PATIENCE, headers=self._headers) as http:
            while True:
                try:
                    if self._since is None:
                        await self._read_history(http, resumes=True)
                    await self._read_stream(http)
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(PAUSE_SECONDS)

    async def _read_history(self, http: httpx.AsyncClient, *, resumes: bool) -> None:
        answer = await http.get(f"{self._url}/api/history", params=HISTORY)
        answer.raise_for_status()
        body = answer.json()
        cursor = Cursor.parse(body["as_of"])
        if resumes:
            self._since, self._last_id = cursor, None
        self._note(Answer(cursor, dict(_rows_of(body)), resumes))

    async def _read_stream(self, http: httpx.AsyncClient) -> None:
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        query = {"underlying": "NIFTY", "since": str(self._since)}
        url = f"{self._url}/stream"
        async with http.stream("GET", url, params=query, headers=headers) as response:
            response.raise_for_status()
            self.connections += 1
            fields: dict[str, str] = {}
            async for line in response.aiter_lines():
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                    continue
                if "id" in fields and not await self._take(http, fields):
                    return
                fields = {}

    async def _take(self, http: httpx.AsyncClient, fields: dict[str, str]) -> bool:
        """Note an event of the log; tell whether the stream goes on."""
        cursor, body = Cursor.parse(fields["id"]), json.loads(fields["data"])
        self._last_id = fields["id"]
        if fields["event"] != "reset":
            kind = fields["event"]
            value = tuple(body[name] for name in FIELDS[kind])
            self._note(Event(cursor, (kind, body["symbol"], body["t"]), value))
            return True
        self._note(Reset(cursor, body["reason"]))
        if not self._stays:
            self._since = None
            return False
        while True:
            try:
                await self._read_history(http, resumes=False)
            except httpx.HTTPError:
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return True

    def _note(self, entry: Entry) -> None:
        self.history.append(entry)
        if isinstance(entry, Answer):
            self.rows = dict(entry.rows)
        elif isinstance(entry, Event):
            self.rows[entry.key] = entry.value
        self.seq = entry.cursor.seq
        self._news()


def _rows_of(body: dict[str, Any]) -> Iterator[tuple[Key, Value]]:
    for kind, answer in (("candle", body["candles"]), ("build_up", body["build_ups"])):
        for symbol, columns in answer.items():
            values = zip(*(columns[name] for name in FIELDS[kind]), strict=True)
            for moment, value in zip(columns["t"], values, strict=True):
                yield (kind, symbol, moment), value
