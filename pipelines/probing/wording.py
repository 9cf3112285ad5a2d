"""A first contact in plain words, a line for each thing found out. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipelines.probing.contact import QUESTIONS
from pipelines.probing.outcome import Outcome, Outcomes
from pipelines.sources.probe import Finding, State
from strategy.session import IST

STATES: dict[State, str] = {
    "ok": "works",
    "warning": "works, with limits",
    "error": "does not work",
    "unseen": "cannot be seen now",
}


class Line(NamedTuple):
    """A line; `mark` is a word before the text, in the colour of the state."""

    text: str
    state: State | None = None
    mark: str = ""


def lines(outcomes: Outcomes, notes: Sequence[Finding]) -> Iterator[Line]:
    """Yield what was found, source by source, and what that means for the day."""
    yield Line(_heading(outcomes))
    yield from _findings(notes)
    for outcome in outcomes.each:
        yield Line("")
        yield Line(f"{outcome.source} {_how(outcome)}", outcome.state)
        yield from _findings(outcome.findings)
        if outcome.unasked:
            topics = ", ".join(QUESTIONS[role][0] for role in outcome.unasked)
            yield Line(f"  not asked any more: {topics}")
    yield Line("")
    yield from _verdict(outcomes, unusable(notes))


def _heading(outcomes: Outcomes) -> str:
    times = outcomes.times
    now = f"{times.now.astimezone(IST):%Y-%m-%d %H:%M:%S} IST, asked for {outcomes.underlying}"
    if times.is_open:
        return f"{now}; the market is open"
    opens = f"{times.next_open.astimezone(IST):%Y-%m-%d %H:%M} IST"
    return f"{now}; the market is closed until {opens}: what only then can be seen is `unseen`"


def _how(outcome: Outcome) -> str:
    if outcome.state == "error" and any(map(outcome.works_for, outcome.roles)):
        return "works in part"
    return STATES[outcome.state]


def _findings(findings: Sequence[Finding]) -> Iterator[Line]:
    """Yield a line each, and each remedy once."""
    said: set[str] = set()
    for finding in findings:
        text, remedy = f"{finding.topic}: {finding.found}", finding.remedy
        # Many a message says by itself what helps.
        if remedy and remedy not in said and remedy not in finding.found:
            text += f" -> {remedy}"
        said.add(remedy)
        yield Line(text, finding.state, f"  {finding.state:8}")


def unusable(notes: Sequence[Finding]) -> list[str]:
    """Return which settings cannot be used: nothing but this starts with them."""
    return [note.topic for note in notes if note.state == "error"]


def _verdict(outcomes: Outcomes, unusable: Sequence[str]) -> Iterator[Line]:
    verdict = outcomes.verdict
    if unusable:
        names = " and ".join(unusable)
        yield Line(f"The day does not start with this {names}. Without it:", "error")
    for problem in verdict.problems:
        yield Line(f"The day cannot work with these sources: {problem}", "error")
    if verdict.works:
        yield Line(_praise(outcomes), "ok")
    for limit in verdict.limits:
        yield Line(f"But {limit}.", "warning")


def _praise(outcomes: Outcomes) -> str:
    if outcomes.are_enough:
        return "The day can work with these sources."
    names = ", ".join(outcome.source for outcome in outcomes.each)
    return f"{names} can do its part of the day; it needs others beside it."
