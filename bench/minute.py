"""From the close of a minute to its candles' commit: by the schedule alone, and with the feed.

The market is simulated, as fast as the real one, and its minutes begin when the computer's do,
as Dagster's ticks do. Everything else is the real thing, started as `demo` starts it.
"""

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from psycopg import Connection

from bench.database import fresh_database
from bench.results import Result
from bench.servers import simulator
from db.server.connection import connect
from optionscalp.stack import Ports, Stack, free_port
from strategy.clock import MarketClock
from strategy.session import session_hours

DAY = date(2026, 1, 21)
START = session_hours(DAY)[0] + timedelta(minutes=60)
MINUTE = timedelta(minutes=1)
MINUTES = 3  # whose closes are watched
# How long after its close a candle is waited for, without and with the feed.
PATIENCE = timedelta(seconds=45)
FEED_PATIENCE = timedelta(seconds=15)
START_SECONDS = 180.0
FINAL_CANDLES = """
select l.seq, c.symbol, c.open_time
  from change_log l
  join candle c on (c.symbol, c.interval_minutes, c.open_time) = (l.symbol, 1, l.moment)
 where l.seq > %s and l.relation = 'candle' and l.interval_minutes = 1 and c.final
 order by l.seq
"""


class Committed(NamedTuple):
    """When a final candle was first seen after a commit."""

    symbol: str
    close_time: datetime
    delay: float


class Watch:
    """Hears of every commit on connections of its own, and notes new final candles."""

    def __init__(self, listener: Connection[Any], reader: Connection[Any], clock: MarketClock):
        self._listener, self._reader, self._clock = listener, reader, clock
        self._newest = 0
        self._seen: set[tuple[str, datetime]] = set()
        listener.execute("listen feed")

    def after(self, seconds: float) -> Iterator[Committed]:
        """Yield final candles as they are committed, for some time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for _ in self._listener.notifies(timeout=left, stop_after=1):
                yield from self._read(self._clock.at(time.time()))

    def _read(self, heard: datetime) -> Iterator[Committed]:
        for seq, symbol, open_time in self._reader.execute(FINAL_CANDLES, (self._newest,)):
            self._newest = seq
            if (symbol, open_time) not in self._seen:
                self._seen.add((symbol, open_time))
                close_time = open_time + MINUTE
                yield Committed(symbol, close_time, (heard - close_time).total_seconds())

    def wait(self) -> None:
        """Wait for the first candle.

        Raises:
            TimeoutError: None came.
        """
        if next(self.after(START_SECONDS), None) is None:
            raise TimeoutError("no candle was committed")

    def delays(self, patience: timedelta) -> list[float]:
        """Return the delays of all candles of the next whole minutes."""
        opens = START + MINUTE * ((self._clock.now() - START) // MINUTE + 1)
        end = opens + MINUTES * MINUTE
        found = [
            candle
            for candle in self.after(self._clock.seconds_until(end + patience))
            if opens < candle.close_time <= end
        ]
        assert len({candle.close_time for candle in found}) == MINUTES, found
        return [candle.delay for candle in found]


@contextmanager
def running(dsn: str, clock: MarketClock) -> Iterator[Stack]:
    """Start the simulated market, and Dagster on it."""
    with (
        tempfile.TemporaryDirectory(prefix="optionscalp-bench-") as folder,
        simulator(DAY, clock) as (tradingview, trendlyne, _),
    ):
        environment = {
            "OPTIONSCALP_CLOCK": str(clock),
            "OPTIONSCALP_SOURCE": "simulator",
            "TRADINGVIEW_URL": tradingview,
            "TRENDLYNE_URL": trendlyne,
            "ALERT_URLS": "",  # nobody is to be told of this
        }
        stack = Stack(Path(folder), dsn, Ports(free_port(), free_port()), environment)
        with stack.supervised():
            signal.signal(signal.SIGINT, signal.default_int_handler)  # it ends the wait, here
            stack.start_dagster()
            yield stack


def run() -> list[Result]:
    """Let the schedule do some minutes alone, then beside the feed and the chart server."""
    clock = MarketClock(START, time.time() // 60 * 60, 1.0)
    with (
        fresh_database() as dsn,
        connect(dsn) as listener,
        connect(dsn) as reader,
        running(dsn, clock) as stack,
    ):
        watch = Watch(listener, reader, clock)
        watch.wait()
        alone = watch.delays(PATIENCE)
        stack.start_core()
        fed = watch.delays(FEED_PATIENCE)
    what = "close of a minute to the commit of its candles"
    return [
        *_beside(f"{what}, by the schedule alone", alone, None),
        *_beside(f"{what}, with the feed", fed, alone),
    ]


def _beside(what: str, delays: list[float], alone: list[float] | None) -> Iterator[Result]:
    for name, figure in (("median", median), ("last", max)):
        reference = ("schedule alone", figure(alone)) if alone else ("", None)
        yield Result(f"{what}, {name} of {len(delays)}", figure(delays), "s", *reference)
