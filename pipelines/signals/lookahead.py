"""Look-ahead: no row of a stored session knows what came later, or needs what came before."""

from collections.abc import Iterator, Sequence
from datetime import date

from db.market.frames import Range
from pipelines.signals.proof import Progress, Proof, Proved, proved
from pipelines.signals.versions import Planned
from strategy.proof import AHEAD, Advance, Check, Subject, warmed_up
from strategy.session import previous_session

EARLIER_SESSIONS = 3


def prove_no_lookahead(
    proof: Proof, sessions: Sequence[date], every: int, advance: Progress
) -> Iterator[Proved]:
    """Yield what is found of each version in each session.

    Args:
        proof: Of what.
        sessions: Ascending.
        every: Each so manyth moment is tried; 1 for all of them.
        advance: Takes how much is done, in thousandths of a session.
    """

    def make(plan: Planned, session: date, advanced: Advance) -> Proved:
        frames = proof.frames(plan, Range(session, session))

        def warmed(subject: Subject, done: Advance) -> Check:
            longer = proof.frames(plan, Range(_earliest(proof, session), session))
            done(1)
            return warmed_up(subject, longer)

        subject = proof.subject(plan, session, frames, every)
        return proved(plan, subject, [*AHEAD, warmed], advanced)

    return proof.of_sessions(sessions, make, advance)


def _earliest(proof: Proof, session: date) -> date:
    """Return the first of the sessions before, up to three, whose rows are all right."""
    earlier = [session]
    for _ in range(EARLIER_SESSIONS):
        earlier.append(previous_session(earlier[-1]))
    blocked = proof.blocked(Range(earlier[-1], session))
    right = [day for day in earlier if not any(day <= wrong < session for wrong in blocked)]
    return min(right)
