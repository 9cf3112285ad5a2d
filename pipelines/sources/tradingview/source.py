"""What TradingView can be to us: candles of the newest past, and candles as they form."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

from db.archive.source_status import Access
from pipelines.sources.declaration import Office, Source
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.refused import Refused
from pipelines.sources.roles import Bars, Opened, Reading
from pipelines.sources.series import HistorySource
from pipelines.sources.tradingview.account import Account
from pipelines.sources.tradingview.client import TradingView
from pipelines.sources.tradingview.pool import HistoryPool, PoolLimits
from pipelines.sources.tradingview.probe import PROBE
from pipelines.sources.tradingview.wire import (
    BAR_METHODS,
    FAILURES,
    Message,
    decode,
    parse_history,
    parse_series,
)

NAME = "tradingview"


@asynccontextmanager
async def _open(office: Office) -> AsyncIterator[Opened]:
    settings = office.settings
    token = settings.tradingview_token
    secret = token.get_secret_value() if token else None
    account = Account(secret, settings.tradingview_token_file, office.clock)
    budget = office.budget(NAME, settings.tradingview_requests_per_second)
    url, connections = settings.tradingview_url, settings.tradingview_connections
    client = TradingView(url, account, budget=budget, clock=office.clock)
    history: HistorySource
    if settings.history_adapter == "session":
        history = HistoryPool(client, PoolLimits(connections, settings.tradingview_parallel))
    else:  # the package, which opens a connection a request, and is loaded by nobody else
        from pipelines.sources.tradingview.tvdatafeed import TvDatafeedHistory

        history = TvDatafeedHistory(
            url, account, budget=budget, parallel=connections, clock=office.clock
        )
    yield Opened(history=history, stream=client, access=lambda: Access(*account.state()))


def _read(about: Mapping[str, Any], body: bytes, _session: date, _received_at: datetime) -> Reading:
    match about["kind"]:
        case "history":
            refused = Refused()
            bars = parse_history(body, about["chart"], refused)
            return Bars(about["symbol"], about["minutes"], bars, refused.told(len(bars)))
        case "stream":
            return list(_changes(body, about["charts"]))
        case "malformed":
            for message in _messages(body):
                if message.method in BAR_METHODS:
                    parse_series(message)
            # Whose it was is lost with its connection.
            raise PayloadInvalid("can be parsed now: ingest the session again")
        case kind:
            raise PayloadInvalid(f"no question of TradingView's is a {kind!r}")


def _changes(body: bytes, charts: Mapping[str, tuple[str, int]]) -> Iterator[Bars]:
    """Yield each frame's bars; none stand for a frame that ended its series."""
    for message in _messages(body):
        series = charts.get(message.session or "")
        if series is None:
            continue
        if message.method in BAR_METHODS:
            refused = Refused()
            bars = parse_series(message, refused=refused)
            told = refused.told(good=1)
            if bars or told:
                yield Bars(*series, bars=bars, refused=told)
        elif message.method in FAILURES:
            yield Bars(*series, bars=[])


def _messages(body: bytes) -> Iterator[Message]:
    return (frame for frame in decode(body) if isinstance(frame, Message))


SOURCE = Source(NAME, frozenset({"history", "stream"}), _open, _read, probe=PROBE)
