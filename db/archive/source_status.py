"""Whether each source answers: written by whoever asks it, shown on the page."""

from datetime import datetime
from typing import Any

from psycopg import Connection

UP = """
insert into source_status (source, state, changed_at, last_at)
values (%(source)s, 'up', %(now)s, %(now)s)
on conflict (source) do update
   set state = 'up', error = null, last_at = excluded.last_at,
       changed_at = case when source_status.state = 'up' then source_status.changed_at
                         else excluded.changed_at end
"""
DOWN = """
insert into source_status (source, state, changed_at, error)
values (%(source)s, 'down', %(now)s, %(error)s)
on conflict (source) do update
   set state = 'down', error = excluded.error,
       changed_at = case when source_status.state = 'down' then source_status.changed_at
                         else excluded.changed_at end
"""


def report_up(connection: Connection[Any], source: str, now: datetime) -> None:
    """Note a good answer at a market time."""
    connection.execute(UP, {"source": source, "now": now})


def report_down(connection: Connection[Any], source: str, now: datetime, error: str) -> None:
    """Note why a source does not answer, or answers what cannot be used."""
    connection.execute(DOWN, {"source": source, "now": now, "error": error})
