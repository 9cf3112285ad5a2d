"""The daily loss limit over what a strategy gave: reads the candles that decide, if any do."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
from psycopg import Connection

from db.market.trades import Wanted, read_trade_candles
from strategy.loss_limit import limit_losses
from strategy.parameters import Parameters
from strategy.series import series_of
from strategy.signals import Rejection, Signal
from strategy.strategy import Rows


def within_limit(
    connection: Connection[Any],
    signals: Sequence[Signal],
    rejections: Sequence[Rejection],
    parameters: Parameters,
) -> Rows:
    """Return the signals that the daily loss limit lets stand, and all rejections.

    Args:
        connection: To read candles with.
        signals: Of one strategy and version, from its sessions' start on.
        rejections: The strategy's own.
        parameters: Its numbers.
    """
    wanted = _wanted(signals, parameters)
    if not wanted:
        return list(signals), list(rejections)
    series = series_of(read_trade_candles(connection, wanted))
    kept, limited = limit_losses(signals, series, parameters)
    return kept, [*rejections, *limited]


def limit_candles(
    connection: Connection[Any], signals: Sequence[Signal], parameters: Parameters
) -> pd.DataFrame:
    """Return the candles that `within_limit` decides by."""
    return read_trade_candles(connection, _wanted(signals, parameters))


def _wanted(signals: Sequence[Signal], parameters: Parameters) -> list[Wanted]:
    days: dict[tuple[str, date], list[Signal]] = {}
    for signal in signals:
        days.setdefault((signal.underlying, signal.session), []).append(signal)
    # As many trades as may lose, and one to reject: with fewer no candle decides anything.
    wanted = {
        Wanted(signal.symbol, session, max(other.event_time for other in group))
        for (_, session), group in days.items()
        if len(group) > parameters.losing_trades
        for signal in group
    }
    return sorted(wanted)
