"""The archive: every answer of a source, untouched, stored before anybody parses it."""

from datetime import date

import dagster as dg

from db.statistics import archived_payloads, lock_is_held
from pipelines.partitions import sessions
from pipelines.remedies import remedies
from pipelines.resources import Market


@dg.asset(
    partitions_def=sessions,
    deps=["tradingview", "trendlyne", "live_feed"],
    group_name="sources",
    kinds={"postgres"},
    op_tags={"dagster/priority": "-10"},  # last, whatever failed before: then the numbers are new
)
def raw_payload(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
    """Answers archived for the session, with what could not be parsed; by source.

    The steps that fetch store them, as does the live feed; this one reports, and looks whether
    the feed is running.
    """
    from pipelines.feed import FEED_LOCK

    session = date.fromisoformat(context.partition_key)
    with remedies(context.retry_number), market.connect() as connection:
        archived = archived_payloads(connection, session)
        feed_runs = lock_is_held(connection, FEED_LOCK)
    context.log_event(dg.AssetObservation("live_feed", metadata={"running": feed_runs}))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(source.payloads for source in archived),
            "bytes": sum(source.size for source in archived),
            "unparsed": sum(source.unparsed for source in archived),
            "by_source": dg.MetadataValue.json(
                {source.source: source._asdict() for source in archived}
            ),
        }
    )
