"""Chart sessions on a connection: a history, and a series that stays alive."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from pipelines.sources.errors import (
    PayloadInvalid,
    ResolutionUnavailable,
    SeriesFailed,
    SourceError,
    SymbolUnknown,
)
from pipelines.sources.refused import Refused
from pipelines.sources.series import BarUpdate, History, HistoryRequest
from pipelines.sources.tradingview.connection import Connection, Delivery, deadline
from pipelines.sources.tradingview.inbox import Inbox
from pipelines.sources.tradingview.wire import (
    BAR_METHODS,
    FAILURES,
    SERIES,
    Message,
    exchange_symbol,
    merge_bars,
    parse_resolved,
    parse_series,
    words,
)


class Chart(NamedTuple):
    """One chart session: what was asked, and where its messages go until it is answered."""

    session: str
    request: HistoryRequest
    inbox: Inbox[Delivery]


def session_name(prefix: str, *content: object) -> str:
    """Return the name of a chart (`cs`) or quote (`qs`) session with that content.

    The same content always has the same name, so that the same answer has the same bytes.
    """
    number = int.from_bytes(hashlib.sha256(repr(content).encode()).digest())
    letters = (chr(ord("a") + number // 26**place % 26) for place in range(12))
    return f"{prefix}_" + "".join(letters)


def open_chart(connection: Connection, request: HistoryRequest) -> Chart:
    """Prepare a chart session; nothing is sent yet."""
    if request.count < 1 or request.minutes < 1:
        raise ValueError(f"count and minutes must be positive: {request}")
    series = (request.symbol, request.minutes)
    # Late news of an earlier session must not pass for news of this one.
    name = session_name("cs", *series, connection.count(series))
    chart = Chart(name, request, connection.inbox())
    connection.route(chart.session, chart.inbox.put)
    return chart


async def answer(connection: Connection, chart: Chart) -> History:
    """Ask for the series and wait until it is complete.

    Raises:
        SymbolUnknown: The source does not know the symbol.
        ResolutionUnavailable: It has no candles of that many minutes for it.
        SeriesFailed: The source ended this one chart session.
        SourceUnavailable: No answer in time, or the connection broke.
        PayloadInvalid: The answer is not of the documented form.
    """
    request = chart.request
    asked_at = time.time()
    reached: datetime | None = None
    parts: list[Delivery] = []
    what = f"no series of {request.symbol} at {request.minutes} minutes"
    async with deadline(connection.timeout, what):
        await _ask(connection, chart)
        while True:
            part = await chart.inbox.get()
            parts.append(part)
            if part.message.method in FAILURES:
                raise series_failure(request.symbol, request.minutes, part.message)
            if part.message.method == "timescale_update":
                # By now the source had come so far: what it says later is not of these bars.
                reached = reached or connection.delay.newest
            if part.message.method == "symbol_resolved":
                connection.delay.resolved(parse_resolved(part.message))
            if part.message.method == "series_completed":
                break
    refused = Refused()
    try:
        bars = merge_bars((part.message for part in parts), refused)
        told = refused.told(len(bars))
    except PayloadInvalid as error:
        error.body = archive(parts)
        raise
    return History(
        symbol=request.symbol,
        minutes=request.minutes,
        bars=bars,
        raw=archive(parts),
        about={"chart": chart.session},
        asked_at_wall=asked_at,
        received_at_wall=parts[-1].received_at_wall,
        reached=reached,
        refused=told,
    )


def keep_alive(
    connection: Connection,
    chart: Chart,
    updates: Inbox[BarUpdate],
    ended: Callable[[], None] = lambda: None,
) -> None:
    """Hand every later change of an answered chart to `updates`, in order and without a gap.

    An error of the series is the last of its updates; `ended` is called with it.
    """

    def forward(part: Delivery) -> None:
        message = part.message
        error = None
        if message.method in FAILURES:
            error = series_failure(chart.request.symbol, chart.request.minutes, message)
            connection.unroute(chart.session)
            ended()
        refused = Refused()
        bars = parse_series(message, refused=refused) if message.method in BAR_METHODS else []
        # A single bar, if it is none, is no reason to give up the others' connection.
        told = refused.told(good=1)
        if bars or error or told:
            updates.put(
                BarUpdate(
                    symbol=chart.request.symbol,
                    minutes=chart.request.minutes,
                    bars=bars,
                    raw=part.raw,
                    chart_session=chart.session,
                    received_at_wall=part.received_at_wall,
                    error=error,
                    refused=told,
                )
            )

    connection.route(chart.session, forward)
    connection.forget(chart.inbox)
    try:
        for part in chart.inbox.drain():
            forward(part)
    except SourceError as error:
        connection.fail(error)


async def close_chart(connection: Connection, chart: Chart) -> None:
    """Delete the chart session, here and, while the connection lives, at the source."""
    connection.unroute(chart.session)
    connection.forget(chart.inbox)
    if connection.failure is not None:
        return
    try:
        async with deadline(connection.timeout, "a chart session could not be deleted"):
            await connection.send("chart_delete_session", chart.session)
    except SourceError as error:
        connection.fail(error)


def archive(parts: Iterable[Delivery]) -> bytes:
    """Return the frames of these deliveries, one a line."""
    return b"\n".join(part.raw for part in parts)


def series_failure(symbol: str, minutes: int, message: Message) -> SourceError:
    """Return the error that a message which ended a series stands for."""
    reason = words(message.params[1:])
    if message.method == "symbol_error":
        return SymbolUnknown(f"{symbol}: {reason}")
    if "resolution" in reason:
        return ResolutionUnavailable(f"{symbol} at {minutes} minutes: {reason}")
    return SeriesFailed(f"{message.method} for {symbol} at {minutes} minutes: {reason}")


async def _ask(connection: Connection, chart: Chart) -> None:
    request = chart.request
    await connection.send("chart_create_session", chart.session, "")
    wanted = {
        "symbol": exchange_symbol(request.symbol),
        "adjustment": "splits",
        "session": "regular",
    }
    wanted_text = "=" + json.dumps(wanted, separators=(",", ":"))
    await connection.send("resolve_symbol", chart.session, "symbol_1", wanted_text)
    await connection.send(
        "create_series",
        chart.session,
        SERIES,
        SERIES,
        "symbol_1",
        str(request.minutes),
        request.count,
    )
    await connection.send("switch_timezone", chart.session, "exchange")
