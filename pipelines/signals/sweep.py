"""Sweeps: what combinations of numbers would have given, session by session in several processes.

Nothing of it becomes a signal. Workers only read; what they found is stored when all is there.
"""

import multiprocessing
import signal
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from psycopg import Connection

from db.market.calendar import read_overrides
from db.market.frames import Range
from db.market.trades import Wanted, read_trade_candles
from db.server.connection import connect
from db.signals.sweeps import SweepResult
from pipelines.signals.materialise import READERS, compute
from pipelines.signals.outcomes import lot_sizes
from pipelines.signals.versions import Planned
from strategy.luck import Trials, luck_of_best
from strategy.outcomes import outcomes_of
from strategy.proof.frames import holds_rows
from strategy.reality import sharpe
from strategy.series import series_of
from strategy.session import use_overrides
from strategy.signals import Signal

WORKERS = 2


class Task(NamedTuple):
    """What every worker does with its sessions; plain values, to be sent to other processes."""

    dsn: str
    strategy: str
    numbers: Sequence[Mapping[str, Any]]
    underlyings: tuple[str, ...]
    horizon_minutes: int


class Tally(NamedTuple):
    """What one combination gave in one session."""

    signals: int
    not_entered: int
    unresolved: int
    hits: int
    returns: Sequence[float]  # of the entered signals, after costs, premium points


Tallies = Sequence[Tally]  # in the order of the combinations; empty if nothing is stored


def run_sweep(
    task: Task, sessions: Sequence[date], workers: int, advance: Callable[[int], None]
) -> dict[date, Tallies]:
    """Return the tallies of each session that has rows.

    Args:
        task: Which combinations, and where.
        sessions: Which have no failing check.
        workers: How many processes; with one it is done in this one.
        advance: Takes how many sessions are done.
    """
    found: dict[date, Tallies] = {}
    with closing(_each_session(task, sessions, workers)) as each:
        for done, (session, tallies) in enumerate(each, 1):
            if tallies:
                found[session] = tallies
            advance(done)
    return dict(sorted(found.items()))


def _each_session(
    task: Task, sessions: Sequence[date], workers: int
) -> Generator[tuple[date, Tallies], None, None]:
    if workers == 1:
        with connect(task.dsn) as connection:
            for session in sessions:
                yield session, tally_session(connection, task, session)
        return
    # A forked process would share this one's connections.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(sessions)), context, _start, (task,))
    try:
        waiting = {pool.submit(_work, session): session for session in sessions}
        for done in as_completed(waiting):
            yield waiting[done], done.result()
    finally:
        # After Ctrl-C the sessions in work are finished and no others are begun.
        pool.shutdown(cancel_futures=True)


class _Worker(NamedTuple):
    task: Task
    connection: Connection[Any]


_worker: _Worker | None = None


def _start(task: Task) -> None:
    """Prepare a worker: its own connection, and Ctrl-C is for the process that started it."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = connect(task.dsn)
    use_overrides(read_overrides(connection))
    _worker = _Worker(task, connection)


def _work(session: date) -> Tallies:
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return tally_session(_worker.connection, _worker.task, session)


def tally_session(connection: Connection[Any], task: Task, session: date) -> Tallies:
    """Return what each combination gives in a session: its frames are read once."""
    plans = [Planned.of(task.strategy, numbers) for numbers in task.numbers]
    only = Range(session, session)
    frames = READERS[plans[0].strategy.reads](connection, only, task.underlyings)
    if not holds_rows(frames):
        return []
    given = [
        [Signal._make(row[: len(Signal._fields)]) for row in compute(connection, frames, plan)[0]]
        for plan in plans
    ]
    symbols = sorted({row.symbol for signals in given for row in signals})
    wanted = [Wanted(symbol, session) for symbol in symbols]
    series = series_of(read_trade_candles(connection, wanted))
    lots = lot_sizes(connection, symbols)
    tallies: list[Tally] = []
    for signals in given:
        resolved, _ = outcomes_of(signals, series, lots)
        outcomes = [one for _, one in resolved if one.horizon_minutes == task.horizon_minutes]
        entered = [one for one in outcomes if one.exit_reason != "not_entered"]
        tallies.append(
            Tally(
                len(signals),
                len(outcomes) - len(entered),
                len(signals) - len(outcomes),
                sum(one.hit for one in entered),
                [one.return_points for one in entered],
            )
        )
    return tallies


def summarise(plans: Sequence[Planned], found: Mapping[date, Tallies]) -> list[SweepResult]:
    """Return the result of each combination over all sessions."""
    return [
        _result(plan, {session: tallies[place] for session, tallies in found.items()}, len(plans))
        for place, plan in enumerate(plans)
    ]


def _result(plan: Planned, by_session: Mapping[date, Tally], chosen_of: int) -> SweepResult:
    tallies = list(by_session.values())
    returns = [points for tally in tallies for points in tally.returns]
    trials = Trials(sum(tally.hits for tally in tallies), len(returns))
    totals = {
        day: round(sum(tally.returns), 6) for day, tally in by_session.items() if tally.returns
    }
    low, high = trials.interval() or (None, None)
    chosen_low, chosen_high = trials.interval(chosen_of) or (None, None)
    worst = min(totals, key=lambda day: totals[day], default=None)
    total = round(sum(returns), 6)
    ratio = sharpe(np.array([round(sum(tally.returns), 6) for tally in tallies], dtype=np.float64))
    return SweepResult(
        plan.version,
        plan.parameters.params_hash(),
        plan.parameters.values(),
        sum(tally.signals for tally in tallies),
        trials.tried,
        sum(tally.not_entered for tally in tallies),
        sum(tally.unresolved for tally in tallies),
        trials.hits,
        trials.rate,
        low,
        high,
        chosen_low,
        chosen_high,
        total / len(returns) if returns else None,
        total,
        worst,
        totals[worst] if worst else None,
        ratio,
    )


def warning(results: Sequence[SweepResult]) -> str:
    """Return what luck alone would show for the best of so many."""
    if len(results) == 1:
        return "1 combination tried: nothing was chosen."
    tried = f"{len(results)} combinations tried: the best of many is luck."
    luck = luck_of_best([Trials(one.hits, one.entered) for one in results])
    entered = [one for one in results if one.entered]
    if luck is None or not entered:
        return f"{tried} None has an outcome."
    best = max(entered, key=lambda one: (one.hits / one.entered, one.entered))
    return (
        f"{tried} All together hit {luck.rate:.0%}. Were all that good and independent, luck alone"
        f" is expected to give a best hit rate of about {luck.expected_best:.0%}; the best here has"
        f" {best.hit_rate:.0%} ({best.hits} of {best.entered}), which luck reaches or beats in"
        f" {luck.chance:.0%} of such sweeps. Chosen of {len(results)}, its 95 % interval is"
        f" {best.chosen_rate_low:.0%} to {best.chosen_rate_high:.0%}."
    )
