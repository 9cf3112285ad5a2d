"""What can be traded in a session: the options that the source lists for the nearest expiry."""

from datetime import date

import dagster as dg

from db.checks.statistics import session_rows
from pipelines.orchestration.assets.report import links
from pipelines.orchestration.partitions import sessions
from pipelines.orchestration.remedies import remedies
from pipelines.orchestration.resources import Market


@dg.asset(
    partitions_def=sessions,
    deps=["trendlyne"],
    group_name="market",
    kinds={"python", "postgres"},
    op_tags={"dagster/priority": "30"},
)
def contract(context: dg.AssetExecutionContext, market: Market) -> dg.MaterializeResult:
    """Options of the nearest expiry as listed in the session; the source's list wins.

    Asks only while an underlying has none. First of all: they tell whose candles to fetch.
    """
    from pipelines.ingest.desk import Desk
    from pipelines.ingest.positions import PositionReport, ingest_positions

    session = date.fromisoformat(context.partition_key)
    underlyings = market.settings().underlyings

    async def ingest(desk: Desk) -> PositionReport:
        if all(desk.listed(session, underlying) for underlying in desk.settings.underlyings):
            return PositionReport()
        return await ingest_positions(desk, session)

    with remedies(context.retry_number):
        report = market.at_desk(ingest)
        with market.connect() as connection:
            rows = session_rows(connection, session, underlyings)
    context.log.info("%d contracts written, %d requests", report.contracts, report.requests)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows.contracts,
            "rows_changed": report.contracts,
            "asked": report.requests,
            **links(session, underlyings),
        }
    )
