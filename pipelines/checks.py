"""Checks of the stored rows. Each reads the table, not the run history, and gives its numbers.

A check belongs to the session of its run; run alone, to the market's current or last one.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from db.statistics import (
    archived_payloads,
    broken_candles,
    candle_counts,
    nearest_expiries,
    newest_build_ups,
    newest_candles,
)
from pipelines.lateness import BUILD_UP_LAG, CANDLE_LAG, allowed_lag, behind
from pipelines.resources import Market
from strategy.clock import MarketClock
from strategy.contract import nearest_known_expiry
from strategy.session import is_session, previous_session, session_hours, session_of


def session_to_check(context: dg.AssetCheckExecutionContext, now: datetime) -> date:
    """Return the run's session; without one the current, or else the last one."""
    if context.has_partition_key:
        return date.fromisoformat(context.partition_key)
    today = session_of(now)
    return today if is_session(today) else previous_session(today)


@dg.asset_check(asset="candle", name="has_rows")
def candle_has_rows(context: dg.AssetCheckExecutionContext, market: Market) -> dg.AssetCheckResult:
    """Every underlying has candles once the session's first ones are due."""
    settings = market.settings()
    session = session_to_check(context, settings.clock.now())
    with market.connect() as connection:
        counts = candle_counts(connection, session, settings.underlyings)
    due = session_hours(session)[0] + allowed_lag(CANDLE_LAG, settings.clock)
    expected = settings.clock.now() >= due
    return dg.AssetCheckResult(
        passed=not expected or all(counts.values()),
        metadata={"session": str(session), "expected": expected, **counts},
    )


@dg.asset_check(asset="candle", name="prices_are_sane", blocking=True)
def candle_prices_are_sane(
    context: dg.AssetCheckExecutionContext, market: Market
) -> dg.AssetCheckResult:
    """High and low enclose open and close, and every price is a number from zero up."""
    settings = market.settings()
    session = session_to_check(context, settings.clock.now())
    with market.connect() as connection:
        broken = broken_candles(connection, session, settings.underlyings)
    return dg.AssetCheckResult(
        passed=broken.number == 0,
        metadata={
            "session": str(session),
            "broken": broken.number,
            "examples": dg.MetadataValue.json(broken.examples),
        },
    )


@dg.asset_check(asset="candle", name="on_time")
def candle_on_time(context: dg.AssetCheckExecutionContext, market: Market) -> dg.AssetCheckResult:
    """While the market is open, the newest final candle of each index is minutes old at most."""
    settings = market.settings()
    session = session_to_check(context, settings.clock.now())
    with market.connect() as connection:
        newest = newest_candles(connection, session, settings.underlyings)
    return lateness(newest, session, settings.clock, CANDLE_LAG)


@dg.asset_check(asset="build_up", name="on_time")
def build_up_on_time(context: dg.AssetCheckExecutionContext, market: Market) -> dg.AssetCheckResult:
    """While the market is open, build-ups follow their interval's end within some minutes."""
    settings = market.settings()
    session = session_to_check(context, settings.clock.now())
    with market.connect() as connection:
        newest = newest_build_ups(connection, session, settings.underlyings)
    return lateness(newest, session, settings.clock, BUILD_UP_LAG)


def lateness(
    newest: Mapping[str, datetime | None], session: date, clock: MarketClock, lag: timedelta
) -> dg.AssetCheckResult:
    """Compare the end of each underlying's newest row with the market's clock."""
    now = clock.now()
    allowed = allowed_lag(lag, clock)
    ages = {name: age for name, end in newest.items() if (age := behind(end, session, now))}
    metadata: dict[str, Any] = {
        "session": str(session),
        "market_time": now.isoformat(),
        "allowed_seconds": allowed.total_seconds(),
    }
    metadata |= {f"{name}_seconds_behind": age.total_seconds() for name, age in ages.items()}
    return dg.AssetCheckResult(
        passed=all(age <= allowed for age in ages.values()), metadata=metadata
    )


@dg.asset_check(asset="raw_payload", name="all_parsed")
def raw_payload_all_parsed(
    context: dg.AssetCheckExecutionContext, market: Market
) -> dg.AssetCheckResult:
    """Every archived answer of the session could be parsed in full."""
    session = session_to_check(context, market.settings().clock.now())
    with market.connect() as connection:
        archived = archived_payloads(connection, session)
    unparsed = sum(source.unparsed for source in archived)
    examples = [source.last_unparsed for source in archived if source.last_unparsed]
    return dg.AssetCheckResult(
        passed=unparsed == 0,
        metadata={
            "session": str(session),
            "payloads": sum(source.payloads for source in archived),
            "unparsed": unparsed,
            "last_unparsed_payload_ids": dg.MetadataValue.json(examples),
        },
    )


@dg.asset_check(asset="contract", name="expiry_is_the_calendars")
def contract_expiry_is_the_calendars(
    context: dg.AssetCheckExecutionContext, market: Market
) -> dg.AssetCheckResult:
    """The nearest listed expiry is the computed one: if not, the calendar needs a correction."""
    settings = market.settings()
    session = session_to_check(context, settings.clock.now())
    with market.connect() as connection:
        listed = nearest_expiries(connection, session, settings.underlyings)
    computed = {name: nearest_known_expiry(name, session) for name in listed}
    pairs = {f"{name}_listed": str(expiry) for name, expiry in listed.items()}
    pairs |= {f"{name}_computed": str(expiry or "unknown") for name, expiry in computed.items()}
    wrong = any(expiry not in {None, listed[name]} for name, expiry in computed.items())
    return dg.AssetCheckResult(
        passed=listed == computed,
        # Where the calendar ends it contradicts nobody, but wants its next year.
        severity=dg.AssetCheckSeverity.ERROR if wrong else dg.AssetCheckSeverity.WARN,
        metadata={"session": str(session), **pairs},
    )


ALL = [
    candle_has_rows,
    candle_prices_are_sane,
    candle_on_time,
    build_up_on_time,
    raw_payload_all_parsed,
    contract_expiry_is_the_calendars,
]
