"""A simulated market that does wrong at known moments, and ingestion in this process."""

import asyncio
import time as wall
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple
from uuid import uuid4

import pytest
from psycopg.sql import SQL, Identifier

from db.archive.source_status import Access
from db.market.frames import Range
from db.server.connection import connect, database_name, with_database
from pipelines.ingest.candles import ingest_candles
from pipelines.ingest.desk import Desk, open_desk
from pipelines.ingest.heal import heal
from pipelines.ingest.positions import ingest_positions
from pipelines.live.feed import SessionFeed
from pipelines.settings import Settings
from pipelines.signals.materialise import materialise_signals
from pipelines.sources.errors import SourceError
from pipelines.sources.roles import Opened
from pipelines.sources.tradingview.client import TradingView
from pipelines.sources.tradingview.pool import HistoryPool, PoolLimits
from pipelines.sources.trendlyne.client import Trendlyne
from simulator.faults import Fault
from simulator.generate import generate
from simulator.market import Market
from simulator.server import DEFAULT_MANNER, serve
from simulator.tradingview import Pace
from simulator.trendlyne import Manner
from strategy.clock import MarketClock
from strategy.session import IST

DAY = date(2026, 1, 21)
UNDERLYINGS = ("NIFTY",)
# Runs of the schedule around a fault, when the runs' rows must be there, and those of the second.
BEFORE, WITHIN, AFTER = "10:03:30", "10:08:30", "10:13:30"
UNTIL, LATEST = "10:10", "10:05"
TIMEOUT = 1.0
# Everything but when it was known; candles only once they are final.
TABLES = {
    "contract": (
        "select symbol, underlying, expiry, strike, option_type, lot_size, first_seen, last_seen,"
        " source, tick_size from contract"
    ),
    "candle": (
        "select symbol, interval_minutes, open_time, underlying, open, high, low, close, volume,"
        " open_interest, source from candle where final and open_time < %(until)s"
    ),
    "build_up": (
        "select symbol, open_time, underlying, close_time, close, open_interest, oi_change,"
        " volume, label, source from build_up where open_time < %(until)s"
    ),
    "chain_oi": (
        "select underlying, expiry, strike, observed_at, call_oi, put_oi, call_prev_oi,"
        " put_prev_oi, source from chain_oi"
    ),
    "signal": (
        "select signal_id, event_time, symbol, direction, entry, stop, target1, target2,"
        " net_delta_volume, reasons::text from signal"
        " where withdrawn_at is null and event_time <= %(until)s"
    ),
}
KNOWN_TOO_EARLY = """
select symbol, open_time, known_at from candle
 where final and known_at < open_time + make_interval(mins => interval_minutes)
union all
select symbol, open_time, known_at from build_up where known_at < close_time
union all
select strike::text, observed_at, known_at from chain_oi where known_at < observed_at
"""
END_SESSIONS = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
Tables = dict[str, set[tuple]]


class Told(NamedTuple):
    """What is told of a run: its errors and failed symbols, sources down, answers unparsed."""

    errors: set[type[SourceError]]
    failures: dict[str, str]
    down: dict[str, str]
    unparsed: list[str]


QUIET = Told(set(), {}, {}, [])


@cache
def market() -> Market:
    """The day that is played."""
    return generate(DAY, 7, UNDERLYINGS)


def fault(kind: str, start: str = "10:04", end: str = "10:12", **options: object) -> Fault:
    """Return a fault with its window in India's time; by default around the second run."""
    return Fault(kind, time.fromisoformat(start), time.fromisoformat(end), **options)


def at(text: str) -> datetime:
    """Return the moment of the day when clocks in India show that."""
    return datetime.combine(DAY, time.fromisoformat(text), IST)


@contextmanager
def copied(server: str, original: str) -> Iterator[str]:
    """Yield a copy of a database that nobody uses."""
    copy = with_database(server, f"optionscalp_test_{uuid4().hex[:8]}")
    names = [Identifier(database_name(dsn)) for dsn in (copy, original)]
    with connect(server) as admin:
        # TimescaleDB's worker would come back as soon as it is ended.
        admin.execute(SQL("alter database {} allow_connections false").format(names[1]))
        admin.execute(END_SESSIONS, (database_name(original),))
        admin.execute(SQL("create database {} template {} strategy file_copy").format(*names))
        admin.execute(SQL("alter database {} allow_connections true").format(names[1]))
        yield copy
        admin.execute(SQL("drop database {} with (force)").format(names[0]))


