"""Prices: index, front future and the options around ATM."""

from datetime import date

import dagster as dg

from db.archive.source_status import delayed_sources
from db.checks.statistics import newest_candles, session_rows
from pipelines.orchestration.assets.report import lag, links
from pipelines.orchestration.partitions import sessions
from pipelines.orchestration.remedies import remedies
from pipelines.orchestration.resources import Market


# No dependency on `contract`, though its rows say which options to fetch: a run takes contracts
# first by priority, and goes on with the stored ones while Trendlyne is down.
@dg.asset(
    partitions_def=sessions,
    deps=["tradingview", "live_feed"],
    group_name="market",
    kinds={"python", "postgres"},
    op_tags={"dagster/priority": "20"},
)
def candle(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
    """Candles of one minute where the source has them, else of five; what is missing is asked."""
    from pipelines.ingest.candles import CandleReport, ingest_candles
    from pipelines.ingest.desk import Desk
    from pipelines.ingest.heal import heal

    session = date.fromisoformat(context.partition_key)
    settings = market.settings()
    underlyings = settings.underlyings

    async def ingest(desk: Desk) -> tuple[int, CandleReport]:
        return heal(desk, session), await ingest_candles(desk, session)

    with remedies(context.retry_number):
        filled, report = market.at_desk(ingest)
        with market.connect() as connection:
            rows = session_rows(connection, session, underlyings)
            newest = newest_candles(connection, session, underlyings)
            late = delayed_sources(connection)
    for symbol, reason in report.failures.items():
        context.log.warning("%s: %s", symbol, reason)
    context.log.info("%d candles changed, %d series asked", report.rows, report.asked)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows.candles,
            "rows_changed": report.rows,
            "filled_from_archive": filled,
            "asked": report.asked,
            "failures": dg.MetadataValue.json(report.failures),
            **{f"{source}_delay_seconds": seconds for source, seconds in late.items()},
            **lag(newest, session, settings.clock.now()),
            **links(session, underlyings),
        }
    )
