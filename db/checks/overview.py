"""What is stored, in one look: for `optionscalp status`."""

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from db.checks.opinions import newest_told_twice, read_agreement

SESSIONS = """
select (open_time at time zone 'Asia/Kolkata')::date as session, underlying,
       count(*) as candles, count(distinct symbol) as symbols, max(open_time) as newest,
       string_agg(distinct source, ', ') as source
  from candle
 group by 1, 2 order by 1 desc, 2 limit %(limit)s
"""
COUNTS = """
select (select count(*) from candle) as candles, (select max(known_at) from candle) as candle,
       (select count(*) from build_up) as build_ups,
       (select max(known_at) from build_up) as build_up,
       (select count(*) from signal where withdrawn_at is null) as signals,
       (select max(known_at) from signal) as signal,
       (select count(*) from raw_payload) as payloads,
       (select count(*) from raw_payload where parser_error is not null) as unparsed_payloads
"""
SOURCES = """
select source, state, changed_at, last_at, error, delay_seconds, token_ends_at, note
  from source_status order by source
"""
OTHER_SOURCES = """
select distinct source from candle where source <> %(source)s
union select distinct source from raw_payload where source <> %(source)s
"""


def overview(connection: Connection[Any], sessions: int = 10) -> dict[str, Any]:
    """Return counts with the newest `known_at` per table, the sources, and the last sessions.

    `opinions` says of the newest session on which two sources told the same rows how many these
    are, and how many differ; None if there is none.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        counts = cursor.execute(COUNTS).fetchone()
        sources = cursor.execute(SOURCES).fetchall()
        stored = cursor.execute(SESSIONS, {"limit": sessions}).fetchall()
    found = {"stored": counts, "sources": sources, "sessions": stored}
    return found | {"opinions": _opinions(connection)}


def _opinions(connection: Connection[Any]) -> dict[str, Any] | None:
    session = newest_told_twice(connection)
    if session is None:
        return None
    found = read_agreement(connection, session)
    return {"session": session, "compared": found.compared, "differing": found.differing}


def other_sources(connection: Connection[Any], source: str) -> list[str]:
    """Return which sources but one have rows; none where our tables are not even there."""
    exists = connection.execute("select to_regclass('candle')").fetchone()
    if not exists or exists[0] is None:
        return []
    return [name for (name,) in connection.execute(OTHER_SOURCES, {"source": source})]
