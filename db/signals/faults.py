"""Strategies that are switched off, and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

NOTE = """
insert into strategy_fault (module, strategy, digest, problem, since)
values (%(module)s, %(strategy)s, %(digest)s, %(problem)s, %(since)s)
on conflict (module, strategy) do update
   set digest = excluded.digest, problem = excluded.problem, since = excluded.since
 where (strategy_fault.digest, strategy_fault.problem)
       is distinct from (excluded.digest, excluded.problem)
"""
# What could not be loaded and now can, or is gone, and what failed before its code was changed.
FORGET = """
delete from strategy_fault f
 where strategy = '' and not exists (
       select from unnest(%(modules)s::text[], %(problems)s::text[]) still (module, problem)
        where still.module = f.module and still.problem = f.problem)
    or strategy <> '' and not exists (
       select from unnest(%(known)s::text[], %(digests)s::text[]) known (strategy, digest)
        where known.strategy = f.strategy and known.digest = f.digest)
"""
FORGET_PROOFS = """
delete from strategy_proof p
 using unnest(%(known)s::text[], %(digests)s::text[]) known (strategy, digest)
 where known.strategy = p.strategy and known.digest <> p.digest
"""
FAULTS = "select module, strategy, digest, problem, since from strategy_fault order by 1, 2"


class Fault(NamedTuple):
    """What is wrong with a module, or with a strategy of it.

    Attributes:
        module: Where the code lies.
        strategy: Its name; empty where the module gives none.
        digest: Of the code.
        problem: One line.
        since: Market time.
    """

    module: str
    strategy: str
    digest: str
    problem: str
    since: datetime

    @property
    def line(self) -> str:
        """One line for a person."""
        name = f"{self.strategy} of {self.module}" if self.strategy else self.module
        return f"{name}: {self.problem}"


def note_fault(connection: Connection[Any], fault: Fault) -> None:
    """Switch a strategy off; the same problem keeps its time."""
    connection.execute(NOTE, fault._asdict())


def note_loaded(
    connection: Connection[Any], faults: Sequence[Fault], known: Sequence[tuple[str, str]]
) -> None:
    """Keep what could not be loaded now, and forget what other code had done.

    Args:
        connection: In autocommit mode.
        faults: Of this process's modules.
        known: Names and digests of its strategies.
    """
    parameters = {
        "modules": [fault.module for fault in faults],
        "problems": [fault.problem for fault in faults],
        "known": [name for name, _ in known],
        "digests": [digest for _, digest in known],
    }
    with connection.transaction():
        connection.execute(FORGET, parameters)
        connection.execute(FORGET_PROOFS, parameters)
        for fault in faults:
            note_fault(connection, fault)


def forget_faults(connection: Connection[Any]) -> None:
    """Try all of them anew."""
    connection.execute("delete from strategy_fault")


def read_faults(connection: Connection[Any]) -> list[Fault]:
    """Return what is switched off."""
    return [Fault(*row) for row in connection.execute(FAULTS)]
