"""The simulated broker alone: a market that stands still or runs, and what works with it."""

import time as wall
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date, datetime, time
from pathlib import Path

from pipelines.ingest.desk import Desk, open_desk
from pipelines.settings import Settings
from simulator.faults import Fault
from simulator.generate import generate
from simulator.past import GeneratedPast
from simulator.server import serve
from simulator.upstox.account import access_token
from simulator.upstox.app import UpstoxManner
from strategy.clock import MarketClock
from strategy.session import IST

SEED = 7
NOBODY = "http://127.0.0.1:1"  # refuses every connection
STANDING = 1e-3  # market seconds a second: as good as none


def manner(underlyings: tuple[str, ...], **changes: object) -> UpstoxManner:
    """Return a broker that answers at once and as often as it is asked."""
    past = GeneratedPast(SEED, underlyings)
    return UpstoxManner(lag=0.0, windows=(), past=past)._replace(**changes)


@asynccontextmanager
async def broker_desk(
    dsn: str,
    moment: datetime,
    folder: Path,
    *,
    underlyings: tuple[str, ...] = ("NIFTY",),
    speed: float = STANDING,
    plus: bool = True,
    others: bool = False,
    faults: Iterable[Fault] = (),
    **settings: object,
) -> AsyncIterator[Desk]:
    """Open a desk with Upstox as its one source, at a market time; Trendlyne is down.

    Args:
        dsn: The database.
        moment: Market time now; its date is the day that is played.
        folder: For the token.
        underlyings: Which.
        speed: Of the market's clock.
        plus: Whether the account has the paid plan.
        others: Whether TradingView and Trendlyne answer as well.
        faults: What the market does wrong.
        settings: Others than these.
    """
    clock = MarketClock(moment, wall.time(), speed)
    token = folder / "token"
    token.write_text(access_token(moment, plus=plus))
    market = generate(moment.astimezone(IST).date(), SEED, underlyings)
    async with serve(market, clock, upstox=manner(underlyings), faults=faults) as endpoints:
        usual = {
            "database_url": dsn,
            "sources": ("upstox",),
            "upstox_url": endpoints.upstox_url,
            "upstox_token_file": token,
            "upstox_requests_per_second": 1e6,
            "trendlyne_url": NOBODY,
            "trendlyne_requests_per_second": 1e6,
            "underlyings": underlyings,
            "optionscalp_clock": str(clock),
            "candle_wings": 1,
            "build_up_wings": 1,
        }
        if others:
            usual |= {
                "tradingview_url": endpoints.tradingview_url,
                "tradingview_requests_per_second": 1e6,
                "trendlyne_url": endpoints.trendlyne_url,
            }
        async with open_desk(Settings(**usual | settings)) as desk:
            yield desk


def at(day: date, text: str) -> datetime:
    """Return the moment of a day when clocks in India show that."""
    return datetime.combine(day, time.fromisoformat(text), IST)
