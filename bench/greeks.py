"""A session's implied volatilities and greeks beside plain Python, stored, and of a live minute."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from psycopg import Connection

from bench.database import fresh_database
from bench.measure import medians, seconds
from bench.results import Result
from bench.session import store
from bench.strategy import load_plain
from db.market.frames import Range
from db.server.connection import connect
from db.signals.greeks import GreeksInputs, Scope, read_inputs
from pipelines.signals.greeks import RecentGreeks, materialise_greeks
from strategy.contract import UNDERLYINGS, monthly_expiry
from strategy.greeks import evaluate_greeks
from strategy.rates import repo_rate
from strategy.session import session_hours

DAY = date(2026, 1, 21)
WHOLE = Range(DAY, DAY)
WINGS = 5  # strikes on each side that the feed follows
ROUNDS = 5
LIVE_MINUTES = 60
PLAIN = Path(__file__).parent.parent / "tests" / "strategy" / "plain_greeks.py"


def run() -> list[Result]:
    """Compute a simulated session in memory, from and to the database, and minute by minute."""
    with fresh_database() as dsn, connect(dsn) as connection:
        store(connection, DAY)
        _keep_followed(connection)
        inputs = read_inputs(connection, Scope(WHOLE, UNDERLYINGS))
        return [*_computed(inputs), *_stored(connection, len(inputs.options))]


def _keep_followed(connection: Connection[Any]) -> None:
    """Leave the nearest expiry's strikes around the day's first price."""
    for name in UNDERLYINGS:
        connection.execute(
            """
            with nearest as (
                select symbol, dense_rank() over (order by abs(strike - (
                           select open from candle where symbol = %(name)s
                            order by open_time limit 1)), strike) as place,
                       expiry = min(expiry) over () as near
                  from contract where underlying = %(name)s)
            delete from candle using nearest
             where candle.symbol = nearest.symbol and not (near and place <= %(strikes)s)
            """,
            {"name": name, "strikes": 2 * WINGS + 1},
        )
    connection.execute("vacuum analyze candle")


def _computed(inputs: GreeksInputs) -> Iterator[Result]:
    plain = load_plain(PLAIN)
    # Both contestants start from what they read best; converting is not timed.
    records = [plain.records(frame) for frame in inputs]
    closes = {expiry: session_hours(expiry)[1] for expiry in inputs.options["expiry"].unique()}
    (front,) = {monthly_expiry(name, DAY) for name in UNDERLYINGS}
    found: dict[str, Any] = {}

    def slowly() -> None:
        found["plain"] = plain.evaluate(*records, closes, repo_rate(DAY), front)

    slow = seconds(slowly)
    (fast,) = medians(ROUNDS, lambda: found.update(ours=evaluate_greeks(*inputs)))
    ours, rows = found["ours"], len(found["ours"])
    expected = [found["plain"][key][2] for key in zip(ours.symbol, ours.open_time, strict=True)]
    np.testing.assert_allclose(
        ours.implied_volatility, np.array(expected, dtype=np.float64), atol=1e-6
    )
    yield Result(
        f"greeks of a session, {rows:,} rows",
        rows / fast,
        "rows/s",
        f"plain Python, volatility only ({slow:.1f} s against {fast:.3f} s)",
        rows / slow,
    )


def _stored(connection: Connection[Any], rows: int) -> Iterator[Result]:
    def materialise() -> None:
        materialise_greeks(connection, WHOLE, UNDERLYINGS)

    first = seconds(materialise)
    (again,) = medians(3, materialise)
    yield Result(f"the stored session, {rows:,} candles: read, computed, written", first, "s")
    yield Result("the same again, nothing changed", again, "s")
    connection.execute("truncate greeks")
    connection.execute("update candle set final = false")
    connection.execute("vacuum full analyze candle")
    recent, opens = RecentGreeks(DAY, UNDERLYINGS), session_hours(DAY)[0]
    taken, idle = [], []
    for minute in range(1, LIVE_MINUTES + 1):
        end = opens + timedelta(minutes=minute)
        connection.execute(
            "update candle set final = true where open_time = %s", (end - timedelta(minutes=1),)
        )
        taken.append(1_000 * seconds(lambda: recent.advance(connection)))
        idle.append(1_000 * seconds(lambda: recent.advance(connection)))
    yield Result("a live minute of it, median", median(taken), "ms")
    yield Result("a live look that finds nothing new, median", median(idle), "ms")
