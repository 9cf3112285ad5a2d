"""Stored sessions under proof: which can be looked at, and what was found."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection

from db.market.frames import Range
from db.signals.proof import Proving, note_proof
from pipelines.catalogue.apart import forgetful
from pipelines.catalogue.catalogue import OUR_ORIGIN, STRATEGIES
from pipelines.catalogue.fault import StrategyFault
from pipelines.checks.gate import blocked_sessions
from pipelines.signals.loss_limit import limit_candles
from pipelines.signals.materialise import READERS
from pipelines.signals.switched_off import switch_off
from pipelines.signals.versions import Planned, live_plans
from strategy.proof import Advance, Check, Subject

# Takes how much is done, in thousandths of a session.
Progress = Callable[[int], None]
THOUSAND = 1000


class Proved(NamedTuple):
    """What was found of one version in one session.

    Attributes:
        session: Trading date.
        strategy: Name of the rules; empty where the whole session could not be looked at.
        version: Of them.
        intervals: How many hold anything stored.
        signals: How many the batch form gives.
        rejections: The same.
        checks: In the order they were made; all of them, whatever the first ones found.
        reason: Why nothing was compared.
    """

    session: date
    strategy: str = ""
    version: str = ""
    intervals: int = 0
    signals: int = 0
    rejections: int = 0
    checks: Sequence[Check] = ()
    reason: str = ""

    @property
    def verdict(self) -> str:
        """`different`, else `equal` if anything was compared, else `not compared`."""
        found = {check.verdict for check in self.checks}
        return next((one for one in ("different", "equal") if one in found), "not compared")


class Proof(NamedTuple):
    """Where and of what a proof is made.

    Attributes:
        connection: In autocommit mode.
        underlyings: Whose rows.
        plans: Which versions; the live ones if None.
        now: Market time.
    """

    connection: Connection[Any]
    underlyings: tuple[str, ...]
    plans: Sequence[Planned] | None
    now: datetime

    def frames(self, plan: Planned, sessions: Range) -> Any:
        """Return what a version reads."""
        return READERS[plan.strategy.reads](self.connection, sessions, self.underlyings)

    def subject(self, plan: Planned, session: date, frames: Any, every: int = 1) -> Subject:
        """Return a version over a session whose frames were read."""
        signals, _ = plan.strategy.evaluate(frames, plan.parameters)
        candles = limit_candles(self.connection, signals, plan.parameters)
        return Subject(plan.strategy, plan.parameters, session, frames, candles, every)

    def blocked(self, sessions: Range) -> dict[date, list[str]]:
        """Return the sessions whose rows are wrong, with the checks that say so."""
        return blocked_sessions(self.connection, *sessions, self.underlyings, self.now)

    def of_sessions(
        self,
        sessions: Sequence[date],
        make: Callable[[Planned, date, Advance], Proved],
        advance: Progress,
    ) -> Iterator[Proved]:
        """Yield what is found of each version in each session.

        Args:
            sessions: Ascending.
            make: A version, a session and its progress (up to 1) to what is found.
            advance: Takes how much is done, in thousandths of a session.
        """
        blocked = self.blocked(Range(sessions[0], sessions[-1]))
        plans = [_apart(plan) for plan in self.plans or live_plans(self.connection, self.now)]
        for place, session in enumerate(sessions):
            if session in blocked:
                yield Proved(session, reason=f"these checks fail: {', '.join(blocked[session])}")
                continue
            for number, plan in enumerate(plans):
                done = place + number / len(plans)

                def advanced(part: float, done: float = done) -> None:
                    advance(int(THOUSAND * (done + part / len(plans))))

                try:
                    yield make(plan, session, advanced)
                except StrategyFault as fault:  # the others are looked at
                    yield Proved(session, plan.strategy.name, plan.version, reason=fault.problem)
        advance(THOUSAND * len(sessions))


def _apart(plan: Planned) -> Planned:
    """Return a plan whose strategy learns nothing from one run for the next, if it is not ours."""
    if STRATEGIES.origin(plan.strategy.name) == OUR_ORIGIN:
        return plan
    return plan._replace(strategy=forgetful(plan.strategy))


def keep(proof: Proof, kind: str, found: Proved) -> None:
    """Keep what was found of a version; one that looks ahead is computed live no more.

    Args:
        proof: Of what it was part.
        kind: `parity` or `lookahead`.
        found: Of one version in one session.
    """
    if not found.strategy or found.verdict == "not compared":
        return
    origin, equal = STRATEGIES.origin(found.strategy), found.verdict == "equal"
    note_proof(
        proof.connection,
        Proving(
            found.strategy, found.version, found.session, kind, equal, origin.digest, proof.now
        ),
    )
    if kind == "lookahead" and not equal and origin != OUR_ORIGIN:
        problem = f"looks into the future: see optionscalp lookahead --session {found.session}"
        switch_off(proof.connection, StrategyFault(found.strategy, problem), proof.now)


def proved(
    plan: Planned,
    subject: Subject,
    checks: Sequence[Callable[[Subject, Advance], Check]],
    advance: Advance,
) -> Proved:
    """Return what the checks find; all of them are made, whatever the first ones find."""
    if subject.is_empty:
        reason = f"no {plan.strategy.reads.replace('_', '-')} are stored"
        return Proved(subject.session, plan.strategy.name, plan.version, reason=reason)

    def made(place: int) -> Check:
        return checks[place](subject, lambda part: advance((place + part) / len(checks)))

    found = [made(place) for place in range(len(checks))]
    return Proved(
        subject.session,
        plan.strategy.name,
        plan.version,
        subject.intervals,
        len(subject.rows[0]),
        len(subject.rows[1]),
        found,
    )
