"""The checks as Dagster shows them; each also leaves its result in the table `check_state`.

A check belongs to the session of its run; run alone, to the market's current or last one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from inspect import cleandoc
from typing import Any

import dagster as dg

from db.checks.findings import record
from pipelines.checks.check import Check, Look
from pipelines.checks.every import EVERY
from pipelines.orchestration.resources import Market
from strategy.session import current_or_last_session

# Of these the signals are made: Dagster skips them by itself. Other errors hold signals back too,
# through the gate of the computation.
UPSTREAM_OF_SIGNALS = {"contract", "candle", "build_up"}


def session_to_check(partition: str | None, now: datetime) -> date:
    """Return the run's session; without one the current, or else the last one."""
    if partition is not None:
        return date.fromisoformat(partition)
    return current_or_last_session(now)


def as_metadata(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details with lists as JSON; plain numbers are what Dagster plots."""
    return {
        name: dg.MetadataValue.json(value) if isinstance(value, list) else value
        for name, value in details.items()
    }


def results(
    checks: Iterable[Check], market: Market, partition: str | None
) -> Iterator[dg.AssetCheckResult]:
    """Look with each check, record what it found, and yield it as Dagster shows it."""
    settings = market.settings()
    clock = settings.clock
    with market.connect() as connection:
        for check in checks:
            now = clock.now()
            session = session_to_check(partition, now)
            look = Look(connection, session, settings.underlyings, now, clock.speed)
            finding = check.find(look)
            record(connection, [finding])
            error = check.severity == "error"
            yield dg.AssetCheckResult(
                asset_key=check.asset,
                check_name=check.name,
                passed=finding.passed,
                severity=dg.AssetCheckSeverity.ERROR if error else dg.AssetCheckSeverity.WARN,
                metadata={"session": str(session), **as_metadata(finding.details)},
            )


def _spec(check: Check) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        check.name,
        asset=check.asset,
        description=cleandoc(check.description),
        blocking=check.severity == "error" and check.asset in UPSTREAM_OF_SIGNALS,
    )


def _step(assets: Sequence[str]) -> dg.AssetChecksDefinition:
    """Return one step for all checks of some assets: a step of its own costs more than a check."""
    mine = [check for check in EVERY if check.asset in assets]

    @dg.multi_asset_check(
        name=f"check_{'_and_'.join(assets)}",
        specs=[_spec(check) for check in mine],
        can_subset=True,
    )
    def look_and_record(
        context: dg.AssetCheckExecutionContext, market: Market
    ) -> Iterator[dg.AssetCheckResult]:
        asked = {
            (key.asset_key.to_user_string(), key.name)
            for key in context.op_execution_context.selected_asset_check_keys
        }
        chosen = [check for check in mine if (check.asset, check.name) in asked]
        yield from results(
            chosen, market, context.partition_key if context.has_partition_key else None
        )

    return look_and_record


# Assets made by one step share one: what one source's failure leaves unmade is not waited for.
ALL = [
    _step(assets)
    for assets in (
        *(["contract"], ["candle"], ["chain_oi", "build_up"], ["signal"]),
        ["raw_payload", "live_feed"],
    )
]
