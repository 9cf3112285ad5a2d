"""A generated day through PostgreSQL gives signals of every strategy, the same in both forms."""

from datetime import UTC, date, datetime

import pandas as pd
import psycopg

from db.market.frames import Range
from pipelines.recorded.files import check_rows
from pipelines.recorded.importer import import_rows
from pipelines.signals.materialise import READERS, materialise_signals, permitted
from simulator.generate import generate
from strategy.contract import UNDERLYINGS, parse_symbol, underlying_of
from strategy.registry import STRATEGIES

# Its pullbacks have the range the rules ask for, which few generated days have.
DAY, SEED = date(2026, 1, 27), 2
NEAR_POINTS = 800
STANDING = "select signal_id from signal where strategy = %s and withdrawn_at is null"


def recorded_day() -> pd.DataFrame:
    """The day's index and the contracts around it, as a file of recorded days has them."""
    market = generate(DAY, SEED)
    columns = []
    for series in market.series.values():
        contract = parse_symbol(series.symbol)
        underlying = underlying_of(series.symbol)
        start = market.series[underlying].candles[0].open
        if contract is None or abs(contract.strike - start) <= NEAR_POINTS:
            rows = pd.DataFrame(series.candles)
            columns.append(
                rows.assign(
                    ts=pd.to_datetime(rows["open_time"], unit="s", utc=True),
                    symbol=series.symbol,
                    underlying=underlying,
                    expiry=contract and contract.expiry,
                    strike=contract and contract.strike,
                    option_type=contract and contract.option_type,
                )
            )
    return pd.concat([part.astype(object) for part in columns], ignore_index=True).astype(
        {"ts": "datetime64[us, UTC]"}
    )


def test_a_generated_day_gives_signals_of_every_strategy(connection: psycopg.Connection):
    parsed = check_rows(recorded_day())
    assert parsed.rejected == []
    import_rows(connection, parsed)
    day = Range(DAY, DAY)
    stored = materialise_signals(connection, day, UNDERLYINGS, datetime.now(UTC))
    assert stored.blocked == {}
    for strategy in STRATEGIES.values():
        frames = READERS[strategy.reads](connection, day, UNDERLYINGS)
        rows = strategy.step_through(
            frames, strategy.defaults, restart=lambda place: place % 100 == 0
        )
        signals, _ = permitted(connection, *rows, strategy.defaults)
        written = {row[0] for row in connection.execute(STANDING, (strategy.name,))}
        assert written == {signal.signal_id for signal in signals}
        assert written
    reasons = connection.execute(
        "select distinct reason from signal_rejection where strategy = 'vwap_trap'"
    ).fetchall()
    assert ("target_below_entry",) in reasons
    # Computing again changes nothing.
    again = materialise_signals(connection, day, UNDERLYINGS, datetime.now(UTC))
    assert again == (0, 0, 0, {})
