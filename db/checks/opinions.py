"""How far sources that told the same rows agree."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL

_OF_SESSION = SQL("""moment >= %(session)s::date::timestamp at time zone 'Asia/Kolkata'
       and moment < (%(session)s::date + 1)::timestamp at time zone 'Asia/Kolkata'
       and (%(underlyings)s::text[] is null
            or coalesce(key ->> 'underlying', substring(key ->> 'symbol' from '^[A-Z]+'))
               = any(%(underlyings)s))""")
AGREEMENT = SQL("""
with told as (
    select relation, key, count(*) - 1 as others
      from source_version
     where {of_session}
     group by 1, 2
), differing as (
    select *, coalesce(key ->> 'symbol', concat_ws(' ', key ->> 'underlying', key ->> 'expiry',
                                                   key ->> 'strike')) as name
      from second_opinion
     where {of_session}
)
select (select coalesce(sum(others), 0)::integer from told) as compared,
       count(*)::integer as differing,
       coalesce((array_agg(format('%%s %%s %%s: %%s differs from %%s by %%s', relation, name,
                                  to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
                                  source, preferred_source, difference)
                           order by moment, relation, name))[1:5], '{{}}') as examples
  from differing
""").format(of_session=_OF_SESSION)
NEWEST = """
select (max(moment) at time zone 'Asia/Kolkata')::date from source_version
"""


class Agreement(NamedTuple):
    """Rows that another source than the preferred one told as well, and what differs."""

    compared: int
    differing: int
    examples: list[str]


def read_agreement(
    connection: Connection[Any], session: date, underlyings: Sequence[str] | None = None
) -> Agreement:
    """Return how far a session's sources agree.

    Args:
        connection: Open.
        session: Whose rows.
        underlyings: Of these; None for all.
    """
    parameters = {"session": session, "underlyings": list(underlyings) if underlyings else None}
    with connection.cursor(row_factory=class_row(Agreement)) as cursor:
        return cursor.execute(AGREEMENT, parameters).fetchone() or Agreement(0, 0, [])


def newest_told_twice(connection: Connection[Any]) -> date | None:
    """Return the newest session of which two sources told a row; None if there is none."""
    row = connection.execute(NEWEST).fetchone()
    return row[0] if row else None
