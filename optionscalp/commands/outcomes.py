"""`optionscalp outcomes`: what signals came to, beside random entries matched to them."""

from contextlib import ExitStack
from typing import Annotated

import typer

from db.market.frames import Range
from db.signals.holdout import sealed_sessions
from db.signals.outcomes import Case, read_splits, read_stats, signal_extent
from db.writing.rows import Stats
from optionscalp.commands.options import (
    AsJson,
    DemoHome,
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
from optionscalp.results import print_results, print_splits
from pipelines.signals.judging import CORRECTED, KNOWN_THEN
from pipelines.signals.outcomes import Computed, materialise_outcomes
from strategy.contract import UNDERLYINGS
from strategy.fills import SPREADS, USUAL_SPREADS, filling_on
from strategy.outcomes import HORIZONS

HISTORIES = {"corrected": CORRECTED, "known-then": KNOWN_THEN}
SPLITS = ("time", "expiry", "volatility")

Horizon = Annotated[
    int | None,
    typer.Option("--horizon", help="5, 15 or 30 minutes, 0 the session's end; default all."),
]
History = Annotated[
    str,
    typer.Option(
        "--history",
        help="corrected: signals that stand; known-then: all that were given, as they were then.",
    ),
]
By = Annotated[
    str | None,
    typer.Option("--by", help="Also split by time (of day), expiry (days to it) or volatility."),
]


def outcomes(
    session: OneSession = None,
    first: FirstOfMany = None,
    last: LastOfMany = None,
    strategy: OneStrategy = None,
    horizon: Horizon = None,
    history: History = "corrected",
    by: By = None,
    demo: OfDemo = False,
    home_folder: DemoHome = None,
    as_json: AsJson = False,
) -> None:
    """Compute what became of signals, and print it beside random entries matched to them.

    Without dates, of all sessions that have signals. What orders pay beyond the last price is part
    of it: with 0, 1 and 2 spreads side by side.
    """
    dates = range_of(session, first, last) if session or first or last else None
    plan_of(strategy, None)  # refuses a name that is none
    _one_of(horizon, HORIZONS, "--horizon")
    _one_of(history, tuple(HISTORIES), "--history")
    _one_of(by, SPLITS, "--by")
    with ExitStack() as stack:
        connection = stack.enter_context(opened(demo=demo, folder=home_folder))
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
        chosen = HISTORIES[history]
        by_spreads = {
            spreads: read_stats(connection, range_, strategy, horizon, Case(chosen, spreads))
            for spreads in SPREADS
        }
        usual = Case(chosen, USUAL_SPREADS)
        splits = read_splits(connection, range_, by, strategy, horizon, usual) if by else []
    total = Computed.total(parts)
    stats = by_spreads[USUAL_SPREADS]
    print_sealed(sealed, "left out but for versions they were opened for")
    if as_json:
        print_json(
            {
                "sessions": len(days),
                "sealed_sessions": sealed,
                **total._asdict(),
                "history": chosen,
                "stats": [_told(row) for row in stats],
                "stats_by_fills": {n: [*map(_told, rows)] for n, rows in by_spreads.items()},
                "by": by,
                "splits": [row._asdict() for row in splits],
            }
        )
        return
    console.print(
        f"{len(days)} sessions: {total.signals} signals, {total.outcomes} outcomes,"
        f" {total.unresolved} cannot be told for want of candles, lot or charges",
        soft_wrap=True,
    )
    if stats:
        console.print(_assumed(range_, history), soft_wrap=True)
        print_results(by_spreads)
    if splits and by:
        print_splits(splits, by)


def _told(row: Stats) -> dict[str, object]:
    return row._asdict() | {"distinguishable": is_distinguishable(row)}


def is_distinguishable(row: Stats) -> bool:
    """Tell whether the difference from random entries is more than luck, either way."""
    return row.verdict in {"better", "worse"}


def _one_of(value: object, allowed: tuple[object, ...], option: str) -> None:
    if value is not None and value not in allowed:
        raise typer.BadParameter(f"one of {', '.join(map(str, allowed))}", param_hint=option)


def _assumed(range_: Range, history: str) -> str:
    """Say what every figure rests on."""
    counted = "signals that stand" if history == "corrected" else "signals as they were known then"
    filling = filling_on(range_.last)
    if filling is None:
        return f"{counted}; what orders pay is not known for these sessions"
    spreads = ", ".join(
        f"{name} {' to '.join(f'{points:.2f}' for points in _ends(bands))}"
        for name, bands in filling.spreads.items()
    )
    return (
        f"{counted}, points of premium per unit after costs; a spread (stored bid and ask, else"
        f" {spreads} points) is paid in each round trip, stops slip {filling.slippage:.2f}, orders"
        f" come {filling.latency.total_seconds():g} s after their signal; 95 % intervals by session"
    )


def _ends(bands: tuple[tuple[int, float], ...]) -> list[float]:
    points = [points for _, points in bands]
    return sorted({min(points), max(points)})
