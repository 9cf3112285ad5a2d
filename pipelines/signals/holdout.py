"""A registered version judged on sealed sessions, beside random entries of the same sessions."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from psycopg import Connection

from db.market.frames import Range
from db.signals.holdout import Compared, Opening, Verdict, compare, store_verdict
from pipelines.signals.materialise import materialise_signals
from pipelines.signals.outcomes import materialise_outcomes
from pipelines.signals.versions import Planned
from strategy.holdout import FEWEST_SESSIONS, Judgement, judge, level_of


def judge_version(
    connection: Connection[Any],
    plan: Planned,
    openings: Sequence[Opening],
    underlyings: tuple[str, ...],
    now: datetime,
) -> Verdict:
    """Compute a version's signals and outcomes where it was opened, judge and store the verdict.

    Args:
        connection: In autocommit mode.
        plan: The registered version.
        openings: Its sessions, one at least.
        underlyings: Whose signals.
        now: Market time.
    """
    days = [one.session for one in openings]
    for day in days:
        only = Range(day, day)
        materialise_signals(connection, only, underlyings, now, plans=[plan])
        materialise_outcomes(connection, only, underlyings)
    horizon = openings[0].horizon_minutes
    rows = compare(connection, plan.stored, days, horizon)
    look = max(one.look for one in openings)
    verdict = verdict_of(plan, days, horizon, look, rows)
    store_verdict(connection, verdict)
    return verdict


def verdict_of(
    plan: Planned, days: Sequence[date], horizon: int, look: int, rows: Sequence[Compared]
) -> Verdict:
    """Return what sessions tell; those without random entries beside the signals count not."""
    beside = [(one, one.luck_mean) for one in rows if one.luck_mean is not None]
    entered = sum(one.entered for one, _ in beside)
    points = sum(one.points for one, _ in beside)
    luck = sum(mean * one.entered for one, mean in beside)
    differences = [one.points - mean * one.entered for one, mean in beside]
    judged = judge(np.array(differences, dtype=np.float64), look)
    return Verdict(
        *(plan.strategy.name, plan.version, days[0], days[-1], horizon, look, level_of(look)),
        *(len(beside), entered),
        mean_return_points=points / entered if entered else None,
        luck_points=luck / entered if entered else None,
        difference_points=judged and judged.mean,
        difference_low_points=judged and judged.low,
        p_value=judged and judged.p_value,
        better=judged is not None and judged.better,
        verdict=_in_words(judged, look, len(beside), len(rows) - len(beside)),
    )


def _in_words(judged: Judgement | None, look: int, sessions: int, without: int) -> str:
    left = f" {without} sessions have no random entries to compare with." if without else ""
    if judged is None:
        return (
            f"Cannot be told: {sessions} sessions have entered signals and random entries beside"
            f" them, and it needs {FEWEST_SESSIONS} that differ.{left}"
        )
    said = "better than luck" if judged.better else "not distinguishable from luck"
    looks = f" It is look {look} at these sessions." if look > 1 else ""
    return (
        f"{said}: on {sessions} sessions {judged.mean:+.2f} points a session beside random entries,"
        f" at least {judged.low:+.2f}; luck does as well with {judged.p_value:.2%}, and"
        f" {judged.level:.2%} would be the most allowed.{looks}{left}"
    ).capitalize()
