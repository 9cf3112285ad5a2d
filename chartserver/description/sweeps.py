"""Objects of `/api/sweeps` and `/api/sweeps/result`."""

from chartserver.description.shapes import (
    POINTS,
    Schema,
    anything,
    by_key,
    count,
    day,
    fields,
    flag,
    listed,
    moment,
    number,
    one,
    or_null,
    record,
    share,
    text,
    whole,
)

_PER_SESSION = "sessions judged on, then all roll by as many"
_RATE = or_null(share("hits by entered signals"))


def _points(about: str) -> Schema:
    return number(about, POINTS)


_SWEEP = {
    "sweep_id": count("ascending"),
    "started_at": moment("when it began"),
    "strategy": text("rule set"),
    "code_version": text("of the rules"),
    "first_session": day("swept"),
    "last_session": day("swept"),
    "sessions": count("with rows and no failing check"),
    "sealed": count("sessions left out because they are sealed"),
    "horizon_minutes": whole("minutes after entry; 0 is the session's end", "minutes"),
    "combinations": count("tried: the best of many is luck"),
    "tried_ever": or_null(
        count("versions and horizons of the strategy ever tried; null for sweeps of older versions")
    ),
}
_FIT = count("sessions to choose on")
_VERDICT = record(
    "HoldoutVerdict",
    "What a registered version came to on sealed sessions, as in `holdout_verdict`.",
    strategy=text("rule set"),
    version=text("the registered one"),
    judged_at=moment("when"),
    first_session=day("judged"),
    last_session=day("judged"),
    horizon_minutes=whole("as registered; 0 is the session's end", "minutes"),
    look=count("the how many-th registration on any of the sessions, or of the strategy"),
    level=share("how likely luck may do as well"),
    sessions=count("with entered signals and random entries beside them"),
    entered=count("signals"),
    mean_return_points=or_null(_points("per entered signal, after costs")),
    luck_points=or_null(_points("what random entries would have given")),
    difference_points=or_null(_points("mean of the sessions' differences")),
    difference_low_points=or_null(_points("lower end of its one-sided interval at the level")),
    p_value=or_null(share("how likely luck does as well; null if it cannot be told")),
    better=flag("than luck: `p_value` is below `level`"),
    verdict=text("in words"),
)
SWEEPS = fields(
    "What was swept.",
    sweeps=listed(
        "the newest 200, newest first",
        record(
            "ListedSweep",
            "One sweep.",
            **_SWEEP,
            fit_sessions=or_null(count("sessions to choose on; null if not walked forward")),
            judge_sessions=or_null(count(f"{_PER_SESSION}; null if not walked forward")),
        ),
    ),
    holdout=record(
        "Holdout",
        "The sealed sessions.",
        sessions=count("sealed now"),
        first=or_null(day("of them")),
        last=or_null(day("of them")),
        verdicts=listed("the newest 200, newest first", _VERDICT),
    ),
)
_RESULT = record(
    "SweepResult",
    "One combination.",
    version=text("under which its signals would be stored"),
    params_hash=text("hash of all its numbers"),
    values=by_key("of the swept numbers, by name such as `stop_points.NIFTY`", anything("")),
    signals=count("it would have given"),
    entered=count("of these, bought"),
    not_entered=count("never bought"),
    unresolved=count("without an outcome"),
    hits=count("target 1 before the stop"),
    hit_rate=_RATE,
    hit_rate_low=or_null(share("its interval's lower end")),
    hit_rate_high=or_null(share("its interval's upper end")),
    mean_return_points=or_null(_points("per entered signal, after costs")),
    total_return_points=_points("of all entered signals, after costs"),
    worst_session=or_null(day("with the lowest total; null without entries")),
    worst_session_points=or_null(_points("its total")),
    sharpe=or_null(number("mean by standard deviation of its sessions' points, not annualised")),
    neighbours=or_null(count("entered combinations one step of one number away")),
    neighbour_mean_points=or_null(_points("mean of their means: a peak alone is luck")),
)
_WINDOW = record(
    "SweepWindow",
    "One window of a walk-forward, as in `sweep_window`.",
    number=count("1, 2, ... in time's order"),
    fit_first=day("of the sessions to choose on"),
    fit_last=day("of these"),
    judge_first=day("of the sessions judged on"),
    judge_last=day("of these"),
    params_hash=or_null(text("the chosen combination; null if none was entered")),
    version=or_null(text("its version")),
    fit_mean_points=or_null(_points("what it was chosen by")),
    entered=count("signals of the choice in the judged sessions"),
    total_points=_points("their total after costs"),
    luck_entered=number("mean number of entered signals over all combinations"),
    luck_total_points=_points("mean total over all combinations"),
)
_JUDGED = record(
    "SweepJudged",
    "One session of a walk-forward's equity, as in `sweep_judged`.",
    session=day("its date"),
    number=count("its window"),
    entered=count("signals of the window's choice"),
    points=_points("their total after costs"),
    total_points=_points("the same from the first judged session on"),
    luck_low=_points("lower end of the 95 % range of choosing at random"),
    luck_median=_points("its middle"),
    luck_high=_points("its upper end"),
)
_WALK = record(
    "WalkForward",
    "The best mean return of some sessions, judged on the next ones.",
    fit_sessions=_FIT,
    judge_sessions=count(_PER_SESSION),
    entered=count("signals of the choices"),
    total_points=_points("their total after costs"),
    luck_total_points=_points("mean total of choosing at random"),
    luck_low_points=_points("lower end of the 95 % range of such choices' totals"),
    luck_high_points=_points("its upper end"),
    luck_chance=share("of such choices that give at least as much"),
    windows=listed("in time's order", _WINDOW),
    judged=listed("in time's order", _JUDGED),
)
RESULT = fields(
    "One sweep.",
    sweep=record(
        "Sweep",
        "What was tried, and what luck alone gives ([sweeps.md](docs/sweeps.md)).",
        **_SWEEP,
        grid=by_key("the values tried of each number", listed("", anything(""))),
        warning=text("what luck alone would show"),
        verdict=or_null(text("in words")),
        best_version=or_null(text("with the best Sharpe ratio by session")),
        expected_sharpe=or_null(number("that the best of so many shows without any skill")),
        deflated_sharpe=or_null(share("how likely the best version's true one is above 0")),
        reality_p=or_null(share("how likely luck gives a best version as good")),
    ),
    results=listed("one per combination, best mean first", _RESULT),
    walk_forward=or_null(one("null where it was not walked forward", _WALK)),
)