@asynccontextmanager
async def desk_at(
    dsn: str,
    moment: str,
    speed: float,
    faults: Iterable[Fault],
    manner: Manner = DEFAULT_MANNER,
    build_up_source: str = "rows",
    timeout: float = TIMEOUT,
) -> AsyncIterator[Desk]:
    """Open a market and a desk whose common clock shows a time now, and runs.

    Build-ups are a source's own rows, so that these can do wrong too.
    """
    clock = MarketClock(at(moment), wall.time(), speed)
    async with serve(
        market(), clock, pace=Pace(tick=0.02), manner=manner, faults=faults
    ) as endpoints:
        settings = Settings(
            database_url=dsn,
            tradingview_url=endpoints.tradingview_url,
            trendlyne_url=endpoints.trendlyne_url,
            underlyings=UNDERLYINGS,
            optionscalp_clock=str(clock),
            optionscalp_source="simulator",
            build_up_source=build_up_source,
            candle_wings=1,
            build_up_wings=1,
        )
        async with (
            open_desk(settings) as desk,
            Trendlyne(endpoints.trendlyne_url, clock, timeout=timeout) as trendlyne,
        ):
            tradingview = TradingView(endpoints.tradingview_url, timeout=timeout, clock=clock)
            history = HistoryPool(tradingview, PoolLimits())
            opened = {
                "tradingview": Opened(
                    history=history,
                    stream=tradingview,
                    access=lambda: Access(*tradingview.account.state()),
                ),
                "trendlyne": Opened(listings=trendlyne, ladders=trendlyne, build_ups=trendlyne),
            }
            yield replace(desk, opened=opened)


def run(dsn: str, moment: str, *faults: Fault, manner: Manner = DEFAULT_MANNER) -> Told:
    """Bring every table up to date, once, as a run of the schedule does."""
    return asyncio.run(_run(dsn, moment, faults, manner))


async def _run(dsn: str, moment: str, faults: Iterable[Fault], manner: Manner) -> Told:
    errors: set[type[SourceError]] = set()
    failures: dict[str, str] = {}
    async with desk_at(dsn, moment, 20, faults, manner) as desk:
        heal(desk, DAY)
        for ingest in (ingest_positions, ingest_candles, ingest_positions):
            try:
                report = await ingest(desk, DAY)
                failures |= getattr(report, "failures", {})
            except SourceError as error:
                errors.add(type(error))
        materialise_signals(desk.connection, Range(DAY, DAY), UNDERLYINGS, desk.now())
    return Told(errors, failures, *told_by_tables(dsn))


def follow(dsn: str, *faults: Fault) -> None:
    """Let the live feed follow the session from 15:19 to a minute after its close."""

    async def feed() -> None:
        # A busy machine may ask for a ladder only when the session is over, and wait for answers.
        manner = DEFAULT_MANNER._replace(any_minute=True)
        async with desk_at(dsn, "15:19", 60, faults, manner, timeout=5.0) as desk:
            await SessionFeed(desk, DAY).run()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.live.feed.LATE", timedelta(minutes=1))
        asyncio.run(asyncio.wait_for(feed(), 200))


def followed(dsn: str, *faults: Fault) -> Tables:
    """Return what the feed has stored of the session at its end, where it can be compared."""
    follow(dsn, *faults)
    return ended(dsn)


def ended(dsn: str) -> Tables:
    """Return what is stored of a followed session, but for what depends on a machine's pace."""
    stored = tables(dsn, "15:30")
    # What the other source has three minutes after an interval this feed may not wait for.
    stored["chain_oi"] = {row for row in stored["chain_oi"] if row[3] <= at("15:20")}
    stored["build_up"] = {row for row in stored["build_up"] if row[1] < at("15:20")}
    return stored


def told_by_tables(dsn: str) -> tuple[dict[str, str], list[str]]:
    """Return which sources are down and why, and why answers could not be parsed."""
    down = "select source, error from source_status where state = 'down'"
    unparsed = "select parser_error from raw_payload where parser_error is not null"
    with connect(dsn) as connection:
        reasons = connection.execute(unparsed).fetchall()
        return dict(connection.execute(down).fetchall()), [reason for (reason,) in reasons]


def tables(dsn: str, until: str) -> Tables:
    """Return what is stored of the intervals before a time."""
    with connect(dsn) as connection:
        return {
            name: set(connection.execute(query, {"until": at(until)}).fetchall())
            for name, query in TABLES.items()
        }


def known_too_early(dsn: str) -> list[tuple]:
    """Return rows that say they were known before what they tell had happened."""
    with connect(dsn) as connection:
        return connection.execute(KNOWN_TOO_EARLY).fetchall()


def assert_nothing_invented(dsn: str, faultless: Tables) -> None:
    """Check within a fault that nothing is stored but what runs without it store."""
    for name, rows in tables(dsn, LATEST).items():
        assert rows <= faultless[name], name
    early = known_too_early(dsn)
    assert early == [], early[:3]
