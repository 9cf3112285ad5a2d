"""Positions: open interest of the strike ladder, and build-ups of the contracts around ATM."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from db.checks.statistics import newest_build_ups, session_rows
from pipelines.orchestration.assets.report import lag, links
from pipelines.orchestration.partitions import sessions
from pipelines.orchestration.remedies import remedies
from pipelines.orchestration.resources import Market

KINDS = {"python", "postgres"}
SOURCES = ["trendlyne", "live_feed"]


# Not downstream of `candle`, whose closes place ATM: one source that is down must not stop the
# other, and most sources cannot be asked for build-ups tomorrow. A run takes candles first by
# priority: a past session's build-ups are made of them.
@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            "chain_oi",
            deps=SOURCES,
            description="Open interest of the whole strike ladder, as the source observed it.",
            group_name="market",
            kinds=KINDS,
        ),
        dg.AssetSpec(
            "build_up",
            deps=SOURCES,
            description=(
                "Who opened or closed positions, per contract and 5 minutes. Of an older session"
                " they need candles that carry open interest, as a broker's do: without those what"
                " is missing fails and stays missing."
            ),
            group_name="market",
            kinds=KINDS,
        ),
    ],
    partitions_def=sessions,
    op_tags={"dagster/priority": "10"},
)
def positions(context: dg.AssetExecutionContext, market: Market) -> Iterator[dg.MaterializeResult]:
    """Both tables come from the same answers: the ladder's tells which session it is."""
    from pipelines.ingest.positions import ingest_positions

    session = date.fromisoformat(context.partition_key)
    settings = market.settings()
    underlyings = settings.underlyings
    with remedies(context.retry_number):
        report = market.at_desk(lambda desk: ingest_positions(desk, session))
        with market.connect() as connection:
            rows = session_rows(connection, session, underlyings)
            newest = newest_build_ups(connection, session, underlyings)
    context.log.info(
        "%d ladder rows and %d build-ups changed, %d requests",
        *(report.chain_rows, report.build_ups, report.requests),
    )
    yield dg.MaterializeResult(
        asset_key="chain_oi",
        metadata={
            "dagster/row_count": rows.chain_rows,
            "rows_changed": report.chain_rows,
            **links(session, underlyings),
        },
    )
    yield dg.MaterializeResult(
        asset_key="build_up",
        metadata={
            "dagster/row_count": rows.build_ups,
            "rows_changed": report.build_ups,
            "asked": report.requests,
            "unasked": list(report.unasked),
            **lag(newest, session, settings.clock.now()),
            **links(session, underlyings),
        },
    )
