"""The archive: every answer of a source, untouched, stored before anybody parses it."""

from datetime import date

import dagster as dg

from db.checks.statistics import archived_payloads, newest_candles
from pipelines.checks.check import Look
from pipelines.checks.sources import observe_feed
from pipelines.orchestration.assets.report import links
from pipelines.orchestration.partitions import sessions
from pipelines.orchestration.remedies import remedies
from pipelines.orchestration.resources import Market


@dg.asset(
    partitions_def=sessions,
    deps=["tradingview", "trendlyne", "live_feed"],
    group_name="sources",
    kinds={"postgres"},
    op_tags={"dagster/priority": "-10"},  # last, whatever failed before: then the numbers are new
)
def raw_payload(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
    """Answers archived for the session, with what could not be parsed; by source.

    The steps that fetch store them, as does the live feed; this one reports, and observes the feed:
    whether it runs, the newest candle, how far rows lag and how many come a minute.
    """
    session = date.fromisoformat(context.partition_key)
    settings = market.settings()
    with remedies(context.retry_number), market.connect() as connection:
        archived = archived_payloads(connection, session)
        now = settings.clock.now()
        look = Look(connection, session, settings.underlyings, now, settings.clock.speed)
        feed = observe_feed(look)
        newest = newest_candles(connection, session, settings.underlyings)
    ends = [end for end in newest.values() if end]
    last = {"last_candle": dg.MetadataValue.timestamp(max(ends))} if ends else {}
    context.log_event(
        dg.AssetObservation("live_feed", partition=str(session), metadata={**feed, **last})
    )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(source.payloads for source in archived),
            "bytes": sum(source.size for source in archived),
            "unparsed": sum(source.unparsed for source in archived),
            "by_source": dg.MetadataValue.json(
                {source.source: source._asdict() for source in archived}
            ),
            **links(session, settings.underlyings),
        }
    )
