"""What a source adds to a first contact: what no other source could be asked, or would tell.

Whoever probes asks the questions of each role by itself. A source adds what it knows of its
account, one or two questions of its own, what its answers say beyond their rows, and remedies.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from pipelines.sources.errors import SourceError
from pipelines.sources.roles import Opened, Payload

# `unseen` is what cannot be seen now, as while the market is closed.
State = Literal["ok", "warning", "error", "unseen"]

# What helps where nothing else does.
REPORT = "attach the report to a bug report"


class Finding(NamedTuple):
    """One thing found out, in plain words.

    Attributes:
        topic: What was looked at.
        state: How it is.
        found: What was found.
        remedy: What a person can do; empty when nothing is to be done.
        role: Which field of `Opened` it is evidence of, if of one.
        facts: The same for programs.
    """

    topic: str
    state: State
    found: str
    remedy: str = ""
    role: str | None = None
    facts: Mapping[str, Any] = {}


class Kept(NamedTuple):
    """An answer as it came; `session` is that whose values it should hold."""

    request: str
    about: Mapping[str, Any]
    session: date
    received_at: datetime
    body: bytes


class Moment(NamedTuple):
    """When an account is looked at, and the close of the session that is on or comes next."""

    now: datetime
    close: datetime


def _nothing(*_: Any) -> Iterable[Any]:
    return ()


def _no_remedy(_error: SourceError) -> str | None:
    return None


@dataclass(frozen=True)
class Probe:
    """A source's own part of a first contact; every part may be left out.

    Attributes:
        account: Tells of the user's account from the settings; asks nobody. Of an error that
            another token cures while we run the facts say `ended`.
        extra: Yields answers to further questions, with an underlying and its nearest expiry.
        answers: Tells what all kept answers say beyond their rows.
        remedy: Tells what helps against an error; None for what helps against its kind.
        late: What helps against data that is late.
        secrets: Returns what must not be shown, from the settings; never raises.
    """

    account: Callable[[Any, Moment], Iterable[Finding]] = _nothing
    extra: Callable[[Opened, str, date], AsyncIterator[Payload]] | None = None
    answers: Callable[[Sequence[Kept]], Iterable[Finding]] = _nothing
    remedy: Callable[[SourceError], str | None] = _no_remedy
    late: str = "ask the source for real-time data"
    secrets: Callable[[Any], Iterable[str]] = _nothing


NO_PROBE = Probe()
