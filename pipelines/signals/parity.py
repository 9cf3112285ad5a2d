"""Parity: stored rows, batch, steps, restarts and replay all say the same of a session."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from db.market.frames import Range
from db.server.connection import advisory_lock
from db.signals.proof import as_stored, stored_records
from db.signals.store import Scope
from pipelines.signals.materialise import SIGNALS_LOCK, compute
from pipelines.signals.proof import Progress, Proof, Proved, proved
from pipelines.signals.versions import Planned
from strategy.proof import FORMS, Advance, Check, differing, line


def prove_parity(proof: Proof, sessions: Sequence[date], advance: Progress) -> Iterator[Proved]:
    """Yield what is found of each version in each session; nothing is written.

    Args:
        proof: Of what.
        sessions: Ascending.
        advance: Takes how much is done, in thousandths of a session.
    """

    def make(plan: Planned, session: date, advanced: Advance) -> Proved:
        # Rows and what they are made of are of one moment: nobody stores signals in between.
        with (
            advisory_lock(proof.connection, SIGNALS_LOCK, wait=True),
            proof.connection.transaction(),
        ):
            proof.connection.execute("set transaction isolation level repeatable read")
            frames = proof.frames(plan, Range(session, session))
            stored, rows = _stored(proof, plan, session, frames)
            subject = proof.subject(plan, session, frames)
        if not rows and stored.difference is not None:
            why = "no signals of it were stored: compute them with `optionscalp signals`"
            return Proved(session, plan.strategy.name, plan.version, reason=why)
        if subject.is_empty and stored.difference is not None:
            return Proved(session, plan.strategy.name, plan.version, checks=[stored])
        return proved(plan, subject, [lambda *_: stored, *FORMS], advanced)

    return proof.of_sessions(sessions, make, advance)


def _stored(proof: Proof, plan: Planned, session: date, frames: Any) -> tuple[Check, int]:
    """Check that the stored rows are what is computed now; return how many are stored too."""
    only = Range(session, session)
    scope = Scope(plan.strategy.name, plan.version, only, proof.underlyings)
    computed = as_stored(proof.connection, *compute(proof.connection, frames, plan))
    stored = stored_records(proof.connection, scope)
    difference = differing(map(line, computed), map(line, stored))
    check = Check("stored = batch", max(len(computed), len(stored)), "rows", difference)
    return check, len(stored)
