"""Strategies that are switched off: those that cannot be loaded, and those that failed."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection

from db.signals.faults import Fault, note_fault, note_loaded, read_faults
from pipelines.catalogue.catalogue import STRATEGIES
from pipelines.catalogue.fault import StrategyFault
from strategy.strategy import Strategy

logger = logging.getLogger(__name__)


def load_faults(now: datetime) -> list[Fault]:
    """Return which modules of this process give no strategy."""
    return [
        Fault(one.origin.module, "", one.origin.digest, one.problem, now)
        for one in STRATEGIES.found.faults
    ]


def note_loading(connection: Connection[Any], now: datetime) -> None:
    """Keep what this process could not load, and forget what other code had done."""
    known = [(name, STRATEGIES.origin(name).digest) for name in STRATEGIES]
    note_loaded(connection, load_faults(now), known)


def switch_off(connection: Connection[Any], error: StrategyFault, now: datetime) -> None:
    """Compute a strategy live no more: until the feed starts again, or its code is changed."""
    origin = STRATEGIES.origin(error.strategy)
    STRATEGIES.failed.add(error.strategy)
    logger.warning("strategy %s is switched off: %s", error.strategy, error.problem)
    note_fault(connection, Fault(origin.module, error.strategy, origin.digest, error.problem, now))


def has_failed(strategy: Strategy) -> bool:
    """Tell whether a strategy was switched off in this process."""
    return strategy.name in STRATEGIES.failed


def switched_on(connection: Connection[Any]) -> Mapping[str, Strategy]:
    """Return the strategies that are computed by themselves."""
    off = {(fault.strategy, fault.digest) for fault in read_faults(connection)}
    return {
        name: strategy
        for name, strategy in STRATEGIES.items()
        if name not in STRATEGIES.failed and (name, STRATEGIES.origin(name).digest) not in off
    }
