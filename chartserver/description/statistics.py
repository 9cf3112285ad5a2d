"""Objects of `/api/signals/stats`, `splits`, `equity` and `distribution`."""

from chartserver import parameters
from chartserver.description.shapes import (
    POINTS,
    RUPEES,
    Schema,
    choice,
    count,
    day,
    fields,
    listed,
    number,
    or_null,
    record,
    share,
    text,
)
from chartserver.description.signals import (
    CASE,
    COUNTED,
    FILLS,
    HISTORY,
    HORIZON,
    STRATEGY,
    UNDERLYING,
    VERSION,
)

OF_A_VERSION = {
    "strategy": STRATEGY,
    "version": VERSION,
    "underlying": UNDERLYING,
    "horizon_minutes": HORIZON,
}


def _points(about: str) -> Schema:
    return or_null(number(about, POINTS))


def _rupees(about: str) -> Schema:
    return or_null(number(about, RUPEES))


def _rate(about: str) -> Schema:
    return or_null(share(about))


def _means(prefix: str, whose: str) -> dict[str, Schema]:
    return {
        f"{prefix}hit_rate": _rate(f"share of {whose} that reached target 1 before the stop"),
        f"{prefix}hit_rate_low": _rate("its interval's lower end"),
        f"{prefix}hit_rate_high": _rate("its interval's upper end"),
        f"{prefix}mean_mfe_points": _points(f"largest gain, mean of {whose}"),
        f"{prefix}mean_mae_points": _points(f"largest loss, mean of {whose}"),
        f"{prefix}mean_return_points": _points(f"after costs, mean of {whose}"),
    }


STATS_ROW = record(
    "Stats",
    "A row of `signal_statistics` ([outcomes.md](docs/outcomes.md#statistics)). Where `n` is 0 the"
    " rest is null, and intervals are where there are fewer than 10 sessions. As corrected,"
    " withdrawn signals count nowhere.",
    **OF_A_VERSION,
    n=count("entered signals"),
    n_not_entered=count("signals never bought"),
    **_means("", "entered signals"),
    random_n=count("random entries that stand beside the chosen signals"),
    **_means("random_", "these"),
    history=HISTORY,
    fills=FILLS,
    sessions=count("with entered signals"),
    n_missing=count("signals without an outcome"),
    hits=count("target 1 before the stop"),
    hits_that_lost=count("of these, with nothing or less after costs"),
    hit_rate_if_lost=_rate("had all missing ones lost"),
    hit_rate_if_won=_rate("had all missing ones won"),
    mean_return_low=_points("lower end of the interval of `mean_return_points`"),
    mean_return_high=_points("upper end"),
    median_return_points=_points("per entered signal"),
    profit_factor=or_null(number("points won by points lost; null where nothing was lost")),
    total_points=_points("of one unit in every signal"),
    total_rupees=_rupees("of one lot in every signal; null where a lot is not known"),
    losing_run=or_null(count("most trades that lost one after the other")),
    worst_run_points=_points("most that such a run lost"),
    worst_run_rupees=_rupees("the same of one lot"),
    drawdown_points=_points("deepest fall of the equity, trade by trade"),
    drawdown_rupees=_rupees("the same of one lot"),
    matched_n=count("entered signals with random entries beside them"),
    matched_sessions=count("with any of these"),
    difference_points=_points("signals less random entries, mean"),
    difference_low=_points("lower end of its interval"),
    difference_high=_points("upper end"),
    hit_difference=or_null(number("signals' hit rate less random entries'")),
    hit_difference_low=or_null(number("lower end of its interval")),
    hit_difference_high=or_null(number("upper end")),
    comparisons=count("verdicts in this answer, which the next two allow for"),
    adjusted_low=_points("lower end of the difference's interval, widened for all of them"),
    adjusted_high=_points("upper end"),
    verdict=choice(
        "by that interval, or why there is none",
        ("better", "worse", "same", "few_sessions", "no_draws", "not_entered"),
    ),
)
STATS = fields(
    "How signals did.",
    underlying=UNDERLYING,
    history=HISTORY,
    fills=FILLS,
    versions=listed("what has signals in the range", COUNTED),
    stats=listed("one per strategy, version and horizon", STATS_ROW),
    sealed_sessions=listed(
        "the range's [sealed sessions](docs/sweeps.md#sealed-sessions): there only versions that"
        " they were opened for count",
        day(""),
    ),
)
SPLITS = fields(
    "How parts of the signals did.",
    **CASE,
    by=choice("as asked", parameters.SPLITS),
    splits=listed(
        "ascending by `place`",
        record(
            "Split",
            "A part of one version's entered signals.",
            **OF_A_VERSION,
            place=count("of the part"),
            part=text("what people read, such as `09:15-10:15`"),
            n=count("entered signals"),
            sessions=count("with any"),
            hits=count("target 1 before the stop"),
            hits_that_lost=count("of these, with nothing or less after costs"),
            hit_rate=share("hits by entered signals"),
            mean_return_points=number("after costs", POINTS),
            median_return_points=number("after costs", POINTS),
            total_points=number("after costs", POINTS),
            profit_factor=or_null(number("points won by points lost; null where nothing was lost")),
            matched_n=count("signals with random entries beside them"),
            matched_sessions=count("with any of these"),
            difference_points=_points("signals less random entries, mean"),
        ),
    ),
)
EQUITY = fields(
    "What signals came to, session by session.",
    **CASE,
    equity=listed(
        "per strategy and version, ascending by session",
        record(
            "Equity",
            "One session of one version; rupees are null where a lot is not known.",
            **OF_A_VERSION,
            session=day("its date"),
            n=count("entered signals"),
            points=number("of the session", POINTS),
            rupees=_rupees("of the session, one lot each"),
            equity_points=number("of all until its end", POINTS),
            equity_rupees=_rupees("of all until its end"),
            matched_n=count("signals with random entries beside them"),
            random_equity_points=number("what random entries came to until its end", POINTS),
        ),
    ),
)
DISTRIBUTION = fields(
    "How returns are distributed.",
    **CASE,
    distributions=listed(
        "per strategy and version",
        record(
            "Distribution",
            "Bins that hold any; single random entries are stored in the default case only, in"
            " others `random` is 0.",
            strategy=STRATEGY,
            version=VERSION,
            width=number("of each bin", POINTS),
            bins=listed(
                "ascending, empty ones left out",
                fields(
                    "Returns from `from` up to `from + width`.",
                    **{"from": number("where it begins", POINTS)},
                    signals=count("in it"),
                    random=count("in it"),
                ),
            ),
        ),
    ),
)
