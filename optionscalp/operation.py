"""How a running system does: its disk, its feed, its sources, and questions that hang."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from psycopg import Connection

from db.archive.source_status import read_down
from db.checks.activity import blocking, long_questions
from db.checks.statistics import FEED_LOCK, lock_is_held
from db.server.disk import LEAST_FREE_BYTES, data_is_full, free_bytes
from optionscalp.finding import Finding
from strategy.clock import MarketClock
from strategy.errors import CalendarUnknownError
from strategy.session import IST, is_open

ENOUGH_BYTES = 2 * 10**9
LOCKED = timedelta(seconds=3)
LONG = timedelta(minutes=1)


def disk_found(home: Path) -> Iterator[Finding]:
    """Tell how much room there is for the home, and for the data where that lies elsewhere."""
    if full := data_is_full(home):
        yield Finding("disk", full, "free some space there; everything goes on by itself")
        return
    free = free_bytes(home)
    if free is None:
        yield Finding("disk", f"{home} is not there", "make that folder, or set OPTIONSCALP_HOME")
        return
    data = free_bytes(home / "postgres")
    free = free if data is None else min(free, data)
    remedy = "" if free > ENOUGH_BYTES else "free some space, or set OPTIONSCALP_HOME elsewhere"
    fatal = free < LEAST_FREE_BYTES
    yield Finding(f"disk under {home}", f"{free / 1e9:.1f} GB free", remedy, fatal=fatal)


def questions_found(connection: Connection[Any]) -> Iterator[Finding]:
    """Tell which sessions keep others waiting, and which questions take long."""
    named = set()
    for busy in blocking(connection, LOCKED):
        named.add(busy.pid)
        lasts = f", for {busy.lasts.total_seconds():.0f} s" if busy.lasts else ""
        yield Finding(
            "questions",
            f"session {busy.pid} ({busy.application}, {busy.account}) keeps others waiting{lasts}",
            f"end it: `select pg_terminate_backend({busy.pid})`",
        )
    for busy in long_questions(connection, LONG):
        if busy.pid not in named and busy.lasts:
            minutes = busy.lasts / timedelta(minutes=1)
            found = f"session {busy.pid} ({busy.application}) asks for {minutes:.0f} min already"
            remedy = f"if nobody needs it: `select pg_cancel_backend({busy.pid})`"
            yield Finding("questions", found, remedy, fatal=False)
            named.add(busy.pid)
    if not named:
        yield Finding("questions", "none hangs")


def feed_found(connection: Connection[Any], clock: MarketClock) -> Finding:
    """Tell whether a feed runs, which an open market needs."""
    if lock_is_held(connection, FEED_LOCK):
        return Finding("feed", "runs")
    try:
        wanted = is_open(clock.now())
    except CalendarUnknownError:
        wanted = False
    if not wanted:
        return Finding("feed", "none runs, and the market is closed")
    remedy = "start `optionscalp up`, or see logs/feed.log for why it ends"
    return Finding("feed", "none runs in an open market", remedy, fatal=False)


def sources_down(connection: Connection[Any]) -> Iterator[Finding]:
    """Tell which of the sources that are asked are down, in their own words."""
    for down in read_down(connection):
        since = f"{down.since.astimezone(IST):%Y-%m-%d %H:%M} IST"
        remedy = "look at the network, and at its account; the other sources go on"
        found = f"down since {since}: {down.error}"
        yield Finding(f"{down.source}'s answers", found, remedy, fatal=False)
