"""One simulated session as rows of the tables: every listed contract, minute by minute."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
from psycopg import Connection

from bench.database import load
from db.market.frames import Range
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CONTRACT
from db.writing.rows import BuildUp, Candle, Contract
from pipelines.signals.materialise import materialise_signals
from simulator.forming import Candle as Bar
from simulator.generate import generate
from simulator.market import Market
from strategy.build_up import label_build_ups
from strategy.contract import UNDERLYINGS, lot_size, underlying_of

BUILD_UP_LAG = 20


def store(connection: Connection[Any], day: date) -> None:
    """Store a generated day and its signals."""
    market = generate(day)
    write(connection, CONTRACT, list(_contracts(market)))  # some are of the day before, too
    load(connection, CANDLE, _candles(market))
    load(connection, BUILD_UP, _build_ups(market))
    connection.execute("analyze")
    materialise_signals(connection, Range(day, day), UNDERLYINGS, datetime.now(UTC))


def _time(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _contracts(market: Market) -> Iterable[Contract]:
    for option in market.contracts:
        lot = lot_size(option.underlying, option.expiry)
        yield Contract(option.symbol, *option, lot, market.day, market.day, "bench")


def _candles(market: Market) -> Iterable[Candle]:
    for symbol, series in market.series.items():
        underlying = underlying_of(symbol)
        for bar in series.candles:
            yield Candle(
                symbol,
                series.interval_minutes,
                _time(bar.open_time),
                underlying,
                *(bar.open, bar.high, bar.low, bar.close),
                None if symbol == underlying else bar.volume,
                bar.oi,
                "bench",
                _time(bar.close_time),
                True,
            )


def _build_ups(market: Market) -> Iterable[tuple[Any, ...]]:
    bars: list[tuple[str, Bar]] = [
        (option.symbol, bar)
        for option in market.contracts
        for bar in market.candles(option.symbol, 5, _time(market.hours[1]))
    ]
    frame = pd.DataFrame(
        {
            "symbol": [symbol for symbol, _ in bars],
            "open_time": pd.to_datetime([bar.open_time for _, bar in bars], unit="s", utc=True),
            "close": [bar.close for _, bar in bars],
            "open_interest": pd.array([bar.oi for _, bar in bars], "Int64"),
        }
    )
    labelled = label_build_ups(frame)
    changes = labelled["oi_change"].to_numpy(object, na_value=None).tolist()
    for (symbol, bar), change, label in zip(bars, changes, labelled["label"], strict=True):
        yield BuildUp(
            symbol,
            _time(bar.open_time),
            underlying_of(symbol),
            _time(bar.close_time),
            bar.close,
            bar.oi,
            change,
            bar.volume,
            label,
            "bench",
            _time(bar.close_time + BUILD_UP_LAG),
        )
