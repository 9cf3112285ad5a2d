"""What a first contact brought, and whether a day can work with it. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipelines.known_sources import NEEDED
from pipelines.probing.times import Times
from pipelines.sources.probe import Finding, Kept, State

REAL_TIME = "real time"
WORST_FIRST: tuple[State, ...] = ("error", "warning", "ok", "unseen")


class Outcome(NamedTuple):
    """What one source said.

    Attributes:
        source: Its name.
        roles: What it declares to fill.
        findings: In the order in which they were found.
        unasked: Roles for which nothing was asked any more, after what was refused.
        kept: All answers as they came.
        open_interest: Whether it gave open interest in units.
    """

    source: str
    roles: frozenset[str]
    findings: list[Finding]
    unasked: tuple[str, ...]
    kept: list[Kept]
    open_interest: bool

    @property
    def state(self) -> State:
        """The worst of its findings."""
        states = {finding.state for finding in self.findings}
        if self.unasked:
            states.add("error")
        return next((state for state in WORST_FIRST if state in states), "unseen")

    @property
    def in_time(self) -> State | None:
        """Whether its data is in real time; None where nothing tells."""
        return next((each.state for each in self.findings if each.topic == REAL_TIME), None)

    def works_for(self, role: str) -> bool:
        """Tell whether it answered for a role; what cannot be seen now counts for it."""
        states = [finding.state for finding in self.findings if finding.role == role]
        return bool(states) and "error" not in states


class Verdict(NamedTuple):
    """Whether the day can work; `problems` say why not, `limits` what it goes on without."""

    works: bool
    problems: list[str]
    limits: list[str]


class Outcomes(NamedTuple):
    """What all sources said, about which sessions and whose data."""

    times: Times
    underlying: str
    each: list[Outcome]

    @property
    def verdict(self) -> Verdict:
        """Judge what was found."""
        wrong = _problems(self.each)
        if len(self.each) == 1 and (problem := _silence(self.each[0])):
            wrong.append(problem)
        limits = [] if wrong or not self.are_enough else list(_limits(self.each))
        return Verdict(not wrong, wrong, limits)

    @property
    def are_enough(self) -> bool:
        """Whether those who were asked fill what a day needs, as they declare."""
        return frozenset[str]().union(*(each.roles for each in self.each)) >= NEEDED.keys()


def _problems(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what the day needs and nobody gives, with what helps; each remedy once."""
    missing: dict[str, list[str]] = {}
    for role, does in NEEDED.items():
        able = [outcome for outcome in outcomes if role in outcome.roles]
        if able and not any(outcome.works_for(role) for outcome in able):
            helps = "; ".join(f"{each.source}: {_remedies(each)}" for each in able)
            missing.setdefault(helps, []).append(f"nobody {does}")
    return [f"{', '.join(what)}. {helps}" for helps, what in missing.items()]


def _remedies(outcome: Outcome) -> str:
    errors = [finding for finding in outcome.findings if finding.state == "error"]
    remedies = dict.fromkeys(finding.remedy for finding in errors if finding.remedy)
    return ", or ".join(remedies) or "see above"


def _silence(outcome: Outcome) -> str:
    """Return what is wrong with who is there for nothing that the day needs, if it fails at all."""
    if outcome.roles & NEEDED.keys() or any(map(outcome.works_for, outcome.roles)):
        return ""
    return f"{outcome.source} answers nothing: {_remedies(outcome)}"


def _limits(outcomes: Sequence[Outcome]) -> Iterator[str]:
    if not any(outcome.open_interest for outcome in outcomes):
        yield "nobody gave open interest: without it no build-ups, so no Delta Volume signals"
    streaming = [outcome for outcome in outcomes if "stream" in outcome.roles]
    if streaming and not any(outcome.works_for("stream") for outcome in streaming):
        yield "nobody streams candles: they are asked for again and again, and come later"
    late = [outcome.source for outcome in outcomes if outcome.in_time == "warning"]
    prompt = [outcome.source for outcome in outcomes if outcome.in_time == "ok"]
    for source in late:
        first = f"; {prompt[0]}'s are not: put it first in SOURCES" if prompt else ""
        yield f"{source}'s candles are late, and so are signals of them{first}"
