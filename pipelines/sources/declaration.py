"""How a source declares itself: its roles, how it is opened, how its answers are read."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection

from db.archive.source_budget import Window
from pipelines.sources.politeness import OwnBudget, SharedBudget
from pipelines.sources.probe import NO_PROBE, Probe
from pipelines.sources.roles import Opened, Reading, Recall
from strategy.clock import MarketClock


class Office(NamedTuple):
    """What a source is opened with.

    Attributes:
        settings: Of this installation; those of the source are among them, or it reads its own.
        clock: The market's.
        connection: For its share of the budget that all processes keep together; None where there
            is no database, and it asks by itself.
        recall: Its archived answers.
    """

    settings: Any
    clock: MarketClock
    connection: Connection[Any] | None
    recall: Recall

    def budget(
        self,
        source: str,
        per_second: float,
        per_session: int | None = None,
        window: Window | None = None,
    ) -> SharedBudget | OwnBudget:
        """Return who may ask a source when; a window is counted for all processes together."""
        if self.connection is None:
            return OwnBudget(source, self.clock, per_second, per_session)
        return SharedBudget(
            *(self.connection, source, self.clock, per_second),
            per_session=per_session,
            window=window,
        )


@dataclass(frozen=True)
class Source:
    """What a source declares of itself, beside its client.

    Attributes:
        name: In `SOURCES`, in the archive and in each row that came from it.
        roles: The fields of `Opened` that it fills.
        open: Makes its clients.
        read: Tells what an archived answer says, from its question, bytes, session and the time of
            receipt; raises `PayloadInvalid` and others of its kind.
        ladder_lag: So long after an interval's end its ladder shows it.
        ladder_history: Whether an earlier moment of today can be asked again.
        past_sessions: Whether sessions before today can be asked for.
        open_interest: Whether its candles of options carry open interest.
        probe: Its own part of a first contact.
    """

    name: str
    roles: frozenset[str]
    open: Callable[[Office], AbstractAsyncContextManager[Opened]]
    read: Callable[[Mapping[str, Any], bytes, date, datetime], Reading]
    ladder_lag: timedelta = timedelta(0)
    ladder_history: bool = False
    past_sessions: bool = False
    open_interest: bool = False
    probe: Probe = NO_PROBE
