"""`python -m simulator`: play a generated or recorded day until told to stop."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from simulator.account import Plan
from simulator.errors import SimulatorError
from simulator.faults import KINDS, Fault
from simulator.generate import generate
from simulator.market import Market
from simulator.past import GeneratedPast, Past, RecordedPast
from simulator.recorded import load
from simulator.server import serve
from simulator.trendlyne import Manner
from simulator.upstox.app import UpstoxManner
from strategy.clock import MarketClock
from strategy.contract import UNDERLYINGS
from strategy.session import session_hours

# Named, because as a program this module is called __main__.
logger = logging.getLogger("simulator")

HEAD_START = timedelta(minutes=1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a date, YYYY-MM-DD: {text!r}") from None


def _clock(text: str) -> MarketClock:
    try:
        return MarketClock.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not START,WALL,SPEED: {text!r}") from None


def _fault(text: str) -> Fault:
    try:
        return Fault.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _names(text: str) -> list[str]:
    return [name.strip().upper() for name in text.split(",") if name.strip()]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--day", type=_day, required=True, help="session to play")
    parser.add_argument("--data", type=Path, help="recorded days: a Parquet file or a directory")
    parser.add_argument("--seed", type=int, default=7, help="of the generated day (default 7)")
    parser.add_argument(
        "--underlyings", type=_names, default=list(UNDERLYINGS), help="comma-separated"
    )
    parser.add_argument(
        "--clock",
        type=_clock,
        default=os.environ.get("OPTIONSCALP_CLOCK", ""),
        help="market clock START,WALL,SPEED (default: OPTIONSCALP_CLOCK)",
    )
    parser.add_argument(
        "--speed",
        type=float,
        help="without a clock: start a minute before the open, at this speed (default 60)",
    )
    parser.add_argument("--tradingview-port", type=int, default=0, help="0 for any free one")
    parser.add_argument("--trendlyne-port", type=int, default=0, help="0 for any free one")
    parser.add_argument("--upstox-port", type=int, default=0, help="0 for any free one")
    parser.add_argument(
        "--upstox-pace",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="let Upstox answer 429 beyond its documented requests a second, minute and half hour",
    )
    parser.add_argument(
        "--lag", type=float, default=Manner().lag, help="market seconds until an interval appears"
    )
    parser.add_argument(
        "--forming",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="show the forming build-up row",
    )
    parser.add_argument(
        "--in-lots",
        action="store_true",
        help="count contracts, not units, in Trendlyne's whole chain",
    )
    parser.add_argument(
        "--any-minute",
        action="store_true",
        help="answer Trendlyne's ladders by their minute after the close too; the service does not",
    )
    parser.add_argument(
        "--allowance",
        type=int,
        help="requests to Trendlyne before its firewall refuses for ten minutes (default: any)",
    )
    parser.add_argument(
        "--delayed",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how late TradingView's accounts without real-time data see the market (default 0)",
    )
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="KIND[=AMOUNT]@HH:MM-HH:MM[xN][:SYMBOL]",
        help="let a source do wrong in a window of India's time; may be given several times",
    )
    return parser


def _started_clock(options: argparse.Namespace) -> MarketClock:
    """Return the clock given, or one that starts now, just before the day's open."""
    clock: MarketClock = options.clock
    if not clock.is_real and options.speed is None:
        return clock
    start = session_hours(options.day)[0] - HEAD_START
    return MarketClock(start, datetime.now(UTC).timestamp(), options.speed or 60.0)


def _market(options: argparse.Namespace) -> Market:
    if options.data is not None:
        return load(options.data, options.day, options.underlyings)
    return generate(options.day, options.seed, options.underlyings)


def _past(options: argparse.Namespace) -> Past:
    if options.data is not None:
        return RecordedPast(options.data, options.underlyings)
    return GeneratedPast(options.seed, options.underlyings)


def _upstox(options: argparse.Namespace) -> UpstoxManner:
    manner = UpstoxManner(past=_past(options))
    return manner if options.upstox_pace else manner._replace(windows=())


async def _run(market: Market, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serve(
        market,
        _started_clock(options),
        tradingview_port=options.tradingview_port,
        trendlyne_port=options.trendlyne_port,
        upstox_port=options.upstox_port,
        manner=Manner(
            *(options.lag, options.forming, options.in_lots, options.allowance),
            any_minute=options.any_minute,
        ),
        plan=Plan(options.delayed),
        upstox=_upstox(options),
        faults=options.fault,
    ) as endpoints:
        logger.info("playing %s: %d instruments", market.day, len(market.series))
        for fault in options.fault:
            logger.info("fault %s: %s", fault, KINDS[fault.kind].does)
        sys.stdout.write(f"ready {' '.join(endpoints)}\n")
        sys.stdout.flush()
        await stop.wait()


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.speed is not None and options.speed <= 0:
        parser.error("--speed must be above 0")
    if options.allowance is not None and options.allowance < 1:
        parser.error("--allowance must be above 0")
    if options.delayed < 0:
        parser.error("--delayed must not be below 0")
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logger.setLevel(logging.INFO)
    try:
        asyncio.run(_run(_market(options), options))
    except SimulatorError as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
