"""Volumes of a source's own five-minute rows beside those of the candles."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

# Intervals of which the volume of each minute is known.
VOLUMES = """
with pair as (
    select b.symbol, b.close_time, b.volume as reported, sum(c.volume)::bigint as traded
      from build_up b
      join candle c on c.symbol = b.symbol and c.interval_minutes = 1 and c.final
                   and c.open_time >= b.open_time and c.open_time < b.close_time
     where b.made_from = 'rows' and b.volume is not null
       and b.underlying = any(%(underlyings)s)
       and b.open_time >= %(session)s::date::timestamp at time zone 'Asia/Kolkata'
       and b.open_time < (%(session)s::date + 1)::timestamp at time zone 'Asia/Kolkata'
     group by b.symbol, b.open_time, b.close_time, b.volume
    having count(c.volume) = 5
), judged as (
    select *, abs(reported - traded) > %(share)s * greatest(traded, 1) as beyond from pair
)
select count(*) as compared, count(*) filter (where beyond) as beyond,
       coalesce((array_agg(format('%%s %%s: %%s against %%s', symbol,
                                  to_char(close_time, 'YYYY-MM-DD"T"HH24:MI"Z"'), reported, traded)
                           order by abs(reported - traded) desc, close_time, symbol)
                 filter (where beyond))[1:5], '{}') as examples
  from judged
"""


class VolumeSkew(NamedTuple):
    """How many intervals both have, of how many the volumes differ, and the worst, in units."""

    compared: int
    beyond: int
    examples: list[str]


def compare_volumes(
    connection: Connection[Any], session: date, underlyings: Sequence[str], share: float
) -> VolumeSkew:
    """Compare the volume of a source's rows with the candles' of the same five minutes.

    Args:
        connection: Open.
        session: Whose rows.
        underlyings: Of these.
        share: A difference up to this share of the candles' volume is none.
    """
    parameters = {"session": session, "underlyings": list(underlyings), "share": share}
    with connection.cursor(row_factory=class_row(VolumeSkew)) as cursor:
        return cursor.execute(VOLUMES, parameters).fetchone() or VolumeSkew(0, 0, [])
