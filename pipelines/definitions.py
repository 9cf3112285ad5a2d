"""What Dagster loads; only wiring."""

import dagster as dg

from pipelines import schedules, sensors
from pipelines.assets.build_up import positions
from pipelines.assets.candle import candle
from pipelines.assets.contract import contract
from pipelines.assets.external import live_feed, tradingview, trendlyne
from pipelines.assets.outcome import outcome
from pipelines.assets.raw_payload import raw_payload
from pipelines.assets.signal import signal
from pipelines.checks import definitions as checks
from pipelines.jobs import session_job
from pipelines.resources import Market

definitions = dg.Definitions(
    assets=[
        *(tradingview, trendlyne, live_feed, raw_payload),
        *(contract, candle, positions, signal, outcome),
    ],
    asset_checks=checks.ALL,
    jobs=[session_job],
    schedules=[schedules.every_minute, schedules.morning, schedules.closing],
    sensors=[sensors.alerts],
    resources={"market": Market()},
    # Runs started by hand too: a process per step would take most of their time.
    executor=dg.in_process_executor,
)
