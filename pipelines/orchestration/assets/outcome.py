"""What became of a session's signals, once it is over."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from pipelines.orchestration.assets.report import links
from pipelines.orchestration.partitions import sessions
from pipelines.orchestration.remedies import remedies
from pipelines.orchestration.resources import Market
from strategy.session import session_hours


# Not required: while the session is on, a run passes by and leaves nothing.
@dg.asset(
    partitions_def=sessions,
    deps=["signal", "candle"],
    group_name="strategy",
    kinds={"python", "pandas", "postgres"},
    output_required=False,
)
def outcome(context: dg.AssetExecutionContext, market: Market) -> Iterator[dg.MaterializeResult]:
    """Outcomes of the session's signals and of random entries beside them, after the close."""
    session = date.fromisoformat(context.partition_key)
    settings = market.settings()
    if settings.clock.now() < session_hours(session)[1]:
        context.log.debug("session %s is not over", session)
        return
    from db.market.frames import Range
    from db.signals.outcomes import read_stats
    from pipelines.signals.outcomes import materialise_outcomes

    range_ = Range(session, session)
    with remedies(context.retry_number), market.connect() as connection:
        computed = materialise_outcomes(connection, range_, settings.underlyings)
        stats = read_stats(connection, range_)
    rates = {
        f"hit_rate_{row.strategy}_{row.version}_{row.underlying}": row.hit_rate
        for row in stats
        if row.horizon_minutes == 0 and row.hit_rate is not None
    }
    yield dg.MaterializeResult(
        metadata={
            "dagster/row_count": computed.outcomes,
            "signals": computed.signals,
            "unresolved": computed.unresolved,
            "not_entered": sum(row.n_not_entered for row in stats if row.horizon_minutes == 0),
            "random_entries": computed.random,
            "rows_changed": computed.written + computed.removed,
            **rates,
            **links(session, settings.underlyings),
        }
    )
