"""Bid and ask of contracts in one session, in the order in which they became known."""

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from psycopg import Connection

from db.market.fixed_rows import instants, read_fixed

QUOTES = """
copy (
    select w.place - 1, q.known_at, q.moment, coalesce(q.bid, 'NaN'), coalesce(q.ask, 'NaN')
      from unnest(%(symbols)s::text[]) with ordinality w (symbol, place)
      join quote q using (symbol)
     where q.moment >= %(session)s::date::timestamp at time zone 'Asia/Kolkata'
       and q.moment < (%(session)s::date + 1)::timestamp at time zone 'Asia/Kolkata'
     order by w.place, q.known_at, q.moment
) to stdout (format binary)
"""
COLUMNS = (
    *((name, ">i8") for name in ("place", "known_at", "moment")),
    *((name, ">f8") for name in ("bid", "ask")),
)


class Quotes(NamedTuple):
    """Bid and ask of one contract: times as microseconds UTC, rupees, NaN where there is none."""

    known_at: npt.NDArray[np.int64]
    moments: npt.NDArray[np.int64]
    bids: npt.NDArray[np.float64]
    asks: npt.NDArray[np.float64]


def read_quotes(
    connection: Connection[Any], session: date, symbols: Collection[str]
) -> dict[str, Quotes]:
    """Return the stored quotes of a session, of the contracts that have any."""
    names = sorted(symbols)
    rows = read_fixed(connection, QUOTES, {"symbols": names, "session": session}, COLUMNS)
    places = rows["place"].astype(np.int64)
    times = [instants(rows[name]).astype(np.int64) for name in ("known_at", "moment")]
    prices = [rows[name].astype(np.float64) for name in ("bid", "ask")]
    found: dict[str, Quotes] = {}
    for place in np.unique(places):
        start, stop = np.searchsorted(places, [place, place + 1])
        part = slice(int(start), int(stop))
        found[names[place]] = Quotes(
            times[0][part], times[1][part], prices[0][part], prices[1][part]
        )
    return found
