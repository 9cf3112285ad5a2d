"""Which strike ladders of a session are missing, and how often they were asked for."""

from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection

# An interval's ladder is that of its end. One that was asked for by its minute twice, and
# late enough for the source to have it, is not asked for again: the source has nothing else to say.
# Twice, because a process may have been killed between the archive and the rows.
MISSED_SNAPSHOTS = """
with missed as materialized (
    select g.moment
      from generate_series(%(first)s::timestamptz, %(until)s::timestamptz, interval '5 minutes')
           g (moment)
     where not exists (select from chain_oi c
                        where c.underlying = %(underlying)s and c.expiry = %(expiry)s
                          and c.observed_at = g.moment)
)
select moment from missed
 where to_char(moment at time zone 'Asia/Kolkata', 'HH24:MI') not in (
       select p.about ->> 'until' from raw_payload p join raw_receipt r using (payload_id)
        where p.session = %(session)s and p.about ->> 'kind' = 'chain'
          and p.about ->> 'underlying' = %(underlying)s and p.parser_error is null
          and (r.asked_at at time zone 'Asia/Kolkata') - interval '5 minutes'
              >= p.session + (p.about ->> 'until')::time
        group by 1 having count(*) > 1)
 order by 1
"""
LADDER_ASKS = """
select count(*), max(r.asked_at) from raw_payload p join raw_receipt r using (payload_id)
 where p.session = %(session)s and p.about ->> 'kind' = 'chain'
   and p.about ->> 'source' = %(source)s and p.about ->> 'underlying' = %(underlying)s
   and r.asked_at >= %(since)s
   and coalesce((p.about ->> 'until')::time >= (%(newest)s at time zone 'Asia/Kolkata')::time, true)
"""


def missed_snapshots(
    connection: Connection[Any],
    session: date,
    underlying: str,
    expiry: date,
    first: datetime,
    newest: datetime,
) -> list[datetime]:
    """Return the ends of the 5-minute intervals without a strike ladder, that can be asked for.

    Args:
        connection: To read with.
        session: Which.
        underlying: Whose.
        expiry: Of the ladder.
        first: End of the session's first interval,
        newest: and of the last one to look at.
    """
    parameters = {
        "session": session,
        "underlying": underlying,
        "expiry": expiry,
        "first": first,
        "until": newest,
    }
    return [row[0] for row in connection.execute(MISSED_SNAPSHOTS, parameters)]


class LadderAsks(NamedTuple):
    """How often the ladder of the moment was asked for, and when last; None if never."""

    number: int
    newest: datetime | None


def ladder_asks(
    connection: Connection[Any],
    session: date,
    source: str,
    underlying: str,
    newest: datetime,
    since: datetime,
) -> LadderAsks:
    """Return how often a source was asked for a ladder not older than `newest` since a time."""
    parameters = {"session": session, "source": source, "underlying": underlying}
    parameters |= {"newest": newest, "since": since}
    row = connection.execute(LADDER_ASKS, parameters).fetchone()
    return LadderAsks(*row) if row else LadderAsks(0, None)
