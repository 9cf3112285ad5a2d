"""Which versions of which strategies there are, with their numbers, and which are computed."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

from db.market.frames import Range
from db.server.errors import VersionReusedError

REGISTER = """
insert into strategy_version (strategy, version, params_hash, params, live, first_used)
values (%s, %s, %s, %s, %s, %s)
on conflict (strategy, version) do nothing
"""
KNOWN = "select params_hash from strategy_version where strategy = %s and version = %s"
SET_LIVE = "update strategy_version set live = true where strategy = %s and version = %s"
ALL = """
select strategy, version, params_hash, params, live from strategy_version
 order by strategy, version
"""

NOT_LIVE = """
select distinct session, strategy, version, params_hash, params
  from strategy_version
  join (select strategy, version, session, underlying, event_time from signal
         union all
        select strategy, version, session, underlying, event_time from signal_rejection) stored
 using (strategy, version)
 where not live and underlying = any(%(underlyings)s)
   and event_time >= %(first)s::timestamptz and event_time < %(last)s::timestamptz
 order by session, strategy, version
"""


class StrategyVersion(NamedTuple):
    """One version: the rules' name, and the numbers they were given."""

    strategy: str
    version: str
    params_hash: str
    params: Mapping[str, Any]


def register_version(
    connection: Connection[Any], version: StrategyVersion, now: datetime, *, live: bool
) -> None:
    """Note a version with its numbers; one that is noted stays as it is, `live` included.

    Raises:
        VersionReusedError: The same version was stored with other numbers.
    """
    row = (version.strategy, version.version, version.params_hash, Jsonb(version.params), live, now)
    connection.execute(REGISTER, row)
    known = connection.execute(KNOWN, (version.strategy, version.version)).fetchone()
    if known != (version.params_hash,):
        raise VersionReusedError(
            f"{version.strategy} {version.version} is stored with other numbers: give the changed"
            " rules a new version"
        )


def set_live(connection: Connection[Any], version: StrategyVersion) -> None:
    """Have a registered version computed from now on."""
    connection.execute(SET_LIVE, (version.strategy, version.version))


def versions_not_live(
    connection: Connection[Any], sessions: Range, underlyings: Sequence[str]
) -> list[tuple[date, StrategyVersion]]:
    """Return, by session, the versions that have rows of it and are not computed live."""
    rows = connection.execute(NOT_LIVE, sessions.parameters(underlyings))
    return [(session, StrategyVersion(*row)) for session, *row in rows]


def known_versions(connection: Connection[Any]) -> list[tuple[StrategyVersion, bool]]:
    """Return all versions, each with whether it is to be computed live."""
    return [(StrategyVersion(*row[:4]), row[4]) for row in connection.execute(ALL)]
