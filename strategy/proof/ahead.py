"""No look ahead: what came later changes nothing of what was given before."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from strategy.proof.check import Advance, Check, looked_at
from strategy.proof.compare import Difference, differing
from strategy.proof.frames import Poison, ended_by, has_late_values, known_by
from strategy.proof.subject import Subject, each, ended, known, lines, of_session
from strategy.signals import Rejection, Signal

SEED = 20260121


def dated(subject: Subject, advance: Advance) -> Check:
    """Check that no row is known before its interval's end, nor before what it was made of."""
    rows = [row for row in each(subject.rows) if row.known_at is not None]
    return looked_at("event_time <= known_at", "rows", rows, _too_early, advance)


def _too_early(row: Signal | Rejection) -> Difference | None:
    known_at = row.known_at
    for name in ("event_time", "input_watermark"):
        earliest = getattr(row, name, None)
        if known_at is not None and earliest is not None and known_at < earliest:
            return Difference.of(
                row, "known_at", f"not before {earliest.isoformat()}", known_at.isoformat()
            )
    return None


def cut(subject: Subject, advance: Advance) -> Check:
    """Check that the data of the intervals up to t give the rows up to t, and no others."""

    def look(moment: datetime) -> Difference | None:
        rows = subject.evaluated(ended_by(subject.data, moment, subject.length))
        return differing(lines(ended(subject.rows, moment)), lines(rows))

    return _at_moments("cut after t = full run up to t", subject, subject.ends, look, advance)


def poisoned(subject: Subject, advance: Advance) -> Check:
    """Check that absurd values in all intervals after t change no row up to t."""
    poison = Poison(subject.data, SEED)

    def look(moment: datetime) -> Difference | None:
        rows = subject.evaluated(poison.after(moment, subject.length))
        return differing(lines(ended(subject.rows, moment)), lines(ended(rows, moment)))

    return _at_moments("poisoned after t = full run up to t", subject, subject.ends, look, advance)


def unknown(subject: Subject, advance: Advance) -> Check:
    """Check that what became known after a row's `known_at`, taken out or poisoned, is not in it.

    So no row is known before any of its inputs. Where nothing came late the checks by interval
    have done the same already.
    """
    poison = Poison(subject.data, SEED)
    ends = set(subject.tried(subject.ends))

    def look(moment: datetime) -> Difference | None:
        if moment in ends and not has_late_values(subject.data, moment, subject.length):
            return None
        given = lines(known(subject.rows, moment))
        rows = subject.evaluated(known_by(subject.data, moment))
        there = known(subject.evaluated(poison.unknown_at(moment)), moment)
        return differing(given, lines(rows), more_allowed=True) or differing(given, lines(there))

    moments = subject.became_known
    return _at_moments("no input is known later than its row", subject, moments, look, advance)


def _at_moments(
    claim: str,
    subject: Subject,
    moments: Sequence[datetime],
    look: Callable[[datetime], Difference | None],
    advance: Advance,
) -> Check:
    tried = subject.tried(moments)
    return looked_at(claim, "moments", tried, look, advance)._replace(total=len(moments))


def warmed_up(subject: Subject, longer: Any) -> Check:
    """Check that the session alone gives what it gives after the sessions before it.

    Args:
        subject: The session alone.
        longer: Frames of the sessions before and of the session.
    """
    rows = of_session(subject.evaluated((*longer, subject.candles)), subject.session)
    earlier = {
        day for frame in longer if "session" in frame.columns for day in frame["session"].unique()
    } - {subject.session}
    difference = differing(lines(rows), lines(subject.rows)) if earlier else None
    return Check("alone = after earlier sessions", len(earlier), "earlier sessions", difference)


AHEAD: Final[tuple[Callable[[Subject, Advance], Check], ...]] = (dated, cut, poisoned, unknown)
