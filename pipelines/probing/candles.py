"""The questions how far candles reach back, and what those of a future and an option hold."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

from pipelines.probing.counts import counted_in
from pipelines.probing.visit import Newest, Visit
from pipelines.sources.errors import SessionGone, SourceError, SymbolUnknown
from pipelines.sources.probe import REPORT, Finding
from pipelines.sources.series import Bar, History, HistoryRequest
from strategy.contract import future_symbol, lot_size, parse_symbol
from strategy.session import IST, current_or_last_session, previous_session, session_of

ROLE = "history"
# What the system itself asks for where it has nothing yet.
DEEP = 5_000
SHORT = 400
A_YEAR = timedelta(days=365)


async def ask_candles(visit: Visit) -> AsyncGenerator[Finding, None]:
    """Ask for minutes of the index, then of the future and of an option at the money.

    Raises:
        SourceError: There are none of the index.
    """
    index = visit.underlying
    bars = await _bars(visit, HistoryRequest(index, 1, DEEP, visit.times.data))
    if not bars:
        yield _empty(visit)
        return
    visit.spot = bars[-1].close
    yield _depth(index, bars)
    if visit.source.past_sessions:
        yield await _past(visit)
    async for finding in _others(visit):
        yield finding


def _empty(visit: Visit) -> Finding:
    topic, found = "one-minute candles", f"an empty answer for {visit.underlying}"
    if visit.times.is_open:
        return Finding(topic, "error", f"{found}, which trades every minute", REPORT, ROLE)
    return Finding(topic, "warning", found, visit.times.closed_note, ROLE)


async def _bars(visit: Visit, request: HistoryRequest) -> list[Bar]:
    answer = (await visit.histories(request))[request.symbol]
    if not isinstance(answer, History):
        raise answer
    if answer.bars and visit.newest is None:
        visit.newest = Newest(answer.bars[-1].open_time, visit.clock.at(answer.asked_at_wall))
    return answer.bars


def _depth(symbol: str, bars: list[Bar]) -> Finding:
    days = sorted({session_of(bar.open_time) for bar in bars})
    first, newest = (bar.open_time.astimezone(IST) for bar in (bars[0], bars[-1]))
    sessions = f"{len(days)} sessions" if len(days) > 1 else "1 session"
    return Finding(
        "one-minute candles",
        "ok",
        f"{len(bars)} of {symbol} in an answer, {sessions} back to {first:%Y-%m-%d %H:%M} IST;"
        f" the newest is of {newest:%Y-%m-%d %H:%M}",
        role=ROLE,
        facts={
            "symbol": symbol,
            "candles": len(bars),
            "sessions": len(days),
            "first": bars[0].open_time,
            "newest": bars[-1].open_time,
        },
    )


async def _past(visit: Visit) -> Finding:
    """Ask for two sessions that are over: the one before, and one of a year ago."""
    before = previous_session(visit.times.data)
    days = [before, current_or_last_session(visit.times.now - A_YEAR)]
    told = {}
    for day in days:
        try:
            told[day] = len(await _bars(visit, HistoryRequest(visit.underlying, 1, DEEP, day)))
        except SessionGone:
            told[day] = 0
    found = ", ".join(f"{count or 'no'} candles of {day}" for day, count in told.items())
    facts = {day.isoformat(): count for day, count in told.items()}
    if told[before]:
        return Finding("past sessions", "ok", found, facts=facts)
    return Finding("past sessions", "warning", found, REPORT, facts=facts)


async def _others(visit: Visit) -> AsyncGenerator[Finding, None]:
    option = visit.option()
    if option is None:
        return
    names = [future_symbol(visit.underlying), option.symbol]
    requests = [HistoryRequest(name, 1, SHORT, visit.times.data) for name in names]
    for symbol, answer in (await visit.histories(*requests)).items():
        what = "option candles" if symbol == option.symbol else "future candles"
        if isinstance(answer, History):
            yield _series(visit, what, answer)
        elif isinstance(answer, SymbolUnknown) and not visit.listed:
            found = f"{symbol} is not known there; its name is a guess from the calendar"
            yield Finding(what, "warning", found, "look at the strikes that another source lists")
        elif isinstance(answer, SourceError):
            remedy = visit.source.probe.remedy(answer) or REPORT
            yield Finding(what, "warning", str(answer), remedy)


def _series(visit: Visit, what: str, history: History) -> Finding:
    symbol, bars = history.symbol, history.bars
    if not bars:
        return Finding(what, "unseen", f"{symbol} has none in {visit.times.data}")
    contract = parse_symbol(symbol)
    expiry = contract.expiry if contract else visit.expiry
    lot = lot_size(visit.underlying, expiry)
    volume = counted_in((bar.volume for bar in bars), lot)
    interest = counted_in((bar.open_interest for bar in bars), lot)
    facts: dict[str, Any] = {
        "symbol": symbol,
        "candles": len(bars),
        "newest": bars[-1].open_time,
        "volume": volume,
        "open_interest": interest,
    }
    newest = bars[-1].open_time.astimezone(IST)
    held = f"open interest: {interest}" if interest != "none" else "no open interest with them"
    found = f"{len(bars)} of {symbol}, newest {newest:%Y-%m-%d %H:%M}; volume: {volume}; {held}"
    if "lots" in {volume, interest}:
        remedy = f"{REPORT}: such rows are refused, as units are wanted"
        return Finding(what, "warning", found, remedy, facts=facts)
    visit.open_interest |= contract is not None and interest == "units"
    return Finding(what, "ok", found, facts=facts)
