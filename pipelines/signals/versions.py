"""Which versions of the strategies to compute: the registry's own, and those with other numbers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, Self

from psycopg import Connection

from db.market.frames import Range
from db.server.errors import VersionReusedError
from db.signals.strategies import (
    StrategyVersion,
    known_versions,
    register_version,
    versions_not_live,
)
from pipelines.catalogue.catalogue import OUR_ORIGIN, STRATEGIES
from pipelines.catalogue.fault import StrategyFault
from pipelines.signals.switched_off import switch_off, switched_on
from strategy.errors import ParameterError
from strategy.parameters import Parameters
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
    """Return what is computed live: all strategies that work and are wanted, and chosen versions.

    Versions of older code stay readable but can be computed no more.

    Raises:
        VersionReusedError: A strategy's numbers changed while its version did not.
    """
    known = [row for row, _ in known_versions(connection)]
    for name, strategy in switched_on(connection).items():
        version = Planned(strategy, strategy.defaults).stored
        if version not in known:
            with _named(connection, name, now):
                register_version(connection, version, now, live=True)
    plans: list[Planned] = []
    working = switched_on(connection)
    for row, live in known_versions(connection):
        if live and _is_computable(row, working):
            with _named(connection, row.strategy, now):
                plans.append(Planned.of(row.strategy, row.params))
    order = list(STRATEGIES)
    return sorted(plans, key=lambda plan: (order.index(plan.strategy.name), plan.version))


@contextmanager
def _named(connection: Connection[Any], strategy: str, now: datetime) -> Iterator[None]:
    """Switch a strategy from outside off whose numbers are not those of its stored version."""
    try:
        yield
    except (ParameterError, VersionReusedError) as error:
        if STRATEGIES.origin(strategy) == OUR_ORIGIN:
            raise
        switch_off(connection, StrategyFault(strategy, str(error)), now)


def stored_plans(
    connection: Connection[Any], sessions: Range, underlyings: Sequence[str]
) -> dict[date, list[Planned]]:
    """Return, by session, what is not computed live and has rows that have to follow the data."""
    rows, working = versions_not_live(connection, sessions, underlyings), switched_on(connection)
    return {
        session: [
            Planned.of(row.strategy, row.params) for _, row in group if _is_computable(row, working)
        ]
        for session, group in groupby(rows, key=itemgetter(0))
    }


def _is_computable(row: StrategyVersion, working: Mapping[str, Strategy]) -> bool:
    strategy = working.get(row.strategy)
    return strategy is not None and row.version.partition("+")[0] == strategy.version
