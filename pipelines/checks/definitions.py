"""The checks as Dagster shows them; each also leaves its result in the table `check_state`.

A check belongs to the session of its run; run alone, to the market's current or last one.
"""

from collections.abc import Mapping
from datetime import date, datetime
from inspect import cleandoc
from typing import Any

import dagster as dg

from db.checks import record
from pipelines.checks import faults, gaps, sources, timely
from pipelines.checks.check import Check, Look
from pipelines.resources import Market
from strategy.session import is_session, previous_session, session_of

EVERY = [*faults.CHECKS, *timely.CHECKS, *gaps.CHECKS, *sources.CHECKS]
# Of these the signals are made: Dagster skips them by itself. Other errors hold signals back too,
# through the gate of the computation.
UPSTREAM_OF_SIGNALS = {"contract", "candle", "build_up"}


def session_to_check(context: dg.AssetCheckExecutionContext, now: datetime) -> date:
    """Return the run's session; without one the current, or else the last one."""
    if context.has_partition_key:
        return date.fromisoformat(context.partition_key)
    today = session_of(now)
    return today if is_session(today) else previous_session(today)


def as_metadata(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details with lists as JSON; plain numbers are what Dagster plots."""
    return {
        name: dg.MetadataValue.json(value) if isinstance(value, list) else value
        for name, value in details.items()
    }


def asset_check(check: Check) -> dg.AssetChecksDefinition:
    """Return Dagster's form of a check."""

    @dg.asset_check(
        asset=check.asset,
        name=check.name,
        description=cleandoc(check.description),
        blocking=check.severity == "error" and check.asset in UPSTREAM_OF_SIGNALS,
    )
    def look_and_record(
        context: dg.AssetCheckExecutionContext, market: Market
    ) -> dg.AssetCheckResult:
        settings = market.settings()
        clock = settings.clock
        now = clock.now()
        session = session_to_check(context, now)
        with market.connect() as connection:
            look = Look(connection, session, settings.underlyings, now, clock.speed)
            finding = check.find(look)
            record(connection, [finding])
        error = check.severity == "error"
        return dg.AssetCheckResult(
            passed=finding.passed,
            severity=dg.AssetCheckSeverity.ERROR if error else dg.AssetCheckSeverity.WARN,
            metadata={"session": str(session), **as_metadata(finding.details)},
        )

    return look_and_record


ALL = [asset_check(check) for check in EVERY]
