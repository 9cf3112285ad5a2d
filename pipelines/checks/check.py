"""What a check is: a name, how bad its failure is, and a look at one session's rows."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple

from psycopg import Connection

from db.archive.source_status import longest_delay
from db.checks.findings import Finding

# Error: rows are wrong or unreadable, no signals are made of them. Warning: rows are late or
# incomplete; signals stay true by `known_at`.
Severity = Literal["error", "warning"]


class Look(NamedTuple):
    """What a check looks at.

    Attributes:
        connection: Open.
        session: Whose rows.
        underlyings: Of these.
        now: Market time.
        speed: Market seconds per second of this computer.
    """

    connection: Connection[Any]
    session: date
    underlyings: tuple[str, ...]
    now: datetime
    speed: float = 1.0

    @property
    def delay(self) -> timedelta:
        """How late the source that is furthest behind says it is: rows cannot be earlier."""
        return longest_delay(self.connection)


class Verdict(NamedTuple):
    """Whether a check passes, and its numbers; they can be written as JSON."""

    passed: bool
    details: dict[str, Any]


class Check(NamedTuple):
    """One check of one asset."""

    asset: str
    name: str
    severity: Severity
    description: str
    judge: Callable[[Look], Verdict]

    def find(self, look: Look) -> Finding:
        """Look, and return what is to be recorded."""
        passed, details = self.judge(look)
        return Finding(
            look.session, self.asset, self.name, self.severity, passed, details, look.now
        )


def warning(asset: str, name: str) -> Callable[[Callable[[Look], Verdict]], Check]:
    """Make a function a check whose failure leaves signals alone; its docstring describes it."""

    def make(judge: Callable[[Look], Verdict]) -> Check:
        return Check(asset, name, "warning", judge.__doc__ or "", judge)

    return make
