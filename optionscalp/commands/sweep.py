"""The command that tries combinations of a strategy's numbers, and says how much of it is luck."""

from contextlib import ExitStack
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from db.market.calendar import read_overrides
from db.server.connection import connect
from db.signals.sweeps import Sweep, SweepResult, store_sweep
from optionscalp.commands.options import AsJson, First, Last, OfDemo, range_of, sessions_of
from optionscalp.errors import CommandError
from optionscalp.homes import database, market_clock
from optionscalp.output import console, print_held_back, print_json, problems, progress
from pipelines.catalogue.catalogue import STRATEGIES
from pipelines.checks.gate import blocked_sessions
from pipelines.signals.grid import Grid, combinations, parse_grid
from pipelines.signals.sweep import WORKERS, Task, run_sweep, summarise, warning
from pipelines.signals.versions import Planned
from strategy.contract import UNDERLYINGS
from strategy.errors import ParameterError
from strategy.outcomes import HORIZONS
from strategy.session import use_overrides

# By what results are sorted; most first.
SORTS = {
    "hit-rate": "hit_rate",
    "mean-return": "mean_return_points",
    "total-return": "total_return_points",
    "worst-session": "worst_session_points",
    "signals": "signals",
}
Sort = Literal["hit-rate", "mean-return", "total-return", "worst-session", "signals"]
SHOWN = 40


def sweep(
    first: First,
    last: Last,
    strategy: Annotated[str, typer.Option(help="Name of one.")],
    tried: Annotated[
        list[str],
        typer.Option("--set", metavar="NAME=VALUE,VALUE,...", help="Values to try; repeatable."),
    ],
    horizon: Annotated[
        int, typer.Option(help="Minutes after entry: 5, 15 or 30; 0 is the session's end.")
    ] = 15,
    sort: Annotated[Sort, typer.Option(help="Best of what first.")] = "mean-return",
    workers: Annotated[int, typer.Option(min=1, help="Processes, a session each.")] = WORKERS,
    demo: OfDemo = False,
    as_json: AsJson = False,
) -> None:
    """Try combinations of a strategy's numbers on stored sessions; stores no signals."""
    if horizon not in HORIZONS:
        raise typer.BadParameter("one of 5, 15, 30 and 0", param_hint="--horizon")
    grid, plans = _plans(strategy, tried)
    range_ = range_of(None, first, last)
    clock = market_clock()
    with ExitStack() as stack:
        dsn = stack.enter_context(database(demo=demo))
        connection = stack.enter_context(connect(dsn))
        use_overrides(read_overrides(connection))
        sessions = sessions_of(range_)
        started_at = clock.now()
        blocked = blocked_sessions(connection, *range_, UNDERLYINGS, started_at)
        print_held_back(blocked)
        right = [session for session in sessions if session not in blocked]
        numbers = [plan.parameters.values() for plan in plans]
        task = Task(dsn, strategy, numbers, UNDERLYINGS, horizon)
        advance = stack.enter_context(progress(f"{len(plans)} combinations", len(right)))
        found = run_sweep(task, right, workers, advance) if right else {}
        if not found:
            raise CommandError(f"nothing to compute from {range_.first} to {range_.last}")
        results = summarise(plans, found)
        row = Sweep(
            *(started_at, strategy, STRATEGIES[strategy].version, grid, *range_),
            *(len(found), horizon, len(plans), warning(results)),
        )
        number = store_sweep(connection, row, results)
    ordered = _sorted(results, sort)
    if as_json:
        told = {"sweep_id": number, **row._asdict(), "sorted_by": SORTS[sort]}
        held = {str(day): checks for day, checks in blocked.items()}
        print_json(told | {"held_back": held, "results": [one._asdict() for one in ordered]})
        return
    _print(number, row, ordered, sort)


def _plans(strategy: str, tried: list[str]) -> tuple[Grid, list[Planned]]:
    if strategy not in STRATEGIES:
        raise typer.BadParameter(f"one of {', '.join(STRATEGIES)}", param_hint="--strategy")
    try:
        grid = parse_grid(tried)
        return grid, combinations(strategy, grid)
    except ParameterError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from error


def _sorted(results: list[SweepResult], sort: Sort) -> list[SweepResult]:
    """Return results with most of one column first; those without a value last."""

    def key(one: SweepResult) -> tuple[bool, float]:
        value = getattr(one, SORTS[sort])
        return value is None, -(value or 0.0)

    return sorted(results, key=key)


def _print(number: int, row: Sweep, results: list[SweepResult], sort: Sort) -> None:
    minutes = f"{row.horizon_minutes} minutes" if row.horizon_minutes else "the session's end"
    console.print(
        f"sweep {number}: {row.strategy} {row.code_version}, {row.combinations} combinations on"
        f" {row.sessions} sessions, until {minutes} after entry, points after costs, by {sort}",
        soft_wrap=True,
    )
    table = Table(*row.grid, "entered", "hit rate, 95 %", "mean", "total", "worst session")
    for one in results[:SHOWN]:
        table.add_row(
            *(_number_of(one, name) for name in row.grid),
            f"{one.entered} of {one.signals}",
            _rate(one),
            *(_points(one.mean_return_points), _points(one.total_return_points)),
            f"{one.worst_session or ''} {_points(one.worst_session_points)}",
        )
    # What a narrow terminal or a pipe would cut off is wanted.
    width = console.measure(table, options=console.options.update(width=1_000)).maximum
    Console(highlight=False, width=max(width, console.width)).print(table)
    if unresolved := sum(one.unresolved for one in results):
        console.print(
            f"{unresolved} outcomes cannot be told: a candle, the lot or the charges are not known"
        )
    if len(results) > SHOWN:
        console.print(f"and {len(results) - SHOWN} more: select from sweep_result")
    problems.print(row.warning, style="yellow", soft_wrap=True)


def _number_of(one: SweepResult, path: str) -> str:
    name, _, inner = path.partition(".")
    value = one.params[name]
    chosen = value[inner] if inner else value
    return f"{chosen:g}" if isinstance(chosen, float) else str(chosen)


def _rate(one: SweepResult) -> str:
    if one.hit_rate is None:
        return ""
    return f"{one.hit_rate:.0%}, {one.hit_rate_low:.0%} to {one.hit_rate_high:.0%}"


def _points(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
