"""The command that tries combinations of a strategy's numbers, and says how much of it is luck."""

import re
from contextlib import ExitStack
from datetime import date
from typing import Annotated, Literal, NamedTuple

import typer

from db.market.calendar import read_overrides
from db.server.connection import connect
from db.signals.holdout import sealed_sessions
from db.signals.sweeps import Sweep, SweepResult, read_tried, store_sweep
from optionscalp.commands.options import (
    AsJson,
    DemoHome,
    First,
    Last,
    OfDemo,
    range_of,
    sessions_of,
)
from optionscalp.commands.sweep_tables import print_sweep
from optionscalp.errors import CommandError
from optionscalp.homes import database, market_clock
from optionscalp.output import print_held_back, print_json, print_sealed, progress
from pipelines.catalogue.catalogue import STRATEGIES
from pipelines.checks.gate import blocked_sessions
from pipelines.signals.grid import Grid, combinations, parse_grid
from pipelines.signals.neighbours import with_neighbours
from pipelines.signals.sweep import WORKERS, Task, run_sweep, summarise, warning
from pipelines.signals.versions import Planned
from pipelines.signals.walk import reality_of, session_rows, walk
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


class Forward(NamedTuple):
    """How many sessions to choose on, and how many next ones to judge the choice on."""

    fit: int
    judge: int


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
    forward: Annotated[
        str | None,
        typer.Option(
            "--walk-forward",
            metavar="FIT,JUDGE",
            help="Choose the best mean return per trade of FIT sessions, judge it on the next"
            " JUDGE, roll on.",
        ),
    ] = None,
    sort: Annotated[Sort, typer.Option(help="Best of what first.")] = "mean-return",
    workers: Annotated[int, typer.Option(min=1, help="Processes, a session each.")] = WORKERS,
    demo: OfDemo = False,
    home_folder: DemoHome = None,
    as_json: AsJson = False,
) -> None:
    """Try combinations of a strategy's numbers on stored sessions; stores no signals."""
    if horizon not in HORIZONS:
        raise typer.BadParameter("one of 5, 15, 30 and 0", param_hint="--horizon")
    grid, plans = _plans(strategy, tried)
    rolls = _forward(forward)
    range_ = range_of(None, first, last)
    clock = market_clock()
    with ExitStack() as stack:
        dsn = stack.enter_context(database(demo=demo, folder=home_folder))
        connection = stack.enter_context(connect(dsn))
        use_overrides(read_overrides(connection))
        sessions = sessions_of(range_)
        started_at = clock.now()
        sealed = sealed_sessions(connection, range_)
        print_sealed(sealed, "left out of the sweep")
        blocked = blocked_sessions(connection, *range_, UNDERLYINGS, started_at)
        print_held_back(blocked)
        right = [session for session in sessions if session not in {*blocked, *sealed}]
        numbers = [plan.parameters.values() for plan in plans]
        task = Task(dsn, strategy, numbers, UNDERLYINGS, horizon)
        advance = stack.enter_context(progress(f"{len(plans)} combinations", len(right)))
        found = run_sweep(task, right, workers, advance) if right else {}
        if not found:
            raise CommandError(f"nothing to compute from {range_.first} to {range_.last}")
        results = with_neighbours(grid, summarise(plans, found))
        walked = walk(found, results, *rolls) if rolls else None
        if rolls and walked is None:
            raise CommandError(_too_few(rolls, list(found)))
        code = STRATEGIES[strategy].version
        reality = reality_of(results, found, code, horizon, read_tried(connection, strategy))
        row = Sweep(
            *(started_at, strategy, code, grid, *range_),
            *(len(found), horizon, len(plans), warning(results), len(sealed)),
            tried_ever=reality.tried,
            expected_sharpe=reality.expected,
            best_version=reality.best,
            deflated_sharpe=reality.deflated,
            reality_p=reality.check,
            verdict=reality.verdict,
        )
        number = store_sweep(connection, row, results, session_rows(results, found), walked)
    ordered = _sorted(results, sort)
    if not as_json:
        print_sweep(number, row, ordered, walked, sort)
        return
    told = {"sweep_id": number, **row._asdict(), "sorted_by": SORTS[sort]}
    told["held_back"] = {str(day): checks for day, checks in blocked.items()}
    told["sealed_sessions"] = sealed
    told["walk_forward"] = walked and {
        **walked.walk._asdict(),
        "windows": [one._asdict() for one in walked.windows],
        "judged": [one._asdict() for one in walked.judged],
    }
    print_json(told | {"results": [one._asdict() for one in ordered]})


def _plans(strategy: str, tried: list[str]) -> tuple[Grid, list[Planned]]:
    if strategy not in STRATEGIES:
        raise typer.BadParameter(f"one of {', '.join(STRATEGIES)}", param_hint="--strategy")
    try:
        grid = parse_grid(tried)
        return grid, combinations(strategy, grid)
    except ParameterError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from error


def _forward(text: str | None) -> Forward | None:
    if text is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,4}),([1-9]\d{0,4})", text, re.ASCII)
    if not found:
        raise typer.BadParameter(
            "two numbers of sessions, such as 60,20: to choose on, and to judge on",
            param_hint="--walk-forward",
        )
    return Forward(*map(int, found.groups()))


def _too_few(forward: Forward, days: list[date]) -> str:
    return (
        f"--walk-forward {forward.fit},{forward.judge} needs at least {forward.fit + 1} sessions,"
        f" and there are {len(days)} with rows: take fewer to choose on, or a longer range"
    )


def _sorted(results: list[SweepResult], sort: Sort) -> list[SweepResult]:
    """Return results with most of one column first; those without a value last."""

    def key(one: SweepResult) -> tuple[bool, float]:
        value = getattr(one, SORTS[sort])
        return value is None, -(value or 0.0)

    return sorted(results, key=key)
