"""The hours that views read: from `strategy.session`, through whoever migrates."""

from collections.abc import Iterable
from datetime import date, time
from typing import Any

from psycopg import Connection

# Nothing is touched where nothing differs: programs migrate at each start.
HOURS = """
with given as (
    select * from unnest(%(first)s::date[], %(last)s::date[], %(opens)s::time[], %(closes)s::time[])
                  h (first_day, last_day, opens, closes)
), gone as (
    delete from trading_hours t
     where not exists (select from given g
                        where (g.first_day, g.last_day) = (t.first_day, t.last_day))
)
insert into trading_hours (first_day, last_day, opens, closes) select * from given
on conflict (first_day, last_day) do update set opens = excluded.opens, closes = excluded.closes
 where (trading_hours.opens, trading_hours.closes)
       is distinct from (excluded.opens, excluded.closes)
"""

# From the first to the last day, both included, sessions open and close at these times of India.
HoursRow = tuple[date, date, time, time]


def write_hours(connection: Connection[Any], rows: Iterable[HoursRow]) -> None:
    """Let views know these hours of the calendar, and no earlier ones."""
    first, last, opens, closes = map(list, zip(*rows, strict=True))
    connection.execute(HOURS, {"first": first, "last": last, "opens": opens, "closes": closes})
