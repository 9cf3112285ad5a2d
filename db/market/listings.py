"""When contracts of a played market were first known.

Whoever plays a day may begin late or hurry, and asks what is listed whenever it happens to. Were
the moment of the answer kept, one day would have as many histories as it was played times.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import Connection

PLAYED: Final = "simulator"  # the source of whatever a simulated market tells

KNOWN_BY_ROWS = """
update contract c set listed_at = r.ended
  from unnest(%(symbols)s::text[], %(ended)s::timestamptz[]) r (symbol, ended)
 where c.symbol = r.symbol and (c.listed_at is null or c.listed_at > r.ended)
"""


def known_by_rows(
    connection: Connection[Any], rows: Iterable[tuple[str, datetime]], minutes: int
) -> None:
    """Note that contracts were known by the end of their first row's interval, if not sooner.

    Args:
        connection: In autocommit mode.
        rows: Symbol and start of each; symbols that are no contracts are left alone.
        minutes: How long their intervals are.
    """
    first: dict[str, datetime] = {}
    for symbol, opened in rows:
        first[symbol] = min(opened, first.get(symbol, opened))
    if first:
        width = timedelta(minutes=minutes)
        ended = [opened + width for opened in first.values()]
        connection.execute(KNOWN_BY_ROWS, {"symbols": list(first), "ended": ended})
