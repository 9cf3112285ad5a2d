"""Which versions of the strategies to compute: the registry's own, and those with other numbers."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, Self

from psycopg import Connection

from db.market.frames import Range
from db.signals.strategies import (
    StrategyVersion,
    known_versions,
    register_version,
    versions_not_live,
)
from strategy.parameters import Parameters
from strategy.registry import STRATEGIES
from strategy.strategy import Strategy


class Planned(NamedTuple):
    """A strategy with its numbers."""

    strategy: Strategy
    parameters: Parameters

    @classmethod
    def of(cls, name: str, changes: Mapping[str, Any]) -> Self:
        """Return a strategy with some of its numbers changed.

        Raises:
            KeyError: There is no such strategy.
            ParameterError: It has no such number, or it makes no sense.
        """
        strategy = STRATEGIES[name]
        return cls(strategy, strategy.defaults.with_values(changes))

    @property
    def version(self) -> str:
        """As stored with its signals."""
        return self.parameters.version(self.strategy.version)

    @property
    def stored(self) -> StrategyVersion:
        """The row that describes it."""
        return StrategyVersion(
            self.strategy.name,
            self.version,
            self.parameters.params_hash(),
            self.parameters.values(),
        )


def live_plans(connection: Connection[Any], now: datetime) -> list[Planned]:
    """Return what is computed live: all strategies, unless switched off, and chosen versions.

    Versions of older code stay readable but can be computed no more.

    Raises:
        VersionReusedError: A strategy's numbers changed while its version did not.
    """
    known = known_versions(connection)
    defaults = [Planned(strategy, strategy.defaults).stored for strategy in STRATEGIES.values()]
    if not all(version in (row for row, _ in known) for version in defaults):
        for version in defaults:
            register_version(connection, version, now, live=True)
        known = known_versions(connection)
    plans = [
        Planned.of(row.strategy, row.params) for row, live in known if live and _is_computable(row)
    ]
    order = list(STRATEGIES)
    return sorted(plans, key=lambda plan: (order.index(plan.strategy.name), plan.version))


def stored_plans(
    connection: Connection[Any], sessions: Range, underlyings: Sequence[str]
) -> dict[date, list[Planned]]:
    """Return, by session, what is not computed live and has rows that have to follow the data."""
    rows = versions_not_live(connection, sessions, underlyings)
    return {
        session: [Planned.of(row.strategy, row.params) for _, row in group if _is_computable(row)]
        for session, group in groupby(rows, key=itemgetter(0))
    }


def _is_computable(row: StrategyVersion) -> bool:
    strategy = STRATEGIES.get(row.strategy)
    return strategy is not None and row.version.partition("+")[0] == strategy.version
