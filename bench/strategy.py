"""Delta Volume over a year and per live step, beside the same rules in plain Python."""

import importlib.util
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from types import ModuleType
from typing import Any

from psycopg import Connection

from bench.database import fresh_database, load
from bench.measure import medians, quantile, seconds
from bench.results import Result, Target
from bench.year import Year, intervals
from db.market.frames import Frames, Range, read_frames
from db.server.connection import connect
from db.writing.relations import BUILD_UP, CANDLE, CONTRACT
from pipelines.signals.materialise import materialise_signals
from strategy import delta_volume
from strategy.contract import UNDERLYINGS

SESSIONS = 250
STEPPED_DAYS = 10
ROUNDS = 5
PLAIN = Path(__file__).parent.parent / "tests" / "strategy" / "plain_delta_volume.py"


def load_plain(path: Path = PLAIN) -> ModuleType:
    """Return the plain reading of the rules that the tests compare with."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run() -> list[Result]:
    """Evaluate a year in memory, step by step, and from and to the database."""
    year = Year(SESSIONS)
    return [*_batch(year.frames), *_steps(year), *_stored(year)]


def _batch(frames: Frames) -> Iterator[Result]:
    plain = load_plain()
    # Both contestants start from what they read best; converting is not timed.
    records = [plain.records(frame) for frame in frames]
    slow, fast = medians(
        ROUNDS, lambda: plain.evaluate(*records), lambda: delta_volume.evaluate_rows(*frames)
    )
    ids = {signal.signal_id for signal in delta_volume.evaluate_rows(*frames)[0]}
    assert ids == {signal["signal_id"] for signal in plain.evaluate(*records)[0]} != set()
    rows = len(frames.build_ups)
    yield Result(
        f"Delta Volume, {SESSIONS} sessions, {rows:,} rows, {len(ids):,} signals",
        rows / fast,
        "rows/s",
        f"plain Python ({slow:.1f} s against {fast:.2f} s)",
        rows / slow,
        Target("at least", 50, "ratio"),
    )


def _steps(year: Year) -> Iterator[Result]:
    taken = []
    for day in year.days[: 2 * STEPPED_DAYS : 2]:
        state = delta_volume.State(day.session, day.underlying)
        for interval in list(intervals(year.frames, day)):
            start = perf_counter()
            state, _, _ = delta_volume.step(state, interval)
            taken.append(1_000 * (perf_counter() - start))
    target = Target("at most", 1, "value")
    yield Result(f"one live step, median of {len(taken)}", median(taken), "ms", target=target)
    yield Result("one live step, 99th percentile", quantile(taken, 0.99), "ms")


def _stored(year: Year) -> Iterator[Result]:
    sessions = Range(year.sessions[0], year.sessions[-1])
    with fresh_database() as dsn, connect(dsn) as connection:
        _store(connection, year)

        def materialise() -> None:
            materialise_signals(connection, sessions, UNDERLYINGS, datetime.now(UTC))

        first = seconds(materialise)
        again, reading = medians(
            2, materialise, lambda: read_frames(connection, sessions, UNDERLYINGS)
        )
    limit = Target("at most", 2, "value")
    yield Result("the stored year, read, evaluated and written", first, "s", target=limit)
    yield Result("the same again, nothing changed", again, "s", target=limit)
    yield Result("of it, reading into frames", reading, "s")


def _store(connection: Connection[Any], year: Year) -> None:
    load(connection, CONTRACT, year.contract_rows())
    load(connection, CANDLE, year.candle_rows())
    load(connection, BUILD_UP, year.build_up_rows())
    connection.execute("analyze")
