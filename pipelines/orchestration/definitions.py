"""What Dagster loads; only wiring."""

import dagster as dg

from pipelines.orchestration import asset_checks as checks
from pipelines.orchestration import schedules, sensors
from pipelines.orchestration.assets.build_up import positions
from pipelines.orchestration.assets.candle import candle
from pipelines.orchestration.assets.contract import contract
from pipelines.orchestration.assets.external import live_feed, tradingview, trendlyne
from pipelines.orchestration.assets.greeks import greeks
from pipelines.orchestration.assets.outcome import outcome
from pipelines.orchestration.assets.raw_payload import raw_payload
from pipelines.orchestration.assets.signal import signal
from pipelines.orchestration.jobs import session_job
from pipelines.orchestration.resources import Market

definitions = dg.Definitions(
    assets=[
        *(tradingview, trendlyne, live_feed, raw_payload),
        *(contract, candle, greeks, positions, signal, outcome),
    ],
    asset_checks=checks.ALL,
    jobs=[session_job],
    schedules=[schedules.every_minute, schedules.morning, schedules.closing],
    sensors=[sensors.alerts],
    resources={"market": Market()},
    # Runs started by hand too: a process per step would take most of their time.
    executor=dg.in_process_executor,
)
