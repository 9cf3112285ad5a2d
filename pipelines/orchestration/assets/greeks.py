"""Implied volatility and greeks of a session's options, computed from the stored candles alone."""

from datetime import date

import dagster as dg

from pipelines.orchestration.assets.report import links
from pipelines.orchestration.partitions import sessions
from pipelines.orchestration.remedies import remedies
from pipelines.orchestration.resources import Market


@dg.asset(
    partitions_def=sessions,
    deps=["contract", "candle"],
    group_name="market",
    kinds={"python", "pandas", "postgres"},
)
def greeks(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
    """Black-76 on the future or the parity forward, per option candle that was traded.

    Candles without a forward of their own interval have no row; a price that implies no volatility
    has one without greeks.
    """
    from db.market.frames import Range
    from db.signals.greeks import coverage
    from pipelines.signals.greeks import materialise_greeks

    session = date.fromisoformat(context.partition_key)
    settings = market.settings()
    whole = Range(session, session)
    with remedies(context.retry_number), market.connect() as connection:
        stored = materialise_greeks(connection, whole, settings.underlyings)
        rows = coverage(connection, whole, settings.underlyings)
    context.log.info("%d greeks written, %d removed", stored.written, stored.removed)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows.greeks,
            "rows_changed": stored.written,
            "removed": stored.removed,
            "without_forward": rows.without_forward,
            "without_volatility": rows.without_volatility,
            **links(session, settings.underlyings),
        }
    )
