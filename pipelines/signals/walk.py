"""A sweep session by session: walked forward, and beside all that was ever tried."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple, Protocol

import numpy as np

from db.signals.sweeps import (
    SweepJudged,
    SweepResult,
    SweepSession,
    SweepWalk,
    SweepWindow,
    Tried,
    WalkRows,
)
from strategy.frames import Floats
from strategy.reality import deflated_sharpe, expected_best, reality_check
from strategy.walk_forward import Tallies, Walk, Window, walk_forward

SURE = 0.95


class Counted(Protocol):
    """What one combination gave in one session."""

    @property
    def hits(self) -> int:
        """Of the entered."""

    @property
    def returns(self) -> Sequence[float]:
        """Of the entered signals, after costs, premium points."""


By = Mapping[date, Sequence[Counted]]  # tallies by session, in the order of the combinations


class Reality(NamedTuple):
    """What the best combination is worth, as the best of all that were ever tried.

    Attributes:
        tried: Versions and horizons, this sweep's included.
        expected: The Sharpe ratio that the best of so many shows without skill.
        best: The version with the best Sharpe ratio.
        deflated: How likely its true Sharpe ratio is above 0.
        check: How likely luck gives a best combination as good as this sweep's.
        verdict: In words.
    """

    tried: int
    expected: float
    best: str | None
    deflated: float | None
    check: float | None
    verdict: str


def session_rows(results: Sequence[SweepResult], found: By) -> list[SweepSession]:
    """Return what each combination gave in each session."""
    return [
        SweepSession(one.params_hash, day, len(tally.returns), tally.hits, _total(tally))
        for place, one in enumerate(results)
        for day, tally in ((day, tallies[place]) for day, tallies in found.items())
    ]


def _total(tally: Counted) -> float:
    return round(float(sum(tally.returns)), 6)


def totals_of(found: By) -> Floats:
    """Return totals after costs, a row a combination, a column a session."""
    by_session = [[_total(one) for one in tallies] for tallies in found.values()]
    return np.array(by_session, dtype=np.float64).T


def reality_of(
    results: Sequence[SweepResult],
    found: By,
    code_version: str,
    horizon: int,
    before: Mapping[Tried, float | None],
) -> Reality:
    """Judge the best of a sweep as the best of everything that was ever tried of the strategy.

    Args:
        results: In the order of the tallies.
        found: Tallies by session.
        code_version: Of the rules.
        horizon: Minutes after entry.
        before: What was tried before, with Sharpe ratios where they are known.
    """
    now = {Tried(code_version, one.params_hash, horizon): one.sharpe for one in results}
    swept = {(code_version, one.params_hash) for one in results}
    others = {
        key: sharpe
        for key, sharpe in before.items()
        if key.horizon_minutes is not None or key[:2] not in swept
    }
    tried = others | now
    ratios = [sharpe for sharpe in tried.values() if sharpe is not None]
    variance = float(np.var(ratios, ddof=1)) if len(ratios) > 1 else 0.0
    expected = expected_best(len(tried), variance)
    totals = totals_of(found)
    check = reality_check(totals)
    able = [(one.sharpe, -place) for place, one in enumerate(results) if one.sharpe is not None]
    if not able:
        return Reality(
            *(len(tried), expected, None, None, check),
            f"{len(tried)} versions and horizons of it were ever tried; none of these here has"
            " sessions to judge it by.",
        )
    ratio, place = max(able)
    best = results[-place]
    deflated = deflated_sharpe(totals[-place], expected)
    text = _verdict(len(tried), best.version, ratio, expected, deflated, check)
    return Reality(len(tried), expected, best.version, deflated, check, text)


def _verdict(
    tried: int,
    best: str,
    ratio: float,
    expected: float,
    deflated: float | None,
    check: float | None,
) -> str:
    said = (
        f"{tried} versions and horizons of it were ever tried. The best here by its sessions,"
        f" {best}, has a Sharpe ratio of {ratio:.2f} a session; the best of {tried} without skill"
        f" is expected to show {expected:.2f}."
    )
    if deflated is None or check is None:
        return f"{said} Too few sessions, or no spread: what that means cannot be told."
    sure = deflated >= SURE and check <= 1 - SURE
    tells = "more than luck" if sure else "not distinguishable from luck"
    return (
        f"{said} Deflated by that, its true ratio is above 0 with {deflated:.0%}; luck alone gives"
        f" this sweep a best as good with {check:.0%} (reality check): {tells}."
    )


def walk(found: By, results: Sequence[SweepResult], fit: int, judge: int) -> WalkRows | None:
    """Return the walk-forward of a sweep; None with fewer than `fit + 1` sessions."""
    entered = np.array(
        [[len(one.returns) for one in tallies] for tallies in found.values()], dtype=np.int64
    ).T
    walked = walk_forward(Tallies(entered, totals_of(found)), fit, judge)
    if walked is None:
        return None
    days = list(found)
    windows = [
        _window_row(number, one, days, results) for number, one in enumerate(walked.windows, 1)
    ]
    summed = SweepWalk(
        *(fit, judge, int(walked.entered.sum()), round(float(walked.points.sum()), 6)),
        *(round(walked.luck_points, 6), float(walked.low[-1]), float(walked.high[-1])),
        walked.chance,
    )
    return WalkRows(summed, windows, list(_judged_rows(walked, days)))


def _window_row(
    number: int, one: Window, days: Sequence[date], results: Sequence[SweepResult]
) -> SweepWindow:
    chosen = None if one.chosen is None else results[one.chosen]
    return SweepWindow(
        *(number, days[one.fit[0]], days[one.fit[1] - 1]),
        *(days[one.judged[0]], days[one.judged[1] - 1]),
        params_hash=chosen and chosen.params_hash,
        version=chosen and chosen.version,
        fit_mean_points=one.fit_mean,
        entered=one.entered,
        total_points=round(one.points, 6),
        luck_entered=one.luck_entered,
        luck_total_points=round(one.luck_points, 6),
    )


def _judged_rows(walked: Walk, days: Sequence[date]) -> list[SweepJudged]:
    numbers = [number for number, one in enumerate(walked.windows, 1) for _ in range(*one.judged)]
    equity = walked.points.cumsum()
    return [
        SweepJudged(
            *(days[place], numbers[row], int(walked.entered[row])),
            *(round(float(walked.points[row]), 6), round(float(equity[row]), 6)),
            *(float(walked.low[row]), float(walked.median[row]), float(walked.high[row])),
        )
        for row, place in enumerate(walked.places)
    ]


def told(rows: WalkRows) -> str:
    """Return in words what choosing came to, and choosing at random."""
    walk = rows.walk
    return (
        f"Walked forward, choosing the best mean return per trade of {walk.fit_sessions} sessions"
        f" for the next {walk.judge_sessions} came to {walk.total_points:.2f} points in"
        f" {walk.entered} trades. Choosing at random among the same combinations comes to"
        f" {walk.luck_total_points:.2f} on average, between {walk.luck_low_points:.2f} and"
        f" {walk.luck_high_points:.2f} in 95 % of cases, and to at least as much in"
        f" {walk.luck_chance:.0%}."
    )
