"""The universe's histories over our own session beside the package, from a simulator's process."""

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from bench.database import fresh_database
from bench.measure import medians, seconds
from bench.results import Result, Target
from bench.servers import simulator
from db.server.connection import connect
from pipelines.settings import Settings
from pipelines.sources.politeness import Budget, SharedBudget
from pipelines.sources.series import History, HistoryRequest, HistorySource
from pipelines.sources.tradingview.client import TradingView
from pipelines.sources.tradingview.pool import HistoryPool, PoolLimits
from pipelines.sources.tradingview.tvdatafeed import TvDatafeedHistory
from simulator.generate import generate
from strategy.clock import MarketClock
from strategy.session import interval_opens, session_hours

DAY = date(2026, 1, 21)
SYMBOLS = 46  # two indices, two futures, and options
ROUNDS = 5
LIMITS = PoolLimits()
SINGLE = PoolLimits(connections=1)
FASTER = Target("at most", 1, "ratio")
AT_ONCE = LIMITS.connections * LIMITS.parallel


class Connects:
    """Counts this process's TCP connections, whoever opens them."""

    def __init__(self) -> None:
        self.count = 0
        sys.addaudithook(self._hear)

    def _hear(self, event: str, _: Any) -> None:
        self.count += event == "socket.connect"

    def during(self, source: HistorySource, requests: list[HistoryRequest]) -> int:
        """Return how many connections one fetch takes."""
        before = self.count
        fetch(source, requests)
        return self.count - before


def fetch(source: HistorySource, requests: list[HistoryRequest]) -> dict[str, list[Any]]:
    """Ask for all and return the bars; each symbol must have its whole day."""
    answers = asyncio.run(source.histories(requests))
    bars = {}
    for symbol, answer in answers.items():
        assert isinstance(answer, History), answer
        assert len(answer.bars) == len(interval_opens(DAY, 1)), symbol
        bars[symbol] = answer.bars
    assert list(bars) == [request.symbol for request in requests]
    return bars


def pool(url: str, limits: PoolLimits = LIMITS, budget: Budget | None = None) -> HistoryPool:
    """Return our own session as a source."""
    return HistoryPool(TradingView(url, budget=budget), limits)


def package(url: str, parallel: int, budget: Budget | None = None) -> TvDatafeedHistory:
    """Return the package as a source."""
    return TvDatafeedHistory(url, budget=budget, parallel=parallel)


def requested() -> list[HistoryRequest]:
    """Return a request for each symbol: indices and futures first, then options."""
    minute = [name for name, series in generate(DAY).series.items() if series.interval_minutes == 1]
    minute.sort(key=len)
    return [HistoryRequest(symbol, 1, 400) for symbol in minute[:SYMBOLS]]


def run() -> list[Result]:
    """Fetch in turn, without limits; then once with the default budget."""
    requests = requested()
    assert len(requests) == SYMBOLS
    connects = Connects()
    clock = MarketClock(session_hours(DAY)[1] + timedelta(minutes=5), time.time(), 1.0)
    with simulator(DAY, clock) as (url, *_):
        sources = [pool(url), package(url, AT_ONCE), pool(url, SINGLE), package(url, 1)]
        ours, theirs = (fetch(source, requests) for source in sources[:2])
        assert ours == theirs
        taken = medians(ROUNDS, *(partial(fetch, source, requests) for source in sources))
        opened = [connects.during(source, requests) for source in sources]
        polite = _polite_seconds(url, requests)
    return [
        _beside(
            f"history of {SYMBOLS} symbols, {AT_ONCE} at once", taken[:2], AT_ONCE, "s", FASTER
        ),
        _beside("the same, connections", opened[:2], AT_ONCE, "connections"),
        _beside("the same, one connection at a time", taken[2:], 1, "s"),
        _beside("the same, connections", opened[2:], 1, "connections"),
        _beside("the same as the first, with the default budget", polite, AT_ONCE, "s"),
    ]


def _beside(
    what: str, figures: Sequence[float], parallel: int, unit: str, target: Target | None = None
) -> Result:
    ours, theirs = figures
    return Result(what, ours, unit, f"the package, {parallel} at once", theirs, target)


def _polite_seconds(url: str, requests: list[HistoryRequest]) -> list[float]:
    per_second = Settings.model_fields["tradingview_requests_per_second"].default
    with fresh_database() as dsn, connect(dsn) as connection:
        ours, theirs = (
            SharedBudget(connection, name, MarketClock.real(), per_second)
            for name in ("ours", "theirs")
        )
        return [
            seconds(partial(fetch, pool(url, budget=ours), requests)),
            seconds(partial(fetch, package(url, AT_ONCE, theirs), requests)),
        ]
