"""Whether each source answers, and how late: written by whoever asks it, shown on the page."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection

from db.archive.words import brief

UP = """
insert into source_status (source, state, changed_at, last_at, error)
values (%(source)s, 'up', %(now)s, %(now)s, %(error)s)
on conflict (source) do update
   set state = 'up', error = excluded.error, last_at = excluded.last_at,
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
ACCESS = """
update source_status
   set delay_seconds = coalesce(%(delay_seconds)s, delay_seconds),
       token_ends_at = %(token_ends_at)s, note = %(note)s
 where source = %(source)s
   and (delay_seconds, token_ends_at, note) is distinct from
       (coalesce(%(delay_seconds)s, delay_seconds), %(token_ends_at)s, %(note)s)
"""
DOWN_NOW = """
select source, changed_at as since, error from source_status
 where state = 'down'
   and (source in (select source from source_preference)
        or not exists (select from source_preference))
 order by changed_at, source
"""
READ = """
select source, delay_seconds, token_ends_at, note from source_status order by source
"""


class Access(NamedTuple):
    """What a source's account allows.

    Attributes:
        delay_seconds: How late its data is, 0 in real time; None leaves what was noted before.
        token_ends_at: When the user's token ends; None without one, or if it does not say.
        note: What a person should know or do; None if nothing.
    """

    delay_seconds: int | None
    token_ends_at: datetime | None
    note: str | None


class Down(NamedTuple):
    """A source that does not answer, or not well: since when of the market's time, and why."""

    source: str
    since: datetime
    error: str


def report_up(
    connection: Connection[Any], source: str, now: datetime, error: str | None = None
) -> None:
    """Note a good answer at a market time; `error` says what failed among good ones."""
    told = None if error is None else brief(error)
    connection.execute(UP, {"source": source, "now": now, "error": told})


def report_down(connection: Connection[Any], source: str, now: datetime, error: str) -> None:
    """Note why a source does not answer, or answers what cannot be used."""
    connection.execute(DOWN, {"source": source, "now": now, "error": brief(error)})


def report_access(connection: Connection[Any], source: str, access: Access) -> None:
    """Note what the account of a source that was reported before allows now."""
    connection.execute(ACCESS, {"source": source} | access._asdict())


def read_access(connection: Connection[Any]) -> dict[str, Access]:
    """Return what was last noted of each source's account."""
    return {source: Access(*rest) for source, *rest in connection.execute(READ)}


def longest_delay(connection: Connection[Any]) -> timedelta:
    """Return how late the source that is furthest behind says it is: rows cannot be earlier."""
    return timedelta(seconds=max(delayed_sources(connection).values(), default=0))


def delayed_sources(connection: Connection[Any]) -> dict[str, int]:
    """Return the sources whose data is late, and by how many seconds."""
    noted = read_access(connection)
    return {
        source: access.delay_seconds for source, access in noted.items() if access.delay_seconds
    }


def read_down(connection: Connection[Any]) -> list[Down]:
    """Return which of the sources that are asked are down, the longest first."""
    return [Down(*row) for row in connection.execute(DOWN_NOW)]
