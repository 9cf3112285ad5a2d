"""One engine: steps, restarts and the order in which data came give the batch form's rows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np

from strategy.proof.check import Advance, Check, looked_at
from strategy.proof.compare import Difference, differing, line
from strategy.proof.frames import known_by, last_known
from strategy.proof.subject import Subject, each, known, lines
from strategy.strategy import Rows

SEED = 20260121
CHUNKINGS = 3
_INSTANT = timedelta(microseconds=1)


def stepped(subject: Subject, advance: Advance) -> Check:
    """Check that each interval's step gives that interval's rows, and all steps the batch's."""
    misplaced: list[Difference] = []

    def step(state: Any, interval: Any, parameters: Any) -> Any:
        after, signals, rejections = subject.strategy.step(state, interval, parameters)
        end = interval.open_time + subject.length
        for row in each((signals, rejections)):
            if row.event_time != end:
                misplaced.append(
                    Difference.of(row, "event_time", end.isoformat(), row.event_time.isoformat())
                )
        return after, signals, rejections

    noting = replace(subject.strategy, step=step)
    rows = noting.step_through(subject.frames, subject.parameters)
    advance(1)
    difference = next(iter(misplaced), None) or differing(lines(subject.candidates), lines(rows))
    return Check("step = batch", subject.intervals, "intervals", difference)


def restarted(subject: Subject, advance: Advance) -> Check:
    """Check that a state saved as JSON goes on as if nothing had been.

    Before every interval in one run, and between chunks of seeded lengths in some more.
    """
    rng = np.random.default_rng(SEED)
    drawn = (rng.random((CHUNKINGS, subject.intervals)) < rng.random((CHUNKINGS, 1))).tolist()
    everywhere = [True] * subject.intervals
    places = [everywhere, *drawn] if everywhere else []

    def look(restarts: list[bool]) -> Difference | None:
        rows = subject.strategy.step_through(
            subject.frames, subject.parameters, restarts.__getitem__
        )
        return differing(lines(subject.candidates), lines(rows))

    found = looked_at("restarted = batch", "runs", places, look, advance)
    return found._replace(tried=sum(map(sum, places[: found.tried])), of="restarts")


def replayed(subject: Subject, advance: Advance) -> Check:
    """Check what could be given at each moment, by what was known then.

    Looks at each interval's end, at every row's `known_at` and just before it. A row that stands
    is there from its `known_at` on, and never earlier; at the end they are the batch's.
    """
    last = last_known(subject.data)
    instants = subject.became_known
    before = (moment - _INSTANT for moment in instants)
    moments = sorted({*subject.ends, *instants, *before, *([last] if last else [])})
    final = {row.signal_id: line(row._asdict()) for row in subject.rows[0]}
    otherwise: set[UUID] = set()

    def look(moment: datetime) -> Difference | None:
        rows = subject.evaluated(known_by(subject.data, moment))
        for row in rows[0]:
            if final.get(row.signal_id) != line(row._asdict()):
                otherwise.add(row.signal_id)
        # When everything is known nothing else may stand either.
        wanted = known(subject.rows, moment) if moment != moments[-1] else subject.rows
        return _given_early(rows, moment) or differing(
            lines(wanted), lines(rows), more_allowed=moment != moments[-1]
        )

    found = looked_at("in order of known_at = batch", "moments", moments, look, advance)
    if otherwise:
        found = found._replace(
            remark=f"{len(otherwise)} signals stood otherwise until later values came"
        )
    return found


def _given_early(rows: Rows, moment: datetime) -> Difference | None:
    for row in each(rows):
        if row.known_at is not None and row.known_at > moment:
            return Difference.of(
                row, "known_at", f"not after {moment.isoformat()}", row.known_at.isoformat()
            )
    return None


FORMS: Final[tuple[Callable[[Subject, Advance], Check], ...]] = (stepped, restarted, replayed)
