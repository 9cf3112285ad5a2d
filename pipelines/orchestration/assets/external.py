"""What others bring: the sources, and the live feed that runs beside Dagster."""

import dagster as dg

tradingview = dg.AssetSpec(
    "tradingview",
    description=(
        "Candles over a websocket, deep into the past. Delay and depth depend on the account."
    ),
    group_name="sources",
)
trendlyne = dg.AssetSpec(
    "trendlyne",
    description=(
        "Strike ladder and 5-minute build-ups over HTTP, of today only: what is not fetched today"
        " is lost."
    ),
    group_name="sources",
)
live_feed = dg.AssetSpec(
    "live_feed",
    deps=[tradingview, trendlyne],
    description=(
        "A process of its own (`python -m pipelines`) that streams forming candles and writes the"
        " same tables as these assets. Without it the schedules still deliver every closed row."
        " Each run observes it by the tables: running or not, the newest candle, how far rows lag"
        " and how many come a minute."
    ),
    group_name="sources",
)
