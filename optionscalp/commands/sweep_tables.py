"""A sweep as tables for people: combinations, windows of a walk-forward, and the warnings."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from db.signals.sweeps import Sweep, SweepResult, WalkRows
from optionscalp.output import console, problems
from pipelines.signals.neighbours import value_at
from pipelines.signals.walk import told

SHOWN = 40


def print_sweep(
    number: int, row: Sweep, results: Sequence[SweepResult], walked: WalkRows | None, sort: str
) -> None:
    """Print a sweep whose results are sorted, its walk-forward, and how much of it is luck."""
    minutes = f"{row.horizon_minutes} minutes" if row.horizon_minutes else "the session's end"
    console.print(
        f"sweep {number}: {row.strategy} {row.code_version}, {row.combinations} combinations on"
        f" {row.sessions} sessions, until {minutes} after entry, points after costs, by {sort}",
        soft_wrap=True,
    )
    columns = ("entered", "hit rate, 95 %", "mean", "neighbours", "total", "worst session")
    table = Table(*row.grid, *columns)
    for one in results[:SHOWN]:
        table.add_row(
            *(_text(value_at(one.params, name)) for name in row.grid),
            f"{one.entered} of {one.signals}",
            _rate(one),
            *(_points(one.mean_return_points), _points(one.neighbour_mean_points)),
            _points(one.total_return_points),
            f"{one.worst_session or ''} {_points(one.worst_session_points)}",
        )
    _print_whole(table)
    if unresolved := sum(one.unresolved for one in results):
        console.print(
            f"{unresolved} outcomes cannot be told: a candle, the lot or the charges are not known"
        )
    if len(results) > SHOWN:
        console.print(f"and {len(results) - SHOWN} more: select from sweep_result")
    if walked is not None:
        _print_windows(walked, results, list(row.grid))
    problems.print(row.warning, style="yellow", soft_wrap=True)
    problems.print(row.verdict, style="yellow", soft_wrap=True)


def _print_windows(walked: WalkRows, results: Sequence[SweepResult], names: list[str]) -> None:
    params = {one.params_hash: one.params for one in results}
    table = Table("chosen on", *names, "mean there", "judged on", "entered", "total", "at random")
    for one in walked.windows:
        chosen = params.get(one.params_hash or "")
        table.add_row(
            f"{one.fit_first} to {one.fit_last}",
            *(_text(value_at(chosen, name)) if chosen else "none" for name in names),
            _points(one.fit_mean_points),
            f"{one.judge_first} to {one.judge_last}",
            *(str(one.entered), _points(one.total_points), _points(one.luck_total_points)),
        )
    _print_whole(table)
    console.print(told(walked), soft_wrap=True)


def _print_whole(table: Table) -> None:
    # What a narrow terminal or a pipe would cut off is wanted.
    width = console.measure(table, options=console.options.update(width=1_000)).maximum
    Console(highlight=False, width=max(width, console.width)).print(table)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _rate(one: SweepResult) -> str:
    if one.hit_rate is None:
        return ""
    return f"{one.hit_rate:.0%}, {one.hit_rate_low:.0%} to {one.hit_rate_high:.0%}"


def _points(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
