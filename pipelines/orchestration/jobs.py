"""One job for everything: a run costs a process start, so that a minute has one run."""

import dagster as dg

ASSETS = (
    *("contract", "candle", "greeks", "chain_oi", "build_up", "signal", "outcome"),
    "raw_payload",
)

# A worker that was killed leaves its run unfinished: the daemon ends it after so many seconds.
MAX_SECONDS = 180

session_job = dg.define_asset_job(
    "session",
    # The feed is no asset of ours to make, yet each run looks whether it is alive.
    selection=dg.AssetSelection.assets(*ASSETS)
    | dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("live_feed"), "is_alive")),
    description="Brings every table of a session up to date; what is stored already costs nothing.",
    tags={"dagster/max_runtime": str(MAX_SECONDS)},
    executor_def=dg.in_process_executor,
)
