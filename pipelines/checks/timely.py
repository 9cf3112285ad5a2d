"""Whether rows come in time, and whether a session was stored to its end.

In time for a source that says it is late is that much later.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from db.checks.completeness import index_counts
from db.checks.statistics import newest_build_ups, newest_candles
from pipelines.checks.check import Look, Verdict, warning
from pipelines.checks.lateness import BUILD_UP_LAG, CANDLE_LAG, allowed_lag, behind
from strategy.session import interval_opens, session_hours


@warning("candle", "on_time")
def candle_on_time(look: Look) -> Verdict:
    """While the market is open, the newest final candle of each index is minutes old at most."""
    newest = newest_candles(look.connection, look.session, look.underlyings)
    return _lateness(newest, look, CANDLE_LAG)


@warning("build_up", "on_time")
def build_up_on_time(look: Look) -> Verdict:
    """While the market is open, build-ups follow their interval's end within some minutes."""
    newest = newest_build_ups(look.connection, look.session, look.underlyings)
    return _lateness(newest, look, BUILD_UP_LAG)


def _lateness(newest: Mapping[str, datetime | None], look: Look, lag: timedelta) -> Verdict:
    """Compare the end of each underlying's newest row with the market's clock."""
    allowed = allowed_lag(lag, look.speed) + look.delay
    ages = {
        name: age for name, end in newest.items() if (age := behind(end, look.session, look.now))
    }
    details: dict[str, Any] = {
        "market_time": look.now.isoformat(),
        "allowed_seconds": allowed.total_seconds(),
    }
    details |= {f"{name}_seconds_behind": age.total_seconds() for name, age in ages.items()}
    return Verdict(all(age <= allowed for age in ages.values()), details)


def _is_over(look: Look, lag: timedelta) -> bool:
    """Tell whether the session's last rows should be there."""
    allowed = allowed_lag(lag, look.speed) + look.delay
    return look.now >= session_hours(look.session)[1] + allowed


@warning("candle", "session_is_complete")
def candle_session_is_complete(look: Look) -> Verdict:
    """After the close, each index has a final candle for every interval: 375 or 385 of a minute."""
    over = _is_over(look, CANDLE_LAG)
    stored = index_counts(look.connection, look.session, look.underlyings)
    details: dict[str, Any] = {"over": over}
    passed = True
    for underlying in look.underlyings:
        minutes, number = stored.get(underlying, (1, 0))
        expected = len(interval_opens(look.session, minutes))
        details |= {underlying: number, f"{underlying}_expected": expected}
        passed = passed and (number == expected or not over)
    return Verdict(passed, details)


@warning("build_up", "session_is_complete")
def build_up_session_is_complete(look: Look) -> Verdict:
    """After the close, build-ups of each underlying reach it."""
    over = _is_over(look, BUILD_UP_LAG)
    start, close = session_hours(look.session)
    newest = newest_build_ups(look.connection, look.session, look.underlyings)
    missing = {name: close - (end or start) for name, end in newest.items()}
    details: dict[str, Any] = {"over": over}
    details |= {
        f"{name}_seconds_missing": time.total_seconds() for name, time in missing.items() if over
    }
    return Verdict(not over or not any(missing.values()), details)


CHECKS = [
    candle_on_time,
    build_up_on_time,
    candle_session_is_complete,
    build_up_session_is_complete,
]
