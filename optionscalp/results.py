"""What signals came to, as tables: per version and underlying, beside random entries."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rich.table import Table

from db.writing.rows import Split, Stats
from optionscalp.output import console
from strategy.fills import USUAL_SPREADS
from strategy.outcomes import SESSION_END

SESSIONS_NEEDED = 10  # as sessions_needed() in SQL
VERDICTS = {
    "better": "better than random entries",
    "worse": "worse than random entries",
    "same": "not distinguishable from random entries",
    "few_sessions": f"fewer than {SESSIONS_NEEDED} sessions with random entries: no verdict",
    "no_draws": "no random entries to compare with",
    "not_entered": "none was entered",
}


def print_results(by_spreads: Mapping[int, Sequence[Stats]]) -> None:
    """Print tables per version and underlying, and what can be told from luck.

    Args:
        by_spreads: Statistics of the same signals for each number of spreads paid.
    """
    returns = {
        (_name(row), row.horizon_minutes, spreads): row.mean_return_points
        for spreads, rows in by_spreads.items()
        for row in rows
    }
    stats = by_spreads[USUAL_SPREADS]
    for name, group in groupby(stats, key=_name):
        rows = list(group)
        console.print(_rates(name, rows, returns, sorted(by_spreads)))
        console.print(_money(rows))
    for line in _verdicts(stats):
        console.print(line, soft_wrap=True)


def print_splits(splits: Iterable[Split], by: str) -> None:
    """Print the parts of each version's signals, each with its n."""
    for name, rows in groupby(splits, key=_name):
        table = _table(by, ("after", "n", "hit rate", "mean", "median", "less random"), name)
        for row in rows:
            table.add_row(
                *(row.part, _horizon(row.horizon_minutes), str(row.n), f"{row.hit_rate:.0%}"),
                _points(row.mean_return_points),
                _points(row.median_return_points),
                f"{_points(row.difference_points)} ({row.matched_n})",
            )
        console.print(table)


def _rates(
    name: str,
    rows: Iterable[Stats],
    returns: Mapping[tuple[str, int, int], float | None],
    spreads: Sequence[int],
) -> Table:
    """Return rates and means; below each horizon its random entries."""
    paid = f"return, {'/'.join(map(str, spreads))} spreads"
    table = _table("after", ("n", "hit rate", paid, "less random"), name)
    for row in rows:
        at = row.horizon_minutes
        table.add_row(
            *(_horizon(at), str(row.n)),
            _rate(row.hit_rate, row.hit_rate_low, row.hit_rate_high),
            " / ".join(_points(returns[name, at, one]) for one in spreads),
            _interval(row.difference_points, row.difference_low, row.difference_high),
        )
        table.add_row(
            *("  random", str(row.random_n)),
            _rate(row.random_hit_rate, row.random_hit_rate_low, row.random_hit_rate_high),
            *(_points(row.random_mean_return_points), ""),
            style="dim",
        )
    return table


def _money(rows: Iterable[Stats]) -> Table:
    """Return what it came to in points and rupees, and what is missing."""
    table = _table(
        "after",
        ("total", "rupees", "median", "won/lost", "drawdown", "worst run", "hits lost"),
        "with 1 spread, one unit or lot a signal",
    )
    table.add_column("missing: hit rate", justify="right")
    for row in rows:
        run = "-" if row.losing_run is None else f"{_points(row.worst_run_points)}"
        table.add_row(
            *(_horizon(row.horizon_minutes), _points(row.total_points), _rupees(row.total_rupees)),
            *(_points(row.median_return_points), _points(row.profit_factor)),
            *(_points(row.drawdown_points), run, f"{row.hits_that_lost} of {row.hits}"),
            _missing(row),
        )
    return table


def _missing(row: Stats) -> str:
    if not row.n_missing:
        return "0"
    low, high = row.hit_rate_if_lost, row.hit_rate_if_won
    return f"{row.n_missing}: {low:.0%} to {high:.0%}"


def _verdicts(stats: Iterable[Stats]) -> list[str]:
    """Return what may be said of each version, by horizon, and among how many it was looked at."""
    alike: dict[tuple[str, str, int], list[str]] = {}
    for row in stats:
        key = _name(row), row.verdict, row.comparisons
        alike.setdefault(key, []).append(_horizon(row.horizon_minutes))
    return [
        f"{name}: {VERDICTS[verdict]} ({', '.join(horizons)}), among {comparisons} comparisons"
        for (name, verdict, comparisons), horizons in alike.items()
    ]


def _table(first: str, others: Iterable[str], title: str | None = None) -> Table:
    table = Table(first, title=title)
    for column in others:
        table.add_column(column, justify="right")
    return table


def _name(row: Stats | Split) -> str:
    return f"{row.strategy} {row.version} {row.underlying}"


def _horizon(minutes: int) -> str:
    return "session end" if minutes == SESSION_END else f"{minutes} min"


def _rate(rate: float | None, low: float | None, high: float | None) -> str:
    if rate is None:
        return "-"
    return f"{rate:.0%}" if low is None or high is None else f"{rate:.0%} ({low:.0%}-{high:.0%})"


def _interval(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return _points(value)
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def _points(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _rupees(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
