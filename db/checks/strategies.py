"""Which strategies are switched off, for the checks."""

from typing import Any

from psycopg import Connection

OFF = """
select case when strategy = '' then module else strategy || ' of ' || module end || ': ' || problem
  from strategy_fault order by since, module, strategy
"""


def switched_off(connection: Connection[Any]) -> list[str]:
    """Return one line for each strategy or module that is switched off."""
    return [line for (line,) in connection.execute(OFF)]
