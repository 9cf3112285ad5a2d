"""`optionscalp outcomes`: what signals came to, beside random entries of the same sessions."""

from collections.abc import Iterable
from contextlib import ExitStack
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.table import Table

from db.market.frames import Range
from db.signals.holdout import sealed_sessions
from db.signals.outcomes import read_stats, signal_extent
from db.writing.rows import Stats
from optionscalp.commands.options import (
    AsJson,
    FirstOfMany,
    LastOfMany,
    OfDemo,
    OneSession,
    OneStrategy,
    plan_of,
    range_of,
    sessions_of,
)
from optionscalp.errors import CommandError
from optionscalp.homes import opened
from optionscalp.output import console, print_json, print_sealed, progress
from pipelines.signals.outcomes import Computed, materialise_outcomes
from strategy.contract import UNDERLYINGS
from strategy.outcomes import HORIZONS, SESSION_END

Horizon = Annotated[
    int | None,
    typer.Option("--horizon", help="5, 15 or 30 minutes, 0 the session's end; default all."),
]


def outcomes(
    session: OneSession = None,
    first: FirstOfMany = None,
    last: LastOfMany = None,
    strategy: OneStrategy = None,
    horizon: Horizon = None,
    demo: OfDemo = False,
    as_json: AsJson = False,
) -> None:
    """Compute what became of signals, and print it beside random entries of the same sessions.

    Without dates, of all sessions that have signals.
    """
    dates = range_of(session, first, last) if session or first or last else None
    plan_of(strategy, None)  # refuses a name that is none
    if horizon is not None and horizon not in HORIZONS:
        allowed = ", ".join(map(str, HORIZONS))
        raise typer.BadParameter(f"one of {allowed}", param_hint="--horizon")
    with ExitStack() as stack:
        connection = stack.enter_context(opened(demo=demo))
        range_ = dates or signal_extent(connection)
        if range_ is None:
            raise CommandError("no signals are stored: optionscalp signals --from DATE --to DATE")
        days = sessions_of(range_)
        sealed = sealed_sessions(connection, range_)
        advance = stack.enter_context(progress("outcomes", len(days)))
        parts = []
        for done, day in enumerate(days, 1):
            parts.append(materialise_outcomes(connection, Range(day, day), UNDERLYINGS))
            advance(done)
        stats = read_stats(connection, range_, strategy, horizon)
    total = Computed.total(parts)
    print_sealed(sealed, "left out but for versions they were opened for")
    if as_json:
        rows = [row._asdict() | {"distinguishable": is_distinguishable(row)} for row in stats]
        print_json(
            {"sessions": len(days), "sealed_sessions": sealed, **total._asdict(), "stats": rows}
        )
        return
    console.print(
        f"{len(days)} sessions: {total.signals} signals, {total.outcomes} outcomes,"
        f" {total.unresolved} cannot be told for want of candles, lot or charges",
        soft_wrap=True,
    )
    if stats:
        console.print("points of premium per unit, returns after costs, 95 % intervals:")
        _print_tables(stats)
    for line in _verdicts(stats):
        console.print(line, soft_wrap=True)


def is_distinguishable(row: Stats) -> bool:
    """Tell whether the hit rate's interval lies apart from that of random entries."""
    low, high = row.hit_rate_low, row.hit_rate_high
    random_low, random_high = row.random_hit_rate_low, row.random_hit_rate_high
    if low is None or high is None or random_low is None or random_high is None:
        return False
    return low > random_high or high < random_low


def _print_tables(stats: Iterable[Stats]) -> None:
    """Print a table per version and underlying; below each horizon its random entries."""
    for name, rows in groupby(stats, key=_name):
        table = Table("after", title=name)
        for column in ("n", "not entered", "hit rate", "MFE", "MAE", "return"):
            table.add_column(column, justify="right")
        for row in rows:
            table.add_row(
                *(_horizon(row.horizon_minutes), str(row.n), str(row.n_not_entered)),
                _rate(row.hit_rate, row.hit_rate_low, row.hit_rate_high),
                *map(_points, (row.mean_mfe_points, row.mean_mae_points, row.mean_return_points)),
            )
            random = (
                row.random_mean_mfe_points,
                row.random_mean_mae_points,
                row.random_mean_return_points,
            )
            table.add_row(
                *("  random", str(row.random_n), ""),
                _rate(row.random_hit_rate, row.random_hit_rate_low, row.random_hit_rate_high),
                *map(_points, random),
                style="dim",
            )
        console.print(table)


def _verdicts(stats: Iterable[Stats]) -> list[str]:
    """Return what cannot be told from luck."""
    alike: dict[str, list[str]] = {}
    for row in stats:
        if row.n and not is_distinguishable(row):
            alike.setdefault(_name(row), []).append(_horizon(row.horizon_minutes))
    return [
        f"{name}: not distinguishable from random entries ({', '.join(horizons)})"
        for name, horizons in alike.items()
    ]


def _name(row: Stats) -> str:
    return f"{row.strategy} {row.version} {row.underlying}"


def _horizon(minutes: int) -> str:
    return "session end" if minutes == SESSION_END else f"{minutes} min"


def _rate(rate: float | None, low: float | None, high: float | None) -> str:
    if rate is None or low is None or high is None:
        return "-"
    return f"{rate:.0%} ({low:.0%}-{high:.0%})"


def _points(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}"
