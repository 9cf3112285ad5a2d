"""Whether the sources agree, with each other and with the calendar, and the feed is at work."""

from datetime import timedelta
from typing import Any

from db.archive.feed_faults import read_feed_faults
from db.archive.source_status import read_access
from db.checks.completeness import compare_prices
from db.checks.opinions import read_agreement
from db.checks.statistics import FEED_LOCK, lock_is_held, nearest_expiries, written_since
from db.checks.volumes import compare_volumes
from pipelines.checks.check import Look, Verdict, warning
from pipelines.checks.lateness import FEED_LAG, allowed_lag, behind
from strategy.contract import nearest_known_expiry

# Prices of one contract, seconds apart, differ: on a recorded day a tenth of an at-the-money
# option's minutes moved it by more than this. Beyond it on more than a tenth of the rows means
# another time, or another contract.
TOLERANCE_POINTS = 0.5
TOLERANCE_SHARE = 0.03
ALLOWED_BEYOND = 0.1
# A running total that was taken for the interval's volume is many times as much by noon.
VOLUME_SHARE = 0.1
RATE_MINUTES = 5


def _few_differ(compared: int, beyond: int, **more: Any) -> Verdict:
    """Pass where no more than the allowed share of the rows is beyond a tolerance."""
    share = beyond / compared if compared else 0.0
    details = {
        "compared": compared,
        "beyond_tolerance": beyond,
        "share_beyond": share,
        "allowed_share": ALLOWED_BEYOND,
    }
    return Verdict(share <= ALLOWED_BEYOND, details | more)


@warning("build_up", "agrees_with_candles")
def build_up_agrees_with_candles(look: Look) -> Verdict:
    """The price beside the open interest is the candles' own, but for seconds between sources."""
    skew = compare_prices(
        look.connection, look.session, look.underlyings, TOLERANCE_POINTS, TOLERANCE_SHARE
    )
    points = {"median_points": skew.median, "largest_points": skew.largest}
    return _few_differ(skew.compared, skew.beyond, **points, largest=skew.examples)


@warning("build_up", "volumes_agree")
def build_up_volumes_agree(look: Look) -> Verdict:
    """What a source's own rows say was traded is what the candles of the five minutes say."""
    skew = compare_volumes(look.connection, look.session, look.underlyings, VOLUME_SHARE)
    return _few_differ(skew.compared, skew.beyond, largest=skew.examples)


@warning("candle", "sources_agree")
def candle_sources_agree(look: Look) -> Verdict:
    """What two sources told of candles, ladders and quotes differs on few rows only."""
    found = read_agreement(look.connection, look.session, look.underlyings)
    return _few_differ(found.compared, found.differing, first=found.examples)


@warning("contract", "expiry_is_the_calendars")
def contract_expiry_is_the_calendars(look: Look) -> Verdict:
    """The nearest listed expiry is the computed one: if not, the calendar needs a correction.

    Where the calendar ends, it needs its next year.
    """
    listed = nearest_expiries(look.connection, look.session, look.underlyings)
    computed = {name: nearest_known_expiry(name, look.session) for name in listed}
    details = {f"{name}_listed": str(expiry) for name, expiry in listed.items()}
    details |= {f"{name}_computed": str(expiry or "unknown") for name, expiry in computed.items()}
    return Verdict(listed == computed, details)


def observe_feed(look: Look) -> dict[str, Any]:
    """Return whether a feed runs, and how fast and how late rows become known by the tables.

    The lag, `lag_seconds`, is left out where it has no meaning: the market is shut, or another
    session is on. What is known of a source's delay and its token comes with it.
    """
    since = look.now - timedelta(minutes=RATE_MINUTES)
    written = written_since(look.connection, look.session, look.underlyings, since)
    found: dict[str, Any] = {
        "running": lock_is_held(look.connection, FEED_LOCK),
        "rows_per_minute": written.rows / RATE_MINUTES,
    }
    if failing := read_feed_faults(look.connection):
        found["failing"] = failing
    for source, access in read_access(look.connection).items():
        told = {"delay_seconds": access.delay_seconds, "note": access.note}
        found |= {f"{source}_{name}": value for name, value in told.items() if value is not None}
    lag = behind(written.newest, look.session, look.now)
    return found if lag is None else found | {"lag_seconds": lag.total_seconds()}


@warning("live_feed", "is_alive")
def live_feed_is_alive(look: Look) -> Verdict:
    """While the market is open, a feed runs and rows become known, and no part of it fails."""
    allowed = (allowed_lag(FEED_LAG, look.speed) + look.delay).total_seconds()
    found = observe_feed(look)
    lag = found.get("lag_seconds")
    alive = found["running"] and (lag or 0.0) <= allowed and "failing" not in found
    return Verdict(lag is None or alive, {"allowed_seconds": allowed} | found)


CHECKS = [
    candle_sources_agree,
    build_up_agrees_with_candles,
    build_up_volumes_agree,
    contract_expiry_is_the_calendars,
    live_feed_is_alive,
]
