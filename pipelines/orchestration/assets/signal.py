"""What the strategies say about a session, computed from the stored rows alone."""

from datetime import date

import dagster as dg

from db.checks.statistics import session_rows
from pipelines.orchestration.assets.report import links
from pipelines.orchestration.partitions import sessions
from pipelines.orchestration.remedies import remedies
from pipelines.orchestration.resources import Market


@dg.asset(
    partitions_def=sessions,
    deps=["contract", "candle", "build_up"],
    group_name="strategy",
    kinds={"python", "pandas", "postgres"},
)
def signal(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
    """Signals of the session; those that no longer follow from corrected rows are withdrawn.

    None are computed while an error check of the session fails.
    """
    from db.market.frames import Range
    from pipelines.signals.materialise import materialise_signals

    session = date.fromisoformat(context.partition_key)
    settings = market.settings()
    with remedies(context.retry_number), market.connect() as connection:
        stored = materialise_signals(
            connection, Range(session, session), settings.underlyings, settings.clock.now()
        )
        if stored.blocked:
            raise dg.Failure(
                f"no new signals of {session}: {', '.join(stored.blocked[session])} failed",
                metadata=links(session, settings.underlyings),
                allow_retries=False,
            )
        rows = session_rows(connection, session, settings.underlyings)
    context.log.info("%d signals written, %d withdrawn", stored.written, stored.withdrawn)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows.signals,
            "rows_changed": stored.written,
            "withdrawn": stored.withdrawn,
            "rejected_candidates": stored.rejections,
            **links(session, settings.underlyings),
        }
    )
